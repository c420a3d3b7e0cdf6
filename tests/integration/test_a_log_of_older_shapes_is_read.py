"""Journal, actor host, audit and projector over one log that three versions have written into."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.audit import audit
from services.executor.actors.run import DECIDER
from services.projector.database import current
from services.projector.rebuild import FOLDER, rebuild
from shared.contracts import run
from shared.contracts.subjects import Actor
from shared.event_store.envelope import MessageMetadata, UnknownEvent, decode_envelope, hash_of, utc_now
from shared.event_store.journal import Head, head_of
from shared.nats.bus import Bus
from shared.nats.journal import NatsJournal
from shared.runtime.actor_host import ActorHost
from testing.older_shapes import TODAY, stored, third_version

__all__ = ["third_version"]

ACTOR = Actor("run", "OLD")
BEGIN = run.Requested(round=1, repo="octo/app", base_commit="c0ffee00" * 5, title="t", text="t")


async def begin(journal: NatsJournal) -> Head:
    metadata = MessageMetadata(id="e0", source="t", time=utc_now(), principal="t")
    return head_of(await journal.append(ACTOR, BEGIN, expected=Head(), metadata=metadata))


async def store(bus: Bus, version: int, head: Head) -> Head:
    """What an installation of that version appended behind ``head``."""
    subject, body = stored(ACTOR, version, sequence=head.sequence + 1, prevhash=head.hash)
    ack = await bus.publish(subject, body, {"Nats-Msg-Id": f"{ACTOR}-{head.sequence + 1}"})
    return Head(ack.seq, head.sequence + 1, hash_of(body))


@pytest.mark.usefixtures("third_version")
async def test_events_of_three_versions_are_one_log(bus: Bus, tmp_path: Path) -> None:
    journal = NatsJournal(bus)
    head = await begin(journal)
    for version in (1, 2):
        head = await store(bus, version, head)
    metadata = MessageMetadata(id="now", source="t", time=utc_now(), principal="t")
    newest = await journal.append(ACTOR, TODAY, expected=head, metadata=metadata)
    assert (newest.previous_hash, decode_envelope(newest.raw).dataversion) == (head.hash, 3)

    events = await journal.load(ACTOR)
    assert [event.data for event in events[1:]] == [TODAY] * 3
    assert await ActorHost(journal, [DECIDER], source="t").state(ACTOR) == DECIDER.fold([BEGIN, TODAY, TODAY, TODAY])
    found = await audit(bus)
    assert (found.damage, found.events) == (None, 4)
    await rebuild(bus, tmp_path)
    assert (tmp_path / FOLDER).exists() and current(tmp_path / FOLDER).exists()


async def test_an_actor_with_an_event_of_a_newer_version_is_quarantined(bus: Bus) -> None:
    journal = NatsJournal(bus)
    await store(bus, 2, await begin(journal))
    with pytest.raises(UnknownEvent, match="Upgrade this service"):
        await journal.load(ACTOR)
    with pytest.raises(UnknownEvent):
        await ActorHost(journal, [DECIDER], source="t").state(ACTOR)
    found = await audit(bus)
    assert found.damage is not None and found.damage.sequence == 2
