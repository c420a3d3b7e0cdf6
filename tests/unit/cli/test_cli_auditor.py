"""What `verify` finds in a log, event by event."""

from __future__ import annotations

import msgspec
import pytest

from cli.audit import Auditor, Damage
from shared.contracts import task
from shared.contracts.subjects import Actor, event_subject
from shared.event_store.envelope import MessageMetadata, encode_event, hash_of, utc_now

TASK = Actor("task", "T1")
SUBJECT = event_subject(TASK, "triage-requested")


def body(sequence: int, prevhash: str = "", *, actor: Actor = TASK, attempt: int = 1) -> bytes:
    metadata = MessageMetadata(id=f"e{sequence}", source="journeyman/test", time=utc_now(), principal="user:ada")
    return encode_event(
        actor, task.TriageRequested(attempt=attempt), sequence=sequence, prevhash=prevhash, metadata=metadata
    )


@pytest.fixture
def auditor() -> Auditor:
    """One that has seen the first event of the task."""
    auditor = Auditor()
    auditor.first = body(1)  # type: ignore[attr-defined]  # the tests chain onto it
    assert auditor.check(SUBJECT, 1, auditor.first) is None  # type: ignore[attr-defined]  # see above
    return auditor


def test_a_chain_of_versions_and_hashes_is_whole(auditor: Auditor) -> None:
    second = body(2, hash_of(auditor.first))  # type: ignore[attr-defined]  # see the fixture
    assert auditor.check(SUBJECT, 2, second) is None
    assert auditor.check(SUBJECT, 3, body(3, hash_of(second))) is None
    assert auditor.events == 3


def test_actors_are_chained_each_for_itself(auditor: Auditor) -> None:
    other = Actor("task", "T2")
    assert auditor.check(event_subject(other, "triage-requested"), 2, body(1, actor=other)) is None
    assert auditor.check(SUBJECT, 3, body(2, hash_of(auditor.first))) is None  # type: ignore[attr-defined]  # see the fixture


def test_a_gap_in_the_stream_is_named_by_its_first_missing_sequence(auditor: Auditor) -> None:
    found = auditor.check(SUBJECT, 4, body(2))
    assert found == Damage(sequence=2, actor="", problem="the events 2 to 3 are missing")


@pytest.mark.parametrize(
    ("next_body", "problem"),
    [
        (body(3), "version 3 follows version 1"),
        (body(1), "version 1 follows version 1"),
        (body(2, "0" * 64), "does not carry the hash"),
        (body(2, actor=Actor("task", "T9")), "the envelope says task.triage-requested of task/T9"),
        (b"no json", "does not fit its schema"),
        (b"\xff\xfe", "does not fit its schema"),
    ],
    ids=["gap", "repeat", "hash", "other-actor", "no-json", "no-text"],
)
def test_whatever_does_not_continue_the_actor_is_damage(auditor: Auditor, next_body: bytes, problem: str) -> None:
    found = auditor.check(SUBJECT, 2, next_body)
    assert found is not None
    assert (found.sequence, found.actor) == (2, "task/T1")
    assert problem in found.problem


def test_data_of_another_shape_is_damage(auditor: Auditor) -> None:
    wrong = msgspec.json.decode(body(2, hash_of(auditor.first)))  # type: ignore[attr-defined]  # see the fixture
    wrong["data"] = {"attempt": None}
    found = auditor.check(SUBJECT, 2, msgspec.json.encode(wrong))
    assert found is not None
    assert "schema" in found.problem


def test_an_event_of_an_unknown_name_is_never_skipped(auditor: Auditor) -> None:
    found = auditor.check("evt.task.T1.vanished", 2, body(2))
    assert found is not None
    assert "knows no event task.vanished" in found.problem
