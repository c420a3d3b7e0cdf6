"""An event that this version cannot read or fold is never skipped silently, and never stops its neighbours."""

from __future__ import annotations

import pytest

from services.projector.projection.facts import Stored
from services.projector.writer import Writer
from shared.contracts import run
from shared.contracts.usage import ModelUsage
from tests.unit.projector.projector_support import TASK, Log, ask, planned, projected, submitted

BODY = (
    b'{"specversion":"1.0","id":"x","source":"s","type":"task.%s","subject":"task/' + TASK.encode() + b'",'
    b'"time":"2026-03-04T12:00:00Z","sequence":2,"data":%s}'
)

UNREADABLE = {
    "an event name of the future": (f"evt.task.{TASK}.teleported", BODY % (b"teleported", b'{"to":"moon"}')),
    "an actor kind of the future": (f"evt.robot.{TASK}.built", BODY.replace(b"task", b"robot") % (b"built", b"{}")),
    "data that does not fit": (f"evt.task.{TASK}.triage-requested", BODY % (b"triage-requested", b'{"attempt":"x"}')),
    "another event's body": (f"evt.task.{TASK}.approved", BODY % (b"completed", b'{"summary":"s"}')),
    "no JSON at all": (f"evt.task.{TASK}.approved", b"\xff\xfe not json"),
    "an empty body": (f"evt.task.{TASK}.approved", b""),
    "a subject of another shape": ("evt.task", b"{}"),
}


@pytest.mark.parametrize("subject, body", UNREADABLE.values(), ids=UNREADABLE.keys())
def test_an_unreadable_event_has_its_row_and_the_rest_goes_on(subject: str, body: bytes) -> None:
    log = Log().add(submitted()).raw(subject, body).add(submitted(), id="01JX7Z000000000000000NEXT")
    connection = projected(log)
    assert connection.execute("SELECT seq, subject FROM unread").fetchall() == [(2, subject)]
    assert connection.execute("SELECT seq FROM timeline ORDER BY seq").fetchall() == [(1,), (2,), (3,)]
    assert ask(connection, "status")["unread"] == 1
    assert ask(connection, "tasks.list")["counts"] == {"received": 2}


def test_an_unknown_event_of_a_task_is_in_its_timeline_with_its_raw_data() -> None:
    subject, body = UNREADABLE["an event name of the future"]
    connection = projected(Log().add(submitted()).raw(subject, body))
    item = ask(connection, "tasks.timeline", id=TASK)["items"][1]
    assert (item["event"], item["version"], item["data"]) == ("teleported", 2, {"to": "moon"})
    assert item["summary"] == "An event that this version cannot read."


def test_an_event_whose_numbers_no_database_takes_is_found_among_its_neighbours() -> None:
    huge = run.Checkpointed(attempt=1, turn=1, usage=(ModelUsage(model="large", cost_microusd=2**63),))
    log = planned().add(huge).add(submitted(), id="01JX7Z000000000000000NEXT")
    connection = projected(log)
    assert connection.execute("SELECT seq FROM unread").fetchall() == [(9,)]
    assert connection.execute("SELECT count(*) FROM timeline").fetchall() == [(10,)]
    assert ask(connection, "tasks.get", id=TASK)["task"]["cost_microusd"] == 2100


def test_a_text_with_a_lone_surrogate_is_shown_as_unread() -> None:
    subject = f"evt.task.{TASK}.cancelled"
    connection = projected(Log().add(submitted()).raw(subject, BODY % (b"cancelled", b'{"reason":"\\ud800"}')))
    assert connection.execute("SELECT count(*) FROM timeline").fetchall() == [(2,)]
    assert connection.execute("SELECT seq FROM unread").fetchall() == [(2,)]


def test_a_batch_of_nothing_readable_still_moves_the_checkpoint() -> None:
    connection = projected(Log())
    reached = Writer(connection).apply([Stored(1, "evt.x", b"?"), Stored(2, "evt.y", b"?")])
    assert reached.seq == 2
    assert connection.execute("SELECT seq, hash FROM checkpoint").fetchall() == [(2, reached.hash)]
