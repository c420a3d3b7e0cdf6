"""What lies about on a machine is a leftover exactly when its work is over, or is somebody else's."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from shared.claude.orphans import clear_orphan, fate_of, find_orphans
from shared.claude.work_dirs import node_id_of, work_of_run_dir
from shared.contracts import plan, run, task
from shared.contracts.messages import Command, Event
from shared.contracts.subjects import Actor
from shared.contracts.usage import ModelUsage
from shared.event_store.envelope import MessageMetadata, utc_now
from shared.event_store.in_memory import MemoryJournal
from shared.event_store.journal import Head, head_of
from shared.ops.proc import MARK
from testing.recorded import recorded

HERE, ELSEWHERE = "aa11", "bb22"
REQUESTED = run.Requested(round=1, repo="r", base_commit="b", title="t", text="t")
OURS = run.Claimed(round=1, attempt=1, worker=f"m:1@{HERE}", session="s")
THEIRS = run.Claimed(round=1, attempt=2, worker=f"m:2@{ELSEWHERE}", session="s")
DONE = run.Succeeded(round=1, attempt=1, summary="s")


def _is_over(number: int, *events: Event) -> bool:
    history = [recorded(each, sequence=n, position=n) for n, each in enumerate(events, start=1)]
    return fate_of(history, number, HERE).over_since is not None


@pytest.mark.parametrize(
    ("over", "number", "events"),
    [
        (False, 1, (REQUESTED,)),
        (False, 1, (REQUESTED, OURS)),
        (True, 1, (REQUESTED, OURS, THEIRS)),
        (True, 1, (REQUESTED, OURS, DONE)),
        (True, 1, (REQUESTED, OURS, DONE, msgspec.structs.replace(REQUESTED, round=2))),
        (False, 1, ()),
        (False, 2, (REQUESTED, OURS)),
        (
            True,
            1,
            (
                plan.DraftingStarted(draft=1, repo="r", base_commit="b", title="t", text="t"),
                plan.Proposed(
                    version=1, digest="d", base_commit="b", markdown="m", summary="s", attempt=1, duration_ms=1
                ),
            ),
        ),
        (False, 1, (task.TriageRequested(attempt=1),)),
        (True, 1, (task.TriageRequested(attempt=1), task.Cancelled())),
        (False, 2, (task.TriageRequested(attempt=1), task.Cancelled(), task.TriageRequested(attempt=2))),
    ],
)
def test_work_is_over_here_when_it_has_ended_or_another_place_has_claimed_it(
    over: bool, number: int, events: tuple[Event, ...]
) -> None:
    assert _is_over(number, *events) is over


ASKED = task.TriageRequested(attempt=1)
ACTED = task.Triaged(
    attempt=1, verdict=task.Verdict.PLAN, decided_by="model", reason="", title="t", work_kind="bug", risk="low",
    repo="r", base_commit="b", usage=(ModelUsage(model="m", input_tokens=7),), place=ELSEWHERE,
)  # fmt: skip
PAUSED = task.Paused(stage="triage", code="c", message="m", until=utc_now(), tries=1, usage=ACTED.usage, place=HERE)
FAILED_LATER = task.Failed(stage="executing", code="c", message="m")


@pytest.mark.parametrize(
    ("accountable", "events"),
    [
        (True, (REQUESTED, OURS, DONE)),
        (True, (ASKED, task.Cancelled())),
        (True, (ASKED, ACTED)),
        (True, (ASKED, PAUSED, task.Resumed(stage="triage"))),
        (True, (ASKED, msgspec.structs.replace(ACTED, usage=(), place=""))),
        (False, (ASKED, msgspec.structs.replace(ACTED, place=""))),
        (False, (ASKED, msgspec.structs.replace(PAUSED, place=""), task.TriageRequested(attempt=2))),
        (False, (ASKED, msgspec.structs.replace(ACTED, place=""), FAILED_LATER)),
    ],
)
def test_nothing_is_told_of_a_triage_whose_verdict_has_costs_without_a_place(
    accountable: bool, events: tuple[Event, ...]
) -> None:
    history = [recorded(each, sequence=n, position=n) for n, each in enumerate(events, start=1)]
    assert fate_of(history, 1, HERE).accountable is accountable


def test_a_data_directory_has_one_name_that_no_other_one_has(tmp_path: Path) -> None:
    assert node_id_of(tmp_path / "a") == node_id_of(tmp_path / "a") != node_id_of(tmp_path / "b")


async def test_orphans_are_found_and_cleared_and_what_is_claimed_stays(tmp_path: Path) -> None:
    place = node_id_of(tmp_path)
    journal = MemoryJournal()
    over, ours = Actor("run", "OVER"), Actor("run", "OURS")
    claimed = run.Claimed(round=1, attempt=1, worker=f"m:1@{place}", session="s")
    await _append(journal, over, REQUESTED, claimed, DONE)
    await _append(journal, ours, REQUESTED, claimed)
    dirs = {id: tmp_path / "runs" / f"run-{id}-1-1" for id in ("OVER", "OURS", "UNKNOWN")}
    for each in dirs.values():
        each.mkdir(parents=True)
        os.mkfifo(each / "stdin.fifo")
    (tmp_path / "worktrees" / "run-OVER-1").mkdir(parents=True)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    # The last two are what a power cut leaves of `write_bundle`.
    for name in ("result.bundle", "result.bundle.0af3", "result.bundle.0af3.lock"):
        for id in ("OVER", "OURS"):
            (scratch / f"{id}-1-{name}").touch()
    (dirs["OVER"] / "stdout.jsonl").write_text(
        '{"type":"stream_event","event":{"type":"message_start","message":'
        '{"id":"m","model":"claude-haiku-4-5","usage":{"input_tokens":7,"output_tokens":1}}}}\n'
    )
    told: list[Command] = []

    async def tell(actor: Actor, command: Command) -> None:
        told.append(command)

    children = {id: _agent(work_of_run_dir(dirs[id]).mark(place)) for id in ("OVER", "OURS")}
    try:
        assert await find_orphans(tmp_path, journal) == [], "its own service may still be at it"
        found = await find_orphans(tmp_path, journal, grace_s=0)
        assert [each.work.actor for each in found] == [over]
        assert await clear_orphan(found[0], tmp_path, lambda repo: None, tell) == 1
        assert children["OVER"].wait(60) != 0
        (spent,) = told
        assert isinstance(spent, run.RecordSpend)
        assert (spent.id, spent.round, spent.place, spent.usage[0].input_tokens) == ("OVER", 1, place, 7)
        assert children["OURS"].poll() is None
        assert sorted(path.name for path in (tmp_path / "runs").iterdir()) == ["run-OURS-1-1", "run-UNKNOWN-1-1"]
        assert list((tmp_path / "worktrees").iterdir()) == []
        assert {path.name.partition("-")[0] for path in scratch.iterdir()} == {"OURS"}
        assert await find_orphans(tmp_path, journal, grace_s=0) == []
    finally:
        for child in children.values():
            child.kill()
            child.wait()


def _agent(mark: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], env={MARK: mark})


async def _append(journal: MemoryJournal, actor: Actor, *events: Event) -> None:
    head = Head()
    for number, event in enumerate(events):
        id = f"{actor}-{number}"
        metadata = MessageMetadata(id=id, source="test", time=utc_now(), causation_id=id, principal="test")
        head = head_of(await journal.append(actor, event, expected=head, metadata=metadata))
