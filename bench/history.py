"""A log as months of use leave it: made-up tasks with everything that happens to them, interleaved, chained by hash.

Each story comes to 26 events or so: one delivery in full, the task, its plan, a run with checkpoints, the publication;
one in ten is told twice (failed and tried again), one in twenty is stopped.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec

from bench.payload import issue_opened
from shared.contracts import delivery, plan, reply, run, task
from shared.contracts.evidence import Check
from shared.contracts.ids import derived_id, derived_task_id
from shared.contracts.kinds import kind_of
from shared.contracts.messages import ArtifactRef, Event, digest_of, name_of
from shared.contracts.subjects import Actor, event_subject
from shared.contracts.usage import ModelUsage
from shared.event_store.envelope import MessageMetadata, encode_event, hash_of

ACTIVE: Final = 24
"""Stories that go on at the same time."""
BEGAN: Final = datetime(2026, 1, 1, tzinfo=UTC)
REPO: Final = "octo-shop/storefront"
BASE: Final = "c0ffee00" * 5
_PLAN: Final = (
    "# Goal\nThe total at the bottom of an invoice is the sum of its lines as shown.\n\n"
    "# Files\n- `shop/invoice.py`: sum the discounted amounts\n- `tests/test_invoice.py`: the case of the issue\n\n"
    "# Steps\n1. Reproduce with a test.\n2. Sum `line.amount` and not `line.price`.\n3. Run the checks.\n\n"
) * 5
_TEXT: Final = "When an order has a discount on a single line, the total is computed from the list prices. " * 10


class Published(msgspec.Struct, frozen=True):
    """One message for the log."""

    subject: str
    body: bytes


def history(count: int, *, seed: int) -> Iterator[Published]:
    """The first ``count`` events of a log; the same seed gives the same log."""
    chance = random.Random(seed)
    heads: dict[Actor, tuple[int, str]] = {}
    stories: list[tuple[str, Iterator[Event]]] = []
    numbers = itertools.count(1)
    for position in range(count):
        at = BEGAN + timedelta(seconds=20 * position)
        while len(stories) < ACTIVE:
            number, opened_ms = next(numbers), int(at.timestamp() * 1000)
            id = derived_task_id(opened_ms, f"github:{REPO}#{number}")
            stories.append((id, _story(number, opened_ms, chance)))
        chosen = chance.randrange(len(stories))
        id, story = stories[chosen]
        event = next(story)
        if isinstance(event, (task.Completed, task.Cancelled)):
            stories.pop(chosen)
        kind = kind_of(event)
        # A delivery's actor has an id of its own; the others share the task's.
        actor = Actor(kind, derived_id("delivery", id) if kind == "delivery" else id)
        sequence, prevhash = heads.get(actor, (0, ""))
        metadata = MessageMetadata(
            id=derived_id(str(actor), str(position)),
            source="journeyman/bench",
            time=at,
            principal="github:ada" if kind == "delivery" else f"service:{kind}",
            causation_id=derived_id("cause", str(position)),
            correlation_id=id,
        )
        body = encode_event(actor, event, sequence=sequence + 1, prevhash=prevhash, metadata=metadata)
        heads[actor] = (sequence + 1, hash_of(body))
        yield Published(event_subject(actor, name_of(event)), body)


def _story(number: int, opened_ms: int, chance: random.Random) -> Iterator[Event]:
    """Everything that happens to one task, in order."""
    title = f"Invoice {number}: the total ignores the discount of a single line"
    yield _delivery(number, title, opened_ms)
    yield task.Submitted(
        title=title,
        text=_TEXT,
        source=task.Source(kind="github", reference=f"{REPO}#{number}", author="ada"),
        repo=REPO,
    )
    yield task.TriageRequested(attempt=1)
    yield task.Triaged(
        attempt=1, verdict=task.Verdict.PLAN, decided_by="model", reason="A wrong sum, with steps to see it.",
        title=title, work_kind="bug", risk="low", repo=REPO, base_commit=BASE, usage=_usage(chance, "claude-haiku"),
    )  # fmt: skip
    yield task.PlanningRequested(repo=REPO, base_commit=BASE, title=title, text=_TEXT)
    yield plan.DraftingStarted(draft=1, repo=REPO, base_commit=BASE, title=title, text=_TEXT, cause=4)
    yield plan.Claimed(draft=1, attempt=1, worker="planner-1:77", session=derived_id("session", str(number)))
    markdown = f"{_PLAN}\nInvoice {number}."
    digest = digest_of(markdown)
    yield plan.Proposed(
        version=1, digest=digest, base_commit=BASE, markdown=markdown, summary="Sum the amounts of the lines.",
        attempt=1, usage=_usage(chance, "claude-sonnet"), duration_ms=chance.randrange(20_000, 90_000),
    )  # fmt: skip
    approved = task.ApprovedPlan(version=1, digest=digest, base_commit=BASE)
    yield task.PlanReady(version=1, digest=digest, base_commit=BASE, summary="Sum the amounts of the lines.", cause=3)
    if chance.random() < 0.05:
        yield task.Cancelled(reason="not worth it")
    yield task.Approved(plan=approved)
    rounds = 2 if chance.random() < 0.1 else 1
    for round in range(1, rounds + 1):
        yield task.ExecutionRequested(round=round, repo=REPO, base_commit=BASE, title=title, text=_TEXT, plan=approved)
        yield from _work(number, round, title, approved, chance)
        if round < rounds:
            yield run.Failed(
                round=round, attempt=round, code="checks-failed", message="The checks fail: see their output.",
                checks=(_check(1),), duration_ms=90_000, usage=_usage(chance, "claude-sonnet"),
            )  # fmt: skip
            yield task.Failed(stage="executing", code="checks-failed", message="The checks fail.", cause=round * 9)
            yield task.Retried(stage="executing")
    yield from _ending(number, rounds, chance)


def _work(number: int, round: int, title: str, approved: task.ApprovedPlan, chance: random.Random) -> Iterator[Event]:
    yield run.Requested(
        round=round, repo=REPO, base_commit=BASE, title=title, text=_TEXT, plan=approved, cause=7 + round
    )
    yield run.Claimed(round=round, attempt=round, worker="executor-1:78", session=derived_id("run", str(number)))
    yield run.Started(attempt=round, cli_version="2.1.187", model="claude-sonnet")
    for turn in range(1, chance.randrange(4, 9)):
        yield run.Checkpointed(
            attempt=round,
            turn=turn,
            commit=digest_of(f"{number}/{round}/{turn}")[:40],
            transcript=_artifact(f"transcript.{number}.{round}.{turn}"),
            usage=_usage(chance, "claude-sonnet"),
        )


def _ending(number: int, attempt: int, chance: random.Random) -> Iterator[Event]:
    commit, branch = digest_of(f"commit {number}")[:40], f"journeyman/invoice-{number}"
    bundle = _artifact(f"bundle.{number}")
    yield run.Succeeded(
        round=attempt, attempt=attempt, summary="The total is the sum of the lines as shown, with a test.",
        commit=commit, branch=branch, bundle=bundle, checks=(_check(0),), turns=7,
        files=(run.FileChange(path="shop/invoice.py", added=4, removed=2),
               run.FileChange(path="tests/test_invoice.py", added=21, removed=0)),
        duration_ms=chance.randrange(30_000, 300_000), usage=_usage(chance, "claude-sonnet"),
        diff=_artifact(f"diff.{number}"),
    )  # fmt: skip
    yield task.RunSucceeded(
        attempt=attempt, repo=REPO, base_commit=BASE, commit=commit, branch=branch, summary="Done.", bundle=bundle,
        cause=attempt * 9 + 3,
    )  # fmt: skip
    effect = reply.branch_effect(attempt)
    yield reply.Requested(
        effect=effect, repo=REPO, base_commit=BASE, commit=commit, branch=branch, bundle=bundle, cause=9
    )
    yield reply.Claimed(effect=effect, attempt=1, worker="gateway-1:79")
    yield reply.Posted(effect=effect, attempt=1, commit=commit, branch=branch)
    yield task.Completed(summary="The total is the sum of the lines as shown.", commit=commit, branch=branch)


def _delivery(number: int, title: str, opened_ms: int) -> Event:
    body = issue_opened(number, text=_TEXT)
    signal = delivery.Signal(
        kind=delivery.SignalKind.WORK, thread=f"github:{REPO}#{number}", opened_at_ms=opened_ms, title=title,
        text=_TEXT, repo=REPO, url=f"https://github.com/{REPO}/issues/{number}", author="ada", trusted=True,
    )  # fmt: skip
    return delivery.Accepted(
        webhook="github", event="issues", action="opened", delivery=derived_id("github", str(number)), signal=signal,
        body_sha256=hash_of(body), body_size=len(body), body=msgspec.Raw(body),
    )  # fmt: skip


def _usage(chance: random.Random, model: str) -> tuple[ModelUsage, ...]:
    return (
        ModelUsage(
            model=model,
            input_tokens=chance.randrange(100, 4_000),
            output_tokens=chance.randrange(100, 2_000),
            cache_read_tokens=chance.randrange(5_000, 60_000),
            cost_microusd=chance.randrange(2_000, 80_000),
        ),
    )


def _check(exit_code: int) -> Check:
    return Check(
        command="python -m pytest -q", exit_code=exit_code, duration_ms=1840, output_tail="41 passed in 1.62s\n" * 8
    )


def _artifact(name: str) -> ArtifactRef:
    return ArtifactRef(name=name, sha256=digest_of(name), size=4096)
