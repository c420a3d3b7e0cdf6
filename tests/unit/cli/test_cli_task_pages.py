from __future__ import annotations

import re
from datetime import UTC, datetime
from io import StringIO

import pytest
from rich.console import Console

from cli.tasks.pages import print_task
from shared.contracts import task
from shared.contracts.evidence import Evidence
from shared.contracts.messages import ArtifactRef, Event
from tests.unit.projector.projector_support import TASK, answered, planned, projected

PAUSED = task.Paused(
    stage="planning", code="agent-overloaded", message="Busy.", until=datetime(2026, 3, 4, 12, 30, tzinfo=UTC), tries=1
)

BUNDLE = ArtifactRef(name="b", sha256="0" * 64, size=1)
FELL_SHORT = task.Failed(
    stage="executing",
    code="checks-failed",
    message="Red.",
    result=task.Result(commit="c1", branch="b", bundle=BUNDLE, tree="t1", evidence=Evidence.FAILING),
)


def page_after(*events: Event) -> str:
    """The page of a task whose plan waits, after some more events."""
    console = Console(file=StringIO(), width=200)
    print_task(console, answered(projected(planned().add(*events)), "tasks.get", id=TASK).task, [])
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def test_the_page_of_a_paused_task_says_when_it_goes_on_and_that_it_can_be_retried_now() -> None:
    page = page_after(PAUSED)
    until = PAUSED.until.astimezone()
    assert f"goes on  {until:%Y-%m-%d %H:%M:%S}" in re.sub(r" {2,}", "  ", page)
    assert f"journeyman task retry {TASK}" in page


def test_the_page_of_a_task_that_has_reached_its_budget_says_how_a_larger_one_is_named() -> None:
    page = page_after(task.Failed(stage="executing", code="agent-budget", message="Reached."))
    assert f"journeyman task retry {TASK} --budget …" in page


@pytest.mark.parametrize(
    ("events", "offered"),
    [
        ((), ["approve", "reject", "stop"]),
        ((PAUSED,), ["retry", "follow-up", "stop"]),
        ((task.Rejected(version=1),), ["retry", "follow-up"]),
        ((task.Completed(summary="Done.", commit="c1"),), ["follow-up"]),
        ((task.Completed(summary="It is right already."),), ["retry", "follow-up"]),
        ((FELL_SHORT,), ["publish", "retry", "retry", "follow-up"]),
    ],
)
def test_a_page_ends_with_the_commands_that_the_task_takes_now(events: tuple[Event, ...], offered: list[str]) -> None:
    assert re.findall(r"journeyman task ([\w-]+)", page_after(*events)) == offered
