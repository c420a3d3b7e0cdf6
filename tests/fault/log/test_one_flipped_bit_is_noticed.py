"""One bit of the log's file flips while NATS is down: it is noticed, and nothing is folded over it.

What NATS does about it depends on how it ended (measured): after an orderly stop it hides the one message, after a
kill it forgets everything behind it without a word.
"""

from __future__ import annotations

import signal
from pathlib import Path
from random import Random

import pytest

from cli.audit import audit
from services.projector.source import check_log
from services.projector.writer import Checkpoint
from shared.backup.archive import Archive, ArchiveRefused
from shared.backup.nats_archive import archive, restore
from shared.contracts.session import Say
from shared.contracts.subjects import Actor, read_event_subject
from shared.event_store.envelope import hash_of
from shared.event_store.journal import LogDamaged
from shared.nats.bus import Bus
from shared.nats.journal import NatsJournal
from shared.nats.streams import EVENTS, provision
from testing.eventually import eventually
from testing.load import Load
from testing.nats import Nats
from testing.slow_timings import connect_patiently
from testing.stream_limits import SMALL

EVENTS_OF_THE_LOG = 60


class Harmed:
    """A log in which one bit of the event at ``position`` has flipped, and what was known of it before."""

    def __init__(self, load: Load, position: int, actor: Actor, last: Checkpoint, copy: Archive) -> None:
        self.load = load
        self.position = position
        self.actor = actor
        self.last = last
        self.copy = copy


async def harmed(nats: Nats, bus: Bus, directory: Path, number: int, *, at_the_end: bool) -> Harmed:
    """Fill the log, archive it, end NATS, flip the bit, start NATS again."""
    random = Random(7)
    load = Load([bus], actors=4, random=random)
    await load.run(until=lambda: len(load.accepted) >= EVENTS_OF_THE_LOG)
    last = await NatsJournal(bus).last_position()
    newest = (await bus.js.get_msg(EVENTS, last)).data or b""
    copy = Archive(directory / "copy")
    await archive(bus, copy)
    position = last if at_the_end else last // 2
    message = await bus.js.get_msg(EVENTS, position)
    body = message.data or b""
    await nats.stop(number)
    flipped = 0
    for path in nats.directory.rglob("EVENTS/msgs/*.blk"):
        block = bytearray(path.read_bytes())
        if (at := block.find(body)) >= 0:
            block[at + len(body) // 2] ^= 4
            path.write_bytes(block)
            flipped += 1
    assert flipped == 1
    await nats.start()
    await eventually(lambda: bus.connected)
    actor, _ = read_event_subject(message.subject or "")
    return Harmed(load, position, actor, Checkpoint(last, hash_of(newest)), copy)


@pytest.mark.parametrize("at_the_end", [False, True], ids=["in the middle", "at the end"])
async def test_after_an_orderly_stop_the_actor_and_verify_name_the_damage(
    nats_server: Nats, bus: Bus, tmp_path: Path, at_the_end: bool
) -> None:
    found = await harmed(nats_server, bus, tmp_path, signal.SIGTERM, at_the_end=at_the_end)
    journal = NatsJournal(bus)
    with pytest.raises(LogDamaged, match=str(found.actor)):
        await journal.load(found.actor)
    late = Say(id=found.actor.id, author="ada", message="…", task_id="late")
    newcomer = Load([bus], actors=0, random=Random(0)).hosts[0]
    with pytest.raises(LogDamaged):
        await newcomer.execute(found.actor, late, id="late", principal="user:ada")
    others = [actor for actor in found.load.actors if actor != found.actor]
    assert sum([len(await journal.load(actor)) for actor in others]) > 0
    damage = (await audit(bus)).damage
    assert damage is not None
    assert damage.sequence == found.position


@pytest.mark.parametrize("at_the_end", [False, True], ids=["in the middle", "at the end"])
async def test_after_a_kill_all_who_have_seen_the_lost_end_refuse_the_log(
    nats_server: Nats, bus: Bus, tmp_path: Path, at_the_end: bool
) -> None:
    found = await harmed(nats_server, bus, tmp_path, signal.SIGKILL, at_the_end=at_the_end)
    left = await NatsJournal(bus).last_position()
    assert left == found.position - 1, "NATS says nothing of what it has lost"
    late = Say(id=found.actor.id, author="ada", message="…", task_id="late")
    with pytest.raises(LogDamaged, match="went backwards"):
        await found.load.hosts[0].execute(found.actor, late, id="late", principal="user:ada")
    with pytest.raises(LogDamaged, match="went backwards"):
        await check_log(bus, found.last)
    with pytest.raises(ArchiveRefused, match="went backwards"):
        await archive(bus, found.copy)
    assert await NatsJournal(bus).last_position() == left


async def test_the_archive_brings_back_what_a_flipped_bit_has_taken(
    nats_server: Nats, bus: Bus, tmp_path: Path
) -> None:
    found = await harmed(nats_server, bus, tmp_path, signal.SIGKILL, at_the_end=False)
    other = Nats(tmp_path / "other")
    await other.start()
    there = await connect_patiently(other.url, name="test")
    try:
        await provision(there, SMALL)
        assert await restore(there, found.copy) == found.last.seq
        await found.load.check(there)
        assert await check_log(there, found.last) == found.last.seq
        assert (await audit(there)).damage is None
    finally:
        await there.close()
        await other.stop()
