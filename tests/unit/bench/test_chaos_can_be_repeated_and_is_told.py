"""Chaos: the seed decides the faults, and the report tells what came of them."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import msgspec

from bench.chaos.campaign import Campaign
from bench.chaos.fault_injector import NEVER, InflictedFault
from bench.chaos.faults import EXECUTORS, SERVICES, Fault, Kind, faults
from bench.chaos.options import Options
from bench.chaos.report import KEPT, readable, write
from bench.chaos.verdict import ChaosVerdict

GOOD = ChaosVerdict(accepted=200, completed=200, commits=80, lost=0, doubled=0, events=4000, problems=[])


def test_a_seed_gives_the_same_faults_again() -> None:
    assert _faults(7, 100) == _faults(7, 100)
    assert _faults(7, 100) != _faults(8, 100)


def test_the_first_faults_are_one_of_each_kind() -> None:
    for seed in range(20):
        assert {each.kind for each in _faults(seed, len(Kind))} == set(Kind)


def test_every_service_is_killed_and_paused_and_only_executors_are_machines() -> None:
    many = _faults(1, 2000)
    for kind in (Kind.KILL, Kind.PAUSE):
        assert {each.target for each in many if each.kind is kind} == set(SERVICES)
    for kind in (Kind.POWER_CUT, Kind.OVERSLEEP):
        assert {each.target for each in many if each.kind is kind} == set(EXECUTORS)


def test_an_executor_that_oversleeps_sleeps_for_longer_than_the_ack_wait() -> None:
    assert all(each.seconds > 10 for each in _faults(1, 500) if each.kind is Kind.OVERSLEEP)
    assert all(each.seconds < 10 for each in _faults(1, 500) if each.kind is Kind.PAUSE)


def test_the_report_has_what_was_lost_and_how_long_each_fault_was_felt() -> None:
    verdict = msgspec.structs.replace(GOOD, lost=3, completed=197, problems=["01X: it ended as ['failed']"])
    text = readable([_campaign(verdict)])
    assert "| 200 | 50 | 197 | 3 | 0 | 5 |" in text
    assert "**problem:** 01X: it ended as ['failed']" in text
    assert "| kill -9 of the brain | 3 | 2.0 s | 6.0 s | ≤ 5 s | 2/3 |" in text
    assert "| power cut of a machine | 1 | 12.0 s | 12.0 s | ≤ 15 s | yes |" in text
    assert "SEED=7" in text


def test_a_fault_that_nobody_recovered_from_misses_its_goal() -> None:
    blows = [InflictedFault(name="kill -9 of the brain", recovery_s=None, note=NEVER)]
    assert "| kill -9 of the brain | 1 | | | ≤ 5 s | 0/1 |" in readable([_campaign(GOOD, blows)])


def test_the_newest_campaigns_are_kept(tmp_path: Path) -> None:
    for number in range(KEPT + 2):
        write(_campaign(GOOD, seed=1000 + number), tmp_path)
    text = (tmp_path / "reliability.md").read_text()
    assert f"| {1000 + KEPT + 1} | noop |" in text
    assert "| 1001 | noop |" not in text
    assert text.index(f"seed {1000 + KEPT + 1}") < text.index("seed 1002")


def _faults(seed: int, count: int) -> list[Fault]:
    return list(islice(faults(seed, rest_s=1.0, ack_wait_s=10.0), count))


def _campaign(verdict: ChaosVerdict, blows: list[InflictedFault] | None = None, *, seed: int = 7) -> Campaign:
    felt = [("kill -9 of the brain", 1.0), ("kill -9 of the brain", 2.0), ("kill -9 of the brain", 6.0)]
    felt += [("power cut of a machine", 12.0), ("lost acknowledgements", 0.1)]
    return Campaign(
        began=datetime(2026, 3, 1, 12, seed % 60, tzinfo=UTC),
        seconds=120,
        terms=Options(seed=seed, minutes=2),
        machine=["1 processor"],
        blows=[InflictedFault(name=name, recovery_s=seconds) for name, seconds in felt] if blows is None else blows,
        questions=50,
        deliveries=400,
        in_vain=3,
        verdict=verdict,
    )
