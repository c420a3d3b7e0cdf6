"""The environment of a running process, by which what belongs to a run or a check is found."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Final

EXEC_S: Final = 0.2
_PROC: Final = Path("/proc")
_POLL_S: Final = 0.001


def environment_of(pid: int) -> list[bytes]:
    """``NAME=value`` of a living process; empty when it is gone, a zombie, another user's, or has none.

    In the middle of `exec` a process has none for a moment (measured: 7 to 53 % of processes when `Popen` has just
    returned, by what else the machine does): that is waited for, up to ``EXEC_S`` seconds.
    """
    environ = _PROC / str(pid) / "environ"
    deadline = time.monotonic() + EXEC_S
    try:
        while not (found := environ.read_bytes()) and time.monotonic() < deadline:
            (_PROC / str(pid) / "exe").readlink()  # fails for a kernel thread and for a zombie
            if (_PROC / str(pid) / "cmdline").read_bytes():
                found = environ.read_bytes()  # the kernel sets both at once: by now it is there, or there is none
                break
            time.sleep(_POLL_S)
    except OSError:
        return []
    return found.split(b"\0")
