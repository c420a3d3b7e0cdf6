from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from services.gateway.live.render import MAX_TEXT_CHARS, line_of, shorten, show_event, show_output
from shared.contracts import plan, run, task
from shared.contracts.kinds import kind_of
from shared.contracts.messages import Event, name_of
from shared.contracts.subjects import Actor, event_subject
from shared.contracts.usage import ModelUsage
from shared.event_store.envelope import MessageMetadata, encode_event


def shown(event: Event) -> list[dict[str, Any]]:
    actor = Actor(kind_of(event), "T1")
    metadata = MessageMetadata(id="e", source="test", time=datetime(2026, 1, 2, tzinfo=UTC), principal="user:ada")
    body = encode_event(actor, event, sequence=1, prevhash="", metadata=metadata)
    found = show_event(event_subject(actor, name_of(event)), body, 7)
    assert found is not None
    assert (found.seq, found.keys) == (7, ("*", "T1"))
    return [json.loads(frame) for frame in found.frames]


@pytest.mark.parametrize(
    ("event", "type"),
    [
        (task.Submitted(title="t", text="x", source=task.Source(kind="api")), "task.created"),
        (task.Approved(plan=task.ApprovedPlan(version=1, digest="d", base_commit="c")), "task.updated"),
        (task.Completed(summary="s"), "task.completed"),
        (task.Failed(stage="planning", code="c", message="m"), "task.failed"),
        (plan.Failed(attempt=1, code="c", message="m"), "task.updated"),
    ],
)
def test_an_event_is_news_of_its_task(event: Event, type: str) -> None:
    frame = shown(event)[0]
    assert frame["type"] == type
    assert (frame["seq"], frame["task_id"], frame["kind"], frame["event"]) == (7, "T1", kind_of(event), name_of(event))
    assert (frame["time"], frame["principal"]) == ("2026-01-02T00:00:00Z", "user:ada")


def test_usage_is_news_of_its_own_and_the_agent_is_idle_again() -> None:
    usage = (ModelUsage(model="m", input_tokens=2, output_tokens=3, cost_microusd=5),)
    frames = shown(run.Succeeded(round=1, attempt=1, summary="s", usage=usage, duration_ms=9))
    assert frames[1] == {
        "type": "task.metrics", "seq": 7, "task_id": "T1", "cost_microusd": 5, "tokens": 5, "duration_ms": 9
    }  # fmt: skip
    assert frames[2] == {"type": "agent.status", "seq": 7, "agent": "executor", "status": "idle", "task_id": "T1"}


def test_an_agent_that_takes_work_is_busy() -> None:
    frames = shown(plan.Claimed(draft=1, attempt=1, worker="w", session="s"))
    assert frames[-1]["status"] == "busy"


@pytest.mark.parametrize(
    "event",
    [
        task.Paused(stage="triage", code="c", message="m", until=datetime(2026, 1, 2, tzinfo=UTC), tries=1),
        task.Failed(stage="triage", code="c", message="m"),
        task.Cancelled(reason="Enough."),
    ],
)
def test_the_brain_is_idle_when_triage_ends_without_a_verdict(event: Event) -> None:
    assert shown(event)[-1] == {
        "type": "agent.status", "seq": 7, "agent": "brain", "status": "idle", "task_id": "T1"
    }  # fmt: skip


def test_long_texts_are_cut_and_long_lists_too() -> None:
    cut = shorten({"text": "x" * 10_000, "items": list(range(1000)), "deep": [[[[[[[1]]]]]]], "number": 5})
    assert len(cut["text"]) == MAX_TEXT_CHARS + 1
    assert len(cut["items"]) == 100
    assert cut["number"] == 5


def test_an_output_line_is_handed_on_as_it_is() -> None:
    found = show_output("out.run.T1", b'{"type":"assistant","n":1}', 3)
    assert found.keys == ("T1",)
    assert json.loads(found.frames[0]) == {
        "type": "task.output", "seq": 3, "task_id": "T1", "actor": "run", "chunk": {"type": "assistant", "n": 1}
    }  # fmt: skip


@pytest.mark.parametrize("line", [b"", b"{", b"plain", b"\xff", b'{"a":1} {"b":2}', b"[1]", b"[" * 10_000])
def test_an_odd_line_is_wrapped(line: bytes) -> None:
    assert json.loads(bytes(line_of(line)))["type"] == "text"
