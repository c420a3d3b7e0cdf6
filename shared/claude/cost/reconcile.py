"""What agents have spent on work that was taken over or broken off, told to the log before they are forgotten.

A node is one data directory (``place`` on the wire). What its agents said is in their files there, and went to OUTPUT
line by line. A node that comes back records its spend from its files; a worker that takes over from a node that may
never come back records it from OUTPUT. Both name the node's whole spend on the work, so recording it twice, or after a
report, adds nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from pathlib import Path
from typing import Final

import structlog

from shared.claude.conversation.stream import read_line
from shared.claude.cost.from_files import spent_here
from shared.claude.cost.meter import COUNTED, Counted, Meter
from shared.claude.runner import PROCESS_HEADER, AgentRunner
from shared.contracts.decider import Rejected
from shared.contracts.kinds import COMMANDS, KINDS
from shared.contracts.messages import Command
from shared.contracts.subjects import Actor, output_subject
from shared.contracts.usage import Accounts, ModelUsage, add_usage
from shared.nats.errors import NotFound
from shared.nats.feed import Feed
from shared.nats.streams import OUTPUT

MSG_ID: Final = "Nats-Msg-Id"

log = structlog.get_logger(__name__)

Report = Callable[[Actor, Command], Awaitable[object]]
"""Hands a command to its actor."""


async def reconcile_here(node_id: str, actor: Actor, number: int, run_dirs: Iterable[Path], tell: Report) -> None:
    """Tell what all processes of one round, draft or triage have spent on this machine; none of them must run."""
    await _reconcile(actor, number, node_id, await asyncio.to_thread(spent_here, run_dirs), tell)


async def reconcile_elsewhere(runner: AgentRunner, actor: Actor, number: int, tell: Report) -> None:
    """Tell what the processes of other nodes are known to have spent on one round, draft or triage."""
    for node_id, usage in (await _spent_elsewhere(runner, actor, number)).items():
        await _reconcile(actor, number, node_id, usage, tell)


async def _spent_elsewhere(runner: AgentRunner, actor: Actor, number: int) -> Accounts:
    """By node id, what the processes of a node said to have spent."""
    try:
        last = (await runner.bus.js.get_last_msg(OUTPUT, output_subject(actor))).seq or 0
    except NotFound:
        return {}
    prefix = f"{actor.kind}-{actor.id}-{number}-"
    heard: dict[str, dict[int, Counted]] = {}
    async with Feed(runner.bus, OUTPUT, output_subject(actor), after=0) as feed:
        async for message in feed:
            headers = message.headers or {}
            process = headers.get(PROCESS_HEADER, "")
            line = read_line(message.data) if process.startswith(prefix) and not runner.holds(process) else None
            if isinstance(line, COUNTED):
                offset = headers.get(MSG_ID, "").rpartition(":")[2]
                # Said again by a service that came back: once is enough, in the order of the process's own output.
                heard.setdefault(process, {})[int(offset) if offset.isdigit() else message.position] = line
            if message.position >= last:
                break
    spent: Accounts = {}
    for process, lines in heard.items():
        node_id = process.rpartition("@")[2]
        spent[node_id] = add_usage(spent.get(node_id, ()), spent_in(lines))
    return {node_id: usage for node_id, usage in spent.items() if usage}


def spent_in(lines: Mapping[int, Counted]) -> tuple[ModelUsage, ...]:
    """What the lines of one process, by their byte offsets in its output, say that it has spent (pure)."""
    meter = Meter(resumed=True)
    for offset in sorted(lines):
        meter.note(lines[offset])
    return meter.total


async def _reconcile(actor: Actor, number: int, node_id: str, usage: tuple[ModelUsage, ...], tell: Report) -> None:
    if not usage:
        return
    try:
        await tell(actor, _record(actor, number, node_id, usage))
    except Rejected as rejection:
        log.warning("what agents have spent cannot be recorded", actor=str(actor), code=rejection.code, usage=usage)


def _record(actor: Actor, number: int, node_id: str, usage: tuple[ModelUsage, ...]) -> Command:
    agent = KINDS[actor.kind].agent
    assert agent is not None, f"no agent works for a {actor.kind}"
    command: Command = COMMANDS[actor.kind]["record-spend"](
        id=actor.id, place=node_id, usage=usage, **{agent.unit: number}
    )
    return command
