"""``nats req req.task.<id>.approve '{…}'``: a command whose sender is answered with the decision.

A message to ``cmd.>`` is answered by JetStream, which says that it is stored: the reply subject goes no further. So who
wants to know what came of it asks the service that owns the actor. It stores the command for them, under its address as
ever, and passes the decision on; which instance takes the command makes no difference.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Sequence
from typing import Final

import nats.errors
import structlog

from shared.contracts.subjects import BadAddress, command_subject, read_request_subject
from shared.event_store.envelope import BadEnvelope, decode_command
from shared.event_store.journal import LogFull
from shared.nats.bus import Bus, Message
from shared.runtime.client import Client, NoAnswer
from shared.runtime.mailbox import MSG_ID_HEADER, PRINCIPAL_HEADER, CommandAnswer, answer_to, typed_by

AT_ONCE: Final = 64
"""Requests that one service passes on at once."""
LAST_ANSWERS_S: Final = 2.0
"""How long a service that leaves waits for decisions."""
_PASSED_ON: Final[tuple[str, ...]] = (PRINCIPAL_HEADER, "traceparent")

log = structlog.get_logger(__name__)


class CommandRequests:
    """Answers the requests for the actor kinds of one service; its instances share them."""

    def __init__(self, bus: Bus, client: Client, *, service: str, kinds: Sequence[str]) -> None:
        self._bus = bus
        self._client = client
        self._service = service
        self._kinds = tuple(kinds)
        self._draining = asyncio.Event()
        self._answering: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Take requests until `drain`, then answer what was taken."""
        subscriptions = [
            await self._bus.nc.subscribe(f"req.{kind}.*.*", queue=f"journeyman-{self._service}", cb=self._take)
            for kind in self._kinds
        ]
        await self._draining.wait()
        await asyncio.gather(*(self._bus.leave(each) for each in subscriptions))
        if self._answering:
            # Our own mailboxes are closing: another instance answers, or nobody before the requester gives up.
            await asyncio.wait(self._answering, timeout=LAST_ANSWERS_S)

    def drain(self) -> None:
        """Take no more."""
        self._draining.set()

    async def _take(self, message: Message) -> None:
        # One subscription's callbacks run one after the other, and a decision may take seconds.
        if len(self._answering) >= AT_ONCE:
            sentence = f"{AT_ONCE} requests are being answered, the most at once: ask again in a moment."
            await answer_to(self._bus, message.reply, CommandAnswer(ok=False, code="busy", sentence=sentence))
            return
        answering = asyncio.create_task(self._answer(message))
        self._answering.add(answering)
        answering.add_done_callback(self._answering.discard)

    async def _answer(self, message: Message) -> None:
        try:
            answer = await self._decided(message)
        except NoAnswer as error:
            answer = CommandAnswer(ok=False, code="no-answer", sentence=str(error))
        except LogFull as error:
            answer = CommandAnswer(ok=False, code="log-full", sentence=str(error))
        except (BadEnvelope, BadAddress) as error:
            answer = CommandAnswer(ok=False, code="command-invalid", sentence=str(error))
        except (TimeoutError, nats.errors.Error) as error:
            log.warning("a request cannot be passed on", subject=message.subject, error=str(error))
            answer = CommandAnswer(
                ok=False, code="not-stored", sentence="NATS has not said that the command is stored: ask again."
            )
        await answer_to(self._bus, message.reply, answer)

    async def _decided(self, message: Message) -> CommandAnswer:
        headers = message.headers or {}
        actor, verb = read_request_subject(message.subject)
        stamp = typed_by(headers, id=headers.get(MSG_ID_HEADER) or str(uuid.uuid4()))
        # What cannot be read is refused here: nothing is stored, and nothing is parked.
        _, metadata = decode_command(actor, verb, message.data, fallback=stamp)
        passed_on = {name: headers[name] for name in _PASSED_ON if name in headers}
        return await self._client.deliver(
            command_subject(actor, verb), message.data, {MSG_ID_HEADER: metadata.id, **passed_on}, owner=actor.kind
        )
