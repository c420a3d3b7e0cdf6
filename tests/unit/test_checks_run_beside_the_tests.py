"""`make test` runs the checks beside the tests: `scripts/beside` over made-up commands."""

from __future__ import annotations

import asyncio
import os
import shlex
import signal
import subprocess
import sys
from asyncio.subprocess import DEVNULL
from pathlib import Path
from typing import Final

from shared.ops.proc import stat_of
from testing.eventually import eventually

ROOT: Final = Path(__file__).resolve().parents[2]
BESIDE: Final = str(ROOT / "scripts" / "beside")
GOOD: Final = "echo good"
INTERRUPTIBLE: Final = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.execv(sys.argv[1], sys.argv[1:])
"""
"""Runs a command that an interrupt ends, also where the tests run in the background: there SIGINT is ignored."""
BAD: Final = f"{shlex.quote(sys.executable)} -c 'print(\"what is bad\"); exit(3)'"


def beside(*commands: str) -> subprocess.CompletedProcess[str]:
    """Run these, to their end."""
    return subprocess.run([BESIDE, *commands], capture_output=True, text=True, timeout=60, check=False)


def test_all_good_is_exit_code_0_and_every_command_is_heard() -> None:
    done = beside("echo first", "echo second", "echo third")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == ["first", "", "== echo second", "second", "", "== echo third", "third"]


def test_a_failure_beside_fails_the_run_and_is_named_last() -> None:
    done = beside(GOOD, BAD, GOOD)
    assert done.returncode == 1
    assert "what is bad" in done.stdout
    assert done.stdout.splitlines()[-1] == f"FAILED with 3: {BAD}"


def test_the_exit_code_of_what_runs_in_front_is_kept() -> None:
    done = beside(BAD, GOOD, "false")
    assert done.returncode == 3
    assert done.stdout.splitlines()[-2:] == [f"FAILED with 3: {BAD}", "FAILED with 1: false"]


async def test_an_interrupt_ends_everything_and_lets_what_runs_in_front_tidy_up(tmp_path: Path) -> None:
    tidied, pids = tmp_path / "tidied", tmp_path / "pids"
    front = f"sh -c 'trap \"touch {tidied}; exit 1\" INT; echo $$ >>{pids}; while :; do sleep 0.05; done'"
    behind = f"sh -c 'echo $$ >>{pids}; sleep 600 & echo $! >>{pids}; wait'"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", INTERRUPTIBLE, BESIDE, front, behind), start_new_session=True, stdout=DEVNULL
    )
    await eventually(lambda: len(pids.read_text().split()) == 3)
    os.killpg(process.pid, signal.SIGINT)
    assert await asyncio.wait_for(process.wait(), 60) == 128 + signal.SIGINT
    assert tidied.exists()
    await eventually(lambda: not any(_runs(int(pid)) for pid in pids.read_text().split()))


def _runs(pid: int) -> bool:
    stat = stat_of(pid)
    return stat is not None and stat.state != "Z"
