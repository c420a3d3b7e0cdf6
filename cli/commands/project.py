"""`journeyman project`: the read models."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import rich_click as click

from cli.console import json_option, print_json, screen
from cli.systems import on_a_system

if TYPE_CHECKING:
    from shared.contracts.queries import RebuildProgress

POLL_S = 0.2
PATIENCE_S = 30.0


@click.group("project", cls=click.RichGroup)
def command() -> None:
    """The read models, which the projector derives from the log."""


@command.command("rebuild", cls=click.RichCommand)
@json_option
@on_a_system
def rebuild(as_json: bool) -> None:
    """Rebuild the read models from the log without downtime: the old ones answer until the new ones have caught up."""
    outcome = asyncio.run(_rebuild())
    if as_json:
        print_json(outcome)
    else:
        screen().print(
            f"[green]✓[/] the read models are rebuilt from {outcome.seq:,} events and in use "
            f"[dim]({outcome.events_per_s:,.0f} events/s)[/]"
        )


async def _rebuild() -> RebuildProgress:
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    from cli.connection import linked
    from cli.failures import Failure
    from shared.contracts.queries import GetRebuild, Rebuild

    columns = (TextColumn("rebuilding"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    console = screen(to_stderr=True)
    async with linked() as link:
        answer = await link.client.query(Rebuild(), timeout=PATIENCE_S)
        with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
            shown = bar.add_task("rebuild", total=None)
            while answer.state == "running":
                bar.update(shown, completed=answer.seq, total=answer.target)
                await asyncio.sleep(POLL_S)
                answer = await link.client.query(GetRebuild(token=answer.token), timeout=PATIENCE_S)
    if answer.state != "done":
        raise Failure(f"The rebuild failed, and the read models stay as they were: {answer.problem}")
    return answer
