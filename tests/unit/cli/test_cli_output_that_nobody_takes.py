"""A reader that has seen enough, and a disk that is full: no command answers them with a traceback."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.failures import explain
from testing.command_line import COMMAND, clean_environment

_COMMANDS = [("--help",), ("context", "list")]


@contextlib.contextmanager
def _nobody_reads() -> Iterator[int]:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        yield writing
    finally:
        os.close(writing)


async def _run(folder: Path, arguments: tuple[str, ...], out: int, err: int = subprocess.PIPE) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        COMMAND, *arguments, cwd=folder, env=clean_environment(), stdout=out, stderr=err
    )
    _, said = await process.communicate()
    assert process.returncode is not None
    return process.returncode, (said or b"").decode()


@pytest.mark.parametrize("arguments", _COMMANDS)
async def test_a_reader_that_has_gone_ends_a_command_without_a_word(arguments: tuple[str, ...], tmp_path: Path) -> None:
    with _nobody_reads() as gone:
        both = await asyncio.gather(_run(tmp_path, arguments, gone), _run(tmp_path, arguments, gone, gone))
    assert tuple(both) == ((1, ""), (1, ""))


@pytest.mark.parametrize("arguments", _COMMANDS)
async def test_a_full_disk_is_said_in_one_line(arguments: tuple[str, ...], tmp_path: Path) -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    code, said = await _run(tmp_path, arguments, full)
    os.close(full)
    assert code == 1
    assert said.startswith("journeyman: No space left on device: ") and said.count("\n") == 1


def test_a_file_that_does_not_fit_on_its_disk_is_no_bug_of_ours() -> None:
    with pytest.raises(OSError) as raised, Path("/dev/full").open("wb", buffering=0) as file:
        file.write(b"an archive")
    assert "Make room" in (explain(raised.value) or "")
