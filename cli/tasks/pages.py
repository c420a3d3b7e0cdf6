"""Tasks as people read them: a table of many, a page of one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from rich.console import Console
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table

from cli.console import table
from cli.follow import print_line
from cli.markdown import markdown
from cli.story import money
from cli.tasks.evidence import CLASS_COLOURS, print_evidence, proof
from shared.contracts.queries import ModelCost, RunAttempt, TaskDetail, TaskSummary, TimelineItem
from shared.contracts.rules import NEEDS_PERSON, Action, Standing
from shared.contracts.sentences.words import one_line
from shared.contracts.task import Stage, Status

COLOURS: Final = {
    "awaiting-approval": "bold yellow",
    "waiting-input": "bold yellow",
    "in-review": "cyan",
    "completed": "green",
    "failed": "red",
    "cancelled": "dim",
    "declined": "dim",
}


def task_table(rows: Sequence[TaskSummary]) -> Table:
    """The tasks; those that wait for a person come first."""
    shown = table("id", "status", "evidence", "title", "repository", "from", "age", "cost")
    for row in sorted(rows, key=lambda row: row.status not in NEEDS_PERSON and not row.attention):
        source = row.source
        shown.add_row(
            f"[cyan]{row.id}[/]",
            _status(row),
            proof(row),
            escape(one_line(row.title, 50)),
            escape(row.repo),
            escape(source.author or source.kind),
            _age(row.created_at),
            money(row.cost_microusd),
        )
    return shown


def print_task(console: Console, task: TaskDetail, timeline: Sequence[TimelineItem]) -> None:
    """One page."""
    proven = f" · {words}" if (words := proof(task)) else ""
    console.print(f"[bold]{escape(task.title)}[/]  {_status(task)}{proven}")
    facts = table("", "")
    facts.show_header = False
    for name, value in _facts(task):
        facts.add_row(f"[dim]{name}[/]", escape(value))
    if task.run and task.run.observed:
        colour = CLASS_COLOURS.get(task.run.evidence, "dim")
        facts.add_row("[dim]observed[/]", f"[{colour}]{escape(task.run.observed)}[/]")
    console.print(facts)
    if task.question:
        console.print(Panel(escape(task.question), title="the agent asks", border_style="yellow"))
    if task.plans:
        plan = task.plans[-1]
        approved = f" · approved by {escape(plan.approved_by)}" if plan.approved_by else ""
        console.print(
            Panel(
                markdown(plan.markdown),
                title=f"plan v{plan.version} · {plan.digest[:8]}{approved}",
                border_style="dim",
                width=min(console.width, 110),
            ),
            soft_wrap=False,
        )
    _print_run(console, task.run)
    _print_usage(console, task.usage)
    _print_timeline(console, timeline)
    _print_next_steps(console, task)


def _facts(task: TaskDetail) -> list[tuple[str, str]]:
    source = task.source
    facts = [
        ("id", task.id),
        ("from", " ".join(part for part in (source.kind, source.author, source.url) if part)),
        ("asked for by", "" if task.requester == f"{source.kind}:{source.author}" else task.requester),
        ("repository", task.repo),
        ("opened", f"{task.created_at.astimezone():%Y-%m-%d %H:%M:%S} ({_age(task.created_at)} ago)"),
        ("triage", task.triage_reason),
        ("result", f"{task.branch} at {task.commit[:12]}" if task.commit else ""),
        ("pull request", _pull_request(task)),
        ("needs a person", task.attention),
        ("answer", task.answer),
        ("error", f"{task.error_message} ({task.error_code})" if task.error_message else ""),
        ("goes on", f"{until.astimezone():%Y-%m-%d %H:%M:%S}" if (until := task.paused_until) else ""),
        ("cost", f"{money(task.cost_microusd)} at list price, {task.tokens:,} tokens"),
        ("the agent says", task.summary),
    ]
    return [(name, value) for name, value in facts if value]


def _pull_request(task: TaskDetail) -> str:
    if not task.pull_request:
        return ""
    merged = f", merged by {task.merged_by or 'somebody'}" if task.merged_by or task.merge_commit else ""
    reverted = f", taken back by {task.reverted_by}" if task.reverted_by else ""
    return f"{task.result_url or task.pull_request}{merged}{reverted}"


def _print_run(console: Console, run: RunAttempt | None) -> None:
    if not run:
        return
    head = f"\n[bold]Run[/]  {run.status}, attempt {run.attempt} by {escape(run.worker or '-')}"
    console.print(head + (f", {run.duration_ms / 1000:.1f} s" if run.duration_ms else ""))
    if run.is_judged:
        console.print("  its work is committed; set-up and checks run on it")
    print_evidence(console, run)


def _print_usage(console: Console, usage: Sequence[ModelCost]) -> None:
    if not usage:
        return
    shown = table("agent", "model", "in", "out", "cache read", "cache write", "cost")
    for each in usage:
        counts = (each.input_tokens, each.output_tokens, each.cache_read_tokens, each.cache_write_tokens)
        cost = money(each.cost_microusd) + ("" if each.priced else " ≈")
        shown.add_row(each.agent, escape(each.model), *(f"{count:,}" for count in counts), cost)
    console.print()
    console.print(shown)


def _print_timeline(console: Console, timeline: Sequence[TimelineItem]) -> None:
    if not timeline:
        return
    console.print()
    for item in timeline:
        at = f"{item.time.astimezone():%H:%M:%S}" if item.time else ""
        print_line(
            console,
            f"[dim]{at:8}[/] [bold]{'#' + str(item.seq):>6}[/]  {item.kind + '.' + item.event:<28} "
            f"{escape(one_line(item.summary, 110))} [dim]{escape(item.principal)}[/]",
        )


_COMMANDS: Final = {
    Action.APPROVE: "journeyman task approve {id}",
    Action.REVISE: "journeyman task reject {id} --feedback …",
    Action.INPUT: 'journeyman task input {id} "…"',
    Action.PUBLISH: "journeyman task publish {id}",
    Action.RETRY: "journeyman task retry {id}",
    Action.FOLLOW_UP: 'journeyman task follow-up {id} "…"',
    Action.STOP: "journeyman task stop {id}",
}


def _print_next_steps(console: Console, task: TaskDetail) -> None:
    """The commands for what may be done now, the most useful ones first, each with what it does."""
    steps = [step for action in _COMMANDS if _is_allowed(task, action) for step in _steps(task, action)]
    if steps:
        console.print("\n[bold]You can:[/]")
    for command, effect in steps:
        console.print(f"  {escape(command)}" + (f"  [dim]{escape(effect)}[/]" if effect else ""))


def _steps(task: TaskDetail, action: Action) -> list[tuple[str, str]]:
    """The commands of one action that is allowed."""
    first = (_COMMANDS[action].format(id=task.id), task.actions[action].effect)
    standing = Standing(status=Status(task.status), ended_in=task.ended_in, error_code=task.error_code)
    match action:
        case Action.FOLLOW_UP if _is_allowed(task, Action.REVISE) or _is_allowed(task, Action.INPUT):
            # It would be feedback on the plan, or a word to the agent: those have commands of their own.
            return []
        case Action.RETRY if standing.needs_budget:
            return [(f"{first[0]} --budget …", first[1])]
        case Action.RETRY if task.has_result and task.ended_in == Stage.PUBLISHING:
            return [first, (f"{first[0]} --afresh", "Has the work done anew.")]
        case Action.RETRY if task.has_result and task.ended_in:
            return [(f"{first[0]} --from-result", "Lets the agent go on with the result that is there."), first]
        case _:
            return [first]


def _is_allowed(task: TaskDetail, action: Action) -> bool:
    state = task.actions.get(action)
    return state is not None and state.allowed


def _status(task: TaskSummary) -> str:
    stopping = " (stopping)" if task.stopping else ""
    return f"[{COLOURS.get(task.status, 'blue')}]{task.status}{stopping}[/]"


def _age(time: datetime) -> str:
    seconds = (datetime.now(UTC) - time).total_seconds()
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size:.0f} {unit}"
    return f"{max(0.0, seconds):.0f} s"
