from __future__ import annotations

import pytest

from cli.tasks.watching import end_of
from shared.contracts import task
from shared.contracts.evidence import Evidence, Outcome
from shared.contracts.messages import Event
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
        (FELL_SHORT[1], ("failed", "failing", "")),
        (task.Rejected(version=1), ("rejected", "", "")),
    ],
)
def test_a_wait_tells_the_status_at_the_end_with_its_evidence_and_its_outcome(
    event: Event, end: tuple[str, str, str]
) -> None:
    told = end_of(event)
    assert (told["status"], told["evidence"], told["outcome"]) == end
