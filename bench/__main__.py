"""`python -m bench`: measure, and write the report."""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
import traceback
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from bench import machine
from bench.cases import appends, first_line, github, live, long_actor, own_cpu, rebuild, senders, webhooks
from bench.report import Session, write
from bench.result import Found
from bench.sizes import FULL, QUICK, Sizes
from bench.termination import until_terminated
from bench.world import CannotMeasure
from shared.ops import logs

Case = Callable[[Sizes, Path], Awaitable[Found]]
CASES: Final[Mapping[str, Case]] = {
    "appends": appends.run,
    "webhooks": webhooks.run,
    "senders": senders.run,
    "github": github.run,
    "first-line": first_line.run,
    "rebuild": rebuild.run,
    "live": live.run,
    "long-actor": long_actor.run,
    "own-cpu": own_cpu.run,
}


async def session(names: list[str], sizes: Sizes, say: Callable[[str], None]) -> Session:
    """Measure the named benchmarks one after the other, each in a folder of its own."""
    began, clock = datetime.now(UTC), time.monotonic()
    found: list[Found] = []
    missing: list[str] = []
    with tempfile.TemporaryDirectory(prefix="journeyman-bench-") as scratch:
        facts = machine.facts(Path(scratch))
        loads = [f"before: {machine.load().said()}"]
        for name in names:
            say(f"{name} …")
            directory = Path(scratch) / name
            directory.mkdir()
            try:
                found.append(await CASES[name](sizes, directory))
            except Exception as error:
                # One benchmark that fails must not take the others' numbers with it.
                if not isinstance(error, CannotMeasure):
                    traceback.print_exc()
                missing.append(f"{name}: {error or type(error).__name__}")
                say(f"  not measured: {missing[-1]}")
                continue
            loads.append(f"after {name}: {machine.load().said()}")
            for line in found[-1].lines:
                result = line.result
                ratio = "" if result.ratio is None else f", {result.ratio:.3g} times the peer's {result.peer_value:g}"
                verdict = {True: f", goal met ({result.goal})", False: f", GOAL MISSED ({result.goal})", None: ""}
                say(f"  {result.name}: {result.value:g} {result.unit}{ratio}{verdict[result.met]}")
    return Session(
        began=began,
        seconds=time.monotonic() - clock,
        machine=facts,
        loads=loads,
        found=found,
        missing=missing,
        is_quick=sizes is QUICK,
    )


def main() -> int:
    """0 when everything was measured (goals met or not), 1 when something could not be."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure Journeyman against its peers.")
    parser.add_argument("--quick", action="store_true", help="tiny sizes: only shows that everything works")
    parser.add_argument("--only", action="append", choices=list(CASES), help="this benchmark alone; may be repeated")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent, help="where the reports go")
    options = parser.parse_args()
    logs.configure("bench", level="error", format="console")
    sizes = QUICK if options.quick else FULL
    try:
        result = asyncio.run(until_terminated(session(options.only or list(CASES), sizes, _say)))
    except (KeyboardInterrupt, asyncio.CancelledError):
        return 130
    write(result, options.out)
    _say(f"The report is {options.out / 'report.md'}.")
    return 1 if result.missing else 0


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
