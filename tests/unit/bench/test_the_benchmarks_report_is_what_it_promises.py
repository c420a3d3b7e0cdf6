"""The report of the benchmarks: its shape, its arithmetic, and that a quick run writes it."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

from bench.measure import in_turns, percentile, timed
from bench.report import Session, readable, write
from bench.result import Found, Goal, compare
from bench.world import ROOT

FIELDS = ["name", "value", "unit", "peer", "peer_value", "ratio", "goal", "met", "runs"]


def _session(goal: Goal) -> Session:
    line = compare("work", "ops/s", [90.0, 100.0, 130.0], float, peer="other", theirs=[50.0, 40.0, 60.0],
                   peer_value=float, goal=goal)  # fmt: skip
    found = Found(title="Work", lines=[line], about="What was done.")
    return Session(
        began=datetime(2026, 3, 1, tzinfo=UTC),
        seconds=60,
        machine=["1 processor"],
        loads=[],
        found=[found],
        missing=["play: no toys"],
        is_quick=False,
    )


def test_a_result_has_exactly_the_promised_fields_and_medians(tmp_path: Path) -> None:
    write(_session(Goal(ratio_least=3)), tmp_path)
    (result,) = json.loads((tmp_path / "report.json").read_text())
    assert list(result) == FIELDS
    assert (result["value"], result["peer_value"], result["ratio"], result["runs"]) == (100.0, 50.0, 2.0, 3)
    assert (result["goal"], result["met"]) == ("ratio >= 3", False)


def test_a_missed_goal_and_what_was_not_measured_are_named_first() -> None:
    text = readable(_session(Goal(ratio_least=3)))
    verdict = text.partition("## Work")[0]
    assert "0 of 1 goals are met." in verdict
    assert "Not met: work: 100 ops/s (goal: ratio >= 3)" in verdict
    assert "Not measured: play: no toys" in verdict


def test_a_goal_says_itself_and_is_met_at_its_bound() -> None:
    assert Goal(ratio_least=0.8).said("ops/s") == "ratio >= 0.8" and Goal(ratio_least=0.8).met(1, 0.8)
    assert Goal(value_most=60).said("ms") == "value <= 60 ms" and not Goal(value_most=60).met(60.1, None)
    assert Goal(value_least=30_000).said("events/s") == "value >= 30,000 events/s"
    assert Goal(value_least=30_000).met(30_000, None)


def test_a_percentile_is_a_value_that_was_measured() -> None:
    values = [float(value) for value in range(1, 101)]
    assert (percentile(values, 50), percentile(values, 99), percentile([7.0], 99)) == (50.0, 99.0, 7.0)
    assert timed([0.001] * 99 + [0.5], 2.0).p99_ms == 1.0
    assert timed([0.001] * 99 + [0.5], 2.0).rate == 50.0


async def test_contestants_take_turns_at_going_first() -> None:
    order: list[str] = []

    async def ours() -> float:
        order.append("ours")
        return 1.0

    async def peer() -> float:
        order.append("peer")
        return 2.0

    assert await in_turns(3, ours, peer) == [[1.0] * 3, [2.0] * 3]
    assert order == ["ours", "peer", "peer", "ours", "ours", "peer"]


async def test_a_quick_run_measures_and_writes_both_reports(tmp_path: Path) -> None:
    argv = ["-m", "bench", "--quick", "--only", "appends", "--only", "rebuild", "--out", str(tmp_path)]
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        *argv,
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await child.communicate()
    assert child.returncode == 0, said.decode()
    results = json.loads((tmp_path / "report.json").read_text())
    assert all(list(result) == FIELDS and result["value"] > 0 for result in results)
    assert {result["name"].partition(",")[0] for result in results} == {"appends", "rebuild"}
    assert "A quick run" in (tmp_path / "report.md").read_text()
