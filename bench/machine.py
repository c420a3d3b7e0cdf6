"""What the numbers were measured on: they mean nothing without it."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import time
from pathlib import Path

import msgspec

from bench.measure import percentile
from shared.nats.server import find_server

SYNCS = 200


class Load(msgspec.Struct, frozen=True):
    """How busy the machine is: the load average of a minute, and the share of time in which work waited, in percent.

    The shares are the kernel's pressure stall averages of a minute, or None where it keeps none.
    """

    average: float
    cpu_waits: float | None
    disk_waits: float | None

    def said(self) -> str:
        """For the report."""
        waits = [
            f"work waited for the {what} in {share:.0f} % of the time"
            for what, share in (("processor", self.cpu_waits), ("disk", self.disk_waits))
            if share is not None
        ]
        return ", ".join([f"load average {self.average:.1f}", *waits])


def load() -> Load:
    """As of now."""
    return Load(os.getloadavg()[0], _pressure("cpu"), _pressure("io"))


def facts(directory: Path) -> list[str]:
    """Processor, system, versions, and what one fsync costs in ``directory``."""
    return [
        f"{os.cpu_count()} × {_processor()}, {platform.system()} {platform.release()}",
        f"Python {platform.python_version()}, {_version([str(find_server()), '--version'])}, {_redis()}",
        _sync(directory),
    ]


def _sync(directory: Path) -> str:
    """Appending 1 KiB to a file and syncing it, as the log does for each event."""
    times = []
    path = directory / "sync"
    with path.open("wb", buffering=0) as file:
        for _ in range(SYNCS):
            begun = time.perf_counter()
            file.write(b"x" * 1024)
            os.fsync(file.fileno())
            times.append((time.perf_counter() - begun) * 1000)
    path.unlink()
    return f"one append of 1 KiB with fsync: p50 {percentile(times, 50):.2f} ms, p99 {percentile(times, 99):.2f} ms"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def _redis() -> str:
    binary = shutil.which("redis-server")
    return _version([binary, "--version"]).partition(" sha=")[0] if binary else "no redis-server"


def _version(argv: list[str]) -> str:
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout.strip()


def _pressure(what: str) -> float | None:
    try:
        some = Path(f"/proc/pressure/{what}").read_text().splitlines()[0]
    except OSError:
        return None
    return float(some.partition("avg60=")[2].partition(" ")[0])
