"""Open pull requests of ours are looked at now and then: what no webhook tells, and what was lost, is heard so.

GitHub tells nobody that a pull request cannot be merged any more because its base has moved, nor that it is behind. A
task knows its pull request as it is; to tell it again changes nothing, so a second gateway does no harm.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

import structlog
from prometheus_client import Counter

from services.gateway.github.answers import Pull
from services.gateway.github.client import GitHub
from services.gateway.github.errors import GitHubError, RateLimited
from shared.contracts.decider import Rejected
from shared.contracts.pull_request import CatchUp, PullState
from shared.contracts.queries import ListTasks
from shared.contracts.subjects import Actor
from shared.contracts.task import RecordBase, RecordHead, RecordPullRequest, Status
from shared.event_store.envelope import utc_now
from shared.event_store.journal import LogFull
from shared.ops.config import Config
from shared.runtime.client import Client, NoAnswer, QueryFailed

EVERY_S: Final = 600.0
MOST: Final = 200
"""Pull requests that are looked at in one go, those of the newest tasks: so many calls are a part of an hour's 5000."""
SETTLES: Final = timedelta(seconds=30)

LOOKS: Final = Counter("journeyman_github_looks_total", "Looks at open pull requests of ours", ["outcome"])

log = structlog.get_logger(__name__)


def seen(pull: Pull, known: str, at: datetime) -> RecordHead | RecordPullRequest | None:
    """What a task is told about its pull request, or None where it is as it is known: open, at the commit ``known``.

    ``mergeable`` is null until GitHub has found out: then nothing is said about conflicts.
    """
    if pull.merged:
        by = pull.merged_by.login if pull.merged_by else ""
        return RecordPullRequest(number=pull.number, state=PullState.MERGED, by=by, commit=pull.merge_commit_sha or "")
    if pull.state == "closed":
        return RecordPullRequest(number=pull.number, state=PullState.CLOSED)
    conflict = pull.mergeable is False and pull.mergeable_state == "dirty"
    if pull.head.sha == known and not conflict:
        return None
    return RecordHead(number=pull.number, head=pull.head.sha, conflict=conflict, at=at, due=at + SETTLES)


def behind(pull: Pull, how: str, tip: str, at: datetime) -> RecordBase | None:
    """What a task is told about the base of its pull request, which is at ``tip``; None where nothing can be done.

    Whether the head has that commit already finds out who would bring it up to date.
    """
    if how == "leave" or not tip or pull.merged or pull.state != "open" or pull.mergeable is False:
        return None
    return RecordBase(head=pull.head.sha, base=tip, how=CatchUp(how), at=at)


class PullRequestLooks:
    """Looks at the pull requests of tasks in review."""

    def __init__(
        self, github: GitHub, config: Callable[[], Config], client: Client, *, every_s: float = EVERY_S
    ) -> None:
        self._github = github
        self._config = config
        self._client = client
        self._every_s = every_s
        self._leaving = asyncio.Event()

    async def run(self) -> None:
        """Look now and then until `drain`. What GitHub refuses is logged, and tried again the next time."""
        while not self._leaving.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._leaving.wait(), self._every_s)
            if self._leaving.is_set():
                return
            try:
                await self.look()
                LOOKS.labels("done").inc()
            except (GitHubError, QueryFailed, NoAnswer, LogFull, TimeoutError, ConnectionError) as error:
                LOOKS.labels("failed").inc()
                log.warning("open pull requests could not be looked at", reason=str(error) or type(error).__name__)

    def drain(self) -> None:
        """End after the pull request that is being looked at."""
        self._leaving.set()

    async def look(self) -> None:
        """Once. Raises `GitHubError` for the first one that cannot be read, after all others."""
        failed: list[GitHubError] = []
        tips: dict[tuple[str, str], str] = {}
        page = await self._client.query(ListTasks(status=Status.IN_REVIEW, limit=MOST))
        for task in page.items:
            name = self._config().on_github(task.repo)
            if not name or not task.pull_request or self._leaving.is_set():
                continue
            try:
                pull = await self._github.pull(name, task.pull_request)
                how = self._how(task.repo)
                place = (name, pull.base.ref)
                if how != "leave" and place not in tips:
                    tip = (await self._github.branch(*place)).commit
                    tips[place] = tip.sha if tip is not None else ""
            except RateLimited:
                raise
            except GitHubError as error:
                failed.append(error)
                continue
            now = utc_now()
            for told in (seen(pull, task.commit, now), behind(pull, how, tips.get(place, ""), now)):
                if told is not None:
                    with contextlib.suppress(Rejected):
                        await self._client.send(Actor("task", task.id), told, principal="service:gateway")
        if failed:
            raise failed[0]

    def _how(self, repo: str) -> str:
        found = self._config().repo_for(repo)
        return found.base_moved if found is not None else "leave"
