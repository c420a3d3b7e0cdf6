"""The demonstration's webhook is what GitHub would send, as the gateway reads it."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from cli.demo.webhook import Issue
from services.brain.policy import ReactionPolicy as BrainPolicy
from services.brain.reactions import reactions
from services.gateway.inbound import github
from shared.contracts.delivery import Accepted, Signal
from shared.contracts.subjects import Actor
from shared.contracts.task import Submit
from shared.event_store.envelope import RecordedEvent
from shared.ops.config import Config

ISSUE = Issue(repo="journeyman/demo", number=7, opened=datetime(2026, 11, 22, 9, 0, tzinfo=UTC))


def signal() -> Signal:
    meaning = github.read("issues", msgspec.json.encode(ISSUE.payload()), Config()).meaning
    assert isinstance(meaning, Signal)
    return meaning


def test_the_gateway_takes_it_for_work_of_a_trusted_author() -> None:
    assert (signal().repo, signal().author, signal().trusted) == ("journeyman/demo", "octocat", True)
    assert "split_evenly" in signal().title


def test_the_task_id_is_known_before_the_task_is() -> None:
    accepted = Accepted(
        webhook="github",
        event="issues",
        action="opened",
        delivery="d",
        signal=signal(),
        body_sha256="",
        body_size=2,
        body=msgspec.Raw(b"{}"),
    )
    event = RecordedEvent(
        actor=Actor("delivery", "d"),
        name="accepted",
        data=accepted,
        position=1,
        sequence=1,
        id="e",
        time=ISSUE.opened,
        causation_id="",
        correlation_id="",
        principal="github:octocat",
        traceparent="",
        previous_hash="",
        hash="",
        raw=b"",
    )
    (command,) = reactions(BrainPolicy())(event)
    assert isinstance(command, Submit)
    assert command.id == ISSUE.task_id
