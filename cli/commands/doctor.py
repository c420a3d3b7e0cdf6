"""`journeyman doctor`: what is missing or misconfigured."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import rich_click as click
from click.exceptions import Exit

from cli.console import json_option, print_json, screen, table
from cli.systems import on_a_system

if TYPE_CHECKING:
    from cli.doctor.finding import Finding

_MARKS = {"good": "[green]✓[/]", "note": "[yellow]![/]", "bad": "[red]✗[/]"}


@click.command("doctor", cls=click.RichCommand)
@click.option("--clean", is_flag=True, help="Clear away what agents of ended work have left behind.")
@json_option
@on_a_system
def command(as_json: bool, clean: bool) -> None:
    """Look at this machine and at the system that runs, and say the mend for everything that is wrong.

    Exit code 1 if something will not work. Things that only somebody should know are marked with `!`.
    """
    found = asyncio.run(_look(clean))
    if as_json:
        print_json(found)
    else:
        show(found)
    raise Exit(1 if any(each.state == "bad" for each in found) else 0)


def show(found: list[Finding]) -> None:
    """Print what was found, for people."""
    from rich.markup import escape

    console = screen()
    shown = table("", "", "")
    shown.show_header = False
    for each in found:
        mend = f"\n[bold]{escape(each.mend)}[/]" if each.mend else ""
        shown.add_row(_MARKS[each.state], each.what, escape(each.detail) + mend)
    console.print(shown)
    wrong, notes = (sum(each.state == state for each in found) for state in ("bad", "note"))
    known = f"[yellow]{notes} to know of[/], marked with `!`" if notes else ""
    if wrong:
        console.print(f"\n[red]{wrong} to mend.[/]{' And ' * bool(known)}{known}{'.' * bool(known)}")
    else:
        console.print(f"\nNothing to mend; {known}." if known else "\n[green]All is well.[/]")


async def _look(clean: bool) -> list[Finding]:
    from cli.connection import linked
    from cli.doctor.finding import from_error, note
    from cli.doctor.machine import look_at_machine
    from cli.doctor.orphans import look_for_orphans
    from cli.doctor.repositories import look_at_repositories
    from cli.doctor.system import look_at_system, name_system, settings_of
    from cli.endpoint import NoSystem, find_endpoint
    from shared.nats.bus import NatsUnreachable
    from shared.ops.settings import BadSettings

    try:
        endpoint, settings = find_endpoint()
    except BadSettings as error:
        return [from_error("settings", Exception(line)) for line in str(error).splitlines()]
    except NoSystem as none:
        found = [note("system", str(none), ""), *settings_of(none.settings)]
        found += await look_at_machine(none.settings, None)
        return [*found, *await look_at_repositories(none.settings, None, None)]
    found = [*name_system(endpoint, settings), *await look_at_machine(settings, endpoint)]
    try:
        async with linked() as link:
            return [
                *found,
                *await look_at_repositories(settings, endpoint, link.bus),
                *await look_at_system(link),
                await look_for_orphans(link, settings, clean=clean),
            ]
    except NatsUnreachable as error:
        found += await look_at_repositories(settings, endpoint, None)
        return [*found, from_error("NATS", error)]
