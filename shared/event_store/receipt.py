"""The receipt of a result: which events it rests on, so that anybody who has the log can check it (pure).

An actor's events are a chain of hashes, so the hash of the last one stands for all before it. The range's hash is that
of the hashes of all events of the task, its plan and its run in the order of the log.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec

from shared.contracts import plan, reply, run, task
from shared.contracts.messages import digest_of
from shared.contracts.subjects import Actor
from shared.event_store.envelope import RecordedEvent
from shared.event_store.journal import Head, LogDamaged, checked

KINDS: Final = ("task", "plan", "run")
"""The actors of a task whose events a result rests on."""
INFO: Final = "json"
_BLOCK: Final = re.compile(r"^(`{3,})[^\n]*\n(\{\s*\"journeyman_receipt\".*?)\n\1\s*$", re.MULTILINE | re.DOTALL)


class BadReceipt(ValueError):
    """The text holds no receipt that this version can read; the sentence says what is wrong."""


class Last(msgspec.Struct, frozen=True, kw_only=True):
    """An actor's newest event: its own version and its hash."""

    sequence: int
    hash: str


class Range(msgspec.Struct, frozen=True, kw_only=True):
    """Positions in the log, how many events of the task lie there, and the hash over theirs."""

    first: int
    last: int
    count: int
    hash: str


class ApprovedBy(msgspec.Struct, frozen=True, kw_only=True):
    """The plan that was approved, and by whom."""

    version: int
    digest: str
    approver: str


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """What a published commit rests on. ``journeyman_receipt`` is the version of this shape."""

    journeyman_receipt: int = 1
    task: str
    repo: str
    commit: str
    tree: str
    base: str
    evidence: str = ""
    events: dict[str, Last]
    range: Range
    plan: ApprovedBy | None = None


def receipt_of(
    story: Mapping[str, Sequence[RecordedEvent]], *, repo: str, commit: str, tree: str, base: str, evidence: str = ""
) -> Receipt:
    """The receipt for a commit; ``story`` has the events of each of the `KINDS`."""
    known = [each for kind in KINDS for each in story.get(kind, ())]
    return Receipt(
        task=known[0].actor.id,
        repo=repo,
        commit=commit,
        tree=tree,
        base=base,
        evidence=evidence,
        events={
            kind: Last(sequence=story[kind][-1].sequence, hash=story[kind][-1].hash)
            for kind in KINDS
            if story.get(kind)
        },
        range=_range_of(known),
        plan=_approval(story.get("task", ())),
    )


def read_receipt(text: str) -> Receipt:
    """The receipt in a text, such as that of a pull request, or the text itself. Raises `BadReceipt`."""
    found = _BLOCK.search(text.replace("\r\n", "\n"))
    try:
        receipt = msgspec.json.decode((found[2] if found else text).encode(), type=Receipt)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        what = "The receipt cannot be read" if found else "There is no receipt in it"
        raise BadReceipt(f"{what} ({error}).") from error
    if receipt.journeyman_receipt != 1:
        raise BadReceipt(f"The receipt has version {receipt.journeyman_receipt}, and this program reads 1: upgrade it.")
    return receipt


def write_receipt(receipt: Receipt) -> str:
    """The receipt as JSON that people can read."""
    return msgspec.json.format(msgspec.json.encode(receipt), indent=2).decode()


def problems_of(receipt: Receipt, events: Iterable[RecordedEvent]) -> list[str]:
    """What in the log does not agree with the receipt, as sentences; ``events`` are those of its task in any order."""
    story: dict[str, list[RecordedEvent]] = {}
    published: list[reply.Posted] = []
    for event in sorted(events, key=lambda each: each.position):
        if isinstance(event.data, reply.Posted):
            published.append(event.data)
        if event.kind in KINDS and event.actor.id == receipt.task and event.position <= receipt.range.last:
            story.setdefault(event.kind, []).append(event)
    problems = [*_of_the_chains(receipt, story), *_of_the_plan(receipt, story), *_of_the_work(receipt, story)]
    if published and receipt.commit not in {each.commit for each in published}:
        problems.append(f"The log says of no publication that it published commit {receipt.commit}.")
    return problems


def _of_the_chains(receipt: Receipt, story: Mapping[str, list[RecordedEvent]]) -> Iterable[str]:
    for kind in sorted(set(receipt.events) | set(story)):
        events = story.get(kind, [])
        said = receipt.events.get(kind)
        try:
            checked(Actor(kind, receipt.task), events, Head())
        except LogDamaged as damage:
            yield str(damage)
            continue
        if said is None:
            yield f"The receipt does not speak of the {len(events)} events of the {kind}."
        elif not events or (events[-1].sequence, events[-1].hash) != (said.sequence, said.hash):
            yield f"The log's event {said.sequence} of the {kind} is not the one that the receipt names."
    known = [each for kind in KINDS for each in story.get(kind, ())]
    if not known or _range_of(known) != receipt.range:
        yield "The events of the task in that range of the log have another hash than the receipt says."


def _of_the_plan(receipt: Receipt, story: Mapping[str, list[RecordedEvent]]) -> Iterable[str]:
    if _approval(story.get("task", ())) != receipt.plan:
        yield "The log's last approval is not the one that the receipt names."
    for event in story.get("plan", ()):
        match event.data:
            case plan.Proposed(version=version, digest=digest, markdown=markdown) if digest != digest_of(markdown):
                yield f"The text of plan {version} does not have the hash that the plan names."


def _of_the_work(receipt: Receipt, story: Mapping[str, list[RecordedEvent]]) -> Iterable[str]:
    for event in reversed(story.get("run", [])):
        match event.data:
            case run.Succeeded(tree=tree, evidence=evidence) if tree == receipt.tree:
                break
            case run.Failed(result=run.KeptResult(tree=tree), evidence=evidence) if tree == receipt.tree:
                break
            case run.Stopped(result=run.KeptResult(tree=tree)) if tree == receipt.tree:
                evidence = None
                break
    else:
        yield f"No run of the task has made the tree {receipt.tree}."
        return
    if receipt.evidence and evidence is not None and receipt.evidence != evidence:
        yield f"The run's evidence is {evidence}, and the receipt says {receipt.evidence}."


def _approval(story: Sequence[RecordedEvent]) -> ApprovedBy | None:
    for event in reversed(story):
        if isinstance(event.data, task.Approved):
            approved = event.data.plan
            return ApprovedBy(version=approved.version, digest=approved.digest, approver=event.principal)
    return None


def _range_of(events: Iterable[RecordedEvent]) -> Range:
    in_order = sorted(events, key=lambda each: each.position)
    digest = hashlib.sha256("\n".join(each.hash for each in in_order).encode()).hexdigest()
    return Range(first=in_order[0].position, last=in_order[-1].position, count=len(in_order), hash=digest)
