"""The live story: what an agent does in few words, and a sentence for every event there is."""

from __future__ import annotations

import msgspec
import pytest

from cli.follow import activities
from cli.story import money, sentence
from shared.contracts import EVENTS
from shared.contracts.subjects import Actor
from shared.event_store.envelope import RecordedEvent, utc_now
from testing.examples import example


def assistant(*content: dict[str, object]) -> bytes:
    return msgspec.json.encode({"type": "assistant", "message": {"content": list(content)}})


def tool(name: str, **given: object) -> dict[str, object]:
    return {"type": "tool_use", "name": name, "input": given}


def test_a_tool_is_told_with_what_it_is_about() -> None:
    line = assistant(
        tool("Bash", command="python3 -m  unittest\n", description="tests"), {"type": "text", "text": "Now\nthis"}
    )
    assert activities(line) == ["Bash python3 -m unittest", "“Now this”"]


def test_a_path_into_the_worktree_is_told_as_the_path_in_the_repository() -> None:
    line = assistant(tool("Read", file_path="/srv/data/worktrees/run-01JX/ledger/money.py"))
    assert activities(line) == ["Read ledger/money.py"]


def test_a_worktree_in_a_folder_with_blanks_is_taken_off_too() -> None:
    folder = "/home/ada/my projects/data dir/worktrees/run-01JX"
    line = assistant(
        tool("Write", file_path=f"{folder}/a b.md"),
        tool("Bash", command=f'cat "{folder}/x" /srv/data/worktrees/run-1/y /bin/z'),
    )
    assert activities(line) == ["Write a b.md", 'Bash cat "x" y /bin/z']


@pytest.mark.parametrize(
    "line",
    [b"", b"{", b'{"type":"assistant"}', b'{"type":"user","message":{"content":[]}}', assistant({"type": "thinking"})],
)
def test_other_lines_say_nothing(line: bytes) -> None:
    assert activities(line) == []


def examples() -> list[tuple[str, str, object]]:
    return [(kind, name, example(cls)) for kind, by_name in EVENTS.items() for name, cls in by_name.items()]


@pytest.mark.parametrize(
    ("kind", "name", "data"), examples(), ids=lambda value: value if isinstance(value, str) else ""
)
def test_every_event_has_its_sentence(kind: str, name: str, data: object) -> None:
    event = RecordedEvent(
        actor=Actor(kind, "x"),
        name=name,
        data=data,
        position=1,
        sequence=1,
        id="e",
        time=utc_now(),
        causation_id="",
        correlation_id="",
        principal="user:ada",
        traceparent="",
        previous_hash="",
        hash="",
        raw=b"",
    )
    said = sentence(event)
    assert said
    assert "\n" not in said


def test_money_is_dollars_of_micro_dollars() -> None:
    assert (money(0), money(77_300), money(12_345_678)) == ("$0.0000", "$0.0773", "$12.3457")
