from __future__ import annotations

from typing import Any

import msgspec
import pytest

from cli.audit import Auditor
from services.gateway.live.render import show_event
from services.projector.sentences import UNREAD
from shared.contracts import docs, run
from shared.contracts.kinds import EVENTS
from shared.contracts.subjects import Actor
from shared.event_store.envelope import (
    BadEnvelope,
    MessageMetadata,
    UnknownEvent,
    decode_event,
    encode_event,
    hash_of,
    utc_now,
)
from testing.older_shapes import SHAPES, TODAY, stored, third_version
from tests.unit.projector.projector_support import TASK, ask, planned, projected

__all__ = ["third_version"]

ACTOR = Actor("run", TASK)
NEWER = {"attempt": 1, "turn": 7, "commit": "looks like today's"}


def encoded() -> bytes:
    metadata = MessageMetadata(id="e1", source="t", time=utc_now(), principal="t")
    return encode_event(ACTOR, TODAY, sequence=1, prevhash="", metadata=metadata)


def test_an_event_of_the_first_version_does_not_say_so() -> None:
    assert b"dataversion" not in encoded()


@pytest.mark.usefixtures("third_version")
def test_an_event_of_a_later_version_says_it() -> None:
    assert msgspec.json.decode(encoded())["dataversion"] == 3
    assert decode_event(stored(ACTOR, 3)[0], encoded(), 1).data == TODAY


@pytest.mark.usefixtures("third_version")
@pytest.mark.parametrize("version", SHAPES)
def test_every_version_reads_as_the_shape_of_today(version: int) -> None:
    subject, body = stored(ACTOR, version)
    event = decode_event(subject, body, 1)
    assert event.data == TODAY
    assert (event.raw, event.hash) == (body, hash_of(body)), "what is hashed is what was stored"


@pytest.mark.parametrize("version", [2, 3])
def test_an_event_of_a_newer_version_is_unknown_and_says_the_mend(version: int) -> None:
    with pytest.raises(UnknownEvent, match=rf"version {version}, this installation knows 1\. Upgrade this service"):
        decode_event(*stored(ACTOR, version), 1)


@pytest.mark.usefixtures("third_version")
@pytest.mark.parametrize(
    ("version", "data"),
    [(1, {"attempt": 1}), (2, {"attempt": 1, "turn": "turn x"}), (2, {"attempt": 1, "turn": 7}), (0, SHAPES[3])],
)
def test_an_event_that_no_upcaster_can_lift_is_no_envelope_of_ours(version: int, data: dict[str, Any]) -> None:
    with pytest.raises(BadEnvelope, match=r"checkpointed at 1 does not fit its schema: .*version") as raised:
        decode_event(*stored(ACTOR, version, data=data), 1)
    assert not isinstance(raised.value, UnknownEvent)


@pytest.mark.usefixtures("third_version")
def test_the_read_models_have_the_shape_of_today_only() -> None:
    told = projected(planned().raw(*stored(ACTOR, 3)))
    for version in (1, 2):
        rows = projected(planned().raw(*stored(ACTOR, version)))
        for table in ("tasks", "runs", "usage"):
            every_row = f"SELECT * FROM {table}"
            assert rows.execute(every_row).fetchall() == told.execute(every_row).fetchall()
        item = ask(rows, "tasks.timeline", id=TASK)["items"][-1]
        assert item["data"] == SHAPES[3]
        assert item["summary"] == ask(told, "tasks.timeline", id=TASK)["items"][-1]["summary"]
        assert ask(rows, "status")["unread"] == 0


def test_the_read_models_keep_an_event_of_a_newer_version_unread() -> None:
    rows = projected(planned().raw(*stored(ACTOR, 2, data=NEWER)))
    ((reason,),) = rows.execute("SELECT reason FROM unread").fetchall()
    assert reason == "the event run.checkpointed is too new: its shape has version 2, this installation knows 1"
    item = ask(rows, "tasks.timeline", id=TASK)["items"][-1]
    assert (item["summary"], item["data"]) == (UNREAD, NEWER)


@pytest.mark.usefixtures("third_version")
def test_sockets_are_shown_the_shape_of_today() -> None:
    shown = show_event(*stored(ACTOR, 1), 1)
    assert shown is not None
    assert msgspec.json.decode(shown.frames[0])["data"] == SHAPES[3]


def test_sockets_are_not_shown_a_newer_version() -> None:
    with pytest.raises(ValueError, match="version 2, this installation knows 1"):
        show_event(*stored(ACTOR, 2), 1)


@pytest.mark.usefixtures("third_version")
def test_a_log_of_all_versions_is_whole_and_one_with_a_newer_version_is_not() -> None:
    auditor, previous = Auditor(), ""
    for number in (1, 2, 3):
        subject, body = stored(ACTOR, number, sequence=number, prevhash=previous)
        assert auditor.check(subject, number, body) is None
        previous = hash_of(body)
    damage = auditor.check(*_at(4, stored(ACTOR, 4, sequence=4, prevhash=previous, data=NEWER)))
    assert damage is not None
    assert damage.problem == "run.checkpointed is too new: its shape has version 4, this installation knows 3"


def _at(position: int, message: tuple[str, bytes]) -> tuple[str, int, bytes]:
    return message[0], position, message[1]


class Moved(run.Checkpointed, frozen=True, kw_only=True):
    """Only to have another shape."""

    place: dict[str, int]


def test_a_new_version_is_free_and_the_old_one_stays_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    released = docs.schemas()
    monkeypatch.setitem(EVENTS["run"], "checkpointed", Moved)
    assert any("run.checkpointed.place is newly required" in line for line in docs.frozen(released, docs.schemas()))
    monkeypatch.setattr(Moved, "upcasters", (lambda data: {**data, "place": {}},))
    now = docs.schemas()
    assert docs.frozen(released, now) == []
    kept = docs.with_older_versions(released, now)
    assert kept["run.checkpointed"] == released["run.checkpointed"]
    assert "place" in kept["run.checkpointed/2"]["fields"]
    assert docs.frozen(kept, released) == ["run.checkpointed/2 is gone: events are never removed"]
    assert "**`run.checkpointed`** (version 2)" in docs.events_markdown()
    message = docs.asyncapi()["components"]["messages"]["evt.run.checkpointed"]
    assert message["payload"]["properties"]["dataversion"] == {"const": 2}
    assert "dataversion" in message["payload"]["required"]


def test_no_document_of_a_first_version_speaks_of_versions() -> None:
    assert "dataversion" not in msgspec.json.encode(docs.asyncapi()).decode()
