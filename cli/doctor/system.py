"""The running system: NATS, the log's guards, and who answers."""

from __future__ import annotations

import asyncio
import contextlib
import shlex
from collections import Counter
from pathlib import Path
from typing import Any, Final

import msgspec

from cli.connection import Link
from cli.doctor.finding import Finding, bad, from_error, good, note
from cli.endpoint import Endpoint
from cli.supervisor import record
from cli.supervisor.names import SERVICES
from shared.nats.bus import Bus, NatsUnreachable
from shared.nats.errors import NatsError
from shared.nats.requirements import Weight, durability, unmet
from shared.nats.stream_use import StreamUse, stream_use
from shared.nats.streams import EVENTS, GuardsOff, check_guards, stream_limits_of
from shared.ops.addresses import without_credentials
from shared.ops.disk_use import size_in_words
from shared.ops.proc import owner_of
from shared.ops.setting_sources import values_in
from shared.ops.settings import Settings, has_secret

ANSWERS_S: Final = 0.6
JETSTREAM_ANSWERS_S: Final = 5.0
NEARLY_FULL: Final = 0.8


def name_system(endpoint: Endpoint, settings: Settings) -> list[Finding]:
    """Which system this is about, whose it is, and which `.env` its settings are from."""
    where = without_credentials(endpoint.nats)
    if endpoint.pid:
        found = good("system", f"{endpoint.data}, started by {owner_of(endpoint.pid)} (process {endpoint.pid})")
    else:
        by = f"context {endpoint.context}, " if endpoint.context else ""
        found = good("system", f"{by}at {where}; nothing runs it in {endpoint.data}")
    return [found, *settings_of(settings)]


def settings_of(settings: Settings) -> list[Finding]:
    """The `.env` files that were read, and which of them others may read too."""
    files = settings.env_files
    found = good("settings", " and ".join(map(str, files)) or "the environment alone: no .env was found")
    readable = [file for file in files if file.stat().st_mode & 0o077 and has_secret(values_in(file))]
    return [found, *(_may_be_read("settings", file) for file in readable)]


def _may_be_read(what: str, file: Path) -> Finding:
    return note(
        what,
        f"{file} has a secret in it and may be read by others of this machine",
        f"`chmod 600 {shlex.quote(str(file))}`.",
    )


async def look_at_system(link: Link) -> list[Finding]:
    """Everything that NATS can tell."""
    found = [good("NATS", f"{without_credentials(link.endpoint.nats)}, version {_version(link)}")]
    try:
        found += await _requirements(link)
        await check_guards(link.bus, JETSTREAM_ANSWERS_S)
        state = (await link.bus.js.stream_info(EVENTS)).state
        found.append(good("log", f"{state.messages:,} events in {size_in_words(state.bytes)}; the guards stand"))
        found.append(_room(await stream_use(link.bus)))
    except (GuardsOff, NatsUnreachable) as error:
        found.append(from_error("log", error))
    except (TimeoutError, NatsError):
        found.append(bad("log", "JetStream does not answer", "See whether NATS has JetStream, and its disk has room."))
    there = await who_is_there(link.bus)
    return found + [_service(name, there[name]) for name in sorted(SERVICES)]


async def _requirements(link: Link) -> list[Finding]:
    """What a NATS of somebody's own lacks; the embedded one lacks nothing. Raises `NatsUnreachable`."""
    running = record.read(link.endpoint.data)
    if running is not None and "nats" in running.pids and link.endpoint.pid == running.pid:
        return []
    lacks = await unmet(link.bus, stream_limits_of(link.settings), JETSTREAM_ANSWERS_S)
    ours = without_credentials(link.endpoint.nats) == without_credentials(link.settings.nats_url)
    risks = await durability(link.settings.nats_monitor if ours else "")
    readable = [file for file in link.endpoint.login.secret_files if file.is_file() and file.stat().st_mode & 0o077]
    return [
        *(bad("NATS", each.what, _sentence(each.mend)) for each in lacks),
        *(
            (note if each.weight is Weight.UNSEEN else bad)("durability", each.what, _sentence(each.mend))
            for each in risks
        ),
        *(_may_be_read("login", file) for file in readable),
    ]


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}."


def _room(streams: list[StreamUse]) -> Finding:
    words = ", ".join(f"{each.name} {size_in_words(each.bytes)} ({each.part:.0%})" for each in streams if each.bytes)
    full = [each.name for each in streams if each.part > NEARLY_FULL]
    if full:
        return note(
            "streams",
            f"nearly full: {', '.join(full)}; {words}",
            "Make room with `journeyman prune`, or give more: `nats stream edit NAME --max-bytes …`.",
        )
    return good("streams", words or "empty")


def _version(link: Link) -> str:
    version = link.bus.nc.connected_server_version
    return f"{version.major}.{version.minor}.{version.patch}"


def _service(name: str, instances: int) -> Finding:
    if instances:
        return good(name, "answers" if instances == 1 else f"{instances} instances answer")
    return bad(
        name, "does not answer", f"Start everything with `journeyman up`, or it alone: `journeyman service {name}`."
    )


async def who_is_there(bus: Bus) -> Counter[str]:
    """Instances by service, as they announce themselves (`$SRV.PING` of NATS's service protocol)."""
    found: Counter[str] = Counter()
    nc = bus.nc
    inbox = nc.new_inbox()
    subscription = await nc.subscribe(inbox)
    with contextlib.suppress(TimeoutError):
        await nc.publish("$SRV.PING", b"", reply=inbox)
        async with asyncio.timeout(ANSWERS_S):
            async for message in subscription.messages:
                with contextlib.suppress(msgspec.MsgspecError):
                    answer: dict[str, Any] = msgspec.json.decode(message.data or b"{}")
                    prefix, _, service = str(answer.get("name", "")).partition("-")
                    if prefix == "journeyman" and service:  # NATS itself says when nobody is there
                        found[service] += 1
    await subscription.unsubscribe()
    return found
