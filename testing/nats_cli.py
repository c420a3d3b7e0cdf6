"""The real `nats` command: from the path, from this checkout's own tools, or built with Go."""

from __future__ import annotations

import asyncio
import functools
import os
import shutil
import subprocess
from asyncio.subprocess import PIPE, Process
from pathlib import Path
from typing import Final

import pytest

from testing.programs import NO_NATS_COMMAND

ROOT: Final = Path(__file__).resolve().parents[1]
OWN: Final = ROOT / ".tools" / "bin" / "nats"
RECIPE: Final = Path(__file__).with_name("nats-cli")
BUILD_S: Final = 150.0


@functools.cache
def find_nats() -> Path:
    """Where the command is; skips the test when it is nowhere and cannot be built."""
    if found := shutil.which("nats"):
        return Path(found)
    if OWN.exists():
        return OWN
    go = shutil.which("go", path=f"{os.environ['PATH']}:/usr/local/go/bin:/usr/lib/go/bin")
    if go is None:
        pytest.skip(NO_NATS_COMMAND)
    OWN.parent.mkdir(parents=True, exist_ok=True)
    built = OWN.with_name(f"nats.{os.getpid()}")
    done = subprocess.run(
        [go, "build", "-o", str(built), "github.com/nats-io/natscli/nats"],
        cwd=RECIPE,
        capture_output=True,
        text=True,
        timeout=BUILD_S,
        check=False,
    )
    if done.returncode != 0:
        pytest.skip(f"the nats command cannot be built here: {done.stderr.strip()[-200:]}")
    built.replace(OWN)
    return OWN


class NatsCli:
    """The command as an operator without any configuration has it."""

    def __init__(self, url: str, home: Path) -> None:
        self._binary = str(find_nats())
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "NATS_URL": url,
            "NATS_TIMEOUT": "60s",
            "TERM": "dumb",
        }

    def argv(self, *arguments: str) -> list[str]:
        """The command line."""
        return [self._binary, *arguments]

    async def run(self, *arguments: str, within: float = 90.0) -> str:
        """Run it to the end, without a terminal; returns what it put out, and fails when it did."""
        process = await self.start(*arguments)
        out, err = await asyncio.wait_for(process.communicate(), within)
        assert process.returncode == 0, f"nats {' '.join(arguments)}: {err.decode()}"
        return out.decode()

    async def start(self, *arguments: str) -> Process:
        """Start it with pipes at both ends."""
        return await asyncio.create_subprocess_exec(
            *self.argv(*arguments),
            env=self.environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=PIPE,
            stderr=PIPE,
            limit=1 << 24,
        )
