"""The brain is killed while it answers and proposes: each message has one answer, each proposal is there once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from shared.contracts import session
from shared.contracts.ids import new_task_id
from shared.contracts.subjects import Actor
from shared.event_store.envelope import RecordedEvent
from shared.runtime.client import Client
from testing.crash_points import Point
from testing.eventually import eventually
from testing.service_group import Member, ServiceGroup
from tests.fault.crash.on_github import ACK_WAIT_S, WITHIN_S
from tests.fault.crash.verdict import Deaths, Verdict

TALK: Final = Actor("session", "talk")
WORDS: Final = ("Tell me\n\ndemo: slow-stream 1", "Propose a note about bills", "What tasks are there?")
PERSON: Final = "github:ada"
"""Somebody whose right was looked at before; the brain here knows no people."""


async def answering(points: Sequence[Point], folder: Path) -> Verdict:
    """Three messages and what is proposed in them, whatever dies on the way."""
    deaths = Deaths(points, folder)
    problems: list[str] = []
    async with ServiceGroup(folder, ack_wait_s=ACK_WAIT_S, checks=()) as group:
        brain = group.add("brain", **deaths.environment)
        await brain.start(keep=True)
        await group.start("projector")
        client = Client(group.bus, source="test")
        for message in WORDS:
            ask = session.Ask(message_id=new_task_id(), message=message, author=PERSON)
            await client.send(TALK, ask, principal=PERSON, timeout=WITHIN_S)
        try:
            await eventually(lambda: _all_ended(group), within=WITHIN_S)
            await eventually(lambda: _check(brain) and deaths.over, within=30.0)
            await eventually(lambda: group.left_over() == [], within=30.0)
        except AssertionError as error:
            problems.append(f"not in time: {error}")
        await brain.stop()
        story = await group.journal.load(TALK)
        ends = _ends(story)
        if [type(each) for each in ends] != [session.Answered] * len(WORDS):
            problems.append(f"the answers are {ends}")
        if len({each.message_id for each in ends}) != len(ends):
            problems.append("a message was answered twice")
        if (proposed := sum(isinstance(each.data, session.Proposed) for each in story)) != 1:
            problems.append(f"{proposed} proposals were made")
    return Verdict(died_at=deaths.happened, problems=problems)


async def _all_ended(group: ServiceGroup) -> bool:
    return len(_ends(await group.journal.load(TALK))) >= len(WORDS)


def _ends(story: Iterable[RecordedEvent]) -> list[session.Answered | session.Failed | session.Interrupted]:
    kinds = session.Answered | session.Failed | session.Interrupted
    return [each.data for each in story if isinstance(each.data, kinds)]


def _check(member: Member) -> bool:
    member.check()
    return True
