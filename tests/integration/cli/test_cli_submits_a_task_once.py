"""A task that is submitted again because no answer came is one task."""

from __future__ import annotations

import re
from pathlib import Path

from shared.nats.bus import Bus
from shared.nats.direct import get_batch
from shared.nats.streams import EVENTS
from testing.command_line import Run
from testing.nats import Nats
from tests.integration.gateway.gateway_process import ServiceProcess


async def test_a_submit_without_an_answer_tells_its_key_and_the_key_opens_the_same_task(
    journeyman: Run, nats_server: Nats, bus: Bus, tmp_path: Path
) -> None:
    there = {"JOURNEYMAN_NATS_URL": nats_server.url}
    unanswered = await journeyman("task", "submit", "Mend it", **there)
    assert unanswered.code == 1
    told = re.search(r"--idempotency-key (\S+),", " ".join(unanswered.err.split()))
    assert told is not None, unanswered.err
    again = ("task", "submit", "Mend it", "--idempotency-key", told.group(1), "--json")
    async with ServiceProcess("brain", nats_server.url, tmp_path / "brain"):
        answers = [await journeyman(*again, **there) for _ in range(2)]
        assert [answer.code for answer in answers] == [0, 0], answers
        other = await journeyman("task", "submit", "Mend this", "--idempotency-key", told.group(1), **there)
    opened = await get_batch(bus, EVENTS, "evt.task.*.submitted", start=1, limit=10)
    assert {answer.json["id"] for answer in answers} == {message.subject.split(".")[2] for message in opened.messages}
    assert len(opened.messages) == 1
    assert other.code == 1
    assert "another request" in other.err


async def test_a_key_that_is_none_is_refused(journeyman: Run, nats_server: Nats) -> None:
    ended = await journeyman(
        "task", "submit", "Mend it", "--idempotency-key", "a b", JOURNEYMAN_NATS_URL=nats_server.url
    )
    assert ended.code == 1
    assert "1 to 255" in ended.err


async def test_a_text_without_a_visible_character_is_refused(journeyman: Run, nats_server: Nats) -> None:
    ended = await journeyman("task", "submit", "\u200b\u200b", JOURNEYMAN_NATS_URL=nats_server.url)
    assert ended.code == 1
    assert "say what is to be done" in " ".join(ended.err.split())
