"""`report.json` for programs, `report.md` for people: the same results."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import msgspec

from bench.result import Found, Line


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """One whole run of the benchmarks. ``missing`` says why a benchmark could not be run."""

    began: datetime
    seconds: float
    machine: list[str]
    loads: list[str]
    found: list[Found]
    missing: list[str]
    is_quick: bool


def write(session: Session, folder: Path) -> None:
    """Write both files."""
    results = [msgspec.to_builtins(line.result) for found in session.found for line in found.lines]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "report.json").write_text(json.dumps(results, indent=2, ensure_ascii=False) + "\n")
    (folder / "report.md").write_text(readable(session))


def readable(session: Session) -> str:
    """The report for people."""
    text = [
        "# Benchmarks",
        "",
        f"Measured {session.began:%Y-%m-%d %H:%M} UTC in {session.seconds / 60:.0f} minutes by `make bench`. "
        "Ours and the peer run side by side, in turns; each number is the median over the runs, with the least and "
        "the most in brackets. What is measured, and how: README.md in this folder.",
        "",
    ]
    if session.is_quick:
        text += ["**A quick run: it shows that everything works, its numbers mean nothing.**", ""]
    text += [f"- {fact}" for fact in session.machine]
    text += [f"- {load}" for load in session.loads]
    text += ["", *_verdict(session)]
    for found in session.found:
        text += ["", f"## {found.title}", "", found.about, "", *_table(found.lines)]
        if found.remarks:
            text += ["", *(f"- {remark}" for remark in found.remarks)]
    return "\n".join(text) + "\n"


def _verdict(session: Session) -> list[str]:
    goals = [line.result for found in session.found for line in found.lines if line.result.met is not None]
    missed = [result for result in goals if not result.met]
    text = [f"{len(goals) - len(missed)} of {len(goals)} goals are met."]
    text += [f"- Not met: {r.name}: {_number(r.value)} {r.unit} (goal: {r.goal})" for r in missed]
    text += [f"- Not measured: {reason}" for reason in session.missing]
    return text


def _table(lines: Sequence[Line]) -> list[str]:
    rows = ["| what | ours | peer | ratio | goal | met | runs |", "|---|---|---|---|---|---|---|"]
    for line in lines:
        result = line.result
        met = {True: "yes", False: "**no**", None: ""}[result.met]
        rows.append(
            f"| {result.name} | {_number(result.value)} {result.unit} {_spread(line.spread)} "
            f"| {result.peer}: {_number(result.peer_value)} {_spread(line.peer_spread)} "
            f"| {_number(result.ratio)} | {result.goal} | {met} | {result.runs} |"
        )
    return rows


def _spread(spread: tuple[float, float] | None) -> str:
    return "" if spread is None else f"({_number(spread[0])} to {_number(spread[1])})"


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
