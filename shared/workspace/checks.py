"""The repository's own checks, run by the executor itself: an agent's word that the tests pass is not enough.

``run_check`` runs one command with bounded output and time, and leaves no process.
"""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import hashlib
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Coroutine, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from shared.ops.disk_use import size_in_words
from shared.ops.proc import MARK, Stat, environment_of, pids, signal_process, start_time, stat_of
from shared.workspace.check_sandbox import Access, CheckSandbox
from shared.workspace.checkout_environment import checkout_environment
from shared.workspace.child import Child
from shared.workspace.disk_allowance import DiskAllowance
from shared.workspace.pipes import Ends, listen
from shared.workspace.test_results import report_environment
from shared.workspace.tracked import is_lost

ENDS_BYTES: Final = 512 * 1024
"""Bytes of output that are kept in memory from the beginning, and as many from the end."""
WHOLE_BYTES: Final = 32 * 1024 * 1024
"""Bytes of output that are written to a file."""
TERM_GRACE: Final = 2.0
"""Seconds between SIGTERM and SIGKILL at the timeout."""
SWEEP_LIMIT: Final = 5.0
"""Seconds in which everything marked must be gone."""
NO_ACCESS: Final = Access()

_ENDED_FROM_OUTSIDE: Final = {-9: "SIGKILL", 137: "SIGKILL", -15: "SIGTERM", 143: "SIGTERM"}
_MISSING: Final = frozenset({126, 127})
_MISSING_BELOW: Final = re.compile(
    r"^(?:g?make|just|task)\b.*\b(?:error|exit code|exit status) 12[67]\b(?! \(ignored\))", re.M | re.I
)
"""A program that a check runs has missed another, and ends for that: those tools have an exit code of their own."""


class CheckResult(msgspec.Struct, frozen=True, kw_only=True):
    """One check. ``exit_code`` is negative for a signal.

    The sha256 (hex) and the size in bytes are of the whole output. ``output`` has its beginning and its end, with a
    line between them that says what was left out. ``cut`` says that the file, where there was to be one, does not have
    the whole. ``lost``: the checkout was gone, so nothing ran. ``overran`` says in words which bound the command went
    past and was ended for; where ``not_begun`` is set too, an earlier one had gone past it. ``unconfined``: no sandbox
    could be made for it, so it did not run; its output says why.
    """

    command: str
    exit_code: int
    duration_ms: int
    output: str
    output_sha256: str
    output_size: int
    timed_out: bool = False
    cut: bool = False
    lost: bool = False
    overran: str = ""
    not_begun: bool = False
    unconfined: bool = False

    @property
    def passed(self) -> bool:
        """Whether the command ended by itself with exit code 0."""
        return self.exit_code == 0 and not self.timed_out and not self.overran


def hindrance(result: CheckResult) -> str | None:
    """Why the command could not run, so that its end says nothing; None when it could."""
    return None if result.passed else broken_off(result) or missing_tool(result)


def broken_off(result: CheckResult) -> str | None:
    """What ended the command before it was done, as a sentence; None when nothing did."""
    if result.unconfined:
        return f"The sandbox could not be made: {' '.join(result.output.split())[-300:]}."
    if result.lost:
        return "The checkout is gone: an earlier command has removed it."
    if result.overran and result.not_begun:
        return f"It was not begun: an earlier command {result.overran}."
    if result.overran:
        return f"It {result.overran} and was ended."
    if result.timed_out:
        return f"It took longer than {result.duration_ms / 1000:.0f} s and was ended."
    signal_name = _ENDED_FROM_OUTSIDE.get(result.exit_code)
    return f"It was ended by {signal_name}." if signal_name else None


def missing_tool(result: CheckResult) -> str | None:
    """That a program is not there, as a sentence; None when none is missed."""
    if result.exit_code in _MISSING or _MISSING_BELOW.search(result.output):
        said = next((line for line in reversed(result.output.splitlines()) if "not found" in line), "").strip()
        return f"A program that it needs is not there{f': {said[:200]}' if said else ''}."
    return None


async def run_checks(
    commands: Sequence[str],
    sandbox: CheckSandbox,
    timeout: float,
    mark: str,
    sweep: Callable[[str], int] | None = None,
    access: Access = NO_ACCESS,
) -> list[CheckResult]:
    """Run each command as `run_check` does, one after the other, all of them whatever the first ones say."""
    return [await run_check(command, sandbox, timeout, mark, sweep=sweep, access=access) for command in commands]


async def run_check(
    command: str,
    sandbox: CheckSandbox,
    timeout: float,
    mark: str,
    *,
    access: Access = NO_ACCESS,
    reports: Path | None = None,
    keep: Path | None = None,
    sweep: Callable[[str], int] | None = None,
    most_output: int | None = None,
    disk: DiskAllowance | None = None,
) -> CheckResult:
    """Run a command in ``/bin/sh``.

    The sandbox's environment is the whole one, to which the command adds what is by then in the checkout (see
    ``checkout_environment``); ``timeout`` is in seconds. ``reports`` is a folder in which its test runners are to write
    reports. ``keep`` is a file that gets the output gzip-compressed, up to ``WHOLE_BYTES`` of it. ``sweep(mark)`` ends
    every process that carries the mark and returns how many it found; without one, this module looks in ``/proc``. The
    mark must belong to these checks alone: whatever carries it is killed after each command. A command that writes more
    than ``most_output`` bytes of output, or fills more than ``disk`` allows, is ended as at the timeout.
    """
    tree = sandbox.tree
    if is_lost(tree):
        return msgspec.structs.replace(_not_run(command), lost=True)
    if disk is not None and await disk.look(at_once=True):
        return msgspec.structs.replace(_not_run(command), overran=_of_the_disk(disk), not_begun=True)
    sweep = sweep or sweep_marked
    began = time.monotonic()
    digest, ends = hashlib.sha256(), Ends(ENDS_BYTES)
    timed_out = False
    too_much = asyncio.Event()
    with _written(keep) as write:

        def take(part: bytes) -> None:
            digest.update(part)
            ends.take(part)
            write(part)
            if most_output is not None and ends.size > most_output:
                too_much.set()

        environment = dict(sandbox.environment)
        if reports is not None:
            as_we_see = {**environment, "HOME": str(sandbox.home)}
            environment |= report_environment(sandbox.reports_inside(reports), as_we_see, tree)
        environment = {**checkout_environment(tree, sandbox.inside(tree), environment), MARK: mark}
        program = ("/bin/sh", "-c", command)
        with listen(take) as output, sandbox.command(program, environment, access, reports) as started:
            process = Child.begin(
                *started.argv,
                cwd=started.cwd,
                env=started.environment,
                stdin=subprocess.DEVNULL,
                stdout=output.writable,
                stderr=output.writable,
                more=started.descriptors,
            )
            output.given()
            try:
                async with asyncio.timeout(timeout):
                    await _first_of(process.wait(), too_much.wait(), *([] if disk is None else [disk.passed()]))
            except TimeoutError:
                timed_out = True
            finally:
                await asyncio.shield(_end(process, mark, sweep, is_confined=started.status is not None))
            await output.ended(within=TERM_GRACE)
            was_begun = started.was_begun()
    overran = ""
    if too_much.is_set():
        overran = f"wrote more than {size_in_words(most_output or 0)} of output"
    elif disk is not None and await disk.look(at_once=True):
        overran = _of_the_disk(disk)
    return CheckResult(
        command=command,
        exit_code=await process.wait(),
        duration_ms=int((time.monotonic() - began) * 1000),
        output=ends.text,
        output_sha256=digest.hexdigest(),
        output_size=ends.size,
        timed_out=timed_out,
        cut=ends.size > WHOLE_BYTES,
        overran=overran,
        unconfined=not was_begun and not (timed_out or overran),
    )


def _not_run(command: str) -> CheckResult:
    """The result of a command that an earlier one is in the way of: by removing the checkout, by filling the disk."""
    nothing = hashlib.sha256().hexdigest()
    return CheckResult(command=command, exit_code=-1, duration_ms=0, output="", output_sha256=nothing, output_size=0)


def _of_the_disk(disk: DiskAllowance) -> str:
    return f"filled more than {size_in_words(disk.most)} of the disk"


async def _first_of(*waits: Coroutine[Any, Any, object]) -> None:
    """Wait until one of them returns; the others are cancelled."""
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()  # what is done already stays as it is
        await asyncio.gather(*tasks, return_exceptions=True)


@contextlib.contextmanager
def _written(file: Path | None) -> Iterator[Callable[[bytes], None]]:
    """What writes pieces of output to a file, as far as ``WHOLE_BYTES`` go."""
    if file is None:
        yield lambda part: None
        return
    left = WHOLE_BYTES
    # Without a name and a time in it, equal outputs are equal files.
    with file.open("wb") as raw, gzip.GzipFile(filename="", mode="wb", fileobj=raw, compresslevel=1, mtime=0) as packed:

        def write(part: bytes) -> None:
            nonlocal left
            if left > 0:
                packed.write(part[:left])
                left -= len(part)

        yield write


async def _end(process: Child, mark: str, sweep: Callable[[str], int], *, is_confined: bool) -> None:
    """End the command's tree: politely if it still runs, then its descendants, its group and all that is marked."""
    if process.returncode is None:
        # Remembered before anything ends: an orphan with its own session and an emptied environment carries no sign.
        below = _descendants(process.pid)
        # In a sandbox, bwrap's child leads the session of the command, and survives the signal itself. bwrap does not,
        # and takes everything with it at once.
        leaders = [pid for pid in below if is_confined and _parent_of(pid) == process.pid]
        for leader in leaders or [process.pid]:
            _signal_group(leader, signal.SIGTERM)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), TERM_GRACE)
        for pid, started in below.items():
            signal_process(pid, started, signal.SIGKILL)
    _signal_group(process.pid, signal.SIGKILL)
    await process.wait()
    await _sweep_all(mark, sweep)


async def _sweep_all(mark: str, sweep: Callable[[str], int]) -> None:
    deadline = time.monotonic() + SWEEP_LIMIT
    clear = 0
    # One that forks and ends during a scan hides its child from it.
    while clear < 2 and time.monotonic() < deadline:
        clear = 0 if await asyncio.to_thread(sweep, mark) else clear + 1
        await asyncio.sleep(0 if clear else 0.02)  # a killed process takes a moment to go


def sweep_marked(mark: str) -> int:
    """SIGKILL every process whose environment holds the mark; how many there were (zombies do not count)."""
    wanted = f"{MARK}={mark}".encode()
    found = 0
    for pid in pids():
        if wanted in environment_of(pid) and (started := start_time(pid)) is not None:
            signal_process(pid, started, signal.SIGKILL)
            found += 1
    return found


def _descendants(root: int) -> dict[int, int]:
    """Process ids below ``root``, each with its start time."""
    living: dict[int, Stat] = {pid: stat for pid in pids() if (stat := stat_of(pid)) is not None}
    found: dict[int, int] = {}
    todo = [root]
    while todo:
        above = todo.pop()
        below = {pid: stat.started for pid, stat in living.items() if stat.parent == above}
        found |= below
        todo += below
    return found


def _parent_of(pid: int) -> int | None:
    stat = stat_of(pid)
    return None if stat is None else stat.parent


def _signal_group(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)
