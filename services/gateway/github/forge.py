"""What is asked of GitHub about deliveries, by the names of repositories in journeyman.toml."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Final, TypeVar

from services.gateway.github.answers import CheckAnnotation, Comment
from services.gateway.github.client import GitHub
from services.gateway.github.errors import GitHubError, NotConfigured, NotThere, Passing, RateLimited
from services.gateway.github.permissions import Permissions
from services.gateway.inbound.check_report import Annotation, report
from services.gateway.inbound.github_authority import PullSeen, Said, Words
from services.gateway.inbound.github_payloads import milliseconds
from shared.ops.config import Config

KEPT_S: Final = 60.0
"""How long a repository's file counts without being read again."""
MAX_KEPT: Final = 1_000
SOON_S: Final = (1.0, 5.0)
"""Between the tries at what a check says."""
MAX_WAIT_S: Final = 900.0
"""Longest wait for a limit of GitHub's within one question; then the delivery comes again."""

T = TypeVar("T")


class GitHubForge:
    """Asks the API. What is asked waits for a limit of GitHub's to be lifted."""

    def __init__(self, github: GitHub, permissions: Permissions, config: Callable[[], Config]) -> None:
        self._github = github
        self._permissions = permissions
        self._config = config
        self._files: dict[tuple[str, str], tuple[float, bytes | None]] = {}

    async def role_of(self, repo: str, login: str) -> str:
        """The permission that GitHub tells: admin, write, read or none; maintain is told as write."""
        name = self._name(repo)
        found = await _patiently(lambda: self._permissions.of(name, login))
        return found.permission

    async def is_member(self, repo: str, team: str, login: str) -> bool:
        """Whether the account is an active member of ``organization/team``."""
        name = self._name(repo)
        return await _patiently(lambda: self._github.is_member(name, team, login))

    async def said_in(self, repo: str, number: int) -> Sequence[Said]:
        """The comments of an issue or a pull request, oldest first."""
        name = self._name(repo)
        return [_said(each) for each in await _patiently(lambda: self._github.comments(name, number))]

    async def words_of(self, repo: str, number: int) -> Words:
        """What an issue says now."""
        name = self._name(repo)
        issue = await _patiently(lambda: self._github.issue(name, number))
        at = milliseconds(datetime.fromisoformat(issue.updated_at)) if issue.updated_at else 0
        return Words(title=issue.title, text=issue.body or "", as_of_ms=at, closed=issue.state == "closed")

    async def pull_of(self, repo: str, number: int) -> PullSeen:
        """A pull request as it is now."""
        name = self._name(repo)
        pull = await _patiently(lambda: self._github.pull(name, number))
        home, base = pull.head.repo, pull.base.repo
        is_here = home is not None and base is not None and home.full_name == base.full_name
        return PullSeen(
            branch=pull.head.ref if is_here else "",
            head=pull.head.sha,
            base=pull.base.ref,
            base_commit=pull.base.sha,
            text=pull.body or "",
            open=pull.state == "open",
        )

    async def file(self, repo: str, path: str) -> bytes | None:
        """A file of the base branch, at most a minute old; None where there is none."""
        name = self._name(repo)
        kept = self._files.get((name, path))
        if kept is not None and kept[0] > time.monotonic():
            return kept[1]
        configured = self._config().repo_for(repo)
        base = configured.base if configured else ""
        try:
            found: bytes | None = await _patiently(lambda: self._github.file(name, path, ref=base))
        except NotThere:
            found = None
        if len(self._files) >= MAX_KEPT:
            self._files.clear()
        self._files[name, path] = (time.monotonic() + KEPT_S, found)
        return found

    async def failure_of(self, repo: str, check: int, job: int, output: str) -> str:
        """What a failed check says of its failure: nothing that cannot be read holds it up."""
        problems: list[str] = []
        annotations: Sequence[Annotation] = ()
        log = ""
        try:
            name = self._name(repo)
            annotations = [_annotation(each) for each in await _soon(lambda: self._github.annotations(name, check))]
        except GitHubError as error:
            problems.append(f"Its annotations could not be read: {error}")
        if job:
            try:
                name = self._name(repo)
                log = await _soon(lambda: self._github.job_log(name, job))
            except GitHubError as error:
                problems.append(f"Its log could not be read: {error}")
        return report(output, annotations, log, "\n".join(problems))

    def _name(self, repo: str) -> str:
        name = self._config().on_github(repo)
        if not name:
            raise NotConfigured(
                f'The repository {repo!r} has no name on GitHub: write `github = "owner/name"` in its section of '
                "journeyman.toml."
            )
        return name


async def _soon(ask: Callable[[], Awaitable[T]]) -> T:
    """A few tries at what passes, but no long wait: the news itself is more than what it says besides."""
    for wait in SOON_S:
        try:
            return await ask()
        except RateLimited as limited:
            if limited.until - time.time() > wait:
                raise
        except Passing:
            pass
        await asyncio.sleep(wait)
    return await ask()


async def _patiently(ask: Callable[[], Awaitable[T]]) -> T:
    while True:
        try:
            return await ask()
        except RateLimited as limited:
            wait = limited.until - time.time()
            if wait > MAX_WAIT_S:
                raise
            await asyncio.sleep(max(1.0, wait))


def _annotation(told: CheckAnnotation) -> Annotation:
    return Annotation(
        level=told.annotation_level or "",
        message=told.message or "",
        title=told.title or "",
        path=told.path or "",
        line=told.start_line or 0,
    )


def _said(comment: Comment) -> Said:
    return Said(
        id=comment.id,
        author=comment.user.login if comment.user else "somebody",
        text=comment.body or "",
        at=_time(comment.created_at),
        edited_at=_time(comment.updated_at or comment.created_at),
    )


def _time(text: str) -> datetime:
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        # A comment of which nobody knows when it was written was not there before.
        return datetime.max.replace(tzinfo=UTC)
    return time if time.tzinfo else time.replace(tzinfo=UTC)
