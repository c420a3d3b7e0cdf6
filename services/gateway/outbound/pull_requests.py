"""A task's one pull request on GitHub: found by its branch and adopted, or opened as a draft."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable, Iterator

import structlog

from services.gateway.github.answers import Pull, User
from services.gateway.github.client import GitHub
from services.gateway.github.errors import AlreadyThere, NotThere, Refused
from services.gateway.github.site import noreply_host
from services.gateway.outbound import pull_request_text as words
from services.gateway.outbound.displays import CannotShow, NotNow
from services.gateway.outbound.github_effects import AskTask, as_ours
from services.gateway.outbound.parts import marker
from services.gateway.outbound.publish_rules import CannotPublish
from shared.contracts import reply
from shared.contracts.queries import TaskDetail
from shared.contracts.subjects import Actor
from shared.event_store.journal import Journal
from shared.event_store.receipt import KINDS, Receipt, receipt_of
from shared.ops.config import Config, Repo
from shared.ops.crash_points import crash_point
from shared.workspace.result_inspection import Signature

log = structlog.get_logger(__name__)


class PullRequests:
    """Opens and updates pull requests with our credentials, and says who commits are by."""

    def __init__(
        self, github: GitHub, config: Callable[[], Config], task: AskTask, journal: Journal, *, public_url: str = ""
    ) -> None:
        self._github = github
        self._config = config
        self._task = task
        self._journal = journal
        self._public_url = public_url

    def on_github(self, repo: str) -> str:
        """The repository's name on GitHub, or empty for one that is not there."""
        return self._config().on_github(repo)

    async def author(self, repo: str) -> Signature:
        """Our account, as GitHub shows commits of its own. Raises `CannotPublish` and `NotNow`."""
        with _as_a_publication():
            own = await self._github.identity()
            return self._signature(await self._user(self.on_github(repo), own.login), own.login)

    async def co_author(self, task_id: str, repo: str) -> Signature | None:
        """Who asked for the work, where that is an account on GitHub. Raises `CannotPublish` and `NotNow`."""
        detail = await self._task(task_id)
        sender, _, login = (detail.requester if detail else "").partition(":")
        if sender != "github" or not login:
            return None
        with _as_a_publication():
            user = await self._user(self.on_github(repo), login)
            return self._signature(user, login) if user is not None else None

    async def ensure(self, task_id: str, wanted: reply.Requested, repo: Repo, commit: str) -> Pull:
        """The pull request that has ``commit``, with its text as of now. Raises `CannotPublish` and `NotNow`."""
        name = self.on_github(wanted.repo)
        detail = await self._task(task_id)
        if detail is None or detail.version < wanted.cause:
            raise NotNow(f"The read models have not come to the result of task {task_id} yet.")
        title, text = words.title(detail), await self._text(detail, wanted, commit, name)
        with _as_a_publication():
            pull = await self._open_one(name, wanted.branch)
            if pull is None:
                pull = await self._opened(name, wanted.branch, repo, title, text)
                crash_point("pull-request.opened")
            elif await self._is_ours(pull, task_id) and (pull.title, pull.body) != (title, text):
                await self._github.update_pull(name, pull.number, title=title, body=text)
            await self._labelled(name, pull, repo)
            return pull

    async def of_branch(self, repo: str, branch: str) -> tuple[int, str]:
        """Number and address of the open pull request of a branch; 0 where there is none any more."""
        with _as_a_publication():
            pull = await self._open_one(self.on_github(repo), branch)
        return (pull.number, pull.html_url) if pull is not None else (0, "")

    async def _text(self, detail: TaskDetail, wanted: reply.Requested, commit: str, name: str) -> str:
        receipt = await self._receipt(detail, wanted, commit)
        duration = round((detail.updated_at - detail.created_at).total_seconds() * 1000)
        return words.body(
            detail,
            receipt,
            closes=words.issue_closed_by(detail, name),
            public_url=self._public_url,
            duration_ms=max(0, duration),
        )

    async def _receipt(self, detail: TaskDetail, wanted: reply.Requested, commit: str) -> Receipt:
        # As of one moment: what is appended meanwhile would lie in the range without being counted.
        now = await self._journal.last_position()
        story = {kind: await self._journal.load(Actor(kind, detail.id), up_to=now) for kind in KINDS}
        return receipt_of(
            story,
            repo=wanted.repo,
            commit=commit,
            tree=wanted.tree,
            base=wanted.base_commit,
            evidence=detail.run.evidence if detail.run else "",
        )

    async def _open_one(self, name: str, branch: str) -> Pull | None:
        found = await self._github.pulls_of_branch(name, branch, state="open")
        return found[0] if found else None

    async def _opened(self, name: str, branch: str, repo: Repo, title: str, text: str) -> Pull:
        base = repo.base or (await self._github.repository(name)).default_branch
        try:
            pull = await self._github.create_pull(name, head=branch, base=base, title=title, body=text)
        except AlreadyThere:
            found = await self._open_one(name, branch)
            if found is None:
                raise
            pull = found
        await self._ask_for_reviews(name, pull, repo)
        return pull

    async def _is_ours(self, pull: Pull, task_id: str) -> bool:
        """Whether we have written it; somebody else's text is left as it is."""
        written = (pull.body or "").startswith(marker(task_id, words.EFFECT))
        return written or await self._github.is_own(pull.user)

    async def _labelled(self, name: str, pull: Pull, repo: Repo) -> None:
        missing = [label for label in repo.labels if label not in {each.name for each in pull.labels}]
        if missing:
            await self._without_a_fuss(self._github.add_labels(name, pull.number, missing))

    async def _ask_for_reviews(self, name: str, pull: Pull, repo: Repo) -> None:
        teams = [each.partition("/")[2] for each in repo.reviewers if "/" in each]
        users = [each for each in repo.reviewers if "/" not in each]
        if users or teams:
            await self._without_a_fuss(self._github.request_reviewers(name, pull.number, users=users, teams=teams))

    async def _without_a_fuss(self, extra: Awaitable[object]) -> None:
        """What is refused besides the pull request itself is not worth failing for."""
        try:
            await extra
        except (Refused, NotThere) as error:
            log.warning("a label or a review could not be asked for", why=str(error))

    def _signature(self, user: User | None, login: str) -> Signature:
        """The account as its noreply address, by which GitHub shows commits as its own."""
        host = noreply_host(self._github.api_url)
        if user is None or not user.id:
            return Signature(login, f"{login}@{host}")
        return Signature(user.login, f"{user.id}+{user.login}@{host}")

    async def _user(self, name: str, login: str) -> User | None:
        try:
            return await self._github.user(name, login)
        except NotThere:
            return None


@contextlib.contextmanager
def _as_a_publication() -> Iterator[None]:
    """What GitHub's client raises, as what a publication ends with."""
    try:
        with as_ours():
            yield
    except CannotShow as failure:
        raise CannotPublish(
            f"pull-request-{failure.code}",
            f"The pull request cannot be made: {failure.sentence} Mend that and retry, which publishes the commit that "
            "is there.",
        ) from failure
