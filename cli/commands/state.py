"""`journeyman state`: one actor, folded from the log alone."""

from __future__ import annotations

import asyncio
from typing import Any

import rich_click as click

from cli.completions import kinds, task_ids
from cli.console import SEQUENCE, json_option, print_json, screen, table
from cli.systems import on_a_system
from shared.contracts.kinds import KINDS

_HELP = f"""Fold the actor KIND ID ({", ".join(KINDS)}) as of any stream sequence.

The services' own rules are used, and no service needs to run. Versions and hash chain are checked on the way.
"""


@click.command("state", cls=click.RichCommand, help=_HELP)
@click.argument("kind", shell_complete=kinds)
@click.argument("id", shell_complete=task_ids)
@click.option("--at", type=SEQUENCE, help="As of this stream sequence.  [default: now]")
@json_option
@on_a_system
def command(kind: str, id: str, at: int | None, as_json: bool) -> None:
    from cli.fold import Folded

    folded: Folded = asyncio.run(_fold(kind, id, at))
    if as_json:
        print_json(folded)
        return
    console = screen()
    console.print(
        f"[bold]{folded.actor}[/]  version {folded.sequence}, last event #{folded.position} [dim]{folded.hash[:12]}[/]"
    )
    shown = table("field", "value")
    for field, value in _fields(folded.state):
        shown.add_row(field, value)
    console.print(shown)


async def _fold(kind: str, id: str, at: int | None) -> Any:
    from cli.connection import linked
    from cli.failures import Failure
    from cli.fold import fold
    from cli.short_ids import whole_id

    if kind not in KINDS:
        raise Failure(f"There are no {kind!r} actors; there are: {', '.join(KINDS)}.")
    async with linked() as link:
        return await fold(link.journal, kind, await whole_id(link.bus, id, kind=kind), at)


def _fields(state: Any) -> list[tuple[str, str]]:
    import msgspec
    from rich.markup import escape

    from shared.contracts.sentences.words import one_line

    fields = msgspec.to_builtins(state) or {}
    return [
        (name, escape(one_line(value if isinstance(value, str) else msgspec.json.encode(value).decode(), 160)))
        for name, value in fields.items()
        if value not in ("", None, [], {}, 0, False)
    ]
