"""The registry of actor kinds: every kind is complete, and one entry makes a new one known everywhere."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import msgspec
import pytest

from cli.fold import DECIDERS
from services.projector.sentences import UNREAD, sentence
from shared.contracts.kinds import AGENTS, COMMANDS, EVENTS, KINDS, kind_of
from shared.contracts.messages import Event, Message, wire_name
from testing.examples import example

ROOT: Final = Path(__file__).parents[2]
CLASSES: Final = [
    pytest.param(kind, name, cls, id=f"{kind}.{name}")
    for messages in (EVENTS, COMMANDS)
    for kind, classes in messages.items()
    for name, cls in classes.items()
]


@pytest.mark.parametrize(("kind", "name", "cls"), CLASSES)
def test_a_message_has_the_kind_of_the_entry_that_names_it(kind: str, name: str, cls: type[Message]) -> None:
    assert (kind_of(cls), wire_name(cls)) == (kind, name)


def test_a_message_that_no_entry_names_has_no_kind() -> None:
    class Stray(Event, frozen=True, kw_only=True):
        """An event of nobody."""

    with pytest.raises(LookupError, match=r"Stray belongs to no actor kind.*kinds\.py"):
        kind_of(Stray())


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_a_sentence_for_every_event(kind: str) -> None:
    for name, cls in EVENTS[kind].items():
        said = sentence(kind, name, msgspec.json.encode(example(cls)))
        assert said not in ("", UNREAD)
        assert "\n" not in said
        assert said[0] != " "


@pytest.mark.parametrize("kind", KINDS)
def test_the_decider_of_every_kind_folds_to_the_state_that_its_entry_names(kind: str) -> None:
    decider = DECIDERS[kind]
    assert decider.kind == kind
    (name, cls), *_ = EVENTS[kind].items()
    assert type(decider.fold([example(cls)])) is KINDS[kind].state, name


@pytest.mark.parametrize("kind", AGENTS)
def test_an_agents_kind_can_be_told_what_one_piece_of_work_cost(kind: str) -> None:
    agent = KINDS[kind].agent
    assert agent is not None
    fields = {field.name for field in msgspec.structs.fields(COMMANDS[kind]["record-spend"])}
    assert {agent.unit, "place", "usage"} <= fields
    assert {*agent.begins, *agent.ends} <= set(EVENTS[kind].values())


CONTRACT: Final = '''
"""What somebody jots down about a task: a kind that the product does not have."""

import msgspec

from shared.contracts.messages import Command, Event


class Jot(Command, frozen=True, kw_only=True):
    """Write it down."""

    text: str


class Jotted(Event, frozen=True, kw_only=True):
    """It was written down."""

    text: str


class Note(msgspec.Struct, frozen=True, kw_only=True):
    texts: tuple[str, ...] = ()


def sentence(event: Jotted) -> str:
    return f"Somebody jotted down: {event.text}"
'''
DECIDER: Final = """
from shared.contracts.jotting import Jotted, Note
from shared.contracts.decider import Decider


def decide(note, command):
    return Jotted(text=command.text)


def evolve(note, event):
    return Note(texts=(*note.texts, event.text))


DECIDER = Decider("note", Note(), decide, evolve)
"""
ENTRY: Final = """
        Kind(
            name="note",
            owner="planner",
            events=jotting.Jotted,
            commands=jotting.Jot,
            state=jotting.Note,
            sentence=jotting.sentence,
            task_scoped=True,
        ),
"""
PROBE: Final = """
import asyncio

from cli.commands import events as events_command
from cli.fold import fold
from cli.follow import log_line
from services.gateway.live.render import show_event
from services.projector.projection.facts import Stored, read
from services.projector.projection.timeline import task_of
from services.projector.sentences import sentence
from shared.contracts import docs
from shared.contracts.jotting import Jot, Jotted, Note
from shared.contracts.kinds import kind_of
from shared.event_store.envelope import MessageMetadata, utc_now
from shared.event_store.journal import Head
from shared.event_store.in_memory import MemoryJournal
from shared.contracts.subjects import Actor, command_subject

assert kind_of(Jot(text="x")) == kind_of(Jotted) == "note"

journal, note = MemoryJournal(), Actor("note", "A1")
metadata = MessageMetadata(id="1", source="test", time=utc_now(), principal="user:ada", causation_id="c")
event = asyncio.run(journal.append(note, Jotted(text="mind the gap"), expected=Head(), metadata=metadata))
subject = "evt.note.A1.jotted"

assert asyncio.run(fold(journal, "note", "A1")).state == Note(texts=("mind the gap",))
assert "Somebody jotted down: mind the gap" in log_line(event)
assert sentence("note", "jotted", b'{"text": "mind the gap"}') == "Somebody jotted down: mind the gap"
assert task_of(read(Stored(1, subject, event.raw))) == "A1"
shown = show_event(subject, event.raw, 1)
assert shown is not None and "A1" in shown.keys
assert "## note (owned by the planner)" in docs.events_markdown()
document = docs.asyncapi()
assert {"evt.note.jotted", "cmd.note.jot"} <= set(document["channels"])
(kind,) = [each for each in events_command.command.params if each.name == "kind"]
assert kind.help.endswith(", note.")
"""


def test_one_entry_makes_a_new_kind_folded_told_shown_and_documented(tmp_path: Path) -> None:
    for folder in ("cli", "services", "shared"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("static", "__pycache__"))
    (tmp_path / "shared/contracts/jotting.py").write_text(CONTRACT)
    (tmp_path / "services/planner/actors/note.py").write_text(DECIDER)
    registry = tmp_path / "shared/contracts/kinds.py"
    before = registry.read_text()
    imported = before.replace(
        "from shared.contracts import delivery,", "from shared.contracts import delivery, jotting,"
    )
    end = "\n    )\n}\n"
    assert imported != before and imported.count(end) == 1
    registry.write_text(imported.replace(end, ENTRY + end))
    done = subprocess.run([sys.executable, "-c", PROBE], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
