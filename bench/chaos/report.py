"""`reliability.md` for people, made from `reliability.json`: the newest campaigns, each with its faults."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from bench.chaos.campaign import Campaign
from bench.chaos.fault_injector import NEVER, InflictedFault
from bench.chaos.faults import Kind
from bench.chaos.options import Options
from bench.measure import percentile
from testing.service_group import ACK_WAIT_S

KEPT: Final = 8
BACK_S: Final = 5.0
"""How soon a service that was killed is to be back at work."""
TAKEOVER_S: Final = ACK_WAIT_S + 5.0
"""How soon the runs of a lost machine are to be another's."""
_GOALS: Final = {Kind.POWER_CUT: TAKEOVER_S, Kind.OVERSLEEP: TAKEOVER_S, Kind.AGENT: None, Kind.ALL: None}


def write(done: Campaign, folder: Path) -> None:
    """Add a campaign to both files; the oldest of more than `KEPT` goes."""
    file = folder / "reliability.json"
    kept = msgspec.json.decode(file.read_bytes(), type=list[Campaign]) if file.exists() else []
    kept = sorted([*kept, done], key=lambda each: each.began, reverse=True)[:KEPT]
    folder.mkdir(parents=True, exist_ok=True)
    file.write_bytes(msgspec.json.format(msgspec.json.encode(kept), indent=1) + b"\n")
    (folder / "reliability.md").write_text(readable(kept))


def readable(campaigns: Sequence[Campaign]) -> str:
    """The report."""
    text = [
        "# Reliability",
        "",
        "Written by `make chaos` and `make soak`: random faults against a whole running system, while signed webhooks "
        "bring work, each delivered twice. What is done and how it is judged: chaos/README.md. Log and repositories "
        "lie in memory, so that a disk's syncs are not what is measured.",
        "",
        "| when (UTC) | seed | agent | tasks accepted | of them answered questions | completed | **lost** "
        "| **doubled** | faults | minutes | problems |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
        *(_row(each) for each in campaigns),
        _total(campaigns),
    ]
    for each in campaigns:
        text += ["", *_section(each)]
    return "\n".join(text) + "\n"


def _row(done: Campaign) -> str:
    verdict = done.verdict
    return (
        f"| {done.began:%Y-%m-%d %H:%M} | {done.terms.seed} | {done.terms.agent} | {verdict.accepted:,} "
        f"| {done.questions:,} | {verdict.completed:,} | {verdict.lost} | {verdict.doubled} "
        f"| {len(done.blows)} | {done.seconds / 60:.0f} | {len(verdict.problems) or 'none'} |"
    )


def _total(campaigns: Sequence[Campaign]) -> str:
    verdicts = [each.verdict for each in campaigns]
    return (
        f"| together | | | {sum(each.accepted for each in verdicts):,} "
        f"| {sum(each.questions for each in campaigns):,} | {sum(each.completed for each in verdicts):,} "
        f"| {sum(each.lost for each in verdicts)} | {sum(each.doubled for each in verdicts)} "
        f"| {sum(len(each.blows) for each in campaigns)} | {sum(each.seconds for each in campaigns) / 60:.0f} | |"
    )


def _section(done: Campaign) -> list[str]:
    verdict, terms = done.verdict, done.terms
    options = "".join(
        f" --{name} {value:g}"
        for name, value, usual in (
            ("questions", terms.questions, 0),
            ("nodes", terms.nodes, 1),
            ("tasks", terms.tasks, Options(seed=0, minutes=0).tasks),
            ("per-second", terms.per_s, Options(seed=0, minutes=0).per_s),
        )
        if value != usual
    )
    again = f"MINUTES={terms.minutes:g} AGENT={terms.agent} SEED={terms.seed}"
    again += f' ARGS="{options.strip()}"' if options else ""
    servers = "One NATS server" if terms.nodes == 1 else "Three NATS servers, of which the leader of the log is killed"
    return [
        f"## {done.began:%Y-%m-%d %H:%M}, seed {terms.seed}, agent {terms.agent}",
        "",
        f"The same faults in the same order: `make chaos {again}`. {servers}; two executors with {terms.runs} agents "
        f"each, {terms.at_once} tasks open at once, {verdict.accepted / done.seconds:.1f} tasks/s.",
        "",
        *(f"- {fact}" for fact in done.machine),
        f"- {verdict.accepted:,} tasks: {verdict.accepted - done.questions:,} with a worktree, a commit and a branch "
        f"({verdict.commits:,} branches found), {done.questions:,} questions answered by an agent",
        f"- {done.deliveries:,} deliveries answered, {done.in_vain:,} sent in vain while something was away; "
        f"{verdict.events:,} events in the log",
        *(f"- **problem:** {problem}" for problem in verdict.problems),
        "",
        "| fault | times | recovery p50 | max | goal | met |",
        "|---|---|---|---|---|---|",
        *_faults(done),
    ]


def _faults(done: Campaign) -> list[str]:
    felt: defaultdict[str, list[InflictedFault]] = defaultdict(list)
    for blow in done.blows:
        felt[blow.name].append(blow)
    return [_fault(name, felt[name]) for name in sorted(felt)]


def _fault(name: str, blows: Sequence[InflictedFault]) -> str:
    """A row; a blow that nobody recovered from misses every goal."""
    seconds = [each.recovery_s for each in blows if each.recovery_s is not None]
    felt = f"{percentile(seconds, 50):.1f} s | {max(seconds):.1f} s" if seconds else "|"
    goal = _GOALS[Kind(name)] if name in _GOALS else BACK_S
    if goal is None:
        return f"| {name} | {len(blows)} | {felt} | | |"
    kept = sum(each <= goal for each in seconds)
    all_of_them = len(seconds) + sum(each.note == NEVER for each in blows)
    met = "yes" if kept == all_of_them else f"{kept}/{all_of_them}"
    return f"| {name} | {len(blows)} | {felt} | ≤ {goal:g} s | {met} |"
