"""What the scripted model says next: a pure function of the conversation.

The turn is chosen by what happened since the prompt and nothing else, so any number of runs, resumes and restarts of
the model work at once. Lines of the prompt steer it, in order, before the role's own work::

    demo: sleep 30            demo: turns 20           demo: spawn-children      demo: write PATH TEXT
    demo: huge 4000000        demo: ask Which one?     demo: slow-stream 5
    demo: fail 529 [TIMES]    demo: hang               demo: cut                 demo: leave-child
    demo: use TOOL {"its": "input"}

``demo executor: …`` (or ``planner``, ``brain``, ``reviewer``, ``assistant``) steers only that role. A step that needs a
tool which the agent has not got is left out. After a ``write`` the role's own work is left out: that was the work.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import msgspec

from shared.claude.demo import repo as demo_repo
from shared.claude.demo.assistant import answer_for, call_for
from shared.claude.demo.conversation import Exchange, Role, ScriptedConversation
from shared.claude.demo.review import review_of
from shared.claude.demo.schema import fill
from shared.claude.demo.webhook_form import is_webhook_form, webhook_form

_ROLES = "|".join(Role)
_DIRECTIVE = re.compile(rf"^[\s>*-]*demo(?: ({_ROLES}))?: *(\S+)(?: +(.*?))?\s*$", re.MULTILINE)
_TEST = "python3 -m unittest 2>&1 | tail -n 25"
_LONGEST_BASH_MS = 600_000


class ToolUse(msgspec.Struct, frozen=True):
    name: str
    input: dict[str, Any]


class Speak(msgspec.Struct, frozen=True):
    """A normal response: text, then tool calls. The text streams over ``seconds``."""

    text: str
    calls: tuple[ToolUse, ...] = ()
    seconds: float = 0.0


class Fail(msgspec.Struct, frozen=True):
    """An HTTP error; ``times`` None means every time."""

    status: int
    times: int | None


class Hang(msgspec.Struct, frozen=True):
    """The request is taken and never answered."""


class Cut(msgspec.Struct, frozen=True):
    """The connection breaks in the middle of the response, once."""


Fault = Fail | Hang | Cut
Move = Speak | Fault


def moves(talk: ScriptedConversation) -> Iterable[Move]:
    """The faults that stand before the next turn, in order, then that turn.

    The caller takes the first one not used up.
    """
    directives = [found for found in _DIRECTIVE.findall(talk.prompt) if found[0] in ("", talk.role)]
    done = len(talk.exchanges)
    wrote = False
    for _, name, argument in directives:
        fault = _fault(name, argument)
        if fault is not None:
            if done == 0:
                yield fault
            continue
        for turn in _steered(talk, name, argument):
            if done == 0:
                yield turn
                return
            done -= 1
            wrote = wrote or name == "write"
    own = talk.exchanges[len(talk.exchanges) - done :]
    yield _finish(talk, _wrote(talk)) if wrote else _own_work(talk, own)


def _fault(name: str, argument: str) -> Fault | None:
    match name, argument.split():
        case "fail", [status, *times] if status.isdigit():
            return Fail(int(status), int(times[0]) if times and times[0].isdigit() else None)
        case "hang", _:
            return Hang()
        case "cut", _:
            return Cut()
        case _:
            return None


def _steered(talk: ScriptedConversation, name: str, argument: str) -> list[Speak]:
    """The turns that a directive asks for; none when the agent lacks the tool."""
    number = _number(argument)
    turns: list[Speak] = []
    match name:
        case "sleep":
            turns = [_bash(f"Waiting {number:g} s.", f'python3 -c "import time; time.sleep({number})"', number)]
        case "turns":
            wait = 'python3 -c "import time; time.sleep(0.2)"'
            turns = [_bash(f"Turn {n} of {number:g}.", f"{wait}; echo turn {n}") for n in range(1, int(number) + 1)]
        case "leave-child":
            nap = 'python3 -c "import time; time.sleep(600)"'
            turns = [
                _bash("Leaving a helper behind.", f"(setsid {nap} >/dev/null 2>&1 &); {nap} >/dev/null 2>&1 & true")
            ]
        case "spawn-children":
            nap = 'python3 -c "import time; time.sleep(600)"'
            turns = [_bash("Starting helpers.", f"(setsid {nap} &); {nap} & {nap}; wait", 600)]
        case "huge":
            text = ("0123456789abcdef" * 4)[:63] + "\n"
            content = (text * (int(number) // 64 + 1))[: int(number)]
            path = f"{talk.folder}/huge.txt"
            turns = [Speak("Writing a large file.", (ToolUse("Write", {"file_path": path, "content": content}),))]
        case "write":
            path, _, text = argument.partition(" ")
            content = text + "\n"
            call = ToolUse("Write", {"file_path": f"{talk.folder}/{path}", "content": content})
            turns = [Speak(f"Writing {path}.", (call,))]
        case "use":
            tool, _, written = argument.partition(" ")
            turns = [Speak(f"I use {tool}.", (ToolUse(tool, given),)) for given in _object(written)]
        case "ask":
            turns = [Speak("I need a decision.", (_question(argument or "Shall I?"),))]
        case "slow-stream":
            words = "Thinking aloud, slowly, so that a person can watch the words arrive. " * 4
            turns = [_bash(words, "true", seconds=number or 3.0)]
    return [turn for turn in turns if all(call.name in talk.tools for call in turn.calls)]


def _object(text: str) -> list[dict[str, Any]]:
    """The JSON object that the text is, or nothing."""
    try:
        return [msgspec.json.decode(text, type=dict[str, Any])]
    except msgspec.MsgspecError:
        return []


def _own_work(talk: ScriptedConversation, own: tuple[Exchange, ...]) -> Speak:
    match talk.role:
        case Role.BRAIN:
            return _finish(talk, _title(talk.prompt))
        case Role.PLANNER:
            return _plan(talk, own)
        case Role.EXECUTOR:
            return _execute(talk, own)
        case Role.REVIEWER:
            return _review(talk, own)
        case Role.ASSISTANT:
            return _answer(talk, own)


def _answer(talk: ScriptedConversation, own: tuple[Exchange, ...]) -> Speak:
    if (call := call_for(talk, own)) is not None:
        return Speak("Let me look.", (ToolUse(*call),))
    text, seconds = answer_for(talk, own)
    return Speak(text, seconds=seconds)


# ---- the planner ---------------------------------------------------------------------------------------------------


def _plan(talk: ScriptedConversation, own: tuple[Exchange, ...]) -> Speak:
    match len(own):
        case 0 if "Glob" in talk.tools:
            return Speak("Let me see what is in the repository.", (ToolUse("Glob", {"pattern": "**/*"}),))
        case 0 | 1 if _files_to_read(talk, own):
            reads = tuple(ToolUse("Read", {"file_path": path}) for path in _files_to_read(talk, own))
            return Speak("I read the files this is about.", reads)
        case _:
            return _finish(talk, _plan_text(talk, own))


def _files_to_read(talk: ScriptedConversation, own: tuple[Exchange, ...]) -> list[str]:
    """The listed files that the prompt speaks of, else the first few; none when they were read already."""
    if "Read" not in talk.tools or any(call.name == "Read" for exchange in own for call in exchange.calls):
        return []
    listed = _listed(own)
    words = set(re.findall(r"[a-z_]{4,}", talk.prompt.lower()))
    hinted = [path for path in listed if _about_demo_bug(talk.prompt) and path.endswith(demo_repo.SOURCE)]
    hinted += [path for path in listed if set(re.findall(r"[a-z_]{4,}", path.rsplit("/", 1)[-1].lower())) & words]
    hinted += [path for path in listed if path.endswith((".py", ".md"))]
    return [_absolute(talk, path) for path in dict.fromkeys(hinted)][:3]


def _listed(own: tuple[Exchange, ...]) -> list[str]:
    lines = (line.strip() for exchange in own for call in exchange.calls for line in call.result.splitlines())
    return [line for line in lines if re.fullmatch(r"[\w./-]+\.\w+", line) and "/.git/" not in f"/{line}"]


def _plan_text(talk: ScriptedConversation, own: tuple[Exchange, ...]) -> str:
    read = {str(call.input["file_path"]): call.result for each in own for call in each.calls if call.name == "Read"}
    found = [path for path, text in read.items() if _edit(text) is not None]
    if found and _about_demo_bug(talk.prompt):
        path = _relative(talk, found[0])
        return f"""\
# Plan

## Goal
`split_evenly` must hand out every cent of the bill: today the remainder of the division is dropped.

## Files to touch
- `{path}`: `split_evenly`

## Steps
1. Run the tests and see `test_the_shares_add_up_to_the_bill` fail.
2. In `split_evenly`, keep the remainder with `divmod(cents, people)`.
3. Let the first `remainder` people pay one cent more; everybody else pays the share as before.
4. Run all tests.

## Verification
`python3 -m unittest` passes, with `test_the_shares_add_up_to_the_bill` and `test_nobody_pays_more_than_one_cent_extra`.

## Risk
Low: one pure function with tests. Callers get lists of the same length; only uneven bills change, by a cent a person.
"""
    title = _title(talk.prompt)
    seen = "\n".join(
        f"- read `{_relative(talk, path)}` ({len(text.splitlines())} lines)" for path, text in read.items()
    )
    return f"""\
# Plan

## Goal
{title}

## Files to touch
- `notes/{_slug(title)}.md` (new)

## Steps
1. Write down what was asked for and what was found.
2. Leave the code as it is: the scripted demo model changes code for the demo issue only.

What I looked at:
{seen or "- nothing that could be read"}

## Verification
The new file is there and says what was asked for.

## Risk
None: a new text file.
"""


# ---- the reviewer ---------------------------------------------------------------------------------------------------


def _review(talk: ScriptedConversation, own: tuple[Exchange, ...]) -> Speak:
    answer = review_of(talk.prompt)
    files = dict.fromkeys(found["path"] for found in answer["findings"])
    if not own and files and "Read" in talk.tools:
        reads = tuple(ToolUse("Read", {"file_path": _absolute(talk, path)}) for path in files)
        return Speak("I read what the change is about.", reads)
    if "StructuredOutput" in talk.tools:
        return Speak("", (ToolUse("StructuredOutput", answer),))
    return Speak(str(answer["summary"]))


# ---- the executor --------------------------------------------------------------------------------------------------


def _execute(talk: ScriptedConversation, own: tuple[Exchange, ...]) -> Speak:
    listing = own[0].calls[0].result if own and own[0].calls else ""
    match len(own):
        case 0 if "Bash" in talk.tools:
            return _bash("Let me look at the repository.", "git ls-files | head -n 200")
        case _ if demo_repo.SOURCE in listing.split() and _about_demo_bug(talk.prompt):
            return _fix(talk, own[1:])
        case _:
            return _take_note(talk, own[1:])


def _fix(talk: ScriptedConversation, own: tuple[Exchange, ...]) -> Speak:
    source = _absolute(talk, demo_repo.SOURCE)
    read = own[0].calls[0].result if own and own[0].calls else ""
    edit = _edit(read)
    tests = [call.result for exchange in own for call in exchange.calls if call.name == "Bash"]
    match len(own):
        case 0:
            return Speak("The bug must be here.", (ToolUse("Read", {"file_path": source}),))
        case 1:
            return _bash("First the tests: I want to see it fail.", _TEST)
        case 2 if edit is not None and "FAILED" in tests[-1]:
            old, new = edit
            change = {"file_path": source, "old_string": old, "new_string": new}
            return Speak("The remainder of the division is dropped. I keep it.", (ToolUse("Edit", change),))
        case 3:
            return _bash("Now the tests again.", _TEST)
        case 4 if _passed(tests[-1]):
            return _finish(
                talk,
                "Hand out every cent when a bill is split\n\n`split_evenly` dropped the remainder of the division. "
                f"In `{demo_repo.SOURCE}` it now goes, one cent each, to the first people on the bill.\n\n"
                "Verified: `python3 -m unittest` failed before "
                f"(`test_the_shares_add_up_to_the_bill`) and passes now: {_last_words(tests[-1])}.",
            )
        case 2 if _passed(tests[-1]):
            return _finish(talk, f"Nothing to change: the tests pass already ({_last_words(tests[-1])}).")
        case _:
            return _finish(
                talk, f"I could not mend it. The tests say: {_last_words(tests[-1]) if tests else 'nothing'}."
            )


def _take_note(talk: ScriptedConversation, own: tuple[Exchange, ...]) -> Speak:
    title = _title(talk.prompt)
    path = f"notes/{_slug(title)}.md"
    match len(own):
        case 0 if "Write" in talk.tools:
            content = f"# {title}\n\nAsked for:\n\n{_quote(talk.prompt)}\n"
            call = ToolUse("Write", {"file_path": _absolute(talk, path), "content": content})
            return Speak("I write down what was asked for.", (call,))
        case 1 if "Bash" in talk.tools:
            return _bash("A look at what changed.", "git status --short")
        case _:
            return _finish(talk, f"Note down: {title}"[:72] + f"\n\nI wrote `{path}` with what was asked for.")


def _edit(read: str) -> tuple[str, str] | None:
    """The change that mends the file as it was read, or None when the bug is not in it."""
    text = "\n".join(re.sub(r"^\s*\d+(?:\t|→)", "", line) for line in read.splitlines()) + "\n"
    return (demo_repo.BUGGY, demo_repo.FIXED) if demo_repo.BUGGY in text else None


def _passed(output: str) -> bool:
    return re.search(r"^OK\b", output, re.MULTILINE) is not None


def _last_words(output: str) -> str:
    ran = re.search(r"^Ran \d+ tests?", output, re.MULTILINE)
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    return ", ".join(filter(None, (ran[0] if ran else "", lines[-1] if lines else "no output")))


# ---- common --------------------------------------------------------------------------------------------------------


def _finish(talk: ScriptedConversation, text: str) -> Speak:
    """The last word: the structured answer where one is asked for, else the text with what people said meanwhile."""
    if "StructuredOutput" in talk.tools:
        schema = talk.tools["StructuredOutput"]
        if is_webhook_form(schema):
            return Speak("", (ToolUse("StructuredOutput", webhook_form(talk.prompt)),))
        answer = fill(schema, title=_title(talk.prompt), text=text, prompt=talk.prompt)
        return Speak("", (ToolUse("StructuredOutput", answer),))
    answers = [call.result for each in talk.exchanges for call in each.calls if call.name == "AskUserQuestion"]
    heard = [*answers, *talk.notes]
    if heard:
        text += "\n\nI was told meanwhile:\n" + "\n".join(_quote(each) for each in heard)
    return Speak(text)


def _bash(text: str, command: str, wait_s: float = 0.0, seconds: float = 0.0) -> Speak:
    timeout = min(_LONGEST_BASH_MS, int((wait_s + 60) * 1000))
    call = ToolUse("Bash", {"command": command, "description": text[:80], "timeout": timeout})
    return Speak(text, (call,), seconds)


def _question(text: str) -> ToolUse:
    options = [{"label": "Yes", "description": "Go ahead"}, {"label": "No", "description": "Leave it"}]
    question = {"question": text, "header": "Decision", "multiSelect": False, "options": options}
    return ToolUse("AskUserQuestion", {"questions": [question]})


def _wrote(talk: ScriptedConversation) -> str:
    paths = [c.input["file_path"] for e in talk.exchanges for c in e.calls if c.name == "Write" and not c.failed]
    return "I wrote " + ", ".join(f"`{_relative(talk, str(path))}`" for path in paths) + " as asked."


def _about_demo_bug(prompt: str) -> bool:
    return "split_evenly" in prompt


def _title(prompt: str) -> str:
    """The task in one line: what a ``title:`` line says, else the first line that is neither markup nor steering."""
    named = re.search(r"^[\s>#*-]*title\W*: *(\S.*)$", prompt, re.IGNORECASE | re.MULTILINE)
    if named is not None:
        return named[1].strip(" *`\"'")[:120]
    lines = (re.sub(r"^[\s>#*-]+|<[^>]+>", "", line).strip() for line in _DIRECTIVE.sub("", prompt).splitlines())
    return next((line[:120] for line in lines if re.search(r"\w", line)), "Untitled task")


def _slug(title: str) -> str:
    return "-".join(re.findall(r"[a-z0-9]+", title.lower()))[:60].strip("-") or "task"


def _quote(text: str) -> str:
    return "\n".join(f"> {line}" for line in text.strip().splitlines()[:60])


def _number(argument: str) -> float:
    found = re.match(r"\d+(?:\.\d+)?", argument)
    return float(found[0]) if found else 0.0


def _absolute(talk: ScriptedConversation, path: str) -> str:
    return path if path.startswith("/") or not talk.folder else f"{talk.folder}/{path}"


def _relative(talk: ScriptedConversation, path: str) -> str:
    return path.removeprefix(f"{talk.folder}/")
