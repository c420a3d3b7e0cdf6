"""The tests pass in a clone that has nothing beside it, and say what they leave out."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def collect(fixtures: str | None) -> subprocess.CompletedProcess[str]:
    """What pytest collects of the deliveries' tests when the variable says this."""
    env = {name: value for name, value in os.environ.items() if name != "JOURNEYMAN_FIXTURES"}
    return subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "--collect-only",
            "-q",
            "-p",
            "no:cacheprovider",
            "tests/unit/gateway/test_github_deliveries.py",
        ],
        cwd=ROOT,
        env=env | ({} if fixtures is None else {"JOURNEYMAN_FIXTURES": fixtures}),
        capture_output=True,
        text=True,
        check=False,
    )


def test_without_the_variable_tests_over_payloads_of_others_are_deselected_and_not_skipped() -> None:
    done = collect(None)
    assert done.returncode == 0, done.stdout
    assert "2 deselected" in done.stdout
    assert "test_every_recorded_delivery" not in done.stdout


def test_with_the_variable_they_run(tmp_path: Path) -> None:
    done = collect(str(tmp_path))
    assert "test_every_recorded_delivery" in done.stdout
    assert "deselected" not in done.stdout


def test_a_folder_that_is_not_there_is_an_error_that_names_the_variable(tmp_path: Path) -> None:
    done = collect(str(tmp_path / "nowhere"))
    assert done.returncode == 4
    assert "JOURNEYMAN_FIXTURES is" in done.stdout + done.stderr
