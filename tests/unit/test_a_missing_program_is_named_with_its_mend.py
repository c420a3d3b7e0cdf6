"""Where only tests need a program that is not there, they are skipped, and one line says how to get it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from testing.programs import NO_CHROMIUM

ROOT = Path(__file__).resolve().parents[2]
BROWSER_TESTS = "tests/e2e/test_the_dashboard_is_live.py"


def test_without_chromium_the_summary_has_one_line_and_no_system_is_started(tmp_path: Path) -> None:
    path = os.pathsep.join(
        each for each in os.environ["PATH"].split(os.pathsep) if not (Path(each) / "chromium").exists()
    )
    assert path, "Chromium is in every folder of the path"
    # Where no skip is allowed, this one is meant to happen all the same.
    environment = {name: value for name, value in os.environ.items() if name != "JOURNEYMAN_TEST_NO_SKIPS"}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", BROWSER_TESTS, "--basetemp", str(tmp_path / "temp")],
        cwd=ROOT,
        env=environment | {"PATH": path, "PLAYWRIGHT_BROWSERS_PATH": str(tmp_path / "none")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.splitlines().count(f"3 tests were skipped: {NO_CHROMIUM}") == 1, done.stdout
    assert "apt-get install chromium" in NO_CHROMIUM
    assert done.returncode == 0
    assert not list((tmp_path / "temp").glob("system*"))
