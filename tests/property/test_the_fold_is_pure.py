"""The same events give the same state: in any process, under any hash seed, and without touching what went in."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from random import Random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cli.fold import DECIDERS
from testing.random_walk import walked

ROOT = Path(__file__).parents[2]

FOLD_FROM_STDIN = """
import sys, msgspec
from shared.contracts import EVENTS
from testing.in_memory_system import DECIDERS
for line in sys.stdin:
    events = msgspec.json.decode(line)
    states = {}
    for kind, decider in DECIDERS.items():
        told = [msgspec.json.decode(data, type=EVENTS[kind][name]) for of, name, data in events if of == kind]
        states[kind] = decider.fold(told)
    print(msgspec.json.encode(states).decode())
"""


def test_a_fresh_interpreter_with_another_hash_seed_folds_the_same_events_into_the_same_states() -> None:
    dice = Random(20260102)
    worlds = [walked([dice.randrange(2**32) for _ in range(150)]) for _ in range(30)]
    logs = "".join(
        msgspec.json.encode(
            [(each.kind, each.name, msgspec.json.encode(each.data).decode()) for each in world.log]
        ).decode()
        + "\n"
        for world in worlds
    )
    expected = [msgspec.json.encode(world.states).decode() for world in worlds]
    for seed in ("0", "1", "4242"):
        folded = subprocess.run(
            [sys.executable, "-c", FOLD_FROM_STDIN],
            input=logs,
            capture_output=True,
            text=True,
            check=False,
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed},
        )
        assert folded.returncode == 0, folded.stderr
        assert folded.stdout.splitlines() == expected


@settings(deadline=None)
@given(st.lists(st.integers(0, 2**32 - 1), min_size=60, max_size=150), st.data())
def test_a_fold_may_be_cut_anywhere_and_gone_on_with_later(steps: list[int], data: st.DataObject) -> None:
    world = walked(steps)
    for kind, decider in DECIDERS.items():
        events = world.events_of(kind)
        cut = data.draw(st.integers(0, len(events)))
        state = decider.fold(events[:cut])
        for event in events[cut:]:
            state = decider.evolve(state, event)
        assert state == decider.fold(events) == world.states[kind]


@settings(deadline=None)
@given(st.lists(st.integers(0, 2**32 - 1), min_size=60, max_size=150))
def test_deciding_and_evolving_change_neither_the_state_nor_the_message(steps: list[int]) -> None:
    world = walked(steps)
    for kind, decider in DECIDERS.items():
        state = decider.initial
        for event in world.events_of(kind):
            before = msgspec.json.encode((state, event))
            after = decider.evolve(state, event)
            assert msgspec.json.encode((state, event)) == before
            state = after


@pytest.mark.parametrize("kind", DECIDERS)
def test_an_initial_state_is_never_written_to(kind: str) -> None:
    before = msgspec.json.encode(DECIDERS[kind].initial)
    dice = Random(7)
    for _ in range(20):
        walked([dice.randrange(2**32) for _ in range(100)])
    assert msgspec.json.encode(DECIDERS[kind].initial) == before
