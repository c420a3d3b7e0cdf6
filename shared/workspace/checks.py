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
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from shared.ops import own_home
from shared.ops.disk_use import size_in_words
from shared.ops.download_caches import cache_variables, link_caches
from shared.ops.environment import BASICS, NETWORK, inherited
from shared.ops.proc import MARK, Stat, environment_of, pids, signal_process, start_time, stat_of
from shared.ops.uninterrupted import uninterrupted
from shared.workspace.checkout_environment import checkout_environment
from shared.workspace.child import Child
from shared.workspace.disk_allowance import DiskAllowance
from shared.workspace.pipes import Ends, listen
from shared.workspace.tracked import is_lost

ENDS_BYTES: Final = 512 * 1024
"""Bytes of output that are kept in memory from the beginning, and as many from the end."""
WHOLE_BYTES: Final = 32 * 1024 * 1024
"""Bytes of output that are written to a file."""
TERM_GRACE: Final = 2.0
"""Seconds between SIGTERM and SIGKILL at the timeout."""
SWEEP_LIMIT: Final = 5.0
"""Seconds in which everything marked must be gone."""


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
    past and was ended for; where ``not_begun`` is set too, an earlier one had gone past it.
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

    @property
    def passed(self) -> bool:
        """Whether the command ended by itself with exit code 0."""
        return self.exit_code == 0 and not self.timed_out and not self.overran


def hindrance(result: CheckResult) -> str | None:
    """Why the command could not run, so that its end says nothing; None when it could."""
    return None if result.passed else broken_off(result) or missing_tool(result)


def broken_off(result: CheckResult) -> str | None:
    """What ended the command before it was done, as a sentence; None when nothing did."""
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


@contextlib.asynccontextmanager
async def check_environment(
    home: Path, extra: Iterable[str] = (), source: Mapping[str, str] | None = None, caches: Path | None = None
) -> AsyncIterator[dict[str, str]]:
    """The environment of set-up and checks: an empty ``HOME`` at ``home`` and ``TMPDIR``, the allowed names, ``CI=1``.

    Checks run code an agent wrote: no credential may be among the ``extra`` names. ``source`` is our own environment by
    default. Both folders are removed at the end, so that nothing written there is there for the next checks; what stays
    are downloads in ``caches``, a directory for one repository's checkouts.
    """
    have = os.environ if source is None else source
    await asyncio.to_thread(own_home.remove_tree, home)  # a killed service may have left it
    own_home.furnish(home, have)
    if caches is not None:
        link_caches(caches, home)
    # In the system's own place: below the data directory, the names of sockets would become too long.
    scratch = Path(tempfile.mkdtemp(prefix="journeyman-"))
    try:
        environment = {
            **inherited(have, (*BASICS, *NETWORK, *extra)),
            **own_home.variables(home, have),
            "TMPDIR": str(scratch),
            "CI": "1",
        }
        yield environment | (cache_variables(caches, environment) if caches is not None else {})
    finally:
        await uninterrupted(asyncio.to_thread(_remove_trees, home, scratch))


def _remove_trees(*folders: Path) -> None:
    for folder in folders:
        own_home.remove_tree(folder)


async def run_checks(
    commands: Sequence[str],
    cwd: Path,
    env: Mapping[str, str],
    timeout: float,
    mark: str,
    sweep: Callable[[str], int] | None = None,
) -> list[CheckResult]:
    """Run each command as `run_check` does, one after the other, all of them whatever the first ones say."""
    return [await run_check(command, cwd, env, timeout, mark, sweep=sweep) for command in commands]


async def run_check(
    command: str,
    cwd: Path,
    env: Mapping[str, str],
    timeout: float,
    mark: str,
    *,
    keep: Path | None = None,
    sweep: Callable[[str], int] | None = None,
    most_output: int | None = None,
    disk: DiskAllowance | None = None,
) -> CheckResult:
    """Run a command in ``/bin/sh``.

    ``env`` is the whole environment (see ``check_environment``), to which the command adds what is by then in the
    checkout at ``cwd`` (see ``checkout_environment``); ``timeout`` is in seconds. ``keep`` is a file that
    gets the output gzip-compressed, up to ``WHOLE_BYTES`` of it. ``sweep(mark)`` ends every process that carries the
    mark and returns how many it found; without one, this module looks in ``/proc``. The mark must belong to these
    checks alone: whatever carries it is killed after each command. A command that writes more than ``most_output``
    bytes of output, or fills more than ``disk`` allows, is ended as at the timeout.
    """
    if is_lost(cwd):
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

        with listen(take) as output:
            process = Child.begin(
                "/bin/sh",
                "-c",
                command,
                cwd=cwd,
                env={**checkout_environment(cwd, env), MARK: mark},
                stdin=subprocess.DEVNULL,
                stdout=output.writable,
                stderr=output.writable,
            )
            output.given()
            try:
                async with asyncio.timeout(timeout):
                    await _first_of(process.wait(), too_much.wait(), *([] if disk is None else [disk.passed()]))
            except TimeoutError:
                timed_out = True
            finally:
                await asyncio.shield(_end(process, mark, sweep))
            await output.ended(within=TERM_GRACE)
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


async def _end(process: Child, mark: str, sweep: Callable[[str], int]) -> None:
    """End the command's tree: politely if it still runs, then its descendants, its group and all that is marked."""
    if process.returncode is None:
        # Remembered before anything ends: an orphan with its own session and an emptied environment carries no sign.
        below = _descendants(process.pid)
        _signal_group(process.pid, signal.SIGTERM)
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


def _signal_group(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)
