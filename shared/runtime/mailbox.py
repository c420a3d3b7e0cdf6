"""A service's mailboxes: one durable consumer per partition, so one actor's commands are taken in the order sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec
import structlog
from nats.aio.msg import Msg

from shared.contracts.decider import Rejected
from shared.contracts.subjects import PARTITIONS, BadAddress, read_command_subject
from shared.event_store.envelope import BadEnvelope, MessageMetadata, RecordedEvent, TooLarge, decode_command, utc_now
from shared.event_store.journal import LogDamaged
from shared.nats.bus import Bus
from shared.nats.pull import Handler, StandingPull
from shared.nats.streams import COMMANDS
from shared.ops.crash_points import crash_point
from shared.ops.timings import PRODUCTION
from shared.runtime.acknowledge import RetryPolicy, acknowledge
from shared.runtime.actor_host import ActorHost

REPLY_HEADER: Final = "Journeyman-Reply"
REPLY_PREFIX: Final = "_INBOX"
MSG_ID_HEADER: Final = "Nats-Msg-Id"
PRINCIPAL_HEADER: Final = "Journeyman-Principal"
OPERATOR: Final = "nats:operator"
"""Whoever sends a command by NATS and says no name: access to NATS is their right, until commands are signed."""

log = structlog.get_logger(__name__)


NO_EVENT: Final = msgspec.Raw(b"null")


class CommandAnswer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What became of a command: ``ok`` with its event (or none, when nothing new happened), or a rejection.

    ``position`` is the event's stream sequence, or that of the actor's newest event when nothing new happened.
    """

    ok: bool
    event: msgspec.Raw = NO_EVENT
    position: int = 0
    code: str = ""
    sentence: str = ""


class Mailboxes:
    """The consumers of one service; each runs by itself."""

    def __init__(
        self,
        bus: Bus,
        host: ActorHost,
        *,
        service: str,
        retry: RetryPolicy | None = None,
        ack_wait_s: float = PRODUCTION.message_ack_wait_s,
    ) -> None:
        self._bus = bus
        self._host = host
        self._tries = retry or RetryPolicy(most=bus.limits.max_message_tries)
        self.pulls = [
            StandingPull(
                bus,
                COMMANDS,
                f"{service}-{partition:02}",
                [f"cmd.{partition}.{kind}.*.*" for kind in host.kinds],
                self._acknowledge(f"{service}-{partition:02}"),
                ack_wait_s=ack_wait_s,
                max_ack_pending=1,
                ahead=31,
            )
            for partition in range(PARTITIONS)
        ]

    def _acknowledge(self, consumer: str) -> Handler:
        async def take(message: Msg) -> None:
            await acknowledge(self._bus, message, self._handle, consumer=consumer, retry=self._tries)

        return take

    async def _handle(self, message: Msg) -> None:
        headers = message.headers or {}
        reply_to = headers.get(REPLY_HEADER, "")
        try:
            actor, verb = read_command_subject(message.subject)
            crash_point("mailbox.taken")
            command, metadata = decode_command(actor, verb, message.data, fallback=_typed_by_hand(message))
            recorded = await self._host.execute(
                actor,
                command,
                id=metadata.id,
                principal=metadata.principal,
                correlation_id=metadata.correlation_id,
                traceparent=metadata.traceparent,
            )
            crash_point("mailbox.told")
        except Rejected as rejection:
            log.info("rejected", subject=message.subject, code=rejection.code, sentence=rejection.sentence)
            await self._answer(reply_to, CommandAnswer(ok=False, code=rejection.code, sentence=rejection.sentence))
        except TooLarge as error:
            await self._answer(reply_to, CommandAnswer(ok=False, code="too-large", sentence=str(error)))
            raise
        except (BadEnvelope, BadAddress) as error:
            await self._answer(reply_to, CommandAnswer(ok=False, code="command-invalid", sentence=str(error)))
            raise
        except LogDamaged as error:
            await self._answer(reply_to, CommandAnswer(ok=False, code="log-damaged", sentence=str(error)))
            raise
        else:
            await self._answer(reply_to, _accepted(recorded, self._host.position(actor)))
            crash_point("mailbox.answered")

    async def _answer(self, reply_to: str, answer: CommandAnswer) -> None:
        await answer_to(self._bus, reply_to, answer)


async def answer_to(bus: Bus, reply_to: str, answer: CommandAnswer) -> None:
    """Tell whoever asked; only an inbox is answered, so that asking is no way to publish anywhere else."""
    if reply_to.startswith(f"{REPLY_PREFIX}.") and " " not in reply_to:
        await bus.nc.publish(reply_to, msgspec.json.encode(answer))


def _accepted(recorded: RecordedEvent | None, newest: int) -> CommandAnswer:
    if recorded is None:
        return CommandAnswer(ok=True, position=newest)
    return CommandAnswer(ok=True, event=msgspec.Raw(recorded.raw), position=recorded.position)


def _typed_by_hand(message: Msg) -> MessageMetadata:
    """The stamp of a command whose body is only its data: its stored sequence makes its id."""
    headers = message.headers or {}
    return typed_by(headers, id=headers.get(MSG_ID_HEADER) or f"command-{message.metadata.sequence.stream}")


def typed_by(headers: Mapping[str, str], *, id: str) -> MessageMetadata:
    """The stamp of a command whose body is only its data; ``headers`` may say who sends it."""
    return MessageMetadata(id=id, source="nats", time=utc_now(), principal=headers.get(PRINCIPAL_HEADER, OPERATOR))
