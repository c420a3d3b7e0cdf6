"""Between its commit and its verdict a result belongs to the run, not to the attempt that made it."""

from __future__ import annotations

from functools import reduce

from services.executor.actors.run import DECIDER
from shared.contracts.evidence import Check, CheckVerdict
from shared.contracts.messages import ArtifactRef
from shared.contracts.run import (
    Checkpointed,
    Claimed,
    Committed,
    RecordCommit,
    Reopen,
    Reopened,
    Requested,
    Run,
    RunEvent,
    StopRequested,
)
from testing.given import given

BUNDLE = ArtifactRef(name="b", sha256="0" * 64, size=1)
RED = Check(command="make test", exit_code=1, duration_ms=1, verdict=CheckVerdict.FAILED)
AT_WORK: tuple[RunEvent, ...] = (
    Requested(round=1, repo="octo/app", base_commit="c0", title="t", text="x", cause=7),
    Claimed(round=1, attempt=1, worker="w1", session="s1"),
    Checkpointed(attempt=1, turn=1, commit="k1", process="run-1-1@here"),
)
RECORD = RecordCommit(attempt=1, commit="c1", tree="t1", parent="c0", bundle=BUNDLE, diff=BUNDLE)
COMMITTED = Committed(round=1, attempt=1, commit="c1", tree="t1", parent="c0", bundle=BUNDLE, diff=BUNDLE)
TAKEN_OVER = Claimed(round=1, attempt=2, worker="w2", session="s2")
STOPPING = StopRequested(attempt=1, reason="Enough.", cause=9)


def after(*events: RunEvent) -> Run:
    return reduce(DECIDER.evolve, events, DECIDER.initial)


def test_a_result_is_recorded_once_also_by_who_takes_over() -> None:
    given(DECIDER, *AT_WORK).when(RECORD).then(COMMITTED)
    given(DECIDER, *AT_WORK, COMMITTED).when(RECORD).nothing()
    again = RecordCommit(attempt=2, commit="c1", tree="t1", parent="c0", bundle=BUNDLE, diff=BUNDLE)
    given(DECIDER, *AT_WORK, COMMITTED, TAKEN_OVER).when(again).nothing()


def test_only_a_result_that_is_there_is_reopened() -> None:
    given(DECIDER, *AT_WORK).when(Reopen(attempt=1, checks=(RED,))).nothing()
    reopened = Reopened(round=1, attempt=1, checks=(RED,))
    given(DECIDER, *AT_WORK, COMMITTED).when(Reopen(attempt=1, checks=(RED,))).then(reopened)
    given(DECIDER, *AT_WORK, COMMITTED, reopened).when(Reopen(attempt=1, checks=(RED,))).nothing()


def test_nothing_is_committed_or_reopened_while_the_run_is_being_stopped() -> None:
    given(DECIDER, *AT_WORK, STOPPING).when(RECORD).is_rejected("run-stopping")
    given(DECIDER, *AT_WORK, COMMITTED, STOPPING).when(Reopen(attempt=1)).is_rejected("run-stopping")


def test_a_reopened_result_is_gone_on_with_by_another_process_than_the_one_that_made_it() -> None:
    reopened = Reopened(round=1, attempt=1, checks=(RED,))
    run = after(*AT_WORK, COMMITTED, reopened, TAKEN_OVER)
    assert (run.committed, run.repairs, run.blamed, run.ended_process) == ("", 1, (RED,), "run-1-1@here")


def test_words_that_reopen_a_result_are_no_repair() -> None:
    run = after(*AT_WORK, COMMITTED, Reopened(round=1, attempt=1))
    assert (run.committed, run.repairs, run.ended_process) == ("", 0, "run-1-1@here")
