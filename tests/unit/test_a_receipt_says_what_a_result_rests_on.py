from __future__ import annotations

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from shared.contracts import plan, reply, run, task
from shared.contracts.evidence import Evidence
from shared.contracts.messages import Event, digest_of
from shared.contracts.subjects import Actor
from shared.event_store.envelope import MessageMetadata, RecordedEvent, utc_now
from shared.event_store.in_memory import MemoryJournal
from shared.event_store.journal import Head, head_of
from shared.event_store.receipt import BadReceipt, Receipt, problems_of, read_receipt, receipt_of, write_receipt
from testing.recorded import TASK_ID
from testing.stories import APPROVED_PLAN, BASE, PLAN_READY, SUBMITTED

PLAN = "# Plan 1"
COMMIT, TREE = "c1" * 20, "d2" * 20


async def story(*, markdown: str = PLAN, approver: str = "github:grace") -> list[RecordedEvent]:
    """A task from its wish to its published result."""
    journal = MemoryJournal()
    proposed = plan.Proposed(
        version=1, digest=digest_of(PLAN), base_commit=BASE, markdown=markdown, summary="s", attempt=1
    )
    done = run.Succeeded(round=1, attempt=1, summary="s", commit=COMMIT, tree=TREE, evidence=Evidence.VERIFIED)
    posted = reply.Posted(effect="branch/1", attempt=1, commit=COMMIT, branch="b", pull_request=12)
    told: list[tuple[str, Event, str]] = [
        ("task", SUBMITTED, "github:ada"),
        ("plan", proposed, "service:planner"),
        ("task", PLAN_READY, "service:brain"),
        ("task", task.Approved(plan=APPROVED_PLAN), approver),
        ("run", done, "service:executor"),
        ("reply", posted, "service:gateway"),
        ("task", task.Completed(summary="s"), "service:brain"),
    ]
    heads: dict[str, Head] = {}
    for index, (kind, event, principal) in enumerate(told):
        metadata = MessageMetadata(
            id=f"e{index}", source="test", time=utc_now(), principal=principal, causation_id=f"c{index}"
        )
        made = await journal.append(Actor(kind, TASK_ID), event, expected=heads.get(kind, Head()), metadata=metadata)
        heads[kind] = head_of(made)
    return journal.log


def receipt_for(log: list[RecordedEvent]) -> Receipt:
    """As the gateway writes it: before the publication is told, and what comes after it."""
    before = [each for each in log if each.kind != "reply" and not isinstance(each.data, task.Completed)]
    by_kind = {kind: [each for each in before if each.kind == kind] for kind in ("task", "plan", "run")}
    return receipt_of(by_kind, repo="octo/app", commit=COMMIT, tree=TREE, base=BASE, evidence="verified")


async def test_a_true_receipt_agrees_with_the_log_that_has_gone_on() -> None:
    log = await story()
    receipt = receipt_for(log)
    assert problems_of(receipt, log) == []
    assert (receipt.range.first, receipt.range.last, receipt.range.count) == (1, 5, 5)
    assert receipt.plan is not None and receipt.plan.approver == "github:grace"
    assert read_receipt(write_receipt(receipt)) == receipt


@pytest.mark.parametrize(
    ("forge", "says"),
    [
        (lambda r: replace(r, commit="f" * 40), "no publication"),
        (lambda r: replace(r, tree="f" * 40), "has made the tree"),
        (lambda r: replace(r, evidence="failing"), "evidence is verified"),
        (lambda r: replace(r, plan=replace(r.plan, approver="github:eve")), "last approval"),
        (lambda r: replace(r, plan=None), "last approval"),
        (lambda r: replace(r, range=replace(r.range, hash="0" * 64)), "another hash"),
        (lambda r: replace(r, events={**r.events, "run": replace(r.events["run"], hash="0" * 64)}), "of the run"),
        (lambda r: replace(r, events={"task": r.events["task"]}), "does not speak of"),
    ],
)
async def test_a_receipt_that_says_otherwise_is_found_out(forge: Callable[[Receipt], Receipt], says: str) -> None:
    log = await story()
    problems = problems_of(forge(receipt_for(log)), log)
    assert any(says in problem for problem in problems)
    assert all(problem.endswith(".") for problem in problems)


async def test_a_log_that_was_changed_is_found_out() -> None:
    receipt = receipt_for(await story())
    assert problems_of(receipt, await story(approver="github:eve"))
    assert problems_of(receipt, await story(markdown="# Another"))
    assert problems_of(receipt, (await story())[1:])
    assert problems_of(receipt, [])


def test_what_is_no_receipt_says_so() -> None:
    with pytest.raises(BadReceipt, match="no receipt in it"):
        read_receipt("Just a text.")
    with pytest.raises(BadReceipt, match="cannot be read"):
        read_receipt('```json\n{\n  "journeyman_receipt": "x"\n}\n```')
