"""The `journeyman` command is killed at each of its crash points, and given again until it comes to its end."""

from __future__ import annotations

import asyncio
import base64
import signal
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

import msgspec

from services.brain.actors import task as task_actor
from shared.backup.archive import Archive, Part
from shared.backup.contents import FOLDER
from shared.contracts import task
from shared.contracts.ids import new_task_id
from shared.contracts.subjects import Actor
from shared.event_store.envelope import MessageMetadata, encode_command, utc_now
from shared.event_store.journal import Head
from shared.nats.bus import Bus
from shared.nats.dead_letters import DeadLetter
from shared.nats.journal import NatsJournal
from shared.nats.objects import Artifacts
from shared.nats.stored_objects import messages_after, objects_after
from shared.nats.streams import COMMANDS, OUTPUT
from shared.runtime.actor_host import ActorHost
from shared.runtime.dead_letters import count
from shared.runtime.mailbox import Mailboxes
from testing.checker import problems_of_log
from testing.command_line import Ended, run_in
from testing.crash_points import Point
from testing.eventually import eventually
from testing.log_copies import another_nats, contents, grow
from tests.fault.crash.verdict import Deaths, Verdict

AT_FIRST: Final = 100
"""Events of the log before the first death: a restore publishes them in several batches."""


async def commands(points: Sequence[Point], folder: Path) -> Verdict:
    """What `archive`, `restore` and `parked replay` leave half done they finish, and nothing of it comes twice."""
    repeated = Repeated(Deaths(points, folder), folder)
    async with AsyncExitStack() as stack:
        nats, log = await stack.enter_async_context(another_nats(folder / "nats"))
        empty, copy = await stack.enter_async_context(another_nats(folder / "empty"))
        problems = await _archive(repeated, nats.url, log, folder / "archive")
        problems += await _restore(repeated, empty.url, log, copy, folder / "archive")
        problems += await _handle_again(repeated, empty.url, copy)
        problems += await problems_of_log(copy)
    return Verdict(died_at=repeated.deaths.happened, problems=problems)


class Repeated:
    """Gives a command until it ends by itself. Each death must be one that is wanted, so there is an end to it."""

    def __init__(self, deaths: Deaths, folder: Path) -> None:
        self.deaths = deaths
        self._folder = folder

    async def __call__(
        self, nats_url: str, *command: str | Path, between: Callable[[], Awaitable[None]] | None = None
    ) -> Ended:
        """How its last life ended; ``between`` is awaited after each death."""
        while True:
            died = self.deaths.happened
            ended = await run_in(
                self._folder, *command, within=120, JOURNEYMAN_NATS_URL=nats_url, **self.deaths.environment
            )
            if ended.code != -signal.SIGKILL or self.deaths.happened == died:
                return ended
            if between is not None:
                await between()


async def _work(log: Bus) -> None:
    """Artifacts and output of some agents: a restore publishes the lines in several batches."""
    for number in range(3):
        await Artifacts(log).put(f"A{number}.diff", b"%d" % number)
    for number in range(AT_FIRST):
        await log.publish("out.run.A0", b"%d" % number, {})


async def _made_by_work(bus: Bus) -> tuple[dict[str, str], list[tuple[int, bytes]]]:
    """The artifacts by name, and the lines by number."""
    artifacts = {each.name: each.sha256 async for each in objects_after(bus, 0)}
    return artifacts, [(each.position, each.data) async for each in messages_after(bus, OUTPUT, "out.>", 0)]


async def _archive(repeated: Repeated, nats_url: str, log: Bus, directory: Path) -> list[str]:
    """The log grows between deaths; whatever a death leaves behind is an archive of the log's beginning."""
    problems: list[str] = []
    heads: dict[Actor, Head] = {}
    await grow(log, AT_FIRST, heads)
    # The segment that this begins is what each death finds half replaced.
    await run_in(directory.parent, "archive", directory, JOURNEYMAN_NATS_URL=nats_url)
    await grow(log, 1, heads)
    await _work(log)

    async def compare() -> None:
        found, whole = _archived(directory), await contents(log)
        if found != whole[: len(found)]:
            problems.append(f"after the deaths at {sorted(repeated.deaths.happened)} the archive is not the log's")
        await grow(log, 1, heads)

    ended = await repeated(nats_url, "archive", directory, between=compare)
    if ended.code or _archived(directory) != await contents(log):
        problems.append(f"the archive is not the log: {ended.err}")
    manifest = Archive(directory).manifest
    kept = {segment.file for part in Part for segment in manifest.of(part)} | {"manifest.json", "archive.lock", FOLDER}
    left = {path.name for path in directory.iterdir()} - kept
    left |= {path.name for path in (directory / FOLDER).glob("*/*.part")}
    return [*problems, *(f"{each} is left over" for each in sorted(left))]


def _archived(directory: Path) -> list[tuple[int, str, bytes, str]]:
    """What a restore would find in the archive now; nothing before there is one."""
    archive = Archive(directory)
    archive.check()
    return [
        (event.position, event.subject, event.body, event.headers["Nats-Msg-Id"])
        for segment in archive.manifest.segments
        for event in archive.events(segment)
    ]


async def _restore(repeated: Repeated, nats_url: str, log: Bus, copy: Bus, directory: Path) -> list[str]:
    ended = await repeated(nats_url, "restore", directory)
    whole = await contents(copy) == await contents(log) and await _made_by_work(copy) == await _made_by_work(log)
    return [] if not ended.code and whole else [f"not restored: {ended.err}"]


async def _handle_again(repeated: Repeated, nats_url: str, bus: Bus) -> list[str]:
    """A parked command goes back to its mailbox, maybe twice."""
    id = new_task_id()
    actor = Actor("task", id)
    metadata = MessageMetadata(id=f"{id}-submit", source="test", time=utc_now(), principal="user:ada")
    submit = task.Submit(title="t", text="x", source=task.Source(kind="test"))
    parked = DeadLetter(
        reason="because",
        consumer="brain-00",
        stream=COMMANDS,
        subject=f"cmd.0.task.{id}.submit",
        position=1,
        tries=5,
        time=utc_now(),
        headers={},
        body=base64.b64encode(encode_command(actor, submit, metadata)).decode(),
    )
    await bus.publish(f"parked.{parked.subject}", msgspec.json.encode(parked), {})
    journal = NatsJournal(bus)
    mailboxes = Mailboxes(bus, ActorHost(journal, [task_actor.DECIDER], source="test"), service="brain")
    running = [asyncio.create_task(pull.run()) for pull in mailboxes.pulls]
    ended = await repeated(nats_url, "parked", "replay", "1")

    async def handled() -> bool:
        return (await bus.js.stream_info(COMMANDS)).state.messages == 0

    await eventually(handled)
    for pull in mailboxes.pulls:
        pull.drain()
    await asyncio.gather(*running)
    names = [event.name for event in await journal.load(actor)]
    if ended.code or names != ["submitted"] or await count(bus):
        return [f"the parked command led to {names}, and {await count(bus)} messages are parked: {ended.err}"]
    return []
