"""Durable timers: a command for later is a message schedule; when it is due it is no more than a hint.

Setting one again replaces it, so events may be taken twice. A due timer names the moment it is for, the host compares
that with its own clock, and the actor with the moment it waits for: a late, doubled or forged one changes nothing.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Final

import nats.js.errors
import structlog
from nats.aio.msg import Msg

from shared.contracts.decider import Rejected
from shared.contracts.ids import derived_id
from shared.contracts.kinds import kind_of
from shared.contracts.messages import TimedCommand, name_of
from shared.contracts.subjects import Actor, BadAddress, due_subject, read_due_subject, timer_subject
from shared.event_store.envelope import (
    CONTENT_TYPE,
    BadEnvelope,
    MessageMetadata,
    RecordedEvent,
    decode_command,
    decode_event,
    encode_command,
    utc_now,
)
from shared.event_store.journal import LogFull
from shared.nats.bus import Bus
from shared.nats.pull import StandingPull
from shared.nats.streams import EVENTS, TIMEKEEPER, TIMERS
from shared.ops.crash_points import crash_point
from shared.ops.timings import PRODUCTION
from shared.runtime.acknowledge import RetryPolicy, acknowledge, acknowledge_event
from shared.runtime.actor_host import ActorHost

AT_ONCE: Final = 8
FULL: Final = 0.9
"""The part of TIMERS that new timers may fill; those that come due need the rest for a moment."""
LONGEST_LOOK_AWAY_S: Final = 60.0
"""A timer that is early by the host's clock is looked at again after this time at the latest: clocks are set right."""

log = structlog.get_logger(__name__)

SetTimers = Callable[[RecordedEvent], list[TimedCommand]]


async def set_timer(bus: Bus, command: TimedCommand, metadata: MessageMetadata) -> None:
    """Have ``command`` come back when it is due, at once where that is past; raises `LogFull` and nats-py's errors.

    There is one timer for an actor and a verb: a newer one replaces it.
    """
    await _check_room(bus)
    # No message id: within its window the server would not take a moment that had been replaced and is wanted again.
    actor, verb = Actor(kind_of(command), command.id), name_of(command)
    headers = {
        "Nats-Schedule": f"@at {_rfc3339(command.at)}",
        "Nats-Schedule-Target": due_subject(actor, verb),
        "Content-Type": CONTENT_TYPE,
    }
    await bus.publish(timer_subject(actor, verb), encode_command(actor, command, metadata), headers)


async def _check_room(bus: Bus) -> None:
    """A full TIMERS would drop its oldest timer for a new one, so it takes none from shortly before."""
    stream = await bus.js.stream_info(TIMERS)
    if stream.config.max_bytes and stream.state.bytes > stream.config.max_bytes * FULL > 0:
        raise LogFull(
            "Too many timers wait: give them more room with `nats stream edit TIMERS --max-bytes`; "
            "this one is set as soon as there is some."
        )


def _rfc3339(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _id(actor: Actor, verb: str, at: datetime) -> str:
    """The same for a timer however often it is set or comes due."""
    return derived_id("timer", str(actor), verb, _rfc3339(at))


class Timekeeper:
    """One durable consumer over the events that set timers, taken one at a time in the order of the log.

    Its position is all it knows: where the consumer is deleted, it reads the log again and sets every timer anew.
    """

    def __init__(
        self,
        bus: Bus,
        timers: SetTimers,
        filters: Sequence[str],
        *,
        service: str,
        tries: RetryPolicy | None = None,
        ack_wait_s: float = PRODUCTION.timer_ack_wait_s,
    ) -> None:
        self._bus = bus
        self._timers = timers
        self._service = service
        self._tries = tries or RetryPolicy(most=bus.limits.max_message_tries)
        self.name = f"{service}-{TIMEKEEPER}"
        self.pull = StandingPull(
            bus,
            EVENTS,
            self.name,
            list(filters),
            self._acknowledge,
            ack_wait_s=ack_wait_s,
            max_ack_pending=1,
            ahead=31,
        )

    async def _acknowledge(self, message: Msg) -> None:
        await acknowledge_event(self._bus, message, self.handle, consumer=self.name, retry=self._tries)

    async def handle(self, subject: str, body: bytes, position: int) -> None:
        """Set the timers of one stored event; raises what the decoder, `timers` and the bus raise."""
        event = decode_event(subject, body, position)
        crash_point("timekeeper.taken")
        for command in self._timers(event):
            metadata = MessageMetadata(
                id=_id(Actor(kind_of(command), command.id), name_of(command), command.at),
                source=f"journeyman/{self._service}",
                time=event.time,
                principal=f"service:{self._service}",
                causation_id=event.id,
                correlation_id=command.id,
                traceparent=event.traceparent,
            )
            await set_timer(self._bus, command, metadata)
            crash_point("timekeeper.set")


class DueTimers:
    """One durable consumer over the due timers of the actors that a service hosts; each is told to its actor."""

    def __init__(
        self,
        bus: Bus,
        host: ActorHost,
        *,
        service: str,
        clock: Callable[[], datetime] = utc_now,
        tries: RetryPolicy | None = None,
        ack_wait_s: float = PRODUCTION.timer_ack_wait_s,
    ) -> None:
        self._bus = bus
        self._host = host
        self._service = service
        self._clock = clock
        self._tries = tries or RetryPolicy(most=bus.limits.max_message_tries)
        self.pull = StandingPull(
            bus,
            TIMERS,
            f"{service}-timers",
            [f"timer.due.{kind}.>" for kind in host.kinds],
            self._acknowledge,
            ack_wait_s=ack_wait_s,
            max_ack_pending=bus.limits.max_held_messages,
            concurrency=AT_ONCE,
        )

    async def _acknowledge(self, message: Msg) -> None:
        early_s = self._early_s(message)
        if early_s > 0:
            await message.nak(delay=min(early_s, LONGEST_LOOK_AWAY_S))
            return
        await acknowledge(self._bus, message, self._handle, consumer=self.pull.durable, retry=self._tries)

    def _early_s(self, message: Msg) -> float:
        """Seconds left until it is due; 0 also for one that cannot be read, which is not worth a wait."""
        try:
            _, _, command = self._read(message)
        except (BadEnvelope, BadAddress):
            return 0
        return (command.at - self._clock()).total_seconds()

    async def _handle(self, message: Msg) -> None:
        actor, verb, command = self._read(message)
        crash_point("timer.due")
        try:
            await self._host.execute(
                actor,
                command,
                id=_id(actor, verb, command.at),
                principal=f"service:{self._service}",
                correlation_id=actor.id,
            )
        except Rejected as rejection:
            log.info("the timer came too late", actor=str(actor), code=rejection.code)
        crash_point("timer.told")
        # The stream keeps what is acknowledged; a timer that was told is of no more use.
        with contextlib.suppress(nats.js.errors.NotFoundError):
            await self._bus.js.delete_msg(TIMERS, message.metadata.sequence.stream)
        crash_point("timer.deleted")

    def _read(self, message: Msg) -> tuple[Actor, str, TimedCommand]:
        actor, verb = read_due_subject(message.subject)
        nobody = MessageMetadata(id="", source="", time=self._clock(), principal="")
        command, _ = decode_command(actor, verb, message.data, fallback=nobody)
        if not isinstance(command, TimedCommand) or command.at.tzinfo is None:
            raise BadEnvelope(f"{message.subject} holds no timer: a {actor.kind}'s {verb} is not for later.")
        return actor, verb, command
