"""`journeyman verify`: the whole log, checked."""

from __future__ import annotations

import asyncio

import rich_click as click
from click.exceptions import Exit

from cli.console import json_option, print_json, screen


@click.command("verify", cls=click.RichCommand)
@json_option
def command(as_json: bool) -> None:
    """Check the whole log from sequence 1: no gap, each actor's versions and hash chain, every event's schema.

    Exit code 1 and the first bad sequence when it is damaged.
    """
    from cli.audit import Audit, audit
    from cli.link import linked

    async def check() -> Audit:
        from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

        columns = (TextColumn("reading the log"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
        async with linked() as link:
            console = screen(to_stderr=True)
            with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
                shown = bar.add_task("log", total=None)
                return await audit(link.bus, lambda done, total: bar.update(shown, completed=done, total=total))

    result = asyncio.run(check())
    if as_json:
        print_json(result)
    elif result.damage is None:
        pace = f" ({result.events / result.seconds:,.0f} events/s)" if result.events > 1000 else ""
        screen().print(
            f"[green]✓[/] {result.events:,} events of {result.actors:,} actors are whole: "
            f"no gap, every version, hash and schema right [dim]{result.seconds:.2f} s{pace}[/]"
        )
    else:
        of = f" of {result.damage.actor}" if result.damage.actor else ""
        click.echo(
            f"journeyman: the log is damaged at stream sequence {result.damage.sequence}{of}: {result.damage.problem}. "
            "Stop the services and restore the log from its archive.",
            err=True,
        )
    raise Exit(0 if result.damage is None else 1)
