"""`journeyman parked`: what no handler could take."""

from __future__ import annotations

import asyncio
import base64
import sys
from typing import Any

import rich_click as click

from cli.console import SEQUENCE, json_option, print_json, screen, table
from cli.systems import on_a_system

_NUMBER = click.argument("number", type=SEQUENCE)


@click.group("parked", cls=click.RichGroup)
def command() -> None:
    """Commands and events that no handler could take. Each keeps its reason, and waits here for a decision."""


@command.command("list", cls=click.RichCommand)
@json_option
@on_a_system
def listing(as_json: bool) -> None:
    """Show what is parked, oldest first."""
    entries = asyncio.run(_entries())
    if as_json:
        print_json(entries)
        return
    if not entries:
        screen().print("Nothing is parked.")
        return
    from rich.markup import escape

    shown = table("number", "since", "message", "consumer", "tries", "reason")
    for each in entries:
        shown.add_row(
            *(escape(str(each[key])) for key in ("number", "time", "subject", "consumer", "tries")),
            escape(each["reason"][:120]),
        )
    screen().print(shown)


@command.command("replay", cls=click.RichCommand)
@_NUMBER
@json_option
@on_a_system
def replay(number: int, as_json: bool) -> None:
    """Have it handled again: what has taken effect before does not do so twice.

    When that fails, it is parked again, under another number.
    """
    asyncio.run(_act("replay", number))
    if as_json:
        print_json({"number": number, "replayed": True})
    else:
        screen().print(
            f"[green]✓[/] {number} is being handled again; if that fails, it is parked under another number."
        )


@command.command("drop", cls=click.RichCommand)
@_NUMBER
@click.option("--yes", "-y", is_flag=True, help="Without asking on a terminal.")
@json_option
@on_a_system
def drop(number: int, yes: bool, as_json: bool) -> None:
    """Let it go for good."""
    if sys.stdin.isatty() and not yes and not click.confirm(f"Let {number} go for good?", err=True):
        raise click.Abort
    asyncio.run(_act("drop", number))
    if as_json:
        print_json({"number": number, "dropped": True})
    else:
        screen().print(f"[green]✓[/] {number} is gone.")


async def _entries() -> list[dict[str, Any]]:
    from cli.connection import linked
    from shared.runtime import dead_letters as parked

    async with linked() as link:
        return [
            {
                "number": number,
                "time": entry.time,
                "subject": entry.subject,
                "consumer": entry.consumer,
                "tries": entry.tries,
                "reason": entry.reason,
                "body": base64.b64decode(entry.body).decode(errors="replace")[:4096],
            }
            async for number, entry in parked.listing(link.bus)
        ]


async def _act(what: str, number: int) -> None:
    from cli.connection import linked
    from shared.runtime import dead_letters as parked

    async with linked() as link:
        await (parked.replay if what == "replay" else parked.drop)(link.bus, number)
