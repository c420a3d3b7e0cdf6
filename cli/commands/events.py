"""`journeyman events`: the log, as it stands."""

from __future__ import annotations

import asyncio
import contextlib

import rich_click as click

from cli.completions import kinds, task_ids
from cli.console import SEQUENCE, print_json, screen
from cli.systems import on_a_system
from shared.contracts.kinds import KINDS


@click.command("events", cls=click.RichCommand)
@click.option(
    "--task",
    "task_id",
    shell_complete=task_ids,
    help="Only this task's events: its own, its plan's, run's and reply's.",
)
@click.option("--kind", shell_complete=kinds, help=f"Only the events of this kind of actor: {', '.join(KINDS)}.")
@click.option("--from", "start", type=SEQUENCE, default=1, show_default=True, help="Stream sequence to begin at.")
@click.option("--follow", "-f", is_flag=True, help="Go on with the events to come, until Ctrl-C.")
@click.option("--json", "as_json", is_flag=True, help="Each event's stored envelope, one line each, with its sequence.")
@on_a_system
def command(task_id: str | None, kind: str | None, start: int, follow: bool, as_json: bool) -> None:
    """Read the log itself, without any service."""
    asyncio.run(_read(task_id, kind, start, follow, as_json))


async def _read(task_id: str | None, kind: str | None, start: int, follow: bool, as_json: bool) -> None:
    import msgspec

    from cli.connection import linked
    from cli.follow import log_line, print_whole
    from cli.log_reader import read, subject_filter
    from cli.short_ids import whole_id
    from shared.event_store.envelope import decode_event

    console = screen()
    async with linked(goes_on=follow) as link:
        if task_id is not None:
            task_id = await whole_id(link.bus, task_id)
        messages = read(link.bus, subject_filter(kind, task_id), start=start, follow=follow)
        async with contextlib.aclosing(messages):
            async for message in messages:
                if as_json:
                    print_json({"seq": message.position, "event": msgspec.Raw(message.data)}, lines=True)
                else:
                    event = decode_event(message.subject, message.data, message.position)
                    print_whole(console, log_line(event, with_id=task_id is None))
