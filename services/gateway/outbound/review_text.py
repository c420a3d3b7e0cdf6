"""The texts of a review of ours: its body, and the comments at lines of the diff (pure).

What an agent has found is shown defused: it has read a stranger's pull request, and may repeat what stands there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from services.gateway.outbound.defused import as_code, code, cut, defused
from services.gateway.outbound.parts import MAX_TEXT, marker, money
from shared.contracts.reply import review_effect
from shared.contracts.review import Finding, Severity, Side
from shared.contracts.sentences.words import counted
from shared.contracts.task import ReviewWritten
from shared.contracts.usage import cost_of
from shared.ops.known_secrets import without_secrets
from shared.ops.visible import visible

MAX_AT_LINES: Final = 20
"""Comments at lines of one review: more are not read, and each is told to everybody who watches."""
MAX_COMMENT: Final = 8_000
"""Code units of a comment at a line."""
MAX_BODY: Final = MAX_TEXT - 1_000
_CUT: Final = "… cut here: the whole review is in its task."
_WORDS: Final = {Severity.HIGH: "High", Severity.MEDIUM: "Medium", Severity.LOW: "Low"}


class LineComment(msgspec.Struct, frozen=True, kw_only=True):
    """A comment at a line, as GitHub's API takes it."""

    path: str
    line: int
    side: str
    body: str


class ReviewText(msgspec.Struct, frozen=True, kw_only=True):
    """A whole review: what it says, and at which lines."""

    body: str
    comments: tuple[LineComment, ...]


def review_text(
    task_id: str, written: ReviewWritten, *, at_lines: bool = True, newer: str = "", public_url: str = ""
) -> ReviewText:
    """The review within GitHub's bounds. ``at_lines`` False has every finding in the body.

    ``newer`` is the commit that the pull request has moved on to, where it has.
    """
    placed = [each for each in written.findings if at_lines and _has_line(each)][:MAX_AT_LINES]
    others = [each for each in written.findings if not any(each is one for one in placed)]
    parts = [
        marker(task_id, review_effect(written.attempt)),
        _heading(written, len(placed), newer),
        defused(written.summary),
        *_listed(others, placed),
    ]
    if written.left_out:
        parts.append(f"{counted(written.left_out, 'further finding')} were less important, and are not shown.")
    footer = _footer(task_id, written, public_url)
    body = cut("\n\n".join(part for part in parts if part), MAX_BODY - len(footer), _CUT)
    return ReviewText(body=f"{body}\n\n{footer}", comments=tuple(map(_comment, placed)))


def _heading(written: ReviewWritten, placed: int, newer: str) -> str:
    review, number = written.review, len(written.findings)
    found = counted(number, "finding") if number else "nothing to object to"
    where = f", {placed} of them at {'its line' if placed == 1 else 'their lines'}" if 0 < placed < number else ""
    head = f"**Review of {code(review.head[:12])}** against {code(review.base, 100)}: {found}{where}."
    moved = f"\n\nThe pull request has moved on to {code(newer[:12])} since, which is not reviewed." if newer else ""
    return f"{head} It neither approves nor asks for changes.{moved}"


def _listed(findings: Sequence[Finding], placed: Sequence[Finding]) -> list[str]:
    """What stands at no line: it is about a file, about a line that the diff does not show, or one too many."""
    if not findings:
        return []
    title = "### Further findings" if placed else "### Findings"
    return [title, *(_in_the_body(each) for each in findings)]


def _in_the_body(finding: Finding) -> str:
    where = code(f"{finding.path}:{finding.line}" if finding.line else finding.path, 300) if finding.path else ""
    before = " (before the change)" if finding.path and finding.line and finding.side is Side.LEFT else ""
    head = f"**{_WORDS[finding.severity]}**{f' at {where}{before}' if where else ''}:"
    suggestion = _as_it_is(finding.suggestion)
    return "\n\n".join(part for part in (f"{head} {_flowing(finding.text)}", suggestion) if part)


def _comment(finding: Finding) -> LineComment:
    text = f"**{_WORDS[finding.severity]}:** {_flowing(finding.text)}"
    suggestion = _suggestion(finding)
    room = MAX_COMMENT - len(suggestion)
    return LineComment(
        path=finding.path,
        line=finding.line,
        side=finding.side.value,
        body="\n\n".join(part for part in (cut(text, room, _CUT), suggestion) if part),
    )


def _flowing(text: str) -> str:
    """A text behind our own words: what begins a block there begins a paragraph of its own."""
    made = defused(text)
    return made if made[:1].isalnum() else f"\n\n{made}"


def _suggestion(finding: Finding) -> str:
    """The new line as GitHub offers it for taking over, only where it is exactly what was written."""
    if not finding.suggestion.strip():
        return ""
    is_plain = without_secrets(visible(finding.suggestion)) == finding.suggestion
    if finding.side is Side.LEFT or not is_plain:
        return _as_it_is(finding.suggestion)
    return as_code(finding.suggestion, "suggestion")


def _as_it_is(text: str) -> str:
    return as_code(without_secrets(visible(text))) if text.strip() else ""


def _has_line(finding: Finding) -> bool:
    return finding.in_diff and bool(finding.path) and finding.line > 0


def _footer(task_id: str, written: ReviewWritten, public_url: str) -> str:
    cost = cost_of(written.usage)
    story = f"[the whole story]({public_url.rstrip('/')}/tasks/{task_id})" if public_url else f"task {code(task_id)}"
    facts = [f"reviewed {code(written.review.head)}", f"{money(cost)} at list price" if cost else "", story]
    return f"<sub>{' · '.join(each for each in facts if each)}</sub>"
