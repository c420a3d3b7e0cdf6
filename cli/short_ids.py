"""The whole id of an actor for the beginning or the end of one: the log decides."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from cli.failures import Failure
from shared.contracts.subjects import Actor, actor, event_filter, read_event_subject
from shared.nats.bus import Bus
from shared.nats.errors import NotFound
from shared.nats.streams import EVENTS

WHOLE: Final = 26
SHORTEST: Final = 6
LISTED: Final = 20
NO_MESSAGE: Final = 10037
_WITH_THE_TASKS_ID: Final = frozenset({"task", "plan", "run", "reply"})


async def whole_id(bus: Bus, given: str, *, kind: str = "task") -> str:
    """The id of the actor that there is; raises `Failure` when it fits none, or several."""
    if await _exists(bus, actor(kind, given.strip())):
        return given.strip()
    wanted = given.strip().upper()
    if kind in _WITH_THE_TASKS_ID and len(wanted) == WHOLE:
        if await _exists(bus, Actor(kind, wanted)):
            return wanted
        raise Failure(_unknown(kind, given))
    if len(wanted) < SHORTEST:
        raise Failure(
            f"{given!r} is too short: give the id, or at least {SHORTEST} characters of its beginning or end."
        )
    fitting = sorted(id for id in await _ids(bus, kind) if _fits(id.upper(), wanted))
    match fitting:
        case [only]:
            return only
        case []:
            raise Failure(_unknown(kind, given))
        case _:
            more = f", and {len(fitting) - LISTED} more" if len(fitting) > LISTED else ""
            raise Failure(
                f"{given!r} fits {len(fitting)} of them: {', '.join(fitting[:LISTED])}{more}. Give more of it."
            )


def _fits(id: str, wanted: str) -> bool:
    return id.startswith(wanted) or id.endswith(wanted)


def _unknown(kind: str, given: str) -> str:
    return f"The log has no {kind} {given}: look it up with `journeyman task list`."


async def _exists(bus: Bus, address: Actor) -> bool:
    try:
        await bus.js.get_last_msg(EVENTS, event_filter(address))
    except NotFound as error:
        if error.err_code == NO_MESSAGE:
            return False
        raise
    return True


async def _ids(bus: Bus, kind: str) -> set[str]:
    """The ids of all actors of a kind; those that share their task's id are found by the tasks' first events alone."""
    subjects = "evt.task.*.submitted" if kind in _WITH_THE_TASKS_ID else f"evt.{kind}.*.>"
    found: set[str] = set()
    offset = 0
    while True:
        request = msgspec.json.encode({"subjects_filter": subjects, "offset": offset})
        answer = await bus.nc.request(f"$JS.API.STREAM.INFO.{EVENTS}", request, timeout=bus.timings.read_silence_s)
        info: dict[str, Any] = msgspec.json.decode(answer.data)
        page: dict[str, int] = info.get("state", {}).get("subjects") or {}
        found |= {read_event_subject(subject)[0].id for subject in page}
        offset += len(page)
        if not page or offset >= info.get("total", 0):
            return found
