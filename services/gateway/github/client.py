"""GitHub's REST API as typed calls. Repositories are ``owner/name``; every call raises a `GitHubError`.

Reads happen at once. Changes of content take their turn in the `Budget`, so that they are made one after the other.
A change whose outcome is not known raises `Unclear`: whoever asked for it looks for it before asking again.
"""

from __future__ import annotations

import binascii
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Literal, TypeVar

from services.gateway.github.answers import (
    App,
    Branch,
    ChangedFile,
    CheckAnnotation,
    CheckRun,
    CheckRuns,
    Comment,
    Content,
    Delivery,
    Hook,
    HookConfig,
    Installation,
    Issue,
    Label,
    Membership,
    Permission,
    Pull,
    Reaction,
    Repository,
    Review,
    ReviewComment,
    Status,
    User,
)
from services.gateway.github.budget import Budget, Importance
from services.gateway.github.credentials import AppCredentials, Credentials, Identity, access_of, credentials_of
from services.gateway.github.errors import NotAccepted, NotConfigured, NotThere, Refused, Unavailable
from services.gateway.github.transport import Json, Method, Transport, path_part, repo_path
from shared.ops.settings import Settings

MAX_PAGES: Final = 30
"""Of a hundred things each: as far as we read a list, for nobody reads more of a thread."""
MAX_TEXT: Final = 65_536
"""Characters of a comment or of a body; GitHub refuses longer ones."""
ANNOTATIONS_AT_ONCE: Final = 50
"""Annotations of a check run in one call; GitHub refuses more, and adds those of the next call to them."""

Subject = Literal["issue", "comment", "review-comment"]
"""What a reaction is at: an issue or a pull request, a comment of its conversation, a comment on a line."""
ReactionContent = Literal["+1", "-1", "laugh", "confused", "heart", "hooray", "rocket", "eyes"]
StatusState = Literal["error", "failure", "pending", "success"]

T = TypeVar("T")


class GitHub:
    """One account's calls."""

    def __init__(self, transport: Transport, credentials: Credentials, *, budget: Budget | None = None) -> None:
        self._transport = transport
        self.credentials = credentials
        self.budget = budget or Budget()

    @property
    def api_url(self) -> str:
        """Where the API is."""
        return self._transport.api_url

    async def close(self) -> None:
        """Close the connections."""
        await self._transport.close()

    async def identity(self) -> Identity:
        """The account that our effects are made by."""
        return await self.credentials.identity()

    async def is_own(self, author: User | None, app_id: int = 0) -> bool:
        """Whether something was written by us: by our App, or by our account."""
        own = await self.identity()
        if own.app_id and app_id == own.app_id:
            return True
        return author is not None and author.login.lower() == own.login.lower()

    # Repositories and people

    async def repository(self, repo: str) -> Repository:
        """The repository; ``permissions`` are ours."""
        return await self.get(Repository, repo, f"{repo_path(repo)}")

    async def permission(self, repo: str, login: str) -> Permission:
        """What an account may do. Raises `NotThere` for an unknown one. `Permissions` keeps the answers."""
        return await self.get(Permission, repo, f"{repo_path(repo)}/collaborators/{path_part(login)}/permission")

    async def is_member(self, repo: str, team: str, login: str) -> bool:
        """Whether an account is in a team: ``organization/team``, or the slug of a team of the repository's owner."""
        org, _, slug = team.rpartition("/")
        where = f"/orgs/{path_part(org or repo.partition('/')[0])}/teams/{path_part(slug)}"
        try:
            found = await self.get(Membership, repo, f"{where}/memberships/{path_part(login)}")
        except NotThere:
            return False
        return found.state == "active"

    async def user(self, repo: str, login: str) -> User:
        """An account by its login, asked for with the repository's credentials."""
        return await self.get(User, repo, f"/users/{path_part(login)}")

    async def branch(self, repo: str, name: str) -> Branch:
        """A branch, and whether it is protected."""
        return await self.get(Branch, repo, f"{repo_path(repo)}/branches/{path_part(name)}")

    async def file(self, repo: str, path: str, *, ref: str = "") -> bytes:
        """A file's content on the default branch or another ref. Raises `NotThere`, also for a folder."""
        where = "/".join(path_part(each) for each in path.split("/"))
        at = f"?ref={path_part(ref)}" if ref else ""
        found = await self.get(Content, repo, f"{repo_path(repo)}/contents/{where}{at}")
        if found.type != "file" or found.encoding != "base64":
            raise NotThere(f"{path} of {repo} is no file that can be read at once.")
        try:
            return binascii.a2b_base64(found.content)
        except ValueError as error:
            raise Unavailable(f"GitHub's answer about {path} of {repo} cannot be read.") from error

    # Issues and their conversation, which pull requests have as well

    async def issue(self, repo: str, number: int) -> Issue:
        """An issue, or a pull request as an issue."""
        return await self.get(Issue, repo, f"{repo_path(repo)}/issues/{number}")

    async def comments(self, repo: str, number: int, *, since: str = "") -> list[Comment]:
        """The conversation, oldest first; only what changed since a time (ISO 8601)."""
        params = {"since": since} if since else {}
        return await self._list(Comment, repo, f"{repo_path(repo)}/issues/{number}/comments", params)

    async def comment(self, repo: str, comment: int) -> Comment:
        """One comment of a conversation."""
        return await self.get(Comment, repo, f"{repo_path(repo)}/issues/comments/{comment}")

    async def create_comment(self, repo: str, number: int, body: str) -> Comment:
        """Write a comment."""
        path = f"{repo_path(repo)}/issues/{number}/comments"
        return await self.change(Comment, repo, "POST", path, {"body": body}, Importance.COMMENT)

    async def edit_comment(self, repo: str, comment: int, body: str) -> Comment:
        """Replace the text of a comment."""
        path = f"{repo_path(repo)}/issues/comments/{comment}"
        return await self.change(Comment, repo, "PATCH", path, {"body": body}, Importance.COMMENT)

    async def delete_comment(self, repo: str, comment: int) -> None:
        """Take a comment away."""
        path = f"{repo_path(repo)}/issues/comments/{comment}"
        await self.change(object, repo, "DELETE", path, None, Importance.COMMENT)

    async def add_labels(self, repo: str, number: int, labels: Sequence[str]) -> list[Label]:
        """Add labels; those that are there stay."""
        path = f"{repo_path(repo)}/issues/{number}/labels"
        return await self.change(list[Label], repo, "POST", path, {"labels": list(labels)}, Importance.STATE)

    async def remove_label(self, repo: str, number: int, label: str) -> None:
        """Take a label away. Raises `NotThere` when it is not on the issue."""
        path = f"{repo_path(repo)}/issues/{number}/labels/{path_part(label)}"
        await self.change(object, repo, "DELETE", path, None, Importance.STATE)

    # Reactions

    async def reactions(self, repo: str, subject: Subject, id: int, *, content: str = "") -> list[Reaction]:
        """The reactions at something; ``id`` is the issue's number or the comment's id."""
        params = {"content": content} if content else {}
        return await self._list(Reaction, repo, f"{_subject(repo, subject, id)}/reactions", params)

    async def react(
        self,
        repo: str,
        subject: Subject,
        id: int,
        content: ReactionContent,
        *,
        importance: Importance = Importance.REACTION,
    ) -> Reaction:
        """Leave a reaction; doing it again changes nothing, as GitHub keeps one of each content and account."""
        path = f"{_subject(repo, subject, id)}/reactions"
        return await self.change(Reaction, repo, "POST", path, {"content": content}, importance)

    async def remove_reaction(self, repo: str, subject: Subject, id: int, reaction: int) -> None:
        """Take a reaction away."""
        path = f"{_subject(repo, subject, id)}/reactions/{reaction}"
        await self.change(object, repo, "DELETE", path, None, Importance.REACTION)

    # Pull requests

    async def pull(self, repo: str, number: int) -> Pull:
        """One pull request."""
        return await self.get(Pull, repo, f"{repo_path(repo)}/pulls/{number}")

    async def pulls_of_branch(self, repo: str, branch: str, *, state: str = "all") -> list[Pull]:
        """The pull requests from a branch of this very repository, newest first."""
        params = {"head": f"{repo.partition('/')[0]}:{branch}", "state": state}
        found = await self._list(Pull, repo, f"{repo_path(repo)}/pulls", params)
        return [each for each in found if each.head.ref == branch]

    async def create_pull(self, repo: str, *, head: str, base: str, title: str, body: str, draft: bool = True) -> Pull:
        """Open a pull request. Raises `AlreadyThere` when the branch has an open one.

        Where the repository's plan knows no drafts, GitHub refuses the request: it is then opened as an ordinary one.
        """
        path, wanted = f"{repo_path(repo)}/pulls", {"head": head, "base": base, "title": title, "body": body}
        try:
            return await self.change(Pull, repo, "POST", path, {**wanted, "draft": draft}, Importance.STATE)
        except Refused as refusal:
            if not draft or "draft" not in str(refusal).lower():
                raise
            return await self.change(Pull, repo, "POST", path, wanted, Importance.STATE)

    async def update_pull(self, repo: str, number: int, **fields: str) -> Pull:
        """Change ``title``, ``body``, ``state`` or ``base``."""
        path = f"{repo_path(repo)}/pulls/{number}"
        return await self.change(Pull, repo, "PATCH", path, fields, Importance.STATE)

    async def request_reviewers(
        self, repo: str, number: int, *, users: Sequence[str] = (), teams: Sequence[str] = ()
    ) -> Pull:
        """Ask people and teams for a review."""
        path = f"{repo_path(repo)}/pulls/{number}/requested_reviewers"
        wanted = {"reviewers": list(users), "team_reviewers": list(teams)}
        return await self.change(Pull, repo, "POST", path, wanted, Importance.STATE)

    async def changed_files(self, repo: str, number: int) -> list[ChangedFile]:
        """What a pull request changes."""
        return await self._list(ChangedFile, repo, f"{repo_path(repo)}/pulls/{number}/files")

    # Reviews

    async def reviews(self, repo: str, number: int) -> list[Review]:
        """All reviews, oldest first."""
        return await self._list(Review, repo, f"{repo_path(repo)}/pulls/{number}/reviews")

    async def review_comments(self, repo: str, number: int, *, review: int = 0) -> list[ReviewComment]:
        """The comments on lines: of one review, or all."""
        of_one = f"/reviews/{review}" if review else ""
        return await self._list(ReviewComment, repo, f"{repo_path(repo)}/pulls/{number}{of_one}/comments")

    async def create_review(
        self, repo: str, number: int, *, commit: str, body: str, comments: Sequence[Json] = ()
    ) -> Review:
        """Write a review that neither approves nor asks for changes.

        A comment has ``path``, ``body``, ``line`` and ``side``, and ``start_line`` for several lines. Without a
        ``commit`` it is about the head of that moment. Raises `Refused` for a line that the diff does not show.
        """
        path = f"{repo_path(repo)}/pulls/{number}/reviews"
        wanted: dict[str, Any] = {"body": body, "event": "COMMENT", "comments": list(comments)}
        if commit:
            wanted["commit_id"] = commit
        return await self.change(Review, repo, "POST", path, wanted, Importance.COMMENT)

    async def reply_to_review_comment(self, repo: str, number: int, comment: int, body: str) -> ReviewComment:
        """Answer in the thread of a comment on a line."""
        path = f"{repo_path(repo)}/pulls/{number}/comments/{comment}/replies"
        return await self.change(ReviewComment, repo, "POST", path, {"body": body}, Importance.COMMENT)

    # Checks and statuses

    async def check_runs(self, repo: str, ref: str, *, name: str = "") -> list[CheckRun]:
        """The latest check runs of a commit or branch."""
        params = {"check_name": name} if name else {}
        pages = await self._pages(CheckRuns, repo, f"{repo_path(repo)}/commits/{path_part(ref)}/check-runs", params)
        return [run for page in pages for run in page.check_runs]

    async def create_check_run(self, repo: str, *, name: str, commit: str, **fields: Any) -> CheckRun:
        """Make a check run; only an App may. ``fields`` as GitHub has them, such as ``status`` and ``output``."""
        path = f"{repo_path(repo)}/check-runs"
        wanted = {"name": name, "head_sha": commit, **fields}
        return await self.change(CheckRun, repo, "POST", path, wanted, Importance.STATE)

    async def update_check_run(self, repo: str, check_run: int, **fields: Any) -> CheckRun:
        """Change a check run; annotations are added to those that it has."""
        path = f"{repo_path(repo)}/check-runs/{check_run}"
        return await self.change(CheckRun, repo, "PATCH", path, fields, Importance.STATE)

    async def statuses(self, repo: str, ref: str) -> list[Status]:
        """The statuses of a commit, newest first; of each context the first one counts."""
        return await self._list(Status, repo, f"{repo_path(repo)}/commits/{path_part(ref)}/statuses")

    async def create_status(
        self, repo: str, commit: str, *, state: StatusState, context: str, description: str = "", url: str = ""
    ) -> Status:
        """Set a status; the latest of a context counts. ``description`` has at most 140 characters."""
        wanted = {"state": state, "context": context, "description": description[:140]}
        path = f"{repo_path(repo)}/statuses/{path_part(commit)}"
        given = {**wanted, "target_url": url} if url else wanted
        return await self.change(Status, repo, "POST", path, given, Importance.STATE)

    # The App, its installations, and what GitHub delivered

    async def app(self) -> App:
        """Our App. Raises `NotConfigured` with a personal token."""
        return await self._app_credentials().app()

    async def installation(self, repo: str) -> Installation:
        """Where our App may act on a repository. Raises `NotConfigured` with a personal token."""
        return await self._app_credentials().installation(repo)

    def _app_credentials(self) -> AppCredentials:
        if not isinstance(self.credentials, AppCredentials):
            raise NotConfigured("This needs a GitHub App: run `journeyman github setup`.")
        return self.credentials

    async def app_webhook(self) -> HookConfig:
        """Where our App's events are sent to. Raises `NotThere` when it has no webhook."""
        self._app_credentials()
        return await self.get(HookConfig, "", "/app/hook/config")

    async def hooks(self, repo: str) -> list[Hook]:
        """The webhooks of a repository; needs the permission to administer them."""
        return await self._list(Hook, repo, f"{repo_path(repo)}/hooks")

    async def hook_deliveries(
        self, repo: str = "", hook: int = 0, *, since: float = 0.0, pages: int = 3
    ) -> list[Delivery]:
        """The attempts to deliver, newest first: of our App's webhook, or of a webhook of a repository.

        ``since`` is in seconds since 1970; nothing older is read.
        """
        found: list[Delivery] = []
        async for page in self._each_page(list[Delivery], repo, _deliveries(repo, hook), pages):
            young = [each for each in page if _seconds(each.delivered_at) >= since]
            found += young
            if len(young) < len(page):
                break
        return found

    async def redeliver(self, delivery: int, repo: str = "", hook: int = 0) -> None:
        """Have a delivery sent again."""
        path = f"{_deliveries(repo, hook)}/{delivery}/attempts"
        await self._once_renewed(object, repo, "POST", path)

    # How they are made

    async def annotations(self, repo: str, check: int) -> list[CheckAnnotation]:
        """The first annotations of a check run, of any App."""
        path = f"{repo_path(repo)}/check-runs/{check}/annotations?per_page={ANNOTATIONS_AT_ONCE}"
        return await self.get(list[CheckAnnotation], repo, path)

    async def job_log(self, repo: str, job: int) -> str:
        """The end of the log of a job of Actions. Raises `NotThere` for one that is gone."""
        path = f"{repo_path(repo)}/actions/jobs/{job}/logs"
        authorization, account = await self.credentials.authorization(repo)
        return await self._transport.stored(path, authorization=authorization, account=account)

    async def get(self, shape: type[T], repo: str, path: str) -> T:
        """A read that has no method of its own."""
        return await self._once_renewed(shape, repo, "GET", path)

    async def _list(self, shape: type[T], repo: str, path: str, params: Json | None = None) -> list[T]:
        pages = await self._pages(list[shape], repo, path, params)  # type: ignore[valid-type]
        return [each for page in pages for each in page]

    async def _pages(self, shape: type[T], repo: str, path: str, params: Json | None) -> list[T]:
        return [page async for page in self._each_page(shape, repo, path, MAX_PAGES, params)]

    async def _each_page(
        self, shape: type[T], repo: str, path: str, most: int, params: Json | None = None
    ) -> AsyncIterator[T]:
        """Up to ``most`` pages of a list."""
        given: Json | None = {"per_page": 100, **(params or {})}
        for _ in range(most):
            try:
                page, following = await self._page(shape, repo, path, given)
            except NotAccepted:
                if not self.credentials.renew(repo):
                    raise
                page, following = await self._page(shape, repo, path, given)
            yield page
            if following is None:
                return
            path, given = following, None

    async def _page(self, shape: type[T], repo: str, path: str, params: Json | None) -> tuple[T, str | None]:
        authorization, account = await self.credentials.authorization(repo)
        return await self._transport.page(shape, path, authorization=authorization, account=account, params=params)

    async def change(
        self,
        shape: type[T],
        repo: str,
        method: Method,
        path: str,
        body: Mapping[str, Any] | None,
        importance: Importance = Importance.STATE,
    ) -> T:
        """A change that has no method of its own."""
        async with self.budget.turn(importance, counts=method != "DELETE"):
            return await self._once_renewed(shape, repo, method, path, body)

    async def _once_renewed(
        self, shape: type[T], repo: str, method: Method, path: str, body: Mapping[str, Any] | None = None
    ) -> T:
        """Ask, and once more with a new token when the one that was kept is not accepted: nothing happened then."""
        try:
            return await self._asked(shape, repo, method, path, body)
        except NotAccepted:
            if not self.credentials.renew(repo):
                raise
            return await self._asked(shape, repo, method, path, body)

    async def _asked(self, shape: type[T], repo: str, method: Method, path: str, body: Mapping[str, Any] | None) -> T:
        authorization, account = await self.credentials.authorization(repo)
        return await self._transport.ask(shape, method, path, authorization=authorization, account=account, body=body)


def github_of(settings: Settings) -> GitHub | None:
    """The client of what is configured; None without credentials: then nothing is done on GitHub.

    Raises `NotConfigured` for credentials that cannot be used.
    """
    access = access_of(settings)
    if access is None:
        return None
    transport = Transport(settings.github_api_url)
    credentials = credentials_of(access, transport)
    if isinstance(credentials, AppCredentials):
        credentials.jwt()  # a key that cannot sign is told now
    return GitHub(transport, credentials)


def _seconds(text: str) -> float:
    """Of a time in ISO 8601, since 1970; of what is none, now."""
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        return time.time()


def _subject(repo: str, subject: Subject, id: int) -> str:
    match subject:
        case "issue":
            return f"{repo_path(repo)}/issues/{id}"
        case "comment":
            return f"{repo_path(repo)}/issues/comments/{id}"
        case "review-comment":
            return f"{repo_path(repo)}/pulls/comments/{id}"


def _deliveries(repo: str, hook: int) -> str:
    return f"{repo_path(repo)}/hooks/{hook}/deliveries" if hook else "/app/hook/deliveries"
