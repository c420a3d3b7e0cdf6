"""Deliveries that GitHub could not hand over: it sends nothing again by itself, so we ask it to.

GitHub keeps deliveries for three days. What happened to each of them is in its list, so nothing is remembered here but
what was asked for lately: a gateway that starts anew, and a second one, go on from the list. A delivery that comes
twice is one, because its id is made of what happened.

Source: https://docs.github.com/en/webhooks/using-webhooks/handling-failed-webhook-deliveries
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import structlog
from prometheus_client import Counter, Gauge

from services.gateway.github.answers import Delivery
from services.gateway.github.client import GitHub
from services.gateway.github.credentials import AppCredentials
from services.gateway.github.errors import GitHubError, RateLimited
from shared.ops.config import Config

EVERY_S: Final = 300.0
KEPT_S: Final = 3 * 86400.0
"""How long GitHub can send a delivery again."""
MAX_PAGES: Final = 20
"""Of a hundred attempts each, of one webhook at one time."""
MAX_AT_ONCE: Final = 50
"""Deliveries of one webhook that are asked for at one time, the oldest first."""
MAX_ATTEMPTS: Final = 10
"""As the waits double, the last one is after a day and a half."""
FIRST_WAIT_S: Final = 120.0
"""How long after a first attempt that failed it is asked for; after each further one twice as long."""
_FOR_GOOD: Final = frozenset({400, 405, 413, 415, 422})
"""Our answers to what we shall never take: to send it again changes nothing."""
_PATH: Final = "/webhooks/github"

SWEEPS: Final = Counter("journeyman_github_sweeps_total", "Looks for failed deliveries at GitHub", ["outcome"])
REDELIVERIES: Final = Counter(
    "journeyman_github_redeliveries_total", "Failed deliveries that GitHub was asked to send again"
)
UNDELIVERED: Final = Gauge("journeyman_github_undelivered", "Deliveries of the last three days that have not arrived")

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Webhook:
    """One webhook whose deliveries come to us: of a repository, or with neither field the App's."""

    repo: str = ""
    hook: int = 0


class GitHubSweeper:
    """Has failed deliveries sent again until they are accepted. ``clock`` gives seconds since 1970."""

    def __init__(
        self,
        github: GitHub,
        config: Callable[[], Config],
        *,
        public_url: str = "",
        every_s: float = EVERY_S,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._github = github
        self._config = config
        self._public_url = public_url.rstrip("/")
        self._every_s = every_s
        self._clock = clock
        self._asked: dict[str, float] = {}
        self._given_up: dict[str, float] = {}
        self._leaving = asyncio.Event()

    async def run(self) -> None:
        """Sweep now and then until `drain`. What GitHub refuses is logged, and tried again the next time."""
        while not self._leaving.is_set():
            try:
                await self.sweep()
                SWEEPS.labels("done").inc()
            except GitHubError as error:
                SWEEPS.labels("failed").inc()
                log.warning("GitHub does not say which deliveries failed", reason=str(error))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._leaving.wait(), self._every_s)

    def drain(self) -> None:
        """End after what is being asked."""
        self._leaving.set()

    async def sweep(self) -> int:
        """Ask once for what is due; answers with how many were asked for. Raises `GitHubError`."""
        now = self._clock()
        for remembered in (self._asked, self._given_up):
            for guid in [guid for guid, at in remembered.items() if now - at > KEPT_S]:
                del remembered[guid]
        failed: list[GitHubError] = []
        missing = asked = 0
        for webhook in await self._webhooks(failed):
            try:
                deliveries = await self._deliveries(webhook, now - KEPT_S)
                missing += len(deliveries)
                asked += await self._ask_for(webhook, deliveries, now)
            except RateLimited:
                raise
            except GitHubError as error:
                failed.append(error)
        UNDELIVERED.set(missing)
        if failed:
            raise failed[0]
        return asked

    async def _webhooks(self, failed: list[GitHubError]) -> list[Webhook]:
        if isinstance(self._github.credentials, AppCredentials):
            return [Webhook()]
        found = []
        config = self._config()
        for repo in filter(None, map(config.on_github, config.repos)):
            try:
                hooks = await self._github.hooks(repo)
            except RateLimited:
                raise
            except GitHubError as error:
                failed.append(error)
                continue
            found += [Webhook(repo, each.id) for each in hooks if each.active and self._is_ours(each.config.url)]
        return found

    def _is_ours(self, url: str) -> bool:
        if self._public_url:
            return url == f"{self._public_url}{_PATH}"
        return url.endswith(_PATH)

    async def _deliveries(self, webhook: Webhook, since: float) -> list[list[Delivery]]:
        """The attempts, newest first, of each delivery that was never accepted; the oldest delivery first."""
        attempts = await self._github.hook_deliveries(webhook.repo, webhook.hook, since=since, pages=MAX_PAGES)
        return [each for each in _by_delivery(attempts) if not any(attempt.accepted for attempt in each)]

    async def _ask_for(self, webhook: Webhook, deliveries: Iterable[list[Delivery]], now: float) -> int:
        asked = 0
        for attempts in deliveries:
            newest = attempts[0]
            if asked >= MAX_AT_ONCE or self._leaving.is_set():
                break
            if newest.status_code in _FOR_GOOD or len(attempts) >= MAX_ATTEMPTS:
                self._tell_once(webhook, newest, len(attempts), now)
                continue
            if now < max(_seconds(newest.delivered_at), self._asked.get(newest.guid, 0.0)) + _wait_s(len(attempts)):
                continue
            await self._github.redeliver(newest.id, webhook.repo, webhook.hook)
            self._asked[newest.guid] = now
            REDELIVERIES.inc()
            asked += 1
            log.info(
                "GitHub is asked to deliver again",
                delivery=newest.guid,
                github_event=newest.event,
                repo=webhook.repo,
                failed=newest.status,
                attempts=len(attempts),
            )
        return asked

    def _tell_once(self, webhook: Webhook, newest: Delivery, attempts: int, now: float) -> None:
        if newest.guid not in self._given_up:
            self._given_up[newest.guid] = now
            log.warning(
                "a delivery of GitHub is not asked for again: see it on the webhook's page",
                delivery=newest.guid,
                github_event=newest.event,
                repo=webhook.repo,
                failed=newest.status,
                attempts=attempts,
            )


def _by_delivery(attempts: Iterable[Delivery]) -> list[list[Delivery]]:
    """The attempts of each delivery, newest first; the delivery whose newest attempt is oldest comes first."""
    found: dict[str, list[Delivery]] = {}
    for each in attempts:
        found.setdefault(each.guid, []).append(each)
    return list(reversed(found.values()))


def _wait_s(attempts: int) -> float:
    return FIRST_WAIT_S * float(2 ** (attempts - 1))


def _seconds(text: str) -> float:
    """Of a time in ISO 8601; 0 for what is none."""
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        return 0.0
