"""What a sender's module gives, and the texts that are written by it: the task's comment, refusals, answers.

A `Board` is the place of one sender where people talk about a thing. It finds what we have written there by its mark
and by our own account, so that whoever comes after a gateway that died writes nothing twice.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Final, Protocol

import msgspec
from msgspec.structs import replace

from services.gateway.outbound import lines
from services.gateway.outbound.channels.rest import Gone
from services.gateway.outbound.displays import CannotShow, NotNow, Visible
from services.gateway.outbound.github_effects import AskTask, comment_url, was_edited
from services.gateway.outbound.task_comment import task_comment
from shared.contracts import reply
from shared.contracts.delivery import Word
from shared.contracts.messages import digest_of
from shared.contracts.queries import TaskDetail
from shared.contracts.reply import Display, EffectKind, Progress, kind_of_effect
from shared.contracts.subjects import Actor
from shared.event_store.journal import Journal
from shared.ops.config import Config

MAX_KEPT: Final = 5_000
"""Comments whose newest text is remembered, so that the same is not written again."""
SIZES: Final = (24_000, 12_000, 6_000, 2_500)
"""Code units of Markdown that are tried in turn: what a sender's own markup makes of them has bounds of its own."""


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """A text of ours at a thing: the sender's name for it, and its address."""

    id: str
    url: str = ""


class Parts(msgspec.Struct, frozen=True, kw_only=True):
    """What every board is given, besides its own credentials."""

    config: Callable[[], Config]
    task: AskTask
    journal: Journal
    public_url: str = ""


class Board(Protocol):
    """One sender's side of it. Calls raise `CannotShow` and `NotNow`."""

    def shows(self, kind: EffectKind | None, text: str) -> bool:
        """Whether it can show an effect of this kind with this text; texts of a state are a `Progress`."""
        ...

    async def own_names(self) -> tuple[str, ...]:
        """By what our own account is known there."""
        ...

    async def name_of(self, account: str, place: str) -> str:
        """By what people know an account, which has spoken at the place; the account itself where that is not known."""
        ...

    def place(self, thread: str) -> str:
        """The thing of that thread, by the name that the API takes."""
        ...

    def fits(self, markdown: str) -> bool:
        """Whether the sender takes a text of this length."""
        ...

    async def find(self, place: str, mark: str) -> Note | None:
        """Our own text with that mark; of several the oldest."""
        ...

    async def write(self, place: str, mark: str, markdown: str) -> Note:
        """Write one more."""
        ...

    async def rewrite(self, place: str, id: str, mark: str, markdown: str) -> Note:
        """Have it say this instead; raises `Gone` when somebody has deleted it."""
        ...

    async def move(self, place: str, progress: Progress) -> str:
        """Have the thing's status say how far the work is; answers with the status."""
        ...

    async def link(self, place: str, task_id: str, url: str, title: str) -> str:
        """Have the thing link to a pull request, once; answers with the sender's name for the link."""
        ...

    async def log_work(self, place: str, mark: str, seconds: int, until: datetime) -> str:
        """Have the thing's work log say that an agent has worked so long, once; answers with the entry's name."""
        ...


class BoardEffects:
    """Shows one effect at a time on a board."""

    def __init__(self, board: Board, parts: Parts) -> None:
        self._board = board
        self._parts = parts
        self._written: OrderedDict[tuple[str, str], str] = OrderedDict()

    async def show(self, task: str, display: Display) -> Visible:
        """Make it visible, or find it; raises `CannotShow` and `NotNow`."""
        wanted = display.wanted
        place = self._board.place(wanted.thread)
        match kind_of_effect(wanted.effect):
            case EffectKind.COMMENT:
                return await self._comment(place, task, display)
            case EffectKind.REFUSAL | EffectKind.ANSWER:
                return await self._line(place, task, wanted)
            case EffectKind.STATE:
                status = await self._board.move(place, _progress(wanted.text))
                return Visible(revision=wanted.revision, external=status)
            case EffectKind.LINK:
                made = await self._board.link(place, task, wanted.text, f"Pull request {wanted.target}")
                return Visible(revision=wanted.revision, url=wanted.text, external=made)
            case EffectKind.WORK_LOG:
                until = wanted.at or datetime.now(UTC)
                made = await self._board.log_work(place, f"{task}:{wanted.effect}", int(wanted.text), until)
                return Visible(revision=wanted.revision, external=made)
            case _:
                raise CannotShow("effect-unknown", f"This version cannot show {wanted.effect!r} at {wanted.thread}.")

    async def _comment(self, place: str, id: str, display: Display) -> Visible:
        detail = await self._parts.task(id)
        if detail is None or detail.version < display.wanted.revision:
            raise NotNow(f"The read models have not come to version {display.wanted.revision} of task {id} yet.")
        text = await self._text(id, await self._named(display.wanted.thread, place, detail))
        note = await self._stands(place, f"{id}:{display.wanted.effect}", display, text)
        return Visible(revision=detail.version, url=note.url, external=note.id)

    async def _named(self, thread: str, place: str, detail: TaskDetail) -> TaskDetail:
        """The task with the names of people in the place of their accounts at this sender, which are numbers."""
        own = f"{reply.sender_of(thread)}:"

        async def named(principal: str) -> str:
            is_theirs = principal.startswith(own)
            return await self._board.name_of(principal.removeprefix(own), place) if is_theirs else principal

        plans = tuple([replace(each, approved_by=await named(each.approved_by or "")) for each in detail.plans])
        return replace(
            detail,
            requester=await named(detail.requester),
            cancelled_by=await named(detail.cancelled_by),
            plans=plans,
        )

    async def _text(self, id: str, detail: TaskDetail) -> str:
        edited = await was_edited(self._parts.journal, id)
        mention = self._parts.config().policy.mention

        def sized(limit: int) -> str:
            return task_comment(
                detail, mention=mention, public_url=self._parts.public_url, edited=edited, max_units=limit
            )

        return next((text for text in map(sized, SIZES[:-1]) if self._board.fits(text)), sized(SIZES[-1]))

    async def _stands(self, place: str, mark: str, display: Display, text: str) -> Note:
        """The task's comment with this text: the one that is there, or the first one."""
        known = Note(id=display.external, url=display.url) if display.external else None
        if known is not None and self._written.get((place, known.id)) == digest_of(text):
            return known
        found = known or await self._board.find(place, mark)
        if found is not None:
            try:
                return self._remember(place, text, await self._board.rewrite(place, found.id, mark, text))
            except Gone:
                # Somebody has deleted it: people need another one to see how it stands.
                if known is not None and (other := await self._board.find(place, mark)) is not None:
                    return self._remember(place, text, await self._board.rewrite(place, other.id, mark, text))
        return self._remember(place, text, await self._board.write(place, mark, text))

    def _remember(self, place: str, text: str, note: Note) -> Note:
        self._written[place, note.id] = digest_of(text)
        if len(self._written) > MAX_KEPT:
            self._written.popitem(last=False)
        return note

    async def _line(self, place: str, id: str, wanted: reply.Wanted) -> Visible:
        mark = f"{id}:{wanted.effect}"
        note = await self._board.find(place, mark)
        if note is None:
            note = await self._board.write(place, mark, await self._words(id, wanted))
        return Visible(revision=wanted.revision, url=note.url, external=note.id)

    async def _words(self, id: str, wanted: reply.Wanted) -> str:
        if kind_of_effect(wanted.effect) is EffectKind.REFUSAL:
            # Accounts of other senders are numbers, which tell people nothing.
            return lines.refusal(id, wanted.effect, author="", url="", reason=wanted.text)
        word, _, rest = wanted.text.partition(" ")
        mention = self._parts.config().policy.mention
        if word == Word.STATUS:
            detail = await self._parts.task(id)
            url = comment_url(await self._parts.journal.load(Actor("reply", id)))
            return lines.status(id, wanted.effect, detail, mention=mention, comment_url=url)
        heard = "Only those are heard who are listed under people in journeyman.toml"
        return lines.help(id, wanted.effect, mention=mention, problem=rest, heard=heard)


def shows_of(boards: Mapping[str, Board], otherwise: Callable[[str, EffectKind | None, str], bool]) -> Shows:
    """Whether a sender can show something; ``otherwise`` tells it of those without a board."""

    def shows(sender: str, kind: EffectKind | None, text: str) -> bool:
        board = boards.get(sender)
        return otherwise(sender, kind, text) if board is None else board.shows(kind, text)

    return shows


Shows = Callable[[str, EffectKind | None, str], bool]


def _progress(text: str) -> Progress:
    try:
        return Progress(text)
    except ValueError:
        raise CannotShow("state-unknown", f"This version does not know the state {text!r}.") from None
