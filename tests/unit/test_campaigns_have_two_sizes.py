"""`make test` leaves campaigns of faults out; they run small on every push, and in full by `make test-faults`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from testing.campaign_size import CampaignSize
from tests.fault.crash.test_every_crash_point_loses_nothing_and_doubles_nothing import together
from tests.fault.crash.verdict import Verdict

ROOT: Final = Path(__file__).resolve().parents[2]


def made(*goals: str) -> list[str]:
    """The lines with pytest in what make would do."""
    done = subprocess.run(
        ["make", "--dry-run", *goals],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "HOME": os.environ["HOME"]},
        capture_output=True,
        text=True,
        check=True,
    )
    return [line for line in done.stdout.splitlines() if "/pytest " in line]


@pytest.mark.parametrize(
    ("goals", "part"),
    [
        (("unit",), '-m "not compose and not campaign"'),
        (("test-faults",), "-m campaign --campaign-size full"),
        (("test-faults", "SIZE=small"), "-m campaign --campaign-size small"),
    ],
)
def test_each_command_runs_its_share_of_the_campaigns(goals: tuple[str, ...], part: str) -> None:
    (line,) = made(*goals)
    assert part in line


def test_every_push_runs_the_campaigns_in_their_small_size() -> None:
    assert "make test-faults SIZE=small" in (ROOT / ".ci" / "run").read_text()


def test_what_is_run_by_hand_is_small(campaign_size: CampaignSize) -> None:
    assert campaign_size is CampaignSize.SMALL
    assert (CampaignSize.SMALL.pick(small=1, full=3), CampaignSize.FULL.pick(small=1, full=3)) == (1, 3)


@pytest.mark.parametrize(("size", "is_there"), [("small", False), ("full", True)])
def test_what_is_too_long_for_a_push_is_in_the_full_size_alone(size: str, is_there: bool) -> None:
    file = "tests/fault/drain/test_services_are_replaced_while_they_work.py"
    asked = ["pytest", "--collect-only", "-q", "-m", "campaign", "--campaign-size", size, file]
    listed = subprocess.run([sys.executable, "-m", *asked], cwd=ROOT, capture_output=True, text=True)
    assert (f"{file}::test_no_request_fails" in listed.stdout) is is_there


def test_a_point_counts_only_when_every_repetition_has_died_there_and_no_problem_is_lost() -> None:
    first = Verdict(died_at=frozenset({"a", "b"}), problems=["lost"])
    second = Verdict(died_at=frozenset({"b", "c"}), problems=["doubled"])
    assert together([first, second]) == Verdict(died_at=frozenset({"b"}), problems=["lost", "doubled"])
