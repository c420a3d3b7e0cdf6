"""What a run made and how well that is proven: files, notes, set-up and checks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from rich.console import Console
from rich.markup import escape

from shared.contracts.evidence import Check, CheckVerdict, Evidence, NoteKind, Outcome
from shared.contracts.queries import RunAttempt, TaskSummary
from shared.contracts.run import FileChange
from shared.contracts.sentences.evidence import class_of
from shared.contracts.sentences.words import one_line, verdict_of
from shared.contracts.task import Stage

CLASS_COLOURS: Final[dict[str, str]] = {
    Evidence.VERIFIED: "green",
    Evidence.NO_NEW_FAILURES: "dim green",
    Evidence.UNVERIFIED: "yellow",
    Evidence.FAILING: "red",
}
_OUTCOME_COLOURS: Final[dict[str, str]] = {Outcome.NOTHING_TO_CHANGE: "dim", Outcome.ANSWERED: "green"}

_MARKS: Final = {
    CheckVerdict.PASSED: ("✓", "green"),
    CheckVerdict.FAILED: ("✗", "red"),
    CheckVerdict.FAILED_BEFORE: ("–", "dim"),
    CheckVerdict.COULD_NOT_RUN: ("?", "yellow"),
}
_DOUBTED: Final = ("?", "yellow")
_WARNINGS: Final = frozenset(
    {
        NoteKind.JUDGE_CHANGED,
        NoteKind.SETUP_FAILED,
        NoteKind.FEWER_TESTS,
        NoteKind.EXIT_CODE_HIDDEN,
        NoteKind.SUBMODULE_EDITS,
    }
)
MOST_LINES: Final = 20
"""Failing lines, names of tests and lines of an output's end that one check shows."""
_CHARS: Final = 160


def proof(task: TaskSummary) -> str:
    """What came of the task and how well that is proven, in a word or two with its colour; empty while that is open."""
    words = class_of(task.evidence, task.outcome)
    if not words:
        return ""
    colour = _OUTCOME_COLOURS.get(task.outcome) or CLASS_COLOURS.get(task.evidence, "dim")
    match task.has_result, task.ended_in:
        case (False, _) | (_, ""):
            kept = ""
        case _, Stage.PUBLISHING:
            kept = ", not published"
        case _:
            kept = ", kept"
    return f"[{colour}]{words}{kept}[/]"


def print_evidence(console: Console, run: RunAttempt) -> None:
    """The files of a result, and what was observed of it."""
    for file in run.files:
        console.print(f"  {escape(file.path)}  {_lines(file)}")
    for note in run.notes:
        mark, colour = ("!", "yellow") if note.kind in _WARNINGS else ("·", "dim")
        what = "What judges this work was changed: " if note.kind is NoteKind.JUDGE_CHANGED else ""
        console.print(f"  [{colour}]{mark} {what}{escape(one_line(note.sentence))}[/]")
    if run.setup:
        console.print("  [dim]set-up[/]")
        _print_checks(console, run.setup)
    if run.checks:
        where = f" in a clean checkout of {run.checked_commit[:12]}" if run.checked_commit else ""
        console.print(f"  [dim]checks, observed by the executor{where}[/]")
        _print_checks(console, run.checks)


def _lines(file: FileChange) -> str:
    return "[dim]binary[/]" if file.added < 0 else f"[green]+{file.added}[/] [red]-{file.removed}[/]"


def _print_checks(console: Console, checks: Iterable[Check]) -> None:
    for check in checks:
        mark, colour = _DOUBTED if check.doubted else _MARKS[check.judged]
        reason = f": {one_line(check.reason)}" if check.reason else ""
        console.print(
            f"  [{colour}]{mark}[/] {escape(one_line(check.command))} [dim]{check.duration_ms / 1000:.1f} s[/] "
            f"[{colour}]{verdict_of(check)}{escape(reason)}[/]"
        )
        _print_lines(console, "red", "fails anew", check.new_failures)
        _print_lines(console, "yellow", "flaky, so not blamed", check.flaky)
        if check.judged in (CheckVerdict.FAILED, CheckVerdict.COULD_NOT_RUN):
            _print_lines(console, "red", "what it says of its failures", check.failing_lines)
            _print_end(console, check)


def _print_lines(console: Console, colour: str, what: str, lines: Iterable[str]) -> None:
    shown = list(lines)
    if not shown:
        return
    console.print(f"      [dim]{what}[/]")
    for line in shown[:MOST_LINES]:
        console.print(f"      [{colour}]{escape(one_line(line, _CHARS))}[/]")
    if len(shown) > MOST_LINES:
        console.print(f"      [dim]… and {len(shown) - MOST_LINES} more[/]")


def _print_end(console: Console, check: Check) -> None:
    """The last lines of a check's output, each of bounded length."""
    lines = [line.rstrip() for line in check.output_tail.splitlines() if line.strip()]
    if not lines:
        return
    whole = f"{check.output_size:,} bytes in all" if check.output_size else "its output"
    console.print(f"      [dim]the end of {whole}[/]")
    for line in lines[-MOST_LINES:]:
        console.print(f"      [dim]│[/] {escape(line if len(line) <= _CHARS else line[: _CHARS - 1] + '…')}")
