"""What the workspace tests share besides their fixtures."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from shared.workspace.worktree import Author

ADA = Author("Ada Lovelace", "ada@example.org")
NOON = datetime(2024, 5, 1, 12, 0, tzinfo=UTC)
CHECKPOINT = "refs/journeyman/01JX7/checkpoint"


def sh_git(where: Path, *args: str, check: bool = True) -> str:
    """Git as a person or an agent would run it in ``where``: with discovery, and whatever configuration is there."""
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(where.parent),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_AUTHOR_NAME": "A User",
        "GIT_AUTHOR_EMAIL": "user@example.org",
        "GIT_COMMITTER_NAME": "A User",
        "GIT_COMMITTER_EMAIL": "user@example.org",
    }
    done = subprocess.run(["git", *args], cwd=where, env=env, check=False, capture_output=True, timeout=120)
    if check and done.returncode != 0:
        raise AssertionError(f"git {args}: {done.stderr.decode()}")
    return done.stdout.decode("utf-8", "surrogateescape").rstrip("\n")


def alive(pid: str) -> bool:
    """Whether the process runs; one that only waits to be collected by its parent does not."""
    try:
        return Path("/proc", pid.strip(), "stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


async def eventually(holds: Callable[[], bool], within: float = 60.0) -> None:
    """Poll until it holds."""
    async with asyncio.timeout(within):
        while True:
            if holds():
                return
            await asyncio.sleep(0.02)
