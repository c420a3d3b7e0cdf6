"""`/api/repos`: the repositories that a task may be about, as `journeyman.toml` has them now."""

from __future__ import annotations

from enum import StrEnum

import msgspec
from litestar import Controller, get

from services.gateway.config_file import ConfigFile
from shared.ops.settings import Settings


class CommandsFrom(StrEnum):
    """Where the commands of a repository's set-up, or of its checks, come from."""

    CONFIGURED = "configured"
    DETECTED = "detected"
    NONE = "none"


class ConfiguredRepo(msgspec.Struct, frozen=True, kw_only=True):
    """One repository. ``base`` is empty where the default branch counts. Where it lies is nobody's business here."""

    name: str
    base: str
    setup: CommandsFrom
    checks: CommandsFrom
    agent: str


class ConfiguredRepos(msgspec.Struct, frozen=True, kw_only=True):
    """All of them by name; ``config_path`` is the file that names them, ``mention`` the word that addresses us."""

    items: list[ConfiguredRepo]
    config_path: str
    mention: str


class RepoController(Controller):
    """Which repositories there are."""

    path = "/api/repos"
    tags = ("status",)

    @get("/", operation_id="listRepos", summary="The configured repositories")
    async def list_repos(self, config: ConfigFile, settings: Settings) -> ConfiguredRepos:
        """Without addresses: they may hold names and passwords."""
        return ConfiguredRepos(
            items=[
                ConfiguredRepo(
                    name=name, base=repo.base, setup=_from(repo.setup), checks=_from(repo.checks), agent=repo.agent
                )
                for name, repo in sorted(config.now.repos.items())
            ],
            config_path=str(settings.config_path),
            mention=config.now.policy.mention,
        )


def _from(commands: list[str] | None) -> CommandsFrom:
    match commands:
        case None:
            return CommandsFrom.DETECTED
        case []:
            return CommandsFrom.NONE
        case _:
            return CommandsFrom.CONFIGURED
