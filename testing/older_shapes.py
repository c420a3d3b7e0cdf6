"""A made-up history of an event's shape: today's `run.checkpointed` is its third version."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

import msgspec
import pytest

from shared.contracts import run
from shared.contracts.subjects import Actor, event_subject
from shared.event_store.envelope import Envelope

NAME: Final = "checkpointed"


def count_as_text(data: dict[str, Any]) -> dict[str, Any]:
    """From version 1 to 2: the number ``step`` became the text ``turn``."""
    return {**{key: value for key, value in data.items() if key != "step"}, "turn": f"turn {data['step']}"}


def count_as_number(data: dict[str, Any]) -> dict[str, Any]:
    """From version 2 to 3: the text became a number."""
    return {**data, "turn": int(data["turn"].removeprefix("turn "))}


SHAPES: Final[dict[int, dict[str, Any]]] = {
    1: {"attempt": 1, "step": 7, "commit": "abc"},
    2: {"attempt": 1, "turn": "turn 7", "commit": "abc"},
    3: {"attempt": 1, "turn": 7, "commit": "abc"},
}
"""The same checkpoint as each version stores it."""

TODAY: Final = run.Checkpointed(attempt=1, turn=7, commit="abc")


@pytest.fixture
def third_version(monkeypatch: pytest.MonkeyPatch) -> None:
    """The shape of today is the third one."""
    monkeypatch.setattr(run.Checkpointed, "upcasters", (count_as_text, count_as_number))


def stored(
    actor: Actor, version: int, *, sequence: int = 1, prevhash: str = "", data: dict[str, Any] | None = None
) -> tuple[str, bytes]:
    """Subject and body of a checkpoint as an installation of that version stored it."""
    body = msgspec.json.encode(
        Envelope(
            specversion="1.0",
            id=f"e{sequence}",
            source="journeyman/test",
            type=f"run.{NAME}",
            subject=f"run/{actor.id}",
            time=datetime(2026, 3, 4, 12, 0, tzinfo=UTC),
            datacontenttype="application/json",
            dataversion=version,
            data=msgspec.Raw(msgspec.json.encode(SHAPES[version] if data is None else data)),
            sequence=sequence,
            prevhash=prevhash,
            principal="service:executor",
        )
    )
    return event_subject(actor, NAME), body
