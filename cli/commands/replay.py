"""`journeyman replay`: history told again."""

from __future__ import annotations

import asyncio

import rich_click as click

from cli.console import screen

LONGEST_PAUSE_S = 5.0


@click.command("replay", cls=click.RichCommand)
@click.option(
    "--from", "start", type=click.IntRange(min=1), default=1, show_default=True, help="Stream sequence to begin at."
)
@click.option(
    "--speed",
    type=click.FloatRange(min=0, min_open=True),
    default=1.0,
    show_default=True,
    help="Times the original pace.",
)
@click.option("--task", "task_id", help="Only this task.")
def command(start: int, speed: float, task_id: str | None) -> None:
    """Show history in this terminal at its own pace, or SPEED times faster. It reads the log and does nothing else.

    Pauses longer than 5 s are cut to 5 s. Nothing is sent again, so nothing happens a second time.
    """
    asyncio.run(_replay(start, speed, task_id))


async def _replay(start: int, speed: float, task_id: str | None) -> None:
    from datetime import datetime

    from cli.link import linked
    from cli.live import log_line, print_line
    from cli.reading import read, subject_filter
    from shared.envelope import decode_event

    console = screen()
    before: datetime | None = None
    async with linked() as link:
        async for message in read(link.bus, subject_filter(None, task_id), start=start, follow=False):
            event = decode_event(message.subject, message.data, message.position)
            if before is not None:
                pause = (event.time - before).total_seconds() / speed
                await asyncio.sleep(min(max(pause, 0.0), LONGEST_PAUSE_S))
            before = event.time
            print_line(console, log_line(event))
