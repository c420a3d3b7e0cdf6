"""The title and the text of a task's pull request, and the message of its commit (pure)."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

from services.gateway.outbound.defused import CALLING, as_code, cut, defused, units
from services.gateway.outbound.parts import (
    MAX_TEXT,
    claimed,
    evidence,
    files_changed,
    folded,
    footer,
    marker,
    plan_heading,
    without_its_name,
)
from shared.contracts.queries import TaskDetail
from shared.event_store.receipt import INFO, Receipt, write_receipt
from shared.ops.known_secrets import without_secrets
from shared.ops.visible import visible
from shared.workspace.result_inspection import Signature

EFFECT: Final = "branch"
"""The effect in the mark of a pull request's text: there is one for all rounds of a task."""
MAX_TITLE: Final = 200
MAX_SUMMARY: Final = 12_000
MAX_EVIDENCE: Final = 20_000
MAX_PLAN: Final = 20_000
_ISSUE: Final = re.compile(r"/(?P<repo>[^/]+/[^/]+)/issues/(?P<number>\d+)")
_TRAILER: Final = re.compile(r"[A-Za-z][A-Za-z0-9-]*: .+")


def title(task: TaskDetail) -> str:
    """The task's title on one line. A squashed merge makes a commit's message of it, so it refers to nothing either."""
    line = " ".join(CALLING.sub(_named, without_secrets(visible(task.title))).split()) or "Work of an agent"
    return line if len(line) <= MAX_TITLE else f"{line[: MAX_TITLE - 1]}…"


def body(task: TaskDetail, receipt: Receipt, *, closes: int = 0, public_url: str = "", duration_ms: int = 0) -> str:
    """Summary, evidence, plan, receipt and cost, within GitHub's limit. ``closes`` is the issue that a merge closes."""
    run = task.run
    plan = task.plans[-1] if task.plans else None
    changed = files_changed(run) if run else ""
    proof = cut(evidence(run), MAX_EVIDENCE) if run else ""
    parts = [
        marker(task.id, EFFECT),
        claimed(cut(defused(task.summary or (run.summary if run else "")), MAX_SUMMARY)),
        f"Fixes #{closes}" if closes else "",
        f"### Evidence{f' ({changed})' if changed else ''}" if proof else changed,
        f"Observed of commit {receipt.commit[:12]}, and of no later one." if proof else "",
        proof,
        folded(plan_heading(plan), cut(defused(without_its_name(plan.markdown)), MAX_PLAN)) if plan else "",
        folded("Receipt: check it with `journeyman verify --receipt`", as_code(write_receipt(receipt), INFO)),
        footer(task, public_url=public_url, duration_ms=duration_ms),
    ]
    text = "\n\n".join(part for part in parts if part)
    assert units(text) <= MAX_TEXT, "the parts are bounded"
    return text


def issue_closed_by(task: TaskDetail, on_github: str) -> int:
    """The number of the issue that the task is about, where it is one of the same repository, else 0."""
    found = _ISSUE.fullmatch(urlsplit(task.source.url).path)
    is_same = found is not None and found["repo"].lower() == on_github.lower()
    return int(found["number"]) if found and is_same and task.source.kind == "github" else 0


def commit_message(message: str, co_author: Signature | None) -> str:
    """The message as it is published: nobody is called and no issue is closed by it; who asked for it is co-author."""
    said = CALLING.sub(_named, visible(message)).strip()
    if co_author is None:
        return said
    last = said.split("\n")[-1]
    between = "\n" if _TRAILER.fullmatch(last) else "\n\n"
    return f"{said}{between}Co-authored-by: {co_author.name} <{co_author.email}>"


def merge_message(branch: str, base: str) -> str:
    """The message of a merge that brings a branch up to date."""
    return commit_message(f"Merge {base[:12]} of the base branch into {branch}", None)


def _named(found: re.Match[str]) -> str:
    """``@ada`` as ``@ ada``, ``#7`` as ``# 7``: in a commit's message there is no code in which they would be left."""
    return re.sub(r"(@|#|GH-|gh-|/)(?=[A-Za-z0-9])", r"\1 ", found[0]) if "://" not in found[0] else _apart(found[0])


def _apart(address: str) -> str:
    return address.replace("://", ":// ").replace("@", "@ ")
