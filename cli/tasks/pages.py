"""Tasks as people read them: a table of many, a page of one."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from rich.console import Console
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table

from cli.console import table
from cli.live import print_line
from cli.markdown import markdown
from cli.story import money
from shared.contracts.rules import NEEDS_PERSON, Action
from shared.contracts.sentences.words import one_line

COLOURS: Final = {
    "awaiting-approval": "bold yellow",
    "waiting-input": "bold yellow",
    "completed": "green",
    "failed": "red",
    "cancelled": "dim",
    "declined": "dim",
}


def task_table(rows: list[dict[str, Any]]) -> Table:
    """The tasks; those that wait for a person come first."""
    shown = table("id", "status", "title", "repository", "from", "age", "cost")
    for row in sorted(rows, key=lambda row: row["status"] not in NEEDS_PERSON):
        source = row["source"]
        shown.add_row(
            f"[cyan]{row['id']}[/]",
            _status(row),
            escape(one_line(row["title"], 50)),
            escape(row["repo"]),
            escape(source["author"] or source["kind"]),
            _age(row["created_at"]),
            money(row["cost_microusd"]),
        )
    return shown


def print_task(console: Console, task: dict[str, Any], timeline: list[dict[str, Any]]) -> None:
    """One page."""
    console.print(f"[bold]{escape(task['title'])}[/]  {_status(task)}")
    facts = table("", "")
    facts.show_header = False
    for name, value in _facts(task):
        facts.add_row(f"[dim]{name}[/]", escape(value))
    console.print(facts)
    if task["question"]:
        console.print(Panel(escape(task["question"]), title="the agent asks", border_style="yellow"))
    if task["plans"]:
        plan = task["plans"][-1]
        approved = f" · approved by {escape(plan['approved_by'])}" if plan.get("approved_by") else ""
        console.print(
            Panel(
                markdown(plan["markdown"]),
                title=f"plan v{plan['version']} · {plan['digest'][:8]}{approved}",
                border_style="dim",
                width=min(console.width, 110),
            ),
            soft_wrap=False,
        )
    _print_run(console, task.get("run") or {})
    _print_usage(console, task.get("usage") or [])
    _print_timeline(console, timeline)
    if hint := _next_step(task):
        console.print(f"\n[bold]You can:[/] {escape(hint)}")


def _facts(task: dict[str, Any]) -> list[tuple[str, str]]:
    source = task["source"]
    facts = [
        ("id", task["id"]),
        ("from", " ".join(part for part in (source["kind"], source["author"], source["url"]) if part)),
        ("repository", task["repo"]),
        ("opened", f"{_local(task['created_at']):%Y-%m-%d %H:%M:%S} ({_age(task['created_at'])} ago)"),
        ("triage", task.get("triage_reason") or ""),
        ("result", f"{task['branch']} at {task['commit'][:12]}" if task["commit"] else ""),
        ("answer", task.get("answer") or ""),
        ("summary", task.get("summary") or ""),
        ("error", f"{task['error_message']} ({task['error_code']})" if task["error_message"] else ""),
        ("goes on", f"{_local(until):%Y-%m-%d %H:%M:%S}" if (until := task.get("paused_until")) else ""),
        ("cost", f"{money(task['cost_microusd'])} at list price, {task['tokens']:,} tokens"),
    ]
    return [(name, value) for name, value in facts if value]


def _print_run(console: Console, run: dict[str, Any]) -> None:
    if not run:
        return
    head = f"\n[bold]Run[/]  {run['status']}, attempt {run['attempt']} by {escape(run['worker'] or '-')}"
    console.print(head + (f", {run['duration_ms'] / 1000:.1f} s" if run.get("duration_ms") else ""))
    for file in run.get("files") or []:
        console.print(f"  {escape(file['path'])}  [green]+{file['added']}[/] [red]-{file['removed']}[/]")
    for check in run.get("checks") or []:
        mark = "[green]✓[/]" if check["exit_code"] == 0 else "[red]✗[/]"
        console.print(f"  {mark} {escape(check['command'])} [dim]{check['duration_ms'] / 1000:.1f} s[/]")


def _print_usage(console: Console, usage: list[dict[str, Any]]) -> None:
    if not usage:
        return
    shown = table("agent", "model", "in", "out", "cache read", "cache write", "cost")
    for each in usage:
        counts = (each[f"{name}_tokens"] for name in ("input", "output", "cache_read", "cache_write"))
        cost = money(each["cost_microusd"]) + ("" if each["priced"] else " ≈")
        shown.add_row(each["agent"], escape(each["model"]), *(f"{count:,}" for count in counts), cost)
    console.print()
    console.print(shown)


def _print_timeline(console: Console, timeline: list[dict[str, Any]]) -> None:
    if not timeline:
        return
    console.print()
    for item in timeline:
        at = _local(item["time"])
        print_line(
            console,
            f"[dim]{at:%H:%M:%S}[/] [bold]{'#' + str(item['seq']):>6}[/]  {item['kind'] + '.' + item['event']:<28} "
            f"{escape(one_line(item['summary'], 110))} [dim]{escape(item['principal'])}[/]",
        )


_COMMANDS: Final = {
    Action.APPROVE: "journeyman task approve {id}",
    Action.REVISE: "journeyman task reject {id} --feedback …",
    Action.INPUT: 'journeyman task input {id} "…"',
    Action.RETRY: "journeyman task retry {id}",
    Action.STOP: "journeyman task stop {id}",
}


def _next_step(task: dict[str, Any]) -> str:
    """The commands for what may be done now, the most useful ones first."""
    allowed = [
        command for action, command in _COMMANDS.items() if task.get("actions", {}).get(action, {}).get("allowed")
    ]
    return " · ".join(f"`{command.format(id=task['id'])}`" for command in allowed)


def _status(row: dict[str, Any]) -> str:
    status = str(row["status"])
    stopping = " (stopping)" if row.get("stopping") else ""
    return f"[{COLOURS.get(status, 'blue')}]{status}{stopping}[/]"


def _local(time: str) -> datetime:
    return datetime.fromisoformat(time).astimezone()


def _age(time: str) -> str:
    seconds = (datetime.now(UTC) - datetime.fromisoformat(time)).total_seconds()
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size:.0f} {unit}"
    return f"{max(0.0, seconds):.0f} s"
