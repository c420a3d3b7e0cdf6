"""A conversation with the brain from a terminal: one message, and the answer as it comes."""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any, Final, assert_never

import msgspec

from cli.connection import Link, linked
from cli.failures import Failure
from cli.follow import mixed
from services.gateway.commands import Said, TaskCommands
from shared.contracts import session
from shared.contracts.ids import new_task_id
from shared.contracts.session import Action, Proposal
from shared.contracts.subjects import Actor, actor, event_filter
from shared.contracts.task import Approval
from shared.contracts.usage import cost_of
from shared.event_store.envelope import RecordedEvent, decode_event
from shared.nats.bus import Bus
from shared.nats.feed import Feed
from shared.nats.idempotency import IdempotencyKeys
from shared.nats.streams import EVENTS, OUTPUT
from shared.runtime.client import NoAnswer

ENDS = session.Answered | session.Failed | session.Interrupted
PARAGRAPH: Final = "\n\n"
ANEW: Final = "[The answer was begun anew. This is the whole of it.]"


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a message; ``status`` is answered, failed, interrupted, or opened where it became a task.

    ``text`` is the answer, or why there is none, which ``code`` names. ``approval`` is how a task that is confirmed
    begins.
    """

    session_id: str
    message_id: str
    status: str
    text: str = ""
    task_id: str = ""
    code: str = ""
    proposals: tuple[Proposal, ...] = ()
    approval: Approval = Approval.REQUIRED
    cost_microusd: int = 0
    seq: int


class Piece(msgspec.Struct, frozen=True):
    """Some words of an answer, as the agent of this CLI session says them; empty where it begins another paragraph."""

    spoken_by: str
    text: str


class Heard:
    """Tells the words of one answer in their order; ``tell`` gets each piece once."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._speaker = ""
        self._waiting: defaultdict[str, list[str]] = defaultdict(list)
        self._told = ""
        self._begins, self._blank = True, ""

    def claimed(self, speaker: str) -> None:
        """This CLI session answers from now on."""
        self._speaker = speaker
        for text in self._waiting.pop(speaker, ()):
            self._take(text)

    def take(self, piece: Piece) -> None:
        """Tell a piece, or keep it until it is known whether it belongs to this answer."""
        if piece.spoken_by == self._speaker:
            self._take(piece.text)
        else:
            self._waiting[piece.spoken_by].append(piece.text)

    def end(self, text: str) -> None:
        """Tell what of the whole answer has not been told."""
        if text.startswith(self._told):
            self._tell(text[len(self._told) :])
        else:
            self._tell(f"{PARAGRAPH}{ANEW}{PARAGRAPH}{text}")

    def _take(self, text: str) -> None:
        # Blanks are told with what comes after them: those around a paragraph are not part of it.
        if not text:
            self._begins = True
            return
        if self._begins:
            if not (text := text.lstrip()):
                return
            self._blank, self._begins = PARAGRAPH if self._told else "", False
        text = self._blank + text
        words = text.rstrip()
        self._blank = text[len(words) :]
        if words:
            self._told += words
            self._tell(words)


async def exchange(message: str, *, session_id: str, repo: str, tell: Callable[[str], None]) -> Answer:
    """Say something, tell the answer piece by piece, and return it whole. Cancelled, it breaks the answer off.

    Raises `Failure`, and what `Client.send` raises.
    """
    async with linked(goes_on=True) as link:
        if session_id:
            await _known(link, session_id)
        output_after = int((await link.bus.js.stream_info(OUTPUT)).state.last_seq)
        said = await _say(link, message, session_id=session_id, repo=repo)
        if said.task_id:
            return Answer(
                session_id=said.session_id,
                message_id=said.message_id,
                status="opened",
                task_id=said.task_id,
                seq=said.position,
            )
        try:
            return await _answer(link, said, output_after, tell)
        except asyncio.CancelledError:
            command = session.Interrupt(message_id=said.message_id)
            with contextlib.suppress(NoAnswer):
                await link.client.send(Actor("session", said.session_id), command, principal=link.principal)
            raise


async def undecided(session_id: str) -> tuple[tuple[Proposal, ...], Approval]:
    """What is proposed in a conversation and nobody has decided on, and how a task that is confirmed begins."""
    async with linked() as link:
        proposed: dict[str, Proposal] = {}
        for event in await _known(link, session_id):
            match event.data:
                case session.Proposed(proposal=proposal):
                    proposed[proposal.proposal_id] = proposal
                case session.Confirmed(proposal=Proposal(proposal_id=id)) | session.Dismissed(proposal_id=id):
                    proposed.pop(id, None)
        return tuple(proposed.values()), Approval(link.settings.approval)


async def decide(session_id: str, proposal: Proposal, *, wanted: bool) -> None:
    """Have done what is proposed, or turn it down."""
    async with linked() as link:
        command: session.Confirm | session.Dismiss = session.Dismiss(proposal_id=proposal.proposal_id)
        if wanted:
            command = session.Confirm(proposal_id=proposal.proposal_id, approval=Approval(link.settings.approval))
        await link.client.send(Actor("session", session_id), command, principal=link.principal)


def what_is_done(proposal: Proposal, approval: Approval) -> str:
    """Exactly what happens when the proposal is confirmed, for a person to read."""
    match proposal.action:
        case Action.SUBMIT:
            next = "the plan is carried out at once" if approval is Approval.AUTO else "the plan waits for an approval"
            where = f" in {proposal.repo}" if proposal.repo else ""
            more = "" if proposal.text == proposal.title else f"\n\n{proposal.text}"
            return f"Open a task{where} ({next}): {proposal.title}{more}"
        case Action.STOP:
            return f"Stop the task {proposal.task_id}." + (f"\n\n{proposal.text}" if proposal.text else "")
        case Action.RETRY:
            return f"Try the task {proposal.task_id} again." + (f"\n\n{proposal.text}" if proposal.text else "")
        case Action.MESSAGE:
            return f"Tell the task {proposal.task_id}:\n\n{proposal.text}"
        case _:
            assert_never(proposal.action)


async def _known(link: Link, session_id: str) -> Sequence[RecordedEvent]:
    events = await link.journal.load(actor("session", session_id))
    if not events:
        raise Failure(f"There is no conversation {session_id}: without --session, a new one is begun.")
    return events


async def _say(link: Link, message: str, *, session_id: str, repo: str) -> Said:
    commands = TaskCommands(
        link.client, link.journal, IdempotencyKeys(link.bus), approval=Approval(link.settings.approval)
    )
    said = await commands.say(
        message, session_id=session_id, repo=repo, principal=link.principal, message_id=new_task_id()
    )
    if not said.position:
        raise Failure(
            "The brain does not answer: the message is stored and is heard when it is back. "
            f"Go on then with `journeyman chat --session {said.session_id}`."
        )
    return said


async def _answer(link: Link, said: Said, output_after: int, tell: Callable[[str], None]) -> Answer:
    about, heard = Actor("session", said.session_id), Heard(tell)
    answering, proposals = 0, []
    happening = mixed(_events(link.bus, about, said.position), _pieces(link.bus, about, output_after))
    async with contextlib.aclosing(happening) as items:
        async for item in items:
            if isinstance(item, Piece):
                heard.take(item)
                continue
            match item.data:
                case session.AnswerStarted(message_id=said.message_id, answer=answer):
                    answering = answer
                case session.Claimed(answer=answer, session=speaker) if answer == answering:
                    heard.claimed(speaker)
                case session.Proposed(message_id=said.message_id, proposal=proposal):
                    proposals.append(proposal)
                case session.Answered() | session.Failed() | session.Interrupted() as end if (
                    end.message_id == said.message_id
                ):
                    if not isinstance(end, session.Failed):
                        heard.end(end.text)
                    return Answer(
                        session_id=said.session_id,
                        message_id=said.message_id,
                        status=item.name,
                        text=end.message if isinstance(end, session.Failed) else end.text,
                        code=end.code if isinstance(end, session.Failed) else "",
                        proposals=tuple(proposals),
                        approval=Approval(link.settings.approval),
                        cost_microusd=cost_of(end.usage),
                        seq=item.position,
                    )
    raise Failure("The story broke off.")


async def _events(bus: Bus, about: Actor, after: int) -> AsyncIterator[RecordedEvent | Piece]:
    async with Feed(bus, EVENTS, event_filter(about), after=after) as feed:
        async for message in feed:
            yield decode_event(message.subject, message.data, message.position)


async def _pieces(bus: Bus, about: Actor, after: int) -> AsyncIterator[RecordedEvent | Piece]:
    async with Feed(bus, OUTPUT, f"out.session.{about.id}", after=after) as feed:
        async for message in feed:
            if (piece := piece_of(message.data)) is not None:
                yield piece


def piece_of(line: bytes) -> Piece | None:
    """The words in one line of the CLI's stream, if it has some."""
    if b'"stream_event"' not in line[:400]:
        return None
    try:
        told: Any = msgspec.json.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    match told:
        case {"parent_tool_use_id": str()}:
            return None
        case {"session_id": str(who), "event": {"type": "message_start"}}:
            return Piece(who, "")
        case {"session_id": str(who), "event": {"delta": {"type": "text_delta", "text": str(text)}}}:
            return Piece(who, text)
        case _:
            return None
