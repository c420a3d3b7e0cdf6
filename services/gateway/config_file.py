"""`journeyman.toml` as it is now, without reading it for every delivery."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Final

import structlog

from shared.ops.config import BadConfig, Config, load_config

FRESH_S: Final = 2.0

log = structlog.get_logger(__name__)


class ConfigFile:
    """The configuration; a change of the file shows within `FRESH_S` seconds, a broken one changes nothing."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._own: dict[str, str | int] = {}
        self._own_there: dict[str, tuple[str, ...]] = {}
        self._numbers: dict[str, int] = {}
        self._of_the_file = self._config = load_config(path)
        self._looked_at = time.monotonic()
        self._stamp = self._stamp_of_file()

    @property
    def now(self) -> Config:
        """The newest valid configuration."""
        if time.monotonic() - self._looked_at > FRESH_S:
            self._looked_at = time.monotonic()
            metadata = self._stamp_of_file()
            if metadata != self._stamp:
                self._stamp = metadata
                self._reload()
        return self._config

    def know_own_account(self, login: str, app_id: int) -> None:
        """Fill in what the file leaves open of ``[policy]``: our own account and our own App on GitHub."""
        self._own = {"login": login, "app_id": app_id}
        self._config = self._filled_in(self._of_the_file)

    def know_repository(self, on_github: str, number: int) -> None:
        """Fill in the ``id`` of the repositories of this name on GitHub, where the file leaves it open; 0 is none."""
        if self._numbers.get(on_github, 0) != number:
            self._numbers[on_github] = number
            self._config = self._filled_in(self._of_the_file)

    def know_own_account_at(self, sender: str, names: tuple[str, ...]) -> None:
        """Add to ``accounts`` under ``[senders.…]`` by what the sender knows our own account."""
        self._own_there[sender] = names
        self._config = self._filled_in(self._of_the_file)

    def _filled_in(self, config: Config) -> Config:
        for sender, names in self._own_there.items():
            there = config.sender(sender)
            accounts = tuple(dict.fromkeys((*there.accounts, *names)))
            known = there.model_copy(update={"accounts": accounts})
            config = config.model_copy(update={"senders": {**config.senders, sender: known}})
        policy = config.policy
        missing = {name: value for name, value in self._own.items() if value and not getattr(policy, name)}
        repos = {
            name: repo if repo.id else repo.model_copy(update={"id": self._numbers.get(config.on_github(name), 0)})
            for name, repo in config.repos.items()
        }
        return config.model_copy(update={"policy": policy.model_copy(update=missing), "repos": repos})

    def _reload(self) -> None:
        try:
            self._of_the_file = load_config(self._path)
            self._config = self._filled_in(self._of_the_file)
        except BadConfig as error:
            log.error("the configuration was changed and is wrong; going on with the one before", problem=str(error))
        else:
            log.info("the configuration was changed", path=str(self._path))

    def _stamp_of_file(self) -> tuple[int, int]:
        try:
            status = self._path.stat()
        except OSError:
            return (0, 0)
        return (status.st_mtime_ns, status.st_size)
