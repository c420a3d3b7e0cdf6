"""Sending commands and asking questions: what the gateway, the CLI and tests use."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any, Final, TypeVar

import msgspec
import nats.errors
import nats.js.errors

from shared.contracts.decider import Rejected
from shared.contracts.messages import Command, name_of
from shared.contracts.queries import Query, answer_of
from shared.contracts.subjects import Actor, command_subject
from shared.event_store.envelope import CONTENT_TYPE, MessageMetadata, encode_command, utc_now
from shared.event_store.journal import LogFull
from shared.nats.bus import Bus
from shared.nats.journal import NatsJournal
from shared.nats.streams import STREAM_FULL
from shared.runtime.mailbox import MSG_ID_HEADER, REPLY_HEADER, CommandAnswer
from shared.runtime.replay import question_of

A = TypeVar("A", bound=msgspec.Struct)

STORE_TRIES: Final = 3
"""How often a command is given to a JetStream that is there and does not say whether it has stored it."""
LOOK_IN_LOG_AFTER_S: Final = 0.25
"""How long a question about one actor may stay unanswered before the log is asked whether there is such an actor."""
CATCH_UP_S: Final = 2.0
"""How long a question about an actor of the log waits for its answer in all, also for read models that catch up."""


class NoAnswer(Exception):
    """The command is stored and will be handled, but nobody has answered in time; the text says who should have."""


class QueryFailed(Exception):
    """The projector refused a question, or nobody answers; ``code`` is stable."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


class CommandResult(msgspec.Struct, frozen=True, kw_only=True):
    """What a command led to: its event's envelope as JSON data, or None when nothing new happened.

    ``position`` is the event's stream sequence, or that of the actor's newest event when nothing new happened.
    """

    event: dict[str, Any] | None
    position: int


class Client:
    """A client of the contracts over one connection."""

    def __init__(self, bus: Bus, *, source: str) -> None:
        self._bus = bus
        self._journal = NatsJournal(bus)
        self._source = source

    async def send(
        self,
        actor: Actor,
        command: Command,
        *,
        principal: str,
        id: str | None = None,
        causation_id: str = "",
        timeout: float | None = None,
    ) -> CommandResult:
        """Store a command and wait for the actor's word, ``timeout`` seconds or as the connection's timings say.

        Raises `Rejected`, `NoAnswer` (stored, not answered yet), `TooLarge` and `LogFull` (not stored), or
        `TimeoutError` (not known to be stored).
        """
        within = self._bus.timings.command_s if timeout is None else timeout
        metadata = MessageMetadata(
            id=id or str(uuid.uuid4()),
            source=self._source,
            time=utc_now(),
            principal=principal,
            causation_id=causation_id,
            correlation_id=actor.id,
        )
        subject, body = command_subject(actor, name_of(command)), encode_command(actor, command, metadata)
        headers = {MSG_ID_HEADER: metadata.id, "Content-Type": CONTENT_TYPE}
        answer = await self.deliver(subject, body, headers, owner=actor.kind, timeout=within)
        if not answer.ok:
            raise Rejected(answer.code, answer.sentence)
        return CommandResult(event=msgspec.json.decode(answer.event), position=answer.position)

    async def deliver(
        self, subject: str, body: bytes, headers: dict[str, str], *, owner: str, timeout: float | None = None
    ) -> CommandAnswer:
        """Store a command that is encoded already, and wait for the word of the service that owns ``owner`` actors.

        Raises what `send` raises, but for `Rejected`.
        """
        within = self._bus.timings.command_s if timeout is None else timeout
        inbox = self._bus.nc.new_inbox()
        subscription = await self._bus.nc.subscribe(inbox, max_msgs=1)
        try:
            await self._store(subject, body, {**headers, REPLY_HEADER: inbox})
            try:
                message = await subscription.next_msg(timeout=within)
            except (TimeoutError, nats.errors.TimeoutError) as error:
                raise NoAnswer(
                    f"The command is stored, but no service has handled it within {within:g} s: "
                    f"check that the service that owns {owner} actors runs (`journeyman doctor`)."
                ) from error
        finally:
            await _unsubscribe(subscription)
        return msgspec.json.decode(message.data, type=CommandAnswer)

    async def open(self, actor: Actor, command: Command, *, principal: str) -> CommandResult:
        """Send the command that an actor begins with, as often as a caller likes: the answer is its first event.

        Raises what `send` raises, and `LogUnavailable`.
        """
        if (first := await self._first(actor)) is not None:
            return first
        result = await self.send(actor, command, principal=principal)
        if result.event is None and (first := await self._first(actor)) is not None:
            return first
        return result

    async def _first(self, actor: Actor) -> CommandResult | None:
        events = await self._journal.load(actor)
        return CommandResult(event=msgspec.json.decode(events[0].raw), position=events[0].position) if events else None

    async def _store(self, subject: str, body: bytes, headers: dict[str, str]) -> None:
        for left in reversed(range(STORE_TRIES)):
            try:
                await self._bus.publish(subject, body, headers)
                return
            except nats.js.errors.APIError as error:
                if error.err_code in STREAM_FULL:
                    raise LogFull(
                        "The mailboxes are full: start the services that empty them, or give COMMANDS more room with "
                        "`nats stream edit COMMANDS --max-bytes`."
                    ) from error
                raise
            except TimeoutError:
                # Sent again with its id it is stored once.
                if not left or not self._bus.connected:
                    raise

    async def query(self, query: Query[A], *, replay: str = "", timeout: float | None = None) -> A:
        """Ask the projector, or the session ``replay`` as of its moment; raises `QueryFailed`, `BadAddress`.

        The answer is waited for ``timeout`` seconds, or as the connection's timings say.
        """
        within = self._bus.timings.query_s if timeout is None else timeout
        subject = question_of(replay, query.name) if replay else f"qry.{query.name}"
        try:
            message = await self._bus.request(subject, msgspec.json.encode(query), timeout=within)
        except (TimeoutError, nats.errors.Error) as error:
            if replay:
                raise QueryFailed(
                    "replay-over", "The replay does not answer: it has ended. Start another with `journeyman replay`."
                ) from error
            raise QueryFailed(
                "projector-away", "The projector does not answer: check that it runs (`journeyman doctor`)."
            ) from error
        return _read_answer(query, message.data)

    async def query_actor(self, query: Query[A], actor: Actor) -> A:
        """Ask the projector about one actor, so that a caller finds what it has just written.

        The log decides whether there is such an actor: one without events is ``not-found`` at once, also while the
        projector is silent. One with events has an answer after `CATCH_UP_S` seconds, of which reading the log takes a
        part: the read models may have to catch up, or the projector may say nothing at all. Raises `QueryFailed`,
        ``not-caught-up`` when the seconds were not enough, and `LogUnavailable`.
        """
        deadline = asyncio.get_running_loop().time() + CATCH_UP_S
        answer = asyncio.create_task(self.query(query))
        try:
            try:
                async with asyncio.timeout(LOOK_IN_LOG_AFTER_S):
                    return await asyncio.shield(answer)
            except TimeoutError:
                pass
            except QueryFailed as error:
                if error.code not in ("not-found", "projector-away"):
                    raise
            if not (position := await self._journal.newest(actor)):
                raise QueryFailed("not-found", f"There is no {actor.kind} {actor.id}.")
            try:
                async with asyncio.timeout_at(deadline):
                    return await self._caught_up(query, answer, position)
            except TimeoutError as error:
                raise QueryFailed(
                    "not-caught-up",
                    f"The read models have not shown {actor.kind} {actor.id} within {CATCH_UP_S:g} s: try again, "
                    "and see whether the projector runs (`journeyman doctor`).",
                ) from error
        finally:
            answer.cancel()

    async def _caught_up(self, query: Query[A], answer: asyncio.Task[A], position: int) -> A:
        """The question's ``answer``; when it is ``not-found``, that of read models with the event at ``position``."""
        try:
            return await answer
        except QueryFailed as error:
            if error.code != "not-found":
                raise
        return await self.query(msgspec.structs.replace(query, min_seq=max(position, query.min_seq)))


class _Problem(msgspec.Struct, frozen=True):
    code: str
    detail: str


class _Refusal(msgspec.Struct, frozen=True):
    error: _Problem | None = None


def _read_answer(query: Query[A], body: bytes) -> A:
    """The typed answer; raises `QueryFailed` for a refusal, and for what this version cannot read."""
    try:
        if problem := msgspec.json.decode(body, type=_Refusal).error:
            raise QueryFailed(problem.code, problem.detail)
        return msgspec.json.decode(body, type=answer_of(type(query)))
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise QueryFailed(
            "answer-unreadable",
            f"The answer to {query.name} cannot be read ({error}): let the projector and this part have "
            "neighbouring versions (docs/operations.md, Upgrading).",
        ) from error


async def _unsubscribe(subscription: Any) -> None:
    try:
        await subscription.unsubscribe()
    except nats.errors.Error:
        # The one message it was for has come, so the server has ended it already.
        return
