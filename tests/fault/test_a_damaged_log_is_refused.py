"""An event that does not carry its predecessor's hash: the actor stops, the others go on, and `verify` names it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from shared.contracts import task
from shared.contracts.decider import Rejected
from shared.contracts.ids import new_task_id
from shared.contracts.subjects import Actor, event_subject
from shared.event_store.envelope import MessageMetadata, encode_event
from shared.event_store.journal import LogDamaged
from shared.nats.bus import Bus
from shared.nats.journal import NatsJournal
from shared.runtime.client import Client
from testing.eventually import eventually
from testing.nats import Nats
from testing.single_service import SingleService

ASKED = task.Submit(title="Mend the sum", text="It is wrong.", source=task.Source(kind="test"), repo="octo/nowhere")


async def test_an_actor_whose_chain_is_broken_takes_no_command_and_its_neighbours_do(
    nats_server: Nats, bus: Bus, tmp_path: Path
) -> None:
    journal, client = NatsJournal(bus), Client(bus, source="test")
    broken, sound = Actor("task", new_task_id()), Actor("task", new_task_id())

    async def declined(actor: Actor) -> bool:
        return any(event.name == "declined" for event in await journal.load(actor))

    with SingleService("brain", tmp_path / "brain", nats_server.url) as brain:
        await client.send(broken, ASKED, principal="user:test")
        await eventually(lambda: declined(broken))
        story = await journal.load(broken)
        metadata = MessageMetadata(id="forged", source="elsewhere", time=datetime.now(UTC), principal="user:nobody")
        forged = encode_event(broken, task.Retried(stage="triage"), sequence=4, prevhash="0" * 64, metadata=metadata)
        assert story[-1].sequence == 3
        place = await bus.js.publish(event_subject(broken, "retried"), forged)

        with pytest.raises(LogDamaged):
            await journal.load(broken)
        with pytest.raises(Rejected) as refusal:
            await client.send(broken, task.Retry(), principal="user:test")
        assert refusal.value.code == "log-damaged"
        assert (await bus.js.stream_info("EVENTS")).state.last_seq == place.seq, "nothing is added to a damaged story"

        async def parked() -> bool:
            """It is answered first."""
            return "retry" in str((await bus.js.stream_info("PARKED", subjects_filter=">")).state.subjects)

        await eventually(parked)

        await client.send(sound, ASKED, principal="user:test")
        await eventually(lambda: declined(sound))
        assert brain.alive

        checked = brain.command("verify")
        assert checked.returncode == 1
        assert len(checked.stderr.strip().splitlines()) == 1
        assert f"stream sequence {place.seq}" in checked.stderr
        assert str(broken) in checked.stderr
