"""What is shown on GitHub: a task's comment, reactions, answers, refusals, reviews, and the check of a
published commit."""

from __future__ import annotations

import contextlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Final

import msgspec

from services.gateway.github.answers import Comment
from services.gateway.github.budget import Importance
from services.gateway.github.client import GitHub, ReactionContent, Subject
from services.gateway.github.errors import (
    Denied,
    GitHubError,
    NotConfigured,
    NotThere,
    RateLimited,
    Refused,
    Unavailable,
    Unclear,
)
from services.gateway.outbound import lines
from services.gateway.outbound.displays import CannotShow, NotNow, Visible
from services.gateway.outbound.parts import marker
from services.gateway.outbound.reviews import Reviews
from services.gateway.outbound.task_comment import task_comment
from shared.contracts import reply, task
from shared.contracts.delivery import Word
from shared.contracts.messages import digest_of
from shared.contracts.queries import GetTask, TaskDetail
from shared.contracts.reply import COMMENT, Display, EffectKind, Mark, kind_of_effect
from shared.contracts.subjects import Actor
from shared.event_store.envelope import RecordedEvent
from shared.event_store.journal import Journal
from shared.ops.config import Config
from shared.runtime.client import Client, QueryFailed

MAX_KEPT: Final = 5_000
"""Comments whose newest text is remembered, so that the same is not written again."""
_MARKS: Final = frozenset(Mark)


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where something is shown: the repository ``owner/name``, and the number of its issue or pull request."""

    repo: str
    number: int


ShowCheck = Callable[[str, str, Display], Awaitable[Visible]]
"""Shows the check of a commit: the repository on GitHub, the task's id, and what is wanted."""


AskTask = Callable[[str], Awaitable[TaskDetail | None]]
"""A task as it stands by its id, None where there is none; raises `NotNow` while nobody can tell."""


def asks(client: Client) -> AskTask:
    """The task by the read models."""

    async def task(id: str) -> TaskDetail | None:
        try:
            return (await client.query_actor(GetTask(id=id), Actor("task", id))).task
        except QueryFailed as error:
            if error.code == "not-found":
                return None
            # Whatever it is, it is none of GitHub's: the read models are behind, away, or being built.
            raise NotNow(error.detail) from error

    return task


class GitHubEffects:
    """Shows one effect at a time. ``check`` shows that of a commit."""

    def __init__(
        self,
        github: GitHub,
        config: Callable[[], Config],
        task: AskTask,
        journal: Journal,
        *,
        check: ShowCheck,
        public_url: str = "",
    ) -> None:
        self._github = github
        self._config = config
        self._task_now = task
        self._journal = journal
        self._check = check
        self._public_url = public_url
        self._reviews = Reviews(github, journal, public_url=public_url)
        self._written: OrderedDict[int, str] = OrderedDict()

    async def show(self, task: str, display: Display) -> Visible:
        """Make it visible, or find it; raises `CannotShow` and `NotNow`."""
        wanted = display.wanted
        with as_ours():
            match kind_of_effect(wanted.effect):
                case EffectKind.COMMENT:
                    return await self._comment(task, display)
                case EffectKind.REVIEW:
                    place = self._place(wanted)
                    return await self._reviews.show(place.repo, place.number, task, display)
                case EffectKind.REACTION:
                    return await self._reaction(display)
                case EffectKind.REFUSAL | EffectKind.ANSWER:
                    return await self._line(task, display)
                case EffectKind.CHECK:
                    return await self._check(self._repo(wanted.repo), task, display)
                case _:
                    raise CannotShow("effect-unknown", f"This version does not know how to show {wanted.effect!r}.")

    async def _comment(self, id: str, display: Display) -> Visible:
        place = self._place(display.wanted)
        detail = await self._task(id, at_least=display.wanted.revision)
        if detail is None:
            raise NotNow(f"The read models do not know task {id} yet.")
        mention = self._config().policy.mention
        edited = await was_edited(self._journal, id)
        text = task_comment(detail, mention=mention, public_url=self._public_url, edited=edited)
        comment = await self._write(place, id, display, text)
        return Visible(revision=detail.version, url=comment.html_url, external=str(comment.id))

    async def _write(self, place: Place, id: str, display: Display, text: str) -> Comment:
        """The task's comment with this text: the one that is there, or the first one."""
        known = int(display.external) if display.external.isdecimal() else 0
        if known and self._written.get(known) == digest_of(text):
            return Comment(id=known, html_url=display.url)
        found = Comment(id=known) if known else await self._find(place, id, display.wanted.effect)
        if found is not None:
            try:
                if found.body == text:
                    return found
                return self._remember(text, await self._github.edit_comment(place.repo, found.id, text))
            except NotThere:
                if known and (other := await self._find(place, id, display.wanted.effect)) is not None:
                    return self._remember(text, await self._github.edit_comment(place.repo, other.id, text))
                # Somebody has deleted it: people need another one to see how it stands.
        return self._remember(text, await self._github.create_comment(place.repo, place.number, text))

    def _remember(self, text: str, comment: Comment) -> Comment:
        self._written[comment.id] = digest_of(text)
        if len(self._written) > MAX_KEPT:
            self._written.popitem(last=False)
        return comment

    async def _line(self, id: str, display: Display) -> Visible:
        wanted = display.wanted
        place = self._place(wanted)
        found = await self._find(place, id, wanted.effect)
        if found is None:
            text = await self._words(id, wanted)
            found = await self._github.create_comment(place.repo, place.number, text)
        return Visible(revision=wanted.revision, url=found.html_url, external=str(found.id))

    async def _words(self, id: str, wanted: reply.Wanted) -> str:
        if kind_of_effect(wanted.effect) is EffectKind.REFUSAL:
            return lines.refusal(id, wanted.effect, author=wanted.author, url=wanted.url, reason=wanted.text)
        word, _, rest = wanted.text.partition(" ")
        mention = self._config().policy.mention
        if word == Word.STATUS:
            detail = await self._task(id)
            url = comment_url(await self._journal.load(Actor("reply", id)))
            return lines.status(id, wanted.effect, detail, mention=mention, comment_url=url)
        return lines.help(id, wanted.effect, mention=mention, problem=rest)

    async def _find(self, place: Place, id: str, effect: str) -> Comment | None:
        """Our own comment with the mark of an effect; of several the oldest."""
        mark = marker(id, effect)
        for comment in await self._github.comments(place.repo, place.number):
            app = comment.performed_via_github_app
            if (comment.body or "").startswith(mark) and await self._github.is_own(comment.user, app.id if app else 0):
                return comment
        return None

    async def _reaction(self, display: Display) -> Visible:
        wanted = display.wanted
        place = self._place(wanted)
        subject, id = subject_of(wanted.target, place.number)
        content = reaction_of(wanted.text)
        # Somebody waits for the first mark; how it ended is in the comment, too.
        importance = Importance.REACTION if display.shown else Importance.STATE
        made = await self._github.react(place.repo, subject, id, content, importance=importance)
        if display.attempt > 1 or display.shown:
            # What stood there before, or was left by a gateway that is gone.
            for each in await self._github.reactions(place.repo, subject, id):
                if each.content in _MARKS and each.content != content and await self._github.is_own(each.user):
                    with contextlib.suppress(NotThere):
                        await self._github.remove_reaction(place.repo, subject, id, each.id)
        return Visible(revision=wanted.revision, external=str(made.id))

    async def _task(self, id: str, *, at_least: int = 0) -> TaskDetail | None:
        """The task, as of its version ``at_least``; None where there is none."""
        detail = await self._task_now(id)
        if detail is not None and detail.version < at_least:
            raise NotNow(f"The read models have not come to version {at_least} of task {id} yet.")
        return detail

    def _place(self, wanted: reply.Wanted) -> Place:
        number = wanted.thread.rpartition("#")[2]
        if not number.isdecimal():
            raise CannotShow("place-unknown", f"{wanted.thread!r} is no issue or pull request.")
        return Place(repo=self._repo(wanted.repo), number=int(number))

    def _repo(self, repo: str) -> str:
        name = self._config().on_github(repo)
        if not name:
            raise CannotShow(
                "repo-unknown",
                f'The repository {repo!r} has no name on GitHub: write `github = "owner/name"` in its section of '
                "journeyman.toml.",
            )
        return name


async def was_edited(journal: Journal, id: str) -> bool:
    """Whether words that the newest round of a task began from read otherwise now."""
    edited = False
    for event in await journal.load(Actor("task", id)):
        match event.data:
            case task.Edited(counts=False):
                edited = True
            case task.FollowedUp() | task.Retried():
                edited = False
    return edited


def comment_url(story: Sequence[RecordedEvent]) -> str:
    """The address of a task's comment, as far as it is shown."""
    told = (each.data for each in reversed(story))
    return next((each.url for each in told if isinstance(each, reply.Shown) and each.effect == COMMENT), "")


def subject_of(target: str, number: int) -> tuple[Subject, int]:
    """What a reaction is left at: the message of that origin, or the thing itself."""
    kind, _, rest = target.removeprefix("github:").partition("/")
    id = rest.partition("/")[0]
    match kind:
        case "comment" if id.isdecimal():
            return "comment", int(id)
        case "review-comment" if id.isdecimal():
            return "review-comment", int(id)
        case _:
            return "issue", number


def reaction_of(mark: str) -> ReactionContent:
    """A mark's reaction; raises `CannotShow` for one of a later version."""
    match mark:
        case "eyes" | "rocket" | "-1" | "+1" | "confused":
            return mark
        case _:
            raise CannotShow("mark-unknown", f"This version does not know the mark {mark!r}.")


@contextlib.contextmanager
def as_ours() -> Iterator[None]:
    """What GitHub's client raises, as what an effect ends with."""
    try:
        yield
    except RateLimited as error:
        raise NotNow(str(error), error.until) from error
    except (Unavailable, Unclear) as error:
        raise NotNow(str(error)) from error
    except NotThere as error:
        raise CannotShow("not-there", f"{error} It is gone, or our credentials do not see it.") from error
    except (Denied, NotConfigured) as error:
        raise CannotShow("denied", str(error)) from error
    except Refused as error:
        raise CannotShow("refused-by-github", str(error)) from error
    except GitHubError as error:
        raise NotNow(str(error)) from error
