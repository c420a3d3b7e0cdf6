"""Branches that tasks have published in the target repositories: merged ones, and those of closed tasks."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Final

from cli.git_credentials import git_credentials
from cli.prune.candidate import Candidate, Pruned
from cli.prune.history import EndedTask
from shared.contracts.task import Status
from shared.ops.config import Config
from shared.workspace.git import GitFailed
from shared.workspace.mirror import Mirror
from shared.workspace.publish import delete_branch

CLOSED: Final = frozenset({Status.CANCELLED, Status.DECLINED})


async def find(data: Path, config: Config, ended: Iterable[EndedTask]) -> tuple[list[Candidate], list[str]]:
    """Those that are where the task has left them, and why a repository could not be looked at.

    A branch that was squashed or rebased when it was merged does not look merged, and stays.
    """
    found: list[Candidate] = []
    problems: list[str] = []
    by_repo: dict[str, list[EndedTask]] = {}
    for task in ended:
        if task.branch and task.published and config.repo_for(task.repo) is not None:
            by_repo.setdefault(config.name_for(task.repo), []).append(task)
    for name, tasks in sorted(by_repo.items()):
        try:
            found += await _of_repository(data, config, name, tasks)
        except (GitFailed, ValueError) as error:
            problems.append(f"{name}: {error}")
    return found, problems


async def _of_repository(data: Path, config: Config, name: str, tasks: list[EndedTask]) -> list[Candidate]:
    repo = config.repos[name]
    credentials = git_credentials(config)
    mirror = Mirror(data / "mirrors", repo.target, credentials=credentials)
    await mirror.fetch()
    base = await mirror.resolve(repo.base or None)
    listed = await mirror.git("for-each-ref", "--format=%(objectname) %(refname:lstrip=2)", "refs/heads")
    there = {branch: commit for commit, _, branch in (line.partition(" ") for line in listed.splitlines())}
    merged = await mirror.git("for-each-ref", "--format=%(refname:lstrip=2)", f"--merged={base}", "refs/heads")
    among = set(merged.splitlines())
    found = []
    for task in tasks:
        if there.get(task.branch) != task.published:
            continue
        reason = "merged" if task.branch in among else f"task {task.id} is {task.status}"
        if task.branch in among or task.status in CLOSED:
            clear = partial(delete_branch, repo.target, task.branch, task.published, mirror, credentials=credentials)
            found.append(Candidate(Pruned.BRANCHES, f"{name} {task.branch}", 0, reason, clear))
    return found
