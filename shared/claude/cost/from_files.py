"""What processes have spent, from the files of their run directories."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from pathlib import Path

import msgspec

from shared.claude.cost.meter import Meter
from shared.claude.process.process import AgentProcess
from shared.contracts.usage import ModelUsage, add_usage
from shared.ops.limits import DEFAULTS


def spent_here(run_dirs: Iterable[Path]) -> tuple[ModelUsage, ...]:
    """What the processes in these run directories have spent from their first line to their last."""
    return add_usage(*map(_spent_by, run_dirs))


def _spent_by(run_dir: Path) -> tuple[ModelUsage, ...]:
    try:
        resumed = AgentProcess.attach(run_dir).resumed
    except (OSError, msgspec.MsgspecError):
        resumed = True  # what it says of itself was damaged; its output counts all the same
    meter = Meter(resumed=resumed)
    with contextlib.suppress(FileNotFoundError), (run_dir / "stdout.jsonl").open("rb") as file:
        while line := file.readline(DEFAULTS.max_agent_line_bytes):
            meter.feed(line)
    return meter.total
