from __future__ import annotations

import pytest

from cli.commands.task_reading import exit_code, words_of_end
from cli.tasks.watching import end_of, waits_for
from shared.contracts import task
from shared.contracts.evidence import Evidence, Outcome
from shared.contracts.messages import Event
from shared.event_store.envelope import RecordedEvent
from testing.recorded import TASK_ID, recorded
from testing.stories import AWAITING, EXECUTING, PLANNING, WAITING
from tests.unit.projector.test_a_result_shows_how_well_it_is_proven import FELL_SHORT


@pytest.mark.parametrize(
    ("event", "end"),
    [
        (
            task.Completed(summary="s", commit="c", evidence=Evidence.UNVERIFIED, outcome=Outcome.CHANGED),
            ("completed", "unverified", "changed"),
        ),
        (task.Completed(summary="s"), ("completed", "", "")),
        (task.Answered(attempt=1, answer="Yes.", decided_by="rules"), ("completed", "", "answered")),
        (
            task.InReview(
                attempt=1,
                commit="c",
                branch="b",
                url="u",
                pull_request=12,
                evidence=Evidence.VERIFIED,
                outcome=Outcome.CHANGED,
            ),
            ("in-review", "verified", "changed"),
        ),
        (FELL_SHORT[1], ("failed", "failing", "")),
        (task.Rejected(version=1), ("rejected", "", "")),
    ],
)
def test_a_wait_tells_the_status_at_the_end_with_its_evidence_and_its_outcome(
    event: Event, end: tuple[str, str, str]
) -> None:
    told = end_of(event)
    assert (told["status"], told["evidence"], told["outcome"]) == end


def test_a_wait_ends_well_in_review_and_says_where_that_is() -> None:
    told = {"status": "in-review", "evidence": "verified", "outcome": "changed", "url": "https://forge.example/12"}
    assert (words_of_end(told), exit_code(told)) == ("in-review, verified: https://forge.example/12", 0)
    assert exit_code({"status": "failed", "evidence": "", "outcome": ""}) == 1


def of(*events: Event) -> list[RecordedEvent]:
    return [recorded(event, sequence=number, position=number) for number, event in enumerate(events, 1)]


def test_a_wait_says_what_only_a_person_can_say() -> None:
    assert waits_for(of(*PLANNING)) == ""
    assert waits_for(of(*AWAITING)) == f"Its plan waits for approval: `journeyman task approve {TASK_ID}`."
    assert waits_for(of(*EXECUTING[: len(AWAITING) + 1])) == ""
    assert (
        waits_for(of(*WAITING)) == f"Its agent has asked something: `journeyman task show {TASK_ID}` has the question."
    )
