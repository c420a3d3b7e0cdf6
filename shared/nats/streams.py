"""The streams of docs/architecture.md: how they are made, and the check that the log's guards still stand."""

from __future__ import annotations

from functools import partial
from typing import Any, Final, NamedTuple

import msgspec
import nats.js.errors
from nats.js.api import (
    DiscardPolicy,
    PersistMode,
    RetentionPolicy,
    StorageType,
    StoreCompression,
    StreamConfig,
    SubjectTransform,
)

from shared.contracts.subjects import PARTITIONS
from shared.nats.bus import JETSTREAM_PATIENCE_S, Bus
from shared.ops.limits import Limits

EVENTS: Final = "EVENTS"
COMMANDS: Final = "COMMANDS"
OUTPUT: Final = "OUTPUT"
TIMERS: Final = "TIMERS"
PARKED: Final = "PARKED"
ARTIFACTS: Final = "ARTIFACTS"
SNAPSHOTS: Final = "SNAPSHOTS"
IDEMPOTENCY: Final = "IDEMPOTENCY"
SECRETS: Final = "SECRETS"
SECRETS_BYTES: Final = 16 * 1024 * 1024
"""A secret takes less than a kilobyte, and only people make them."""
SESSIONS: Final = "SESSIONS"
SESSIONS_BYTES: Final = 16 * 1024 * 1024
"""A session takes half a kilobyte, and each of its tickets as much for a minute."""
POSITIONS: Final = "POSITIONS"
POSITIONS_BYTES: Final = 1024 * 1024
"""A position takes less than a kilobyte, and each sender that is asked for missed events has one."""
CALLS: Final = "CALLS"
CALLS_BYTES: Final = 64 * 1024 * 1024
"""The newest calls of a door take 700 KB at most for each gateway."""
CALLS_AGE_S: Final = 7 * 24 * 3600.0

MAX_CONSUMERS: Final = 1000
"""Consumers of one stream; an account may not have a lower limit."""
TIMEKEEPER: Final = "timekeeper"
"""How the durable consumers of EVENTS are called that set timers, behind their service's name."""

MEBI: Final = 1024 * 1024
STREAM_FULL: Final = frozenset({10077, 10047, 10023})
"""What the server answers when a stream, or its disk, has no room."""


class GuardsOff(Exception):
    """A guard of the event log is off; the text names each one. No service works on such a log."""


class StreamLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Sizes of the streams in bytes, and the number of copies (1, or 3 on a cluster)."""

    events_bytes: int = 8 * 1024 * MEBI
    commands_bytes: int = 1024 * MEBI
    output_bytes: int = 2 * 1024 * MEBI
    output_age_s: float = 7 * 24 * 3600.0
    timers_bytes: int = 64 * MEBI
    parked_bytes: int = 256 * MEBI
    artifacts_bytes: int = 8 * 1024 * MEBI
    snapshots_bytes: int = 256 * MEBI
    idempotency_bytes: int = 64 * MEBI
    idempotency_age_s: float = 24 * 3600.0
    replicas: int = 1


def stream_limits_of(limits: Limits) -> StreamLimits:
    """The sizes that the settings ask for."""
    return StreamLimits(
        events_bytes=limits.max_events_bytes,
        commands_bytes=limits.max_commands_bytes,
        output_bytes=limits.max_output_bytes,
        timers_bytes=limits.max_timers_bytes,
        parked_bytes=limits.max_parked_bytes,
        artifacts_bytes=limits.max_artifacts_bytes,
        snapshots_bytes=limits.max_snapshots_bytes,
        idempotency_bytes=limits.max_idempotency_bytes,
    )


def stream_bytes(limits: StreamLimits) -> dict[str, int]:
    """What each stream reserves in bytes, once, by the name that NATS has for it; a copy takes the same again."""
    return {
        EVENTS: limits.events_bytes,
        COMMANDS: limits.commands_bytes,
        OUTPUT: limits.output_bytes,
        TIMERS: limits.timers_bytes,
        PARKED: limits.parked_bytes,
        f"OBJ_{ARTIFACTS}": limits.artifacts_bytes,
        f"KV_{SNAPSHOTS}": limits.snapshots_bytes,
        f"KV_{IDEMPOTENCY}": limits.idempotency_bytes,
        f"KV_{SECRETS}": SECRETS_BYTES,
        f"KV_{SESSIONS}": SESSIONS_BYTES,
        f"KV_{POSITIONS}": POSITIONS_BYTES,
        f"KV_{CALLS}": CALLS_BYTES,
    }


def stream_configs(limits: StreamLimits) -> list[StreamConfig]:
    """Every stream as it must be."""
    common: dict[str, Any] = {
        "storage": StorageType.FILE,
        "num_replicas": limits.replicas,
        "max_consumers": MAX_CONSUMERS,
    }
    return [
        StreamConfig(
            name=EVENTS,
            description="The only truth: every state change, for ever",
            subjects=["evt.>"],
            retention=RetentionPolicy.LIMITS,
            max_bytes=limits.events_bytes,
            discard=DiscardPolicy.NEW,
            # Of what an event takes, four fifths are the words of its envelope and its task's texts (measured).
            compression=StoreCompression.S2,
            deny_delete=True,
            deny_purge=True,
            allow_rollup_hdrs=False,
            allow_direct=True,
            duplicate_window=600,
            **common,
        ),
        StreamConfig(
            name=COMMANDS,
            description="Mailboxes: requests to actors, gone when handled",
            subjects=["cmd.>"],
            retention=RetentionPolicy.WORK_QUEUE,
            max_bytes=limits.commands_bytes,
            discard=DiscardPolicy.NEW,
            allow_direct=True,
            subject_transform=SubjectTransform(
                src="cmd.*.*.*",
                dest=f"cmd.{{{{partition({PARTITIONS},2)}}}}.{{{{wildcard(1)}}}}.{{{{wildcard(2)}}}}.{{{{wildcard(3)}}}}",
            ),
            **common,
        ),
        StreamConfig(
            name=OUTPUT,
            description="Live output of agents; the runner's own file is the durable copy",
            subjects=["out.>"],
            retention=RetentionPolicy.LIMITS,
            max_bytes=limits.output_bytes,
            max_age=limits.output_age_s,
            compression=StoreCompression.S2,
            discard=DiscardPolicy.OLD,
            allow_direct=True,
            persist_mode=PersistMode.ASYNC if limits.replicas == 1 else None,
            **common,
        ),
        StreamConfig(
            name=TIMERS,
            description="Message schedules; apart from EVENTS, because schedules lift deny_purge",
            subjects=["timer.>"],
            retention=RetentionPolicy.LIMITS,
            max_bytes=limits.timers_bytes,
            # The server allows nothing else with schedules: shared/runtime/timers.py sees to that.
            discard=DiscardPolicy.OLD,
            allow_direct=True,
            allow_msg_schedules=True,
            **common,
        ),
        StreamConfig(
            name=PARKED,
            description="Commands and events that no handler could take, with the reason",
            subjects=["parked.>"],
            retention=RetentionPolicy.LIMITS,
            max_bytes=limits.parked_bytes,
            discard=DiscardPolicy.NEW,
            allow_direct=True,
            **common,
        ),
    ]


async def provision(bus: Bus, limits: StreamLimits | None = None) -> list[str]:
    """Create what is missing, leave what is there, check the guards; returns the names of what was created."""
    limits = limits or StreamLimits()
    created: dict[str, None] = {}
    for config in stream_configs(limits):
        await bus.wait_for_jetstream(partial(_create_stream, bus, config, created))
    if TIMERS in created:
        await _forget_timekeepers(bus)
    await bus.wait_for_jetstream(partial(_create_artifacts, bus, limits, created))
    await bus.wait_for_jetstream(partial(_create_snapshots, bus, limits, created))
    await bus.wait_for_jetstream(partial(_create_idempotency, bus, limits, created))
    await bus.wait_for_jetstream(partial(_create_secrets, bus, limits, created))
    await bus.wait_for_jetstream(partial(_create_sessions, bus, limits, created))
    await bus.wait_for_jetstream(partial(_create_positions, bus, limits, created))
    await bus.wait_for_jetstream(partial(_create_calls, bus, limits, created))
    await check_guards(bus)
    return list(created)


# Each of these may be called again when no answer came, so each notes what it makes before it makes it.


async def _create_stream(bus: Bus, config: StreamConfig, created: dict[str, None]) -> None:
    try:
        await bus.js.stream_info(str(config.name))
    except nats.js.errors.NotFoundError:
        created[str(config.name)] = None
        await bus.js.add_stream(config)


async def _create_artifacts(bus: Bus, limits: StreamLimits, created: dict[str, None]) -> None:
    try:
        await bus.js.object_store(ARTIFACTS)
    except nats.js.errors.NotFoundError:
        created[ARTIFACTS] = None
        await bus.js.create_object_store(ARTIFACTS, max_bytes=limits.artifacts_bytes, replicas=limits.replicas)


async def _create_snapshots(bus: Bus, limits: StreamLimits, created: dict[str, None]) -> None:
    try:
        await bus.js.key_value(SNAPSHOTS)
    except nats.js.errors.NotFoundError:
        created[SNAPSHOTS] = None
        await bus.js.create_key_value(
            bucket=SNAPSHOTS, history=1, max_bytes=limits.snapshots_bytes, replicas=limits.replicas
        )


async def _create_idempotency(bus: Bus, limits: StreamLimits, created: dict[str, None]) -> None:
    try:
        await bus.js.key_value(IDEMPOTENCY)
    except nats.js.errors.NotFoundError:
        created[IDEMPOTENCY] = None
        await bus.js.create_key_value(
            bucket=IDEMPOTENCY,
            history=1,
            ttl=limits.idempotency_age_s,
            max_bytes=limits.idempotency_bytes,
            replicas=limits.replicas,
        )


async def _create_secrets(bus: Bus, limits: StreamLimits, created: dict[str, None]) -> None:
    try:
        await bus.js.key_value(SECRETS)
    except nats.js.errors.NotFoundError:
        created[SECRETS] = None
        await bus.js.create_key_value(bucket=SECRETS, history=1, max_bytes=SECRETS_BYTES, replicas=limits.replicas)


async def _create_sessions(bus: Bus, limits: StreamLimits, created: dict[str, None]) -> None:
    try:
        await bus.js.key_value(SESSIONS)
    except nats.js.errors.NotFoundError:
        created[SESSIONS] = None
        # As a key-value bucket is made, but for what each thing in it ends by.
        await bus.js.add_stream(
            StreamConfig(
                name=f"KV_{SESSIONS}",
                description="Who is logged in; one-time links and tickets",
                subjects=[f"$KV.{SESSIONS}.>"],
                max_msgs_per_subject=1,
                max_bytes=SESSIONS_BYTES,
                discard=DiscardPolicy.NEW,
                allow_rollup_hdrs=True,
                deny_delete=True,
                allow_direct=True,
                allow_msg_ttl=True,
                duplicate_window=120,
                num_replicas=limits.replicas,
            )
        )


async def _create_positions(bus: Bus, limits: StreamLimits, created: dict[str, None]) -> None:
    try:
        await bus.js.key_value(POSITIONS)
    except nats.js.errors.NotFoundError:
        created[POSITIONS] = None
        await bus.js.create_key_value(bucket=POSITIONS, history=1, max_bytes=POSITIONS_BYTES, replicas=limits.replicas)


async def _create_calls(bus: Bus, limits: StreamLimits, created: dict[str, None]) -> None:
    try:
        await bus.js.key_value(CALLS)
    except nats.js.errors.NotFoundError:
        created[CALLS] = None
        await bus.js.create_key_value(
            bucket=CALLS, history=1, ttl=CALLS_AGE_S, max_bytes=CALLS_BYTES, replicas=limits.replicas, direct=True
        )
        # A bucket refuses when it is full; of calls the newest matter.
        config = (await bus.js.stream_info(f"KV_{CALLS}")).config
        config.discard = DiscardPolicy.OLD
        await bus.js.update_stream(config)


async def _forget_timekeepers(bus: Bus) -> None:
    """Set all timers anew from the whole log: the consumers that set them are deleted, so they begin again."""
    names: list[str] = []
    while page := await bus.js.consumers_info(EVENTS, offset=len(names)):
        names += [consumer.name for consumer in page]
    for name in names:
        if name.endswith(f"-{TIMEKEEPER}"):
            await bus.js.delete_consumer(EVENTS, name)


class Extent(NamedTuple):
    """What a stream says it holds: its first and last sequence (0 when it never had a message), and how many."""

    first: int
    last: int
    messages: int


async def extent_of(bus: Bus, stream: str) -> Extent:
    """The extent of a stream as of now; raises what `Bus.request` raises, and `NotFound` when there is no such one."""
    state = (await bus.js.stream_info(stream)).state
    return Extent(state.first_seq, state.last_seq, state.messages)


async def check_guards(bus: Bus, patience_s: float = JETSTREAM_PATIENCE_S) -> None:
    """Read the streams back; raises `GuardsOff` when EVENTS could lose or change an event, or a stream is missing,
    and `NatsUnreachable` when JetStream has not answered for ``patience_s`` seconds.
    """
    await bus.wait_for_jetstream(partial(check_log, bus), patience_s)
    for name in (COMMANDS, OUTPUT, TIMERS, PARKED):
        await bus.wait_for_jetstream(partial(_stream_config, bus, name), patience_s)


async def check_log(bus: Bus) -> None:
    """Read EVENTS back with one question; raises `GuardsOff`, or what the connection raises."""
    config = await _stream_config(bus, EVENTS)
    off = [
        guard
        for guard, stands in {
            "deny_delete": bool(config.deny_delete),
            "deny_purge": bool(config.deny_purge),
            "allow_rollup_hdrs off": not config.allow_rollup_hdrs,
            "allow_msg_ttl off": not config.allow_msg_ttl,
            "allow_msg_schedules off": not config.allow_msg_schedules,
            "discard new": config.discard == DiscardPolicy.NEW,
            "max_bytes": bool(config.max_bytes and config.max_bytes > 0),
            "max_msgs unlimited": (config.max_msgs or -1) < 0,
            "max_age unlimited": not config.max_age,
            "max_msgs_per_subject unlimited": (config.max_msgs_per_subject or -1) < 0,
            "retention limits": config.retention == RetentionPolicy.LIMITS,
            "allow_direct": bool(config.allow_direct),
        }.items()
        if not stands
    ]
    if off:
        raise GuardsOff(
            f"The stream EVENTS has lost its guard {', '.join(off)}: nothing works on a log that can change. "
            "Set it right with `nats stream edit EVENTS`, or restore the log into a new stream."
        )


async def _stream_config(bus: Bus, name: str) -> StreamConfig:
    try:
        return (await bus.js.stream_info(name)).config
    except nats.js.errors.NotFoundError as error:
        raise GuardsOff(f"The stream {name} is missing: run `journeyman provision`.") from error
