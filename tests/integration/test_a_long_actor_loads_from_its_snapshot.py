from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from shared.contracts import task
from shared.contracts.decider import Decider
from shared.contracts.subjects import Actor
from shared.event_store.snapshots import fold_of
from shared.nats.bus import Bus
from shared.nats.journal import NatsJournal
from shared.nats.snapshots import NatsSnapshots
from shared.nats.streams import EVENTS
from shared.runtime.actor_host import ActorHost
from testing.counting_actor import COUNTER, grow

ACTOR = Actor("task", "LONG")


def host_of(bus: Bus, decider: Decider[Any] = COUNTER, every: int = 10) -> ActorHost:
    return ActorHost(NatsJournal(bus), [decider], source="t", snapshots=NatsSnapshots(bus), snapshot_every=every)


async def test_the_fold_from_a_snapshot_is_the_fold_of_everything(bus: Bus) -> None:
    await grow(bus, ACTOR, 57)
    assert (await host_of(bus).state(ACTOR)).count == 57
    assert await NatsSnapshots(bus).get(ACTOR) is not None
    fresh = host_of(bus)
    assert await fresh.state(ACTOR) == await ActorHost(NatsJournal(bus), [COUNTER], source="t").state(ACTOR)
    again = await fresh.execute(ACTOR, task.GiveInput(message="57"), id="c57", principal="t")
    assert again is not None and again.position == 57, "a snapshot remembers the commands it was folded from"


async def test_a_snapshot_of_other_code_or_of_another_log_is_not_used(bus: Bus) -> None:
    await grow(bus, ACTOR, 20)
    store = NatsSnapshots(bus)
    await host_of(bus).state(ACTOR)
    good = await store.get(ACTOR)
    assert good is not None
    lie = msgspec.Raw(b'{"count":9000}')
    for wrong in (
        msgspec.structs.replace(good, fold="other", state=lie),
        msgspec.structs.replace(good, head=msgspec.structs.replace(good.head, hash="0" * 64), state=lie),
        msgspec.structs.replace(good, head=msgspec.structs.replace(good.head, position=999), state=lie),
    ):
        await store.put(ACTOR, wrong)
        assert (await host_of(bus, every=1000).state(ACTOR)).count == 20


async def test_a_broken_snapshot_only_costs_time(bus: Bus) -> None:
    await grow(bus, ACTOR, 12)
    bucket = await bus.js.key_value("SNAPSHOTS")
    await bucket.put("task.LONG", b"no snapshot at all")
    assert (await host_of(bus).state(ACTOR)).count == 12
    await bus.js.delete_stream("KV_SNAPSHOTS")
    assert (await host_of(bus).state(ACTOR)).count == 12
    assert (await bus.js.stream_info(EVENTS)).state.messages == 12


FOLD = """
import msgspec
from shared.contracts.decider import Decider
from stepping import step

class Total(msgspec.Struct, frozen=True):
    total: int = 0

def evolve(state, event):
    return Total(state.total + step.SIZE)

DECIDER = Decider("task", Total(), lambda state, command: None, evolve)
"""


def decider_of(folder: Path, size: int) -> Decider[Any]:
    """A kind as a new process imports it: its fold takes the size of a step from another module."""
    package = folder / "stepping"
    package.mkdir(exist_ok=True)
    for name, source in {"__init__": "", "fold": FOLD, "step": f"SIZE = {size}\n"}.items():
        (package / f"{name}.py").write_text(source)
    for name in [name for name in sys.modules if name.partition(".")[0] == "stepping"]:
        del sys.modules[name]
    importlib.invalidate_caches()
    decider: Decider[Any] = importlib.import_module("stepping.fold").DECIDER
    return decider


async def test_a_snapshot_is_not_used_after_a_change_in_what_the_fold_calls(
    bus: Bus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # two versions of a file in one second look alike to a cache
    await grow(bus, ACTOR, 20)
    assert (await host_of(bus, decider_of(tmp_path, 1)).state(ACTOR)).total == 20
    same = decider_of(tmp_path, 1)
    kept = await NatsSnapshots(bus).get(ACTOR)
    assert kept is not None and kept.fold == fold_of(same), "the same code uses it"
    assert (await host_of(bus, decider_of(tmp_path, 100)).state(ACTOR)).total == 2000
