"""What the workspace tests share besides their fixtures."""

from __future__ import annotations

import os
import subprocess
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
