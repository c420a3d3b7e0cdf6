"""Which repository a task is about, asked while its sender still waits for an answer."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Final

from shared.contracts.decider import Rejected
from shared.contracts.messages import Command
from shared.contracts.subjects import Actor
from shared.contracts.task import Submit
from shared.ops.config import BadConfig, Config, load_config
from shared.runtime.actor_host import Check

WAITING: Final = frozenset({"cli", "api"})
"""Sources whose people wait for an answer. Elsewhere, the task is declined, and its people are told so there."""
MOST_NAMED: Final = 20


def repository_check(path: Path) -> Check:
    """Refuses a task that is about no repository of the configuration, which is read anew each time."""

    async def check(actor: Actor, command: Command, principal: str) -> None:
        if not isinstance(command, Submit) or command.source.kind not in WAITING:
            return
        try:
            config = await asyncio.to_thread(load_config, path)
        except BadConfig:
            return  # triage tells of it, and goes on when it is mended
        if config.repo_for(command.repo) is None:
            raise refusal(command.repo, config)

    return check


def refusal(repo: str, config: Config) -> Rejected:
    """Why a task is about no repository, and what there is instead."""
    names = sorted(config.repos)
    if not names:
        return Rejected(
            "repo-unknown",
            f'No repository is configured: add [repos."{repo or "owner/name"}"] to journeyman.toml and submit again.',
        )
    there = ", ".join(names[:MOST_NAMED]) + (f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else "")
    if repo:
        return Rejected(
            "repo-unknown",
            f'The repository {repo} is not configured: name one of {there}, or add [repos."{repo}"] to '
            "journeyman.toml, and submit again.",
        )
    return Rejected(
        "repo-unnamed",
        f"Several repositories are configured: name one of {there} (--repo, or `repo` in JSON), and submit again.",
    )
