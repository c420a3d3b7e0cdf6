"""What agents on other machines have spent on a piece of work that was taken over from them.

Their own account is out of reach or gone. What they said went to OUTPUT line by line, so it is priced from there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec
import nats.js.errors

from shared.claude.meter import Meter
from shared.claude.workshop import PROCESS_HEADER, Workshop
from shared.contracts.usage import ModelUsage, add_usage
from shared.nats.feed import Feed
from shared.nats.streams import OUTPUT
from shared.subjects import Actor, output_subject

MSG_ID: Final = "Nats-Msg-Id"


class Heard(msgspec.Struct, frozen=True):
    """One published line: the process that said it, and where in its output it begins."""

    process: str
    offset: int
    raw: bytes


def unrecorded(lines: Iterable[Heard], recorded: Mapping[str, int]) -> tuple[ModelUsage, ...]:
    """What the lines cost beyond what is recorded of each process up to an offset (pure).

    A line heard twice counts once.
    """
    by_process: dict[str, dict[int, bytes]] = {}
    for line in lines:
        by_process.setdefault(line.process, {})[line.offset] = line.raw
    spent: list[tuple[ModelUsage, ...]] = []
    for process, said in by_process.items():
        meter = Meter(resumed=True)
        settled = False
        for offset in sorted(said):
            if not settled and offset >= recorded.get(process, 0):
                meter.take_delta()
                settled = True
            meter.feed(said[offset])
        if settled:
            spent.append(meter.take_delta())
    return add_usage(*spent)


async def spent_elsewhere(
    workshop: Workshop, actor: Actor, number: int, *, recorded: Mapping[str, int] | None = None
) -> tuple[ModelUsage, ...]:
    """What processes of other places spent on this round (or draft, or triage) and nobody has recorded.

    ``recorded`` is, by process, the byte of its output up to which the log has the costs.
    """
    try:
        last = (await workshop.bus.js.get_last_msg(OUTPUT, output_subject(actor))).seq or 0
    except nats.js.errors.NotFoundError:
        return ()
    ours, prefix = f"@{workshop.place}", f"{actor.kind}-{actor.id}-{number}-"
    lines: list[Heard] = []
    async with Feed(workshop.bus, OUTPUT, output_subject(actor), after=0) as feed:
        async for message in feed:
            headers = message.headers or {}
            process = headers.get(PROCESS_HEADER, "")
            if process.startswith(prefix) and not process.endswith(ours):
                offset = headers.get(MSG_ID, "").rpartition(":")[2]
                lines.append(Heard(process, int(offset) if offset.isdigit() else message.position, message.data))
            if message.position >= last:
                break
    return unrecorded(lines, recorded or {})
