"""The repositories: whether work can start from them and be published in them, before anything is paid for."""

from __future__ import annotations

import asyncio

from cli.doctor.finding import Finding, bad, good, note
from cli.endpoint import Endpoint
from cli.repositories import try_repository
from shared.nats.bus import Bus
from shared.ops.config import BadConfig, Config, Repo, load_config
from shared.ops.settings import Settings


async def look_at_repositories(settings: Settings, endpoint: Endpoint | None, bus: Bus | None) -> list[Finding]:
    """A finding for each; ``bus`` is that of the system that runs, whose gateway knows best."""
    path = settings.config or (settings.data_dir if endpoint is None else endpoint.data) / "journeyman.toml"
    try:
        config = load_config(path)
    except BadConfig:  # `look_at_machine` says so
        return []
    if not config.repos:
        return [
            note("repositories", f"none is configured in {path}", 'Name one: [repos."owner/name"] with path or url.')
        ]
    return list(await asyncio.gather(*(_repository(name, repo, config, bus) for name, repo in config.repos.items())))


async def _repository(name: str, repo: Repo, config: Config, bus: Bus | None) -> Finding:
    trial = await try_repository(name, repo, config, bus)
    if trial.problem:
        return bad(f"repo {name}", trial.problem, trial.mend)
    return good(f"repo {name}", f"answers, and can be written{f' with {trial.access}' if trial.access else ''}")
