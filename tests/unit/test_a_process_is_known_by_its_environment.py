from __future__ import annotations

import subprocess
import time

import pytest

from shared.processes import environment_of

MARK = {"MARK": "mine"}


def test_a_process_is_known_from_its_first_moment_on() -> None:
    # Without waiting for the end of `exec`, seven of these and more would have no environment yet.
    for _ in range(100):
        with subprocess.Popen(["/bin/sleep", "60"], env=MARK) as child:
            found = environment_of(child.pid)
            child.kill()
        assert b"MARK=mine" in found


def test_who_never_had_an_environment_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.processes.EXEC_S", 3600.0)
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
