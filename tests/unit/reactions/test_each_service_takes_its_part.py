from __future__ import annotations

import pytest
from msgspec.structs import replace

from services.executor.reactions import react as executor
from services.gateway.reactions import reactions
from services.planner.reactions import react as planner
from shared.contracts import plan, reply, run, task
from shared.contracts.evidence import Evidence
from shared.contracts.messages import ArtifactRef, Command, Event
from testing.recorded import TASK_ID, recorded
from testing.stories import APPROVED_PLAN, BASE, EXECUTION_REQUESTED, PLANNING_REQUESTED

gateway = reactions()
BUNDLE = ArtifactRef(name="b", sha256="0" * 64, size=1)
DRAFT = plan.Draft(id=TASK_ID, repo="octo/app", base_commit=BASE, title="Fix the sum", text="1 + 1 gives 3.", cause=5)
START = task.StartingPoint(commit="c1", bundle=BUNDLE, reason="Red.")
ROUND = run.Request(
    id=TASK_ID,
    round=1,
    repo="octo/app",
    base_commit=BASE,
    title="Fix the sum",
    text="1 + 1 gives 3.",
    plan=APPROVED_PLAN,
    cause=5,
)


@pytest.mark.parametrize(
    ("event", "command"),
    [
        (PLANNING_REQUESTED, DRAFT),
        (task.RevisionRequested(version=1, feedback="Smaller."), plan.Revise(id=TASK_ID, feedback="Smaller.", cause=5)),
        (task.StopRequested(stage="planning", reason="r"), plan.Stop(id=TASK_ID, cause=5)),
    ],
)
def test_the_planner_drafts_revises_and_stops(event: Event, command: Command) -> None:
    assert planner(recorded(event, sequence=5)) == [command]


@pytest.mark.parametrize(
    ("event", "command"),
    [
        (EXECUTION_REQUESTED, ROUND),
        (replace(EXECUTION_REQUESTED, start=START), replace(ROUND, start=START)),
        (task.InputGiven(message="m"), run.GiveInput(id=TASK_ID, message="m", cause=5)),
        (task.StopRequested(stage="executing", reason="r"), run.Stop(id=TASK_ID, reason="r", cause=5)),
    ],
)
def test_the_executor_works_listens_and_stops(event: Event, command: Command) -> None:
    assert executor(recorded(event, sequence=5)) == [command]


def test_a_stop_goes_to_the_service_whose_agent_is_at_work() -> None:
    assert planner(recorded(task.StopRequested(stage="executing"))) == []
    assert executor(recorded(task.StopRequested(stage="planning"))) == []


def test_the_gateway_publishes_what_a_run_made() -> None:
    done = task.RunSucceeded(
        attempt=3, repo="octo/app", base_commit=BASE, commit="c1", branch="b", summary="s", bundle=BUNDLE, tree="t1"
    )
    assert gateway(recorded(done, sequence=5)) == [
        reply.Request(
            id=TASK_ID,
            effect="branch/3",
            repo="octo/app",
            base_commit=BASE,
            commit="c1",
            branch="b",
            bundle=BUNDLE,
            tree="t1",
            cause=5,
        )
    ]


def test_the_gateway_publishes_a_result_that_is_there_as_another_effect() -> None:
    result = task.Result(
        commit="c1", branch="b", bundle=BUNDLE, tree="t1", evidence=Evidence.FAILING, summary="s", attempt=3
    )
    again = task.PublicationRequested(attempt=3, publication=2, repo="octo/app", base_commit=BASE, result=result)
    assert gateway(recorded(again, sequence=6)) == [
        reply.Request(
            id=TASK_ID,
            effect="branch/3/2",
            repo="octo/app",
            base_commit=BASE,
            commit="c1",
            branch="b",
            bundle=BUNDLE,
            tree="t1",
            cause=6,
        )
    ]


def test_the_gateway_withdraws_what_a_cancelled_task_no_longer_wants() -> None:
    assert gateway(recorded(task.Cancelled(), sequence=5)) == [reply.Withdraw(id=TASK_ID, cause=5)]
