"""A GitHub of ours around a group of services: the gateway reaches it through a proxy at which things go wrong."""

from __future__ import annotations

import contextlib
import re
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any, Final

from shared.contracts import reply
from shared.contracts.ids import derived_task_id
from shared.event_store.envelope import RecordedEvent
from testing.fault_proxy import Fault, FaultProxy
from testing.github_server import App, Change, GitHubServer, Repo

WRITER: Final = "mona"
FAULTS: Final = (Fault.ERROR_AFTER, Fault.LOST_AFTER, Fault.ERROR_BEFORE, Fault.DROPPED, Fault.SECONDARY)
_MARK: Final = re.compile(r"<!-- journeyman:(\S+) -->")
_PLENTY: Final = 10**6


class GitHubAround:
    """One repository with a writer and our App. ``proxy`` stands between it and the gateway."""

    def __init__(self, server: GitHubServer, repo: Repo, app: App, proxy: FaultProxy, folder: Path) -> None:
        self.server = server
        self.repo = repo
        self.app = app
        self.proxy = proxy
        self._key = folder / "github-app.pem"
        self._key.write_text(app.private_key)
        self._key.chmod(0o600)

    @classmethod
    @contextlib.asynccontextmanager
    async def of(
        cls, name: str, *, git: Path, folder: Path, seed: int = 0, share: float = 0.1, faults: Sequence[Fault] = FAULTS
    ) -> AsyncIterator[GitHubAround]:
        """``git`` is the repository's own directory (``.git``), ``share`` how many calls a fault happens to."""
        server = GitHubServer(rate_limit=_PLENTY, changes_a_minute=_PLENTY, changes_an_hour=_PLENTY)
        repo = server.repo(name, people={WRITER: "write"}, git=git)
        app = server.app()
        async with server, FaultProxy(server.url, random=Random(seed), share=share, faults=faults) as proxy:
            yield cls(server, repo, app, proxy, folder)

    @property
    def environment(self) -> dict[str, str]:
        """What the gateway must be started with."""
        return {
            "JOURNEYMAN_GITHUB_API_URL": self.proxy.url,
            "JOURNEYMAN_GITHUB_APP_ID": str(self.app.id),
            "JOURNEYMAN_GITHUB_APP_PRIVATE_KEY_FILE": str(self._key),
        }

    def opened(self, title: str, body: str) -> tuple[dict[str, Any], str]:
        """The writer opens an issue: GitHub's payload, and the id of the task that it becomes."""
        number = self.server.person(WRITER).opens_issue(self.repo.full_name, title, body)
        issue = self.repo.issues[number]
        payload = {
            "action": "opened",
            "issue": dict(issue),
            "repository": self.server.shown_repo(self.repo),
            "sender": self.server.users[WRITER],
        }
        return payload, derived_task_id(_ms(issue["created_at"]), f"github:{self.repo.id}#{number}")

    def problems(self) -> list[str]:
        """What our App has done more than once, or left undone where it began: by the server's journal."""
        return problems_of_github(self.server, self.app.login)


def is_told(story: Sequence[RecordedEvent]) -> bool:
    """Whether everything that people were to see of a task has been shown to them, or cannot be."""
    wanted: dict[str, int] = {}
    for event in story:
        match event.data:
            case reply.Wanted(effect=effect, revision=revision):
                wanted[effect] = max(revision, wanted.get(effect, 0))
            case reply.Shown(effect=effect, revision=revision) if revision >= wanted.get(effect, 0):
                wanted.pop(effect, None)
            case reply.Failed(effect=effect):
                wanted.pop(effect, None)
            case _:
                pass
    return not wanted


def problems_of_github(server: GitHubServer, login: str) -> list[str]:
    """Whether an account has made each comment, reaction, pull request and check run once: by their natural keys."""
    ours = [each for each in server.journal if each.by == login]
    made: Counter[str] = Counter(key for each in ours if (key := _key_of(server, each)))
    found = [f"{key} was made {times} times" for key, times in made.items() if times > 1]
    for repo in server.repos.values():
        for (kind, id), reactions in repo.reactions.items():
            standing = [each["content"] for each in reactions if each["user"]["login"] == login]
            if len(standing) > 1:
                found.append(f"at {kind} {id} stand {standing}")
    return found


def _key_of(server: GitHubServer, change: Change) -> str:
    """What a second one of the same would share; empty for what may happen again."""
    where = f"{change.repo}#{change.number}"
    match change.what:
        case "comment.created":
            marks = _MARK.findall(change.text.partition("\n")[0])
            return f"the comment {marks[0] if marks else change.text[:40]!r} of {where}"
        case "reaction.created":
            return f"the reaction {change.name} at {change.repo} {change.id}"
        case "pull.opened":
            return f"the pull request of {change.name} in {change.repo}"
        case "check.created":
            run = server.repos[change.repo.lower()].check_runs[change.id]
            return f"the check run {change.name} ({run['external_id']}) in {change.repo}"
        case "review.submitted":
            return f"the review of {where} at {change.text[:40]!r}"
        case _:
            return ""


def _ms(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * 1000)
