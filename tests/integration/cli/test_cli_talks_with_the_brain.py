"""`journeyman chat`: what is asked is answered, what is work becomes a task, what is proposed needs a yes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from shared.contracts import session
from shared.contracts.subjects import Actor
from testing.command_line import Run
from testing.service_group import ServiceGroup
from testing.system import REPO
from testing.terminal import StartTerminal


@pytest.fixture
async def system(tmp_path: Path) -> AsyncIterator[ServiceGroup]:
    async with ServiceGroup(tmp_path / "system", checks=()) as group:
        await group.start("projector", "brain")
        yield group


async def story(system: ServiceGroup, id: str) -> list[str]:
    return [event.name for event in await system.journal.load(Actor("session", id))]


async def test_a_script_asks_goes_on_and_has_work_done_and_nothing_that_is_proposed_happens_by_itself(
    system: ServiceGroup, journeyman: Run
) -> None:
    nats = {"JOURNEYMAN_NATS_URL": system.nats.url}
    asked = await journeyman("chat", "What tasks are there?", "--json", **nats)
    assert (asked.code, asked.json["status"]) == (0, "answered"), asked.err
    assert "These are the tasks" in asked.json["text"]
    talk = asked.json["session_id"]

    proposed = await journeyman("chat", "--session", talk, "Propose a note about bills", **nats)
    assert (proposed.code, proposed.out) == (
        0,
        "Let me look.\n\nI propose this; it happens when you confirm the card.\n",
    )
    assert "a note about bills" in proposed.err
    assert "It waits for a yes" in proposed.err
    assert (await story(system, talk)).count("answered") == 2
    assert "confirmed" not in await story(system, talk)

    wished = await journeyman("chat", "Write down what a bill is", **nats)
    assert wished.code == 0
    assert f"journeyman task wait {wished.out.strip()}" in wished.err
    await system.until(wished.out.strip(), "task.submitted")

    failed = await journeyman("chat", "Why?\n\ndemo: fail 400", **nats)
    assert (failed.code, failed.out) == (1, "")
    assert "There is no answer (" in failed.err
    unknown = await journeyman("chat", "--session", "nothing", "Why?", **nats)
    assert (unknown.code, unknown.out) == (1, "")
    assert "There is no conversation nothing" in unknown.err


async def test_at_a_terminal_one_is_asked_about_exactly_what_is_proposed_and_breaks_an_answer_off(
    system: ServiceGroup, terminal: StartTerminal
) -> None:
    chat = await terminal("chat", JOURNEYMAN_NATS_URL=system.nats.url)
    await chat.shows("you>")
    chat.type("What is slow? demo: slow-stream 60\n")
    await chat.shows("I think aloud")
    chat.type("\x03")
    await chat.shows("The answer was broken off.")
    chat.type("Propose a note about bills\n")
    await chat.shows("Do exactly this? [y/N]")
    assert f"Open a task in {REPO} (the plan waits for an approval)" in chat.shown
    chat.type("y\n")
    await chat.shows("Done: `journeyman task show")
    id = chat.shown.partition("Done: `journeyman task show ")[2][:26]
    submitted = (await system.until(id, "task.submitted")).data
    assert submitted.text == "a note about bills"
    chat.type("\x04")
    await chat.shows("To go on: `journeyman chat --session ")
    assert await chat.process.wait() == 0
    talk = Actor("session", chat.shown.rpartition("--session ")[2].partition("`")[0])
    events = await system.journal.load(talk)
    (confirmed,) = (event for event in events if isinstance(event.data, session.Confirmed))
    assert confirmed.principal.startswith("user:")
