"""What Journeyman needs of a NATS that somebody else runs, each thing with its own sentence."""

from __future__ import annotations

import contextlib
from enum import StrEnum
from functools import partial
from typing import Final

import msgspec
import nats.errors

from shared.nats.bus import HEADER_BYTES, JETSTREAM_PATIENCE_S, WITHOUT_JETSTREAM, Bus, NatsMisconfigured
from shared.nats.streams import MAX_CONSUMERS, StreamLimits, stream_bytes
from shared.ops.disk_use import size_in_words

OLDEST: Final = (2, 12)
"""The first version with message schedules and an asynchronous mode of single streams; 2.15 is what the tests run."""
LEAST_MESSAGE_BYTES: Final = 256 * 1024
"""A message must hold a webhook that lies in its event (services.gateway.inbound.acceptance.INLINE_BYTES)."""
MONITOR_S: Final = 3.0
"""How long the monitoring may take to answer."""


class Weight(StrEnum):
    """FATAL: nothing works so; RISK: a promise of ours does not hold; UNSEEN: nobody here can tell."""

    FATAL = "fatal"
    RISK = "risk"
    UNSEEN = "unseen"


class Unmet(msgspec.Struct, frozen=True, kw_only=True):
    """Something that this NATS does not give, and the mend."""

    what: str
    mend: str
    weight: Weight = Weight.FATAL

    def __str__(self) -> str:
        return f"{self.what}: {self.mend}"


class _Limits(msgspec.Struct, frozen=True):
    max_storage: int = -1
    max_streams: int = -1
    max_consumers: int = -1
    storage_max_stream_bytes: int = -1


class _Error(msgspec.Struct, frozen=True):
    err_code: int = 0
    description: str = ""


class _Account(msgspec.Struct, frozen=True):
    limits: _Limits = _Limits()
    storage: int = 0
    reserved_storage: int = 0
    streams: int = 0
    error: _Error | None = None


class _JetStreamConfig(msgspec.Struct, frozen=True):
    sync_always: bool = False


class _JetStream(msgspec.Struct, frozen=True):
    config: _JetStreamConfig | None = None


class _Varz(msgspec.Struct, frozen=True):
    jetstream: _JetStream | None = None
    feature_flags: dict[str, bool] = {}


async def unmet(bus: Bus, limits: StreamLimits, patience_s: float = JETSTREAM_PATIENCE_S) -> list[Unmet]:
    """What the server and the account lack, as far as a client can see; raises `NatsUnreachable`."""
    found = [*_of_the_server(bus)]
    account = await _account(bus, patience_s)
    if account is None or account.error is not None:
        return [*found, _no_jetstream(account)]
    return [*found, *await _room(bus, account, limits)]


def _of_the_server(bus: Bus) -> list[Unmet]:
    version = bus.nc.connected_server_version
    found = []
    if (version.major, version.minor) < OLDEST:
        found.append(
            Unmet(
                what=f"NATS is version {version.major}.{version.minor}.{version.patch}",
                mend=f"install {OLDEST[0]}.{OLDEST[1]} or newer; timers need its message schedules",
            )
        )
    least = LEAST_MESSAGE_BYTES + HEADER_BYTES
    if bus.nc.max_payload < least:
        found.append(
            Unmet(
                what=f"a message of this NATS has at most {size_in_words(bus.nc.max_payload)}",
                mend=f"raise max_payload there to 1MB, and in any case above {size_in_words(least)}",
            )
        )
    return found


async def _account(bus: Bus, patience_s: float) -> _Account | None:
    """What JetStream says of our account; None where nobody answers for it."""

    async def ask() -> _Account | None:
        try:
            return msgspec.json.decode(await bus.api("INFO", timeout=bus.timings.answer_s), type=_Account)
        except nats.errors.NoRespondersError as error:
            if bus.may_have_jetstream:
                raise TimeoutError("nobody answers for JetStream") from error
            return None

    return await bus.wait_for_jetstream(ask, patience_s)


def _no_jetstream(account: _Account | None) -> Unmet:
    if account is None:
        return Unmet(what="NATS runs without JetStream", mend="start it with JetStream on, as deploy/nats.conf does")
    return Unmet(what="this account of NATS has no JetStream", mend=WITHOUT_JETSTREAM)


async def require(bus: Bus, limits: StreamLimits) -> None:
    """Raises `NatsMisconfigured` with every fatal thing that this NATS lacks, and `NatsUnreachable`."""
    if found := [str(each) for each in await unmet(bus, limits) if each.weight is Weight.FATAL]:
        raise NatsMisconfigured("; ".join(found) + ".")


async def _room(bus: Bus, account: _Account, limits: StreamLimits) -> list[Unmet]:
    """Room for the streams that are not there yet: their sizes are reserved when they are made."""
    missing = {name: size for name, size in stream_bytes(limits).items() if not await _is_there(bus, name)}
    if not missing:
        return []
    may, wanted = account.limits, sum(missing.values()) * limits.replicas
    mend = "raise the account's limit, or lower JOURNEYMAN_MAX_EVENTS_BYTES and the other sizes (docs/external-nats.md)"
    found = []
    needed = max(account.storage, account.reserved_storage) + wanted
    if 0 <= may.max_storage < needed:
        found.append(
            Unmet(
                what=f"the account may keep {size_in_words(may.max_storage)} in files, and {size_in_words(needed)} are "
                "needed",
                mend=mend,
            )
        )
    largest = max(missing.values())
    if 0 < may.storage_max_stream_bytes < largest:
        found.append(
            Unmet(
                what=f"a stream of the account may have {size_in_words(may.storage_max_stream_bytes)}, and the largest "
                f"needs {size_in_words(largest)}",
                mend=mend,
            )
        )
    if 0 <= may.max_streams < account.streams + len(missing):
        found.append(
            Unmet(
                what=f"the account may have {may.max_streams} streams, and {account.streams + len(missing)} are needed",
                mend=f"raise its limit to {account.streams + len(missing)}",
            )
        )
    if 0 < may.max_consumers < MAX_CONSUMERS:
        found.append(
            Unmet(
                what=f"a stream may have {may.max_consumers} consumers there, and {MAX_CONSUMERS} are asked for",
                mend=f"raise its max_consumers to {MAX_CONSUMERS}, or take that limit away",
            )
        )
    return found


async def _is_there(bus: Bus, stream: str) -> bool:
    with contextlib.suppress(nats.errors.Error):
        await bus.wait_for_jetstream(partial(bus.js.stream_info, stream))
        return True
    return False


async def durability(monitor: str) -> list[Unmet]:
    """What the monitoring of NATS at ``monitor`` (``http://host:8222``) says against the log's promise.

    An event is on the disk before it is acknowledged; only the monitoring tells whether that is so. Nothing here is
    fatal: copies on other servers may be worth the risk to somebody. Raises nothing.
    """
    setting = "JOURNEYMAN_NATS_MONITOR"
    if not monitor:
        return [
            Unmet(
                what="whether this NATS writes events to its disk before it acknowledges them cannot be seen",
                mend=f"see that its configuration has `sync_interval: always`, or set {setting} to its monitoring "
                "(http://host:8222), so that it is looked at",
                weight=Weight.UNSEEN,
            )
        ]
    import httpx  # it costs every start, and few set a monitoring

    try:
        async with httpx.AsyncClient(timeout=MONITOR_S, trust_env=False) as client:
            answer = await client.get(f"{monitor}/varz")
            varz = msgspec.json.decode(answer.raise_for_status().content, type=_Varz)
    except (httpx.HTTPError, msgspec.MsgspecError) as error:
        return [
            Unmet(
                what=f"the monitoring of NATS at {monitor} does not answer ({type(error).__name__})",
                mend=f"switch it on there (`http: 8222`), or set {setting} right",
                weight=Weight.UNSEEN,
            )
        ]
    found = []
    if varz.jetstream is None or varz.jetstream.config is None or not varz.jetstream.config.sync_always:
        found.append(
            Unmet(
                what="this NATS acknowledges events up to two minutes before they are on its disk, so a power cut "
                "loses what was promised",
                mend="set `sync_interval: always` in the `jetstream` block of its configuration",
                weight=Weight.RISK,
            )
        )
    if varz.feature_flags.get("js_ack_fc_v2"):
        found.append(
            Unmet(
                what="this NATS acknowledges in a second way that our client does not read everywhere",
                mend="set `feature_flags { js_ack_fc_v2: false }` in its configuration",
                weight=Weight.RISK,
            )
        )
    return found
