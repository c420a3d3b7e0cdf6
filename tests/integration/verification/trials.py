"""Real repositories, real checkouts and real checks; only what is stored goes to a folder instead of NATS."""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import subprocess
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Final

import msgspec

from services.executor.verification.judge import Judged
from services.executor.verification.records import FOLDER, Record
from services.executor.verification.verify import Verification
from shared.claude.work_dirs import LocalWork
from shared.contracts.messages import ArtifactRef
from shared.contracts.subjects import Actor
from shared.ops.config import Repo
from shared.ops.files import sha256_of
from shared.ops.limits import DEFAULTS, Limits
from shared.sandbox.sandbox import Sandbox, Unconfined
from shared.workspace.commits import JOURNEYMAN
from shared.workspace.mirror import Mirror
from shared.workspace.worktree import Commit, Worktree
from testing.confined import Sharing
from tests.integration.workspace.workspace_support import NOON, sh_git

Files = Mapping[str, str | None]
"""Texts by path; None removes the file."""


_ENVIRONMENT: Final = dict(os.environ)
"""As it is before a test gives itself another home."""


@cache
def go_caches() -> tuple[Path, ...]:
    """Where this account's own builds of Go are, when the machine has Go."""
    if shutil.which("go") is None:
        return ()
    asked = subprocess.run(["go", "env", "GOCACHE"], capture_output=True, text=True, check=True, env=_ENVIRONMENT)
    folder = Path(asked.stdout.strip())
    folder.mkdir(parents=True, exist_ok=True)
    return (folder,)


class Kept:
    """Where outputs are kept: a folder that takes what the object store takes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    async def put_file(self, name: str, path: Path) -> ArtifactRef:
        reference = ArtifactRef(name=name, sha256=sha256_of(path), size=path.stat().st_size)
        shutil.copy(path, self.folder / reference.sha256)
        return reference


class Trial:
    """One repository, and results that are judged against its only commit."""

    def __init__(self, folder: Path, base: Files) -> None:
        self.folder = folder
        self.target = folder / "target"
        self.target.mkdir()
        sh_git(self.target, "init", "--quiet", "--initial-branch=main")
        write(self.target, base)
        sh_git(self.target, "add", "--all")
        sh_git(self.target, "commit", "--quiet", "--message=first")
        self.base = sh_git(self.target, "rev-parse", "HEAD")
        self.mirror = Mirror(folder / "mirrors", str(self.target))
        self.kept = Kept(folder)
        self.sandbox: Sandbox = Sharing(folder, *go_caches())
        self.verification = self.executor()
        self.results = 0

    def executor(self, timeout_s: float = 60, limits: Limits = DEFAULTS) -> Verification:
        """Another executor on the same machine."""
        return Verification(self.folder, timeout_s, self.kept, self.sandbox, limits)

    def age_records(self, seconds: float) -> None:
        """What is known of base commits was seen so much earlier."""
        for file in (self.folder / FOLDER).iterdir():
            record = msgspec.json.decode(file.read_bytes(), type=Record)
            runs = {name: msgspec.structs.replace(run, at=run.at - seconds) for name, run in record.runs.items()}
            file.write_bytes(msgspec.json.encode(msgspec.structs.replace(record, runs=runs)))

    async def commit(self, change: Files, links: Mapping[str, str] | None = None) -> Commit:
        """A result that changes these files, and has ``links`` (targets by path)."""
        await self.mirror.ensure(self.base)
        self.results += 1
        worktree = await Worktree.create(self.mirror, self.folder / f"agent-{self.results}", self.base)
        await asyncio.to_thread(write, worktree.path, change)
        for path, target in (links or {}).items():
            if (worktree.path / path).is_dir():
                (worktree.path / path).rmdir()
            (worktree.path / path).symlink_to(target)
        commit = await worktree.commit("result", JOURNEYMAN, at=NOON)
        assert commit is not None
        return commit

    async def judge(
        self,
        change: Files,
        *checks: str,
        setup: tuple[str, ...] = (),
        number: int = 1,
        links: Mapping[str, str] | None = None,
    ) -> Judged:
        """The verdicts on a result that changes these files; without ``checks``, those of the repository itself."""
        commit = await self.commit(change, links)
        repo = Repo(path=self.target, checks=list(checks) or None, setup=list(setup) if checks else None)
        return await self.verification.judge(
            LocalWork(Actor("run", f"task-{self.results}"), number),
            # The workers of one session have folders of one name, and everything with a mark is killed.
            f"mark-{secrets.token_hex(8)}",
            "octo/app",
            repo,
            self.mirror,
            base=self.base,
            commit=commit.id,
        )


def without_sandbox(trial: Trial) -> Trial:
    """The same where `JOURNEYMAN_SANDBOX` is off."""
    trial.sandbox = Unconfined()
    trial.verification = trial.executor()
    return trial


def write(folder: Path, files: Files) -> None:
    for name, text in files.items():
        file = folder / name
        if text is None:
            file.unlink()
            continue
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


MakeTrial = Callable[[Files], Trial]
