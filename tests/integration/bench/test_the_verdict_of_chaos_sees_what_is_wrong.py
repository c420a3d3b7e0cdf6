"""What decides whether a campaign went well notices each thing that must not happen."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from bench.chaos.verdict import ChaosVerdict, judge
from bench.chaos.work import Brought
from services.projector.database import current
from services.projector.rebuild import FOLDER
from shared.claude.demo.repo import create_demo_repository
from shared.contracts.delivery import Accepted, Signal, SignalKind
from shared.contracts.task import Answered, TriageRequested
from shared.nats.bus import Bus
from shared.workspace.git import git
from tests.integration.projector.projector_process import publish
from tests.unit.projector.projector_support import Log, projected, submitted

REPO = "octo/ledger"
ASKED = ("01JX7Z000000000000000000Q1", "01JX7Z000000000000000000Q2")
ANSWERED = Answered(attempt=1, answer="Yes.", decided_by="model")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    path = tmp_path / "repository"
    create_demo_repository(path)
    return path


async def test_two_answered_questions_are_good(bus: Bus, tmp_path: Path, repository: Path) -> None:
    verdict = await _judged(bus, tmp_path, repository, _answered(*ASKED))
    assert verdict.problems == []
    assert verdict.good
    assert (verdict.accepted, verdict.completed, verdict.lost, verdict.doubled) == (2, 2, 0, 0)


async def test_a_task_that_the_log_does_not_know_or_that_has_no_end_is_lost(
    bus: Bus, tmp_path: Path, repository: Path
) -> None:
    log = _delivered(*ASKED)
    log.add(submitted(), TriageRequested(attempt=1), id=ASKED[0])
    verdict = await _judged(bus, tmp_path, repository, log)
    assert (verdict.completed, verdict.lost, verdict.doubled) == (0, 2, 0)
    assert any("the log knows no such task" in each for each in verdict.problems)


async def test_a_second_end_and_a_task_that_nobody_brought_are_doubled(
    bus: Bus, tmp_path: Path, repository: Path
) -> None:
    log = _answered(*ASKED)
    log.add(ANSWERED, id=ASKED[1])
    log.add(submitted(), id="01JX7Z000000000000000000Q3")
    verdict = await _judged(bus, tmp_path, repository, log)
    assert (verdict.lost, verdict.doubled) == (0, 2)


async def test_a_delivery_that_stands_in_the_log_twice_is_a_problem(bus: Bus, tmp_path: Path, repository: Path) -> None:
    log = _answered(*ASKED)
    log.add(_delivery(ASKED[0]), id="another-delivery")
    verdict = await _judged(bus, tmp_path, repository, log)
    assert any("is in the log 2 times" in each for each in verdict.problems)


async def test_a_branch_too_many_is_a_problem(bus: Bus, tmp_path: Path, repository: Path) -> None:
    await git("branch", "journeyman/second", "main", cwd=repository)
    verdict = await _judged(bus, tmp_path, repository, _answered(*ASKED))
    assert verdict.problems == [f"{REPO} has 1 branches besides main, it should have 0"]


async def test_a_row_that_the_log_does_not_give_is_a_problem(bus: Bus, tmp_path: Path, repository: Path) -> None:
    verdict = await _judged(bus, tmp_path, repository, _answered(*ASKED), forged="UPDATE tasks SET title = 'forged'")
    assert verdict.problems == ["the rows of tasks are not those of the log"]


async def _judged(bus: Bus, data: Path, repository: Path, log: Log, *, forged: str = "") -> ChaosVerdict:
    """The verdict when both questions were accepted, this is the log, and the read models are its (with a change)."""
    await publish(bus, log)
    (data / FOLDER).mkdir()
    connection = projected(log, current(data / FOLDER))
    if forged:
        connection.execute(forged)
    connection.close()
    accepted = {
        id: Brought(delivery=f"delivery-of-{id}", task_id=id, repo=REPO, body=b"", is_question=True) for id in ASKED
    }
    return await judge(bus, data, {REPO: repository}, accepted)


def _answered(*ids: str) -> Log:
    log = _delivered(*ids)
    for id in ids:
        log.add(submitted(), TriageRequested(attempt=1), ANSWERED, id=id)
    return log


def _delivered(*ids: str) -> Log:
    log = Log()
    for id in ids:
        log.add(_delivery(id), id=f"accepted-{id}")
    return log


def _delivery(task_id: str) -> Accepted:
    return Accepted(
        webhook="github",
        event="issues",
        action="opened",
        delivery=f"delivery-of-{task_id}",
        signal=Signal(kind=SignalKind.WORK, thread="github:octo/ledger#1", opened_at_ms=0, title="?", text="?"),
        body_sha256="",
        body_size=0,
        body=msgspec.Raw(b"null"),
    )
