"""Which programs of a command cannot make it fail: a pipe, ``|| true`` or what follows has hidden their exit codes.

Such a command says nothing by ending with 0. The command's text tells, with what it runs of the Makefile, of scripts
and of ``package.json``; what another program does inside itself is not seen. A text that is not understood hides
nothing, unless it has the usual words for that.

A pipe, a loop or the next command hides a failure that nobody meant to allow. By ``|| true`` or an option the
repository itself says that a program may fail: that counts only where nothing else judges.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import msgspec

from shared.workspace.drivers import drivers_that_do_not_look
from shared.workspace.programs import PLAIN, called, counts_tests, is_test_runner, names_failed_steps
from shared.workspace.reached import shell_texts, text_of
from shared.workspace.shell import Step, steps_of

_SHOWN: Final = 80
"""Characters of a program's words in a sentence."""
_PIPEFAIL: Final = re.compile(r"\bpipefail\b")
_STOPS: Final = re.compile(
    r"\bset [^\n;]*(?:-\w*e\w*|\berrexit)\b|^#!\S*(?: \S+)? -\w*e|^(?:ba|da|z|k)?sh (?:-\w+ )*-\w*e"
)
_USUAL: Final = re.compile(r"\|\| *(?:true|:)(?=\s|[;)]|$)|(?<!\|)\| *(?:tee|cat)\b")
_SHELLS: Final = frozenset({"sh", "bash", "dash", "zsh", "ksh"})
_PACKAGES: Final = frozenset({"npm", "pnpm", "yarn", "bun"})
_RUN: Final = frozenset({"test", "t", "run", "run-script"})
_UNKNOWN: Final = Step(("?",), (), "", "", ())
_SUCCEEDS: Final = frozenset({"true", ":", "echo", "printf"})
_OPTIONS: Final = re.compile(
    r"(?<!\S)(?:--exit-zero|--fail-never|--issues-exit-code[= ]0|-Dmaven\.test\.failure\.ignore(?:=true)?)(?!\S)"
)
_NO_FAILURE: Final = frozenset({"if", "elif", "while", "until", "!"})
"""A program behind one of these is asked something."""
_FEEDS: Final = frozenset(
    {("go", "list"), ("go", "env"), ("go", "tool"), ("go", "version"), ("docker", "ps"), ("node", "-p"), ("npm", "bin")}
    | {("coverage", "report"), ("coverage", "xml"), ("coverage", "html"), ("coverage", "combine")}
)
"""Programs that only give words to others, beside git and those of `PLAIN`."""
_PREPARES: Final = frozenset(
    {"install", "ci", "sync", "download", "restore", "up", "down", "start", "pull", "fetch", "update", "add", "tidy"}
)
"""What a program does for those behind it: where it fails, they do."""
_COMPARE: Final = frozenset({"test", "[", "[[", "grep", "egrep", "fgrep", "diff", "cmp", "git"})


class Hidden(msgspec.Struct, frozen=True):
    """A program whose exit code is lost: its words, what hides it, and whether it is a test runner, whose words for a
    failing test are read. ``is_allowed`` says that the repository itself allows it to fail.
    """

    program: str
    by: str
    is_test_runner: bool = False
    is_allowed: bool = False

    def __str__(self) -> str:
        return f"exit code hidden by {self.by}: {self.program}"


def hidden_exit_codes(command: str, checkout: Path) -> list[Hidden]:
    """Of a command of ``/bin/sh`` that ran in ``checkout``, each once. Only files are read."""
    texts = shell_texts(command, checkout)
    told = [each for text in texts for each in _of_shell(text, text.partition("\n")[0], goes_deeper=len(texts) > 1)]
    found = [each for each in told if each is not None]
    if re.search(r"(?<![\w-])tox(?![\w-])", command):
        found += _of_tox(text_of(checkout, "tox.ini"))
    found += (_of_driver(*each) for each in drivers_that_do_not_look(command, checkout))
    if None in told:
        found = [each for each in found if not each.is_allowed]
    return list(dict.fromkeys(found))


def can_fail(command: str, checkout: Path) -> bool:
    """Whether the command runs anything that could fail, as far as is known: a target may only print some words.

    What stands in the command itself is the operator's word.
    """
    texts = shell_texts(command, checkout)
    if len(texts) == 1:
        return True
    steps = [step for text in texts for step in steps_of(text) or (_UNKNOWN,) if step.words]
    return any(
        step.program not in {"cd", *_SUCCEEDS} and not _passes_on(called(step.words) or step.words) for step in steps
    )


def _of_shell(text: str, first: str, *, goes_deeper: bool = False) -> Iterator[Hidden | None]:
    """What is hidden; None for each program that judges, and whose exit code counts.

    Where it ``goes_deeper``, a program that only starts other texts is no judge: those are looked at by themselves.
    """
    text = text.replace("\\\n", " ")
    steps = steps_of(text)
    if steps is None:
        if (usual := _USUAL.search(text)) is not None and not _PIPEFAIL.search(text):
            yield Hidden(_shown(text.strip().splitlines()[:1]), f"`{usual[0]}`")
        return
    has_pipefail, goes_on = _PIPEFAIL.search(f"{first}\n{text}") is not None, not _STOPS.search(f"{first}\n{text}")
    for at, step in enumerate(steps):
        words = called(step.words)
        if not words or not _judges(words) or (goes_deeper and _passes_on(words)) or _NO_FAILURE & {*step.keywords}:
            if words and _compares(words, step):
                yield None
            continue
        if step.program in {"sh", "bash"} and "-c" in step.words[:-1]:
            yield from _of_shell(step.words[step.words.index("-c") + 1], " ".join(step.words))
        hider = _hider(steps, at, has_pipefail=has_pipefail, goes_on=goes_on)
        if not hider:
            yield None
            continue
        is_allowed = hider.startswith("`||") or hider in {"an option", "find"}
        yield Hidden(_shown(step.words), hider, is_test_runner(words), is_allowed)


def _hider(steps: Sequence[Step], at: int, *, has_pipefail: bool, goes_on: bool) -> str:
    """What hides the exit code of a step, or nothing."""
    step = steps[at]
    if _OPTIONS.search(" ".join(step.words)):
        return "an option"
    if "-exec" in step.words and "+" not in step.words:
        return "find"
    if step.after == "|":
        return "" if has_pipefail else "a pipe"
    end = at
    while steps[end].after in {"&&", "|"} and end + 1 < len(steps):
        end += 1  # a failure passes what is behind `&&`; a pipe has the exit code of its end
    behind = steps[end + 1 :]
    match steps[end].after:
        case "||" if behind and (behind[0].words == ("exit", "0") or _only_says(behind)):
            return f"`|| {behind[0].program}`"
        case "&" if not any(map(_ends, behind)):
            is_beside = not counts_tests(called(step.words)) and any(map(_judges_beside, behind))
            return "" if is_beside else "`&`"
        case ";" | "done" if goes_on and not (behind and _looks_at_it(behind[0])):
            return "the commands behind it" if steps[end].after == ";" else "a loop"
    return ""


def _only_says(behind: Sequence[Step]) -> bool:
    """Whether it succeeds, and no ``exit 1`` follows the words."""
    said = next((at for at, step in enumerate(behind) if step.program not in _SUCCEEDS), len(behind))
    then = behind[said].words if 0 < said < len(behind) else ()
    return said > 0 and not (then[:1] in {("exit",), ("return",)} and then[1:] != ("0",)) and then != ("false",)


def _ends(behind: Step) -> bool:
    """Whether it waits for the exit code of what runs in the background."""
    return behind.program == "wait" and len(behind.words) > 1


def _judges_beside(behind: Step) -> bool:
    """Whether it is judged beside what runs in the background, such as a server."""
    return behind.after != "&" and bool(words := called(behind.words)) and _judges(words)


def _looks_at_it(step: Step) -> bool:
    """Whether the exit code in front is kept, or this is the other branch of a choice."""
    return any("$?" in each for each in (*step.words, *step.assigned)) or bool({"else", "elif"} & {*step.keywords})


def _passes_on(words: Sequence[str]) -> bool:
    """Whether it is a script of the repository, or starts a target or a script of a package."""
    name = words[0].rpartition("/")[2]
    is_script = name.endswith((".sh", ".bash")) or (name in _SHELLS and "-c" not in words and len(words) > 1)
    return is_script or names_failed_steps(words) or (name in _PACKAGES and bool(_RUN & {*words[1:3]}))


def _judges(words: Sequence[str]) -> bool:
    """Whether its exit code says what nothing else does."""
    name = words[0].rpartition("/")[2]
    is_no_judge = name in PLAIN or name == "git" or (name, *words[1:2]) in _FEEDS or names_failed_steps(words)
    return not (is_no_judge or _PREPARES & {*words[1:3]}) or "-exec" in words


def _compares(words: Sequence[str], step: Step) -> bool:
    """Whether it is one of the plain programs that judge by comparing, and the last word of its text."""
    return not step.after and (words[0] in _COMPARE or bool(_NO_FAILURE & {*step.keywords}))


def _of_driver(path: str, starts: int) -> Hidden:
    """Where it starts one program only, and tests are told, they are those of that program."""
    return Hidden(path, "a script that does not look at what it starts", is_test_runner=starts == 1)


def _of_tox(text: str) -> Iterator[Hidden]:
    for line in re.findall(r"^(?:commands *=|[ \t]+) *(- *\w.*)$", text, re.M):
        yield Hidden(_shown([line]), "tox, which ignores it", is_test_runner(called(line.strip("- ").split())))
    if re.search(r"^ignore_outcome *= *true", text, re.M | re.I):
        yield Hidden("tox", "`ignore_outcome`")


def _shown(words: Sequence[str]) -> str:
    text = " ".join(words)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
