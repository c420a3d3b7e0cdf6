"""The parts that texts for people on GitHub are made of: who, how long, what was checked (pure)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

from services.gateway.outbound.defused import code, one_line
from shared.contracts.evidence import Check, NoteKind
from shared.contracts.queries import PlanVersion, RunAttempt, TaskDetail
from shared.contracts.sentences.words import counted, verdict_of

MAX_TEXT: Final = 65_536
"""Code units of a comment or of a pull request's text; GitHub refuses longer ones."""
MAX_CHECKS: Final = 30
MAX_NOTES: Final = 10
MAX_FAILING_LINES: Final = 10
_NAME: Final = re.compile(r"\A\s*#{1,3}[ \t]+(?:the[ \t]+)?plan[ \t]*:?[ \t]*#*[ \t]*\n+", re.IGNORECASE)
_WARNINGS: Final = frozenset({NoteKind.JUDGE_CHANGED, NoteKind.SETUP_FAILED, NoteKind.FEWER_TESTS})


def marker(task_id: str, effect: str) -> str:
    """What a text of ours begins with, unseen: by it the text is found again."""
    return f"<!-- journeyman:{task_id}:{effect} -->"


def who(principal: str) -> str:
    """A person by the name that others know, without calling that person; of our own parts ``the policy``."""
    kind, _, name = principal.rpartition(":")
    match kind:
        case "service":
            return "the policy"
        case "github" | "":
            return one_line(name, 60)
        case _:
            return f"{one_line(name, 60)} ({one_line(kind, 20)})"


def lasted(ms: int) -> str:
    """A duration as people say it: ``0.4 s``, ``3 min 20 s``, ``2 h 5 min``."""
    seconds = ms / 1000
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, left = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {left} s" if left else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def money(microusd: int) -> str:
    """Micro-dollars in cents, as people read them: ``$0.12``, ``less than $0.01``."""
    return f"${microusd / 1_000_000:.2f}" if microusd >= 10_000 else "less than $0.01"


def evidence(run: RunAttempt) -> str:
    """What our own executor observed of a result: a sentence, a table of the checks, and what a person should know."""
    parts = [one_line(run.observed, 600)] if run.observed else []
    if run.setup or run.checks:
        parts.append(_table([*(("set-up", each) for each in run.setup), *(("check", each) for each in run.checks)]))
    if notes := [_note(each.kind, each.sentence) for each in run.notes[:MAX_NOTES]]:
        parts.append("\n".join(notes))
    if failing := list(_failing(run.checks)):
        parts.append("\n".join(failing))
    return "\n\n".join(parts)


def files_changed(run: RunAttempt) -> str:
    """``3 files, +40 −2``."""
    added = sum(max(0, each.added) for each in run.files)
    removed = sum(max(0, each.removed) for each in run.files)
    return f"{counted(len(run.files), 'file')}, +{added} −{removed}" if run.files else ""


def footer(task: TaskDetail, *, public_url: str, duration_ms: int = 0) -> str:
    """Cost, duration, who asked, and where all of it can be read."""
    spent = f"{money(task.cost_microusd)} at list price" if task.cost_microusd else ""
    asked = f"asked for by {who(task.requester)}" if task.requester else ""
    where = f"[the whole story]({public_url.rstrip('/')}/tasks/{task.id})" if public_url else ""
    facts = [spent, lasted(duration_ms) if duration_ms else "", asked, where or f"task {code(task.id)}"]
    return f"<sub>{' · '.join(each for each in facts if each)}</sub>"


def plan_heading(plan: PlanVersion) -> str:
    """``Plan v2 `3fa94c11` ``, and who approved it."""
    approved = f", approved by {who(plan.approved_by)}" if plan.approved_by else ""
    return f"Plan v{plan.version} {code(plan.digest[:8])}{approved}"


def without_its_name(plan: str) -> str:
    """A plan's text without a first heading that says no more than that it is one."""
    return _NAME.sub("", plan, count=1)


def claimed(words: str) -> str:
    """What an agent says of its work, which reads like what we have seen of it unless it is said who says so."""
    return f"**The agent says:**\n\n{words}" if words.strip() else ""


def folded(summary: str, body: str) -> str:
    """A part that opens at a click. ``summary`` is our own text."""
    return f"<details><summary>{_as_html(summary)}</summary>\n\n{body}\n\n</details>"


def _as_html(markdown: str) -> str:
    """A summary's code span as HTML: GitHub reads no Markdown there."""
    pieces = markdown.split("`")
    return "".join(f"<code>{piece}</code>" if index % 2 else piece for index, piece in enumerate(pieces))


def _table(checks: Sequence[tuple[str, Check]]) -> str:
    rows = ["| | Command | Verdict | Exit | Time | Log (SHA-256) |", "|---|---|---|---:|---:|---|"]
    rows += [
        f"| {what} | {code(check.command, 120)} | {verdict_of(check)} | {check.exit_code} "
        f"| {lasted(check.duration_ms)} | {code(check.output_sha256[:12]) or '–'} |"
        for what, check in checks[:MAX_CHECKS]
    ]
    more = len(checks) - MAX_CHECKS
    return "\n".join([*rows, f"\n… and {more} more."] if more > 0 else rows)


def _note(kind: NoteKind, sentence: str) -> str:
    return f"- {'**Look at this:** ' if kind in _WARNINGS else ''}{one_line(sentence, 400)}"


def _failing(checks: Iterable[Check]) -> Iterable[str]:
    for check in checks:
        for name in check.new_failures[:MAX_FAILING_LINES]:
            yield f"- fails anew: {code(name, 200)}"
        if more := len(check.new_failures[MAX_FAILING_LINES:]):
            yield f"- … and {more} more that fail anew"
        for name in check.flaky[:MAX_FAILING_LINES]:
            yield f"- flaky, so not blamed: {code(name, 200)}"
