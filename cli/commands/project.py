"""`journeyman project`: the read models."""

from __future__ import annotations

import asyncio
from typing import Any

import rich_click as click

from cli.console import json_option, print_json, screen

POLL_S = 0.2
PATIENCE_S = 30.0


@click.group("project", cls=click.RichGroup)
def command() -> None:
    """The read models, which the projector derives from the log."""


@command.command("rebuild", cls=click.RichCommand)
@json_option
def rebuild(as_json: bool) -> None:
    """Rebuild the read models from the log without downtime: the old ones answer until the new ones have caught up."""
    outcome = asyncio.run(_rebuild())
    if as_json:
        print_json(outcome)
    else:
        screen().print(
            f"[green]✓[/] the read models are rebuilt from {outcome.get('position', 0):,} events, and are in use"
        )


@command.command("status", cls=click.RichCommand)
@json_option
def status(as_json: bool) -> None:
    """How far the read models are."""
    from cli.link import linked

    async def ask() -> dict[str, Any]:
        async with linked() as link:
            return await link.client.query("project.status")

    answer = asyncio.run(ask())
    if as_json:
        print_json(answer)
    else:
        for key, value in answer.items():
            click.echo(f"{key:<12} {value}")


async def _rebuild() -> dict[str, Any]:
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    from cli.link import linked

    columns = (TextColumn("rebuilding"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    console = screen(to_stderr=True)
    async with linked() as link:
        await link.client.query("project.rebuild", timeout=PATIENCE_S)
        with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
            shown = bar.add_task("rebuild", total=None)
            while True:
                answer = await link.client.query("project.status", timeout=PATIENCE_S)
                bar.update(shown, completed=answer.get("position", 0), total=answer.get("total"))
                if not answer.get("rebuilding"):
                    return answer
                await asyncio.sleep(POLL_S)
