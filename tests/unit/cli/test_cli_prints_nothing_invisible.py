"""Whatever strangers and models write, no page of the CLI steers the terminal, hides text or takes it for markup."""

from __future__ import annotations

import io
import re
from datetime import UTC, datetime

import msgspec
import pytest
from msgspec.structs import replace
from rich.console import Console

from cli.console import VisibleConsole, print_json, say
from cli.demo.driver import _report
from cli.demo.outcome import DemoFinding
from cli.follow import LiveActivity, Storyteller, log_line, print_line
from cli.tasks import approval
from cli.tasks.pages import print_task, task_table
from shared.contracts import EVENTS
from shared.contracts.evidence import Check
from shared.contracts.queries import ModelCost, PlanVersion, RunAttempt, TaskDetail, TaskSource, TimelineItem
from shared.contracts.run import FileChange
from testing.examples import example
from testing.recorded import recorded

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)
CHARACTERS = (
    "\x1b]52;c;cm0=\x07", "\x1b[8m", "\x1b[2J", "\x07", "\x08", "\x0b", "\r", "\x7f", "\x9b2J", "\xad", "\u061c",
    "\u200b", "\u200d", "\u200e", "\u202e", "\u2028", "\u2029", "\u2060", "\u2066", "\ufeff", "\U000e0041",
)  # fmt: skip
RAW = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\U000e0000-\U000e0fff]"
)
OURS = re.compile(r"\x1b\[[\d;]*m")
"""Colours, which rich writes; foreign text has them only as marks."""


@pytest.fixture(params=["terminal", "pipe"])
def console(request: pytest.FixtureRequest) -> Console:
    terminal = request.param == "terminal"
    made = VisibleConsole(highlight=False, emoji=False, force_terminal=terminal, width=200, soft_wrap=not terminal)
    made.file = io.StringIO()
    return made


def printed(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def assert_clean(console: Console) -> str:
    out = printed(console)
    assert "\x1b]" not in out, "an operating system command: a title, a link or the clipboard"
    plain = OURS.sub("", out)
    assert not RAW.findall(plain), ascii(plain)
    assert "\x1b[8m" not in out
    return plain


def hostile(character: str) -> str:
    return f"[red]in{character}nocent[/red] [link=https://evil.example]x[/link]"


def task_of(text: str) -> TaskDetail:
    return TaskDetail(
        id="01JXTASKTASKTASKTASKTASKTA",
        title=text,
        status="awaiting-approval",
        stopping=False,
        source=TaskSource(kind="api", reference=text, url=text, author=text),
        repo=text,
        created_seq=1,
        created_at=NOON,
        updated_at=NOON,
        plan_version=1,
        round=1,
        attempt=1,
        agent=text,
        worker=text,
        cost_microusd=1,
        tokens=1,
        branch=text,
        commit="c0ffee",
        error_code=text,
        error_message=text,
        question=text,
        version=1,
        text=text,
        requester=text,
        base_commit=text,
        directive=text,
        approval=text,
        session_id=text,
        parent=text,
        working_since=None,
        verdict=text,
        risk=text,
        work_kind=text,
        triage_reason=text,
        decided_by=text,
        answer=text,
        summary=text,
        plan_status=text,
        result_url=text,
        plans=(plan_of(text),),
        run=RunAttempt(
            status="succeeded",
            round=1,
            attempt=1,
            worker=text,
            files=(FileChange(path=text, added=1, removed=1),),
            checks=(Check(command=text, exit_code=0, duration_ms=1),),
        ),
        usage=(replace(example(ModelCost, text), agent="planner", priced=True),),
    )


def plan_of(text: str) -> PlanVersion:
    return PlanVersion(
        version=1,
        digest="d" * 64,
        base_commit="b" * 40,
        markdown=text,
        summary=text,
        at=NOON,
        approved_at=None,
        approved_by=text,
    )


def story_of(text: str) -> list[TimelineItem]:
    data = msgspec.Raw(b"{}")
    return [
        TimelineItem(seq=1, kind="task", event="failed", version=1, time=NOON, principal=text, summary=text, data=data)
    ]


@pytest.mark.parametrize("character", CHARACTERS, ids=ascii)
def test_the_page_of_a_task_and_the_list_of_tasks_have_only_marks(console: Console, character: str) -> None:
    text = hostile(character)
    print_task(console, task_of(text), story_of(text))
    console.print(task_table([task_of(text)]))
    assert "[link=https://evil.example]" in assert_clean(console), "markup of strangers is text"


@pytest.mark.parametrize("character", CHARACTERS, ids=ascii)
def test_the_box_of_a_plan_that_waits_for_approval_has_only_marks(
    console: Console, character: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(approval, "screen", lambda to_stderr: console)
    approval._show(plan_of(f"# {hostile(character)}\n\n`{character}`\n\n```sh\n{character}\n```\n"))
    assert_clean(console)


@pytest.mark.parametrize(
    ("markdown", "seen"),
    [
        ("innocent \x1b[8mHIDDEN rm -rf\x1b[28m", "innocent ␛[8mHIDDEN rm -rf␛[28m"),
        ("one\n\n<!-- HIDDEN -->\n\ntwo", "<!-- HIDDEN -->"),
        ("one <!-- HIDDEN --> two", "<!-- HIDDEN -->"),
        ("see [the docs](https://evil.example)", "https://evil.example"),
        ("![a cat](https://evil.example/cat.png)", "https://evil.example/cat.png"),
        ("[hidden]: https://evil.example 'HIDDEN'", "https://evil.example 'HIDDEN'"),
        ("a&#x202e;b", "&#x202e;"),
        ("| a | b |\n|---|---|\n| 1 | 2 | HIDDEN |", "a: 1 · b: 2 · HIDDEN"),
        ("| a | |\n|---|---|\n| `x \\| y` | <!-- HIDDEN --> |", "a: x | y · <!-- HIDDEN -->"),
        ("> - | a | b |\n>   |---|---|\n>   | 1 | HIDDEN", "HIDDEN"),
        (f"| a | b |\n|---|---|\n| {'x' * 150}HIDDEN | 2 |", "HIDDEN"),
        ("```sh and HIDDEN\nls\n```", "sh and HIDDEN"),
    ],
)
def test_nothing_of_a_plan_is_hidden_from_who_approves_it(
    console: Console, markdown: str, seen: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(approval, "screen", lambda to_stderr: console)
    approval._show(plan_of(markdown))
    assert seen in assert_clean(console)


@pytest.mark.parametrize("character", CHARACTERS, ids=ascii)
def test_a_story_and_the_log_have_only_marks(console: Console, character: str) -> None:
    text, teller = hostile(character), Storyteller(console)
    for by_name in EVENTS.values():
        for cls in by_name.values():
            event = recorded(example(cls, text), principal=f"user:{text}")
            teller.tell(event)
            print_line(console, log_line(event))
    teller.tell(LiveActivity(actor="run", text=text))
    _report(console, [DemoFinding(good=True, what="commit", detail=text, more=(text,))])
    assert_clean(console)


def test_a_table_stays_aligned_around_a_mark(console: Console) -> None:
    console.print(task_table([task_of("a\u202eb"), task_of("a<U+202E>b")]))
    first, second = assert_clean(console).splitlines()[1:]
    assert first == second


def test_one_plain_line_and_json_have_no_invisible_character(capsys: pytest.CaptureFixture[str]) -> None:
    say("a\x1b[2J\u202eb")
    assert capsys.readouterr().out == "a␛[2J<U+202E>b\n"
    print_json({"title": "".join(CHARACTERS)})
    assert not RAW.findall(capsys.readouterr().out)
