from __future__ import annotations

import os
import signal
import subprocess
import time

import pytest

from shared.ops.proc import (
    Stat,
    end_all,
    environment_of,
    is_alive,
    parse_stat,
    signal_process,
    start_time,
    stat_of,
)
from testing.service_group import ROOT

MARK = {"MARK": "mine"}


def test_a_process_is_known_from_its_first_moment_on() -> None:
    # Without waiting for the end of `exec`, seven of these and more would have no environment yet.
    for _ in range(100):
        with subprocess.Popen(["/bin/sleep", "60"], env=MARK) as child:
            found = environment_of(child.pid)
            child.kill()
        assert b"MARK=mine" in found


def test_who_never_had_an_environment_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.ops.proc.EXEC_S", 3600.0)
    with subprocess.Popen(["/bin/sleep", "60"], env={}) as child:
        assert environment_of(child.pid) == [b""]
        child.kill()


def test_who_has_ended_has_none() -> None:
    with subprocess.Popen(["/bin/true"], env=MARK) as child:
        # A zombie now, until it is waited for.
        while environment_of(child.pid):
            time.sleep(0.01)
        assert environment_of(child.pid) == []
    assert environment_of(child.pid) == []


def test_a_process_whose_name_looks_like_its_line_is_read_right() -> None:
    assert parse_stat("7 (a) Z 9 (b)) S 3 " + "0 " * 17 + "4711 0") == Stat("S", 3, 4711)
    with pytest.raises(ValueError, match="no line of"):
        parse_stat("7 (sleep) S 3")


def test_a_zombie_and_what_never_was_are_not_alive() -> None:
    with subprocess.Popen(["/bin/true"]) as child:
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert start_time(child.pid) is None
    assert stat_of(2**22 + 1) is None


def test_a_signal_to_a_process_whose_number_was_given_away_hits_nobody() -> None:
    with subprocess.Popen(["/bin/sleep", "60"]) as child:
        started = start_time(child.pid)
        assert started is not None
        signal_process(child.pid, started - 1, signal.SIGKILL)
        assert child.poll() is None
        signal_process(child.pid, started, signal.SIGKILL)
        assert child.wait(60) == -signal.SIGKILL


def test_what_ignores_a_polite_end_is_killed_and_counted_once() -> None:
    script = "trap '' TERM; echo ready; while :; do sleep 1; done"
    with subprocess.Popen(["/bin/bash", "-c", script], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        started = start_time(child.pid)
        assert started is not None

        def left() -> list[tuple[int, int]]:
            return [(child.pid, started)] if is_alive(child.pid, started) else []

        assert end_all(left, 0.1) == {child.pid}
        assert child.wait(60) == -signal.SIGKILL


@pytest.mark.parametrize("said", ['"/proc', "JOURNEYMAN_RUN_MARK", "pidfd_open"])
def test_one_module_reads_what_the_kernel_says_of_processes(said: str) -> None:
    readers = {
        path.relative_to(ROOT).as_posix()
        for part in ("services", "shared", "cli")
        for path in (ROOT / part).rglob("*.py")
        # The shell of an agent's wrapper notes down the line of its own process; that is no Python.
        if any(said in line for line in path.read_text().splitlines() if "read -r" not in line)
    }
    assert readers == {"shared/ops/proc.py"}
