"""The reactor: an event leads to commands, and an event taken twice sends nothing twice."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from nats.aio.msg import Msg

from shared.contracts.ids import derived_id
from shared.contracts.kinds import KINDS, kind_of
from shared.contracts.messages import Command, name_of
from shared.contracts.roles import CLOSED, COMMANDS
from shared.contracts.subjects import Actor, command_subject
from shared.event_store.envelope import CONTENT_TYPE, MessageMetadata, RecordedEvent, decode_event, encode_command
from shared.nats.bus import Bus
from shared.nats.pull import StandingPull
from shared.nats.streams import EVENTS
from shared.ops import metrics
from shared.ops.crash_points import crash_point
from shared.ops.timings import PRODUCTION
from shared.runtime.acknowledge import RetryPolicy, acknowledge_event

React = Callable[[RecordedEvent], list[Command]]


class Reactor:
    """One durable consumer over the events a service reacts to, taken one at a time in the order of the log."""

    def __init__(
        self,
        bus: Bus,
        react: React,
        filters: Sequence[str],
        *,
        service: str,
        tries: RetryPolicy | None = None,
        ack_wait_s: float = PRODUCTION.message_ack_wait_s,
    ) -> None:
        self._bus = bus
        self._react = react
        self._service = service
        self._tries = tries or RetryPolicy(most=bus.limits.max_message_tries)
        self.pull = StandingPull(
            bus,
            EVENTS,
            f"{service}-reactor",
            list(filters),
            self._acknowledge,
            ack_wait_s=ack_wait_s,
            max_ack_pending=1,
            ahead=31,
        )

    async def _acknowledge(self, message: Msg) -> None:
        await acknowledge_event(self._bus, message, self.handle, consumer=f"{self._service}-reactor", retry=self._tries)

    async def handle(self, subject: str, body: bytes, position: int) -> None:
        """Send the commands that one stored event leads to; raises what the decoder, `react` and the bus raise."""
        event = decode_event(subject, body, position)
        crash_point("reactor.taken")
        for index, command in enumerate(self._react(event)):
            await self._send(event, index, command)
            crash_point("reactor.sent")

    def _principal(self, event: RecordedEvent, actor: Actor, verb: str) -> str:
        """In whose name a command is sent: the person's whose words have led to it, where people may say that."""
        if KINDS[event.kind].spoken_by_person and COMMANDS.get(actor.kind, {}).get(verb) is not CLOSED:
            return event.principal
        return f"service:{self._service}"

    async def _send(self, event: RecordedEvent, index: int, command: Command) -> None:
        actor = Actor(kind_of(command), command.id)
        verb = name_of(command)
        metadata = MessageMetadata(
            id=derived_id(event.id, str(index), str(actor), verb),
            source=f"journeyman/{self._service}",
            time=event.time,
            principal=self._principal(event, actor, verb),
            causation_id=event.id,
            correlation_id=command.id,
            traceparent=event.traceparent,
        )
        headers = {"Nats-Msg-Id": metadata.id, "Content-Type": CONTENT_TYPE}
        await self._bus.publish(command_subject(actor, verb), encode_command(actor, command, metadata), headers)
        metrics.REACTIONS.labels(self._service).inc()
