"""`python -m bench.chaos`: torment a system, and write the report."""

from __future__ import annotations

import argparse
import asyncio
import os
import secrets
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Final

from bench.chaos.campaign import Campaign, campaign
from bench.chaos.nodes import NODES
from bench.chaos.options import Agent, Options
from bench.chaos.report import write
from bench.termination import until_terminated
from shared.ops import logs

MEMORY: Final = Path("/dev/shm")
ROOM: Final = 12 << 30
"""Bytes that it needs there: NATS refuses streams that would fill three quarters of a disk."""


def main() -> int:
    """0 when nothing was lost, doubled or left over; 1 when something was."""
    parser = argparse.ArgumentParser(prog="python -m bench.chaos", description="Random faults, and a checker.")
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--minutes", type=float, default=5.0, help="how long work is brought")
    length.add_argument("--hours", type=float, help="the same in hours")
    parser.add_argument("--tasks", type=int, default=1_000_000, help="stop earlier, after so many")
    parser.add_argument("--seed", type=int, default=None, help="repeat the choice of faults and work")
    parser.add_argument("--agent", choices=list(Agent), default=Agent.NOOP, help="the no-op agent, or the real CLI")
    parser.add_argument("--questions", type=float, default=0.0, help="share of tasks that one agent only answers")
    parser.add_argument("--nodes", type=int, choices=(1, NODES), default=1, help="NATS servers")
    parser.add_argument("--per-second", type=float, default=50.0, help="most tasks brought in a second")
    parser.add_argument("--out", type=Path, default=Path(__file__).parents[1], help="where the report goes")
    options = parser.parse_args()
    real = options.agent == Agent.CLAUDE
    terms = Options(
        seed=secrets.randbelow(1_000_000) if options.seed is None else options.seed,
        minutes=options.minutes if options.hours is None else options.hours * 60,
        tasks=options.tasks,
        agent=Agent(options.agent),
        questions=0.0 if real else options.questions,
        runs=2 if real else 5,
        at_once=8 if real else 40,
        per_s=options.per_second,
        nodes=options.nodes,
        rest_s=8.0 if real else 6.0,
    )
    os.environ["JOURNEYMAN_TEST_NATS"] = "binary"  # a container's start would be part of every recovery
    logs.configure("chaos", level="error", format="console")
    _say(f"seed {terms.seed}: {terms.minutes:g} minutes with the agent {terms.agent}")
    try:
        done = asyncio.run(until_terminated(_lead(terms)))
    except (KeyboardInterrupt, asyncio.CancelledError):
        return 130
    write(done, options.out)
    verdict = done.verdict
    _say(
        f"{verdict.accepted} tasks accepted, {verdict.completed} completed, {verdict.lost} lost, "
        f"{verdict.doubled} doubled; {len(done.blows)} faults. The report is {options.out / 'reliability.md'}."
    )
    for problem in verdict.problems:
        _say(f"problem: {problem}")
    return 0 if done.good else 1


async def _lead(terms: Options) -> Campaign:
    # Thousands of tasks sync their events; a disk would be what is measured.
    fits = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ROOM
    with tempfile.TemporaryDirectory(prefix="journeyman-chaos-", dir=MEMORY if fits else None) as scratch:
        return await campaign(terms, Path(scratch) / "system", _say)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
