"""What the tests of the API share: a story told to a brain, and what the log holds then."""

from __future__ import annotations

import signal
from typing import Any

from shared.contracts import task
from shared.contracts.kinds import kind_of
from shared.contracts.messages import ArtifactRef, Event, digest_of
from shared.contracts.subjects import Actor
from shared.event_store.envelope import MessageMetadata, utc_now
from shared.event_store.journal import Head, head_of
from shared.nats.bus import Bus
from shared.nats.journal import NatsJournal
from testing.eventually import eventually
from tests.integration.gateway.gateway_process import ServiceProcess

BASE = "a" * 40
BUNDLE = ArtifactRef(name="bundle", sha256="0" * 64, size=1)
STEERING = ("approve", "reject", "stop", "retry", "input", "publish", "follow-up")
DIGEST = digest_of("# the plan")


async def waiting_plan(bus: Bus, task_id: str, *, brain: ServiceProcess | None = None) -> None:
    """A task that waits for the approval of its second plan."""
    story = [
        task.Submitted(title="t", text="x", source=task.Source(kind="api")),
        task.TriageRequested(attempt=1),
        task.Triaged(
            attempt=1,
            verdict=task.Verdict.PLAN,
            decided_by="rules",
            reason="r",
            title="t",
            work_kind="bug",
            risk="low",
            repo="demo",
            base_commit=BASE,
        ),
        task.PlanningRequested(repo="demo", base_commit=BASE, title="t", text="x"),
        task.PlanReady(version=1, digest=digest_of("older"), base_commit=BASE),
        task.RevisionRequested(version=1, feedback="f"),
        task.PlanReady(version=2, digest=DIGEST, base_commit=BASE),
    ]
    await history(bus, task_id, *story, brain=brain)


async def history(bus: Bus, task_id: str, *story: Event, brain: ServiceProcess | None = None) -> None:
    """The events of one actor that a test begins with; its service must not have it in memory yet.

    A running ``brain`` stands still meanwhile: it would take part in the story.
    """
    journal, head = NatsJournal(bus), Head()
    if brain is not None:
        brain.process.send_signal(signal.SIGSTOP)
    for number, event in enumerate(story):
        actor = Actor(kind_of(event), task_id)
        metadata = MessageMetadata(id=f"{actor}-{number}", source="test", time=utc_now(), principal="user:test")
        head = head_of(await journal.append(actor, event, expected=head, metadata=metadata))
    if brain is not None:
        brain.process.send_signal(signal.SIGCONT)


async def last_event(bus: Bus, kind: str, id: str) -> Any:
    return (await eventually(lambda: NatsJournal(bus).load(Actor(kind, id))))[-1]
