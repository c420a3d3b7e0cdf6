"""`journeyman replay`: history told again."""

from __future__ import annotations

import asyncio

import rich_click as click

from cli.completions import task_ids
from cli.console import SEQUENCE, screen
from cli.systems import on_a_system


@click.command("replay", cls=click.RichCommand)
@click.option("--from", "start", type=SEQUENCE, default=1, show_default=True, help="Stream sequence to begin at.")
@click.option(
    "--speed",
    type=click.FloatRange(min=0, min_open=True),
    default=1.0,
    show_default=True,
    help="Times the original pace.",
)
@click.option("--task", "task_id", shell_complete=task_ids, help="Tell only what happened to this task.")
@on_a_system
def command(start: int, speed: float, task_id: str | None) -> None:
    """Tell history again in a dashboard, at its own pace or SPEED times faster, and do nothing else.

    It prints an address; the replay begins when a browser opens it, and only that address shows it. Every page there
    is as of the replay's moment. Pauses longer than 5 s are cut to 5 s, and a second has at most 500 events. It ends
    with Ctrl-C, or when the dashboard is closed. Nothing is stored, and no service hears of it.
    """
    asyncio.run(_replay(start, speed, task_id))


async def _replay(start: int, speed: float, task_id: str | None) -> None:
    import contextlib
    import secrets
    import signal

    from cli.connection import linked
    from cli.failures import Failure
    from cli.follow import log_line, print_line
    from cli.short_ids import whole_id
    from services.projector.projection.facts import Stored
    from services.projector.replay import Replay, Script
    from shared.event_store.envelope import BadEnvelope, decode_event
    from shared.nats.streams import EVENTS

    console = screen()

    def tell(stored: Stored) -> None:
        # What this version cannot read has no words here; the dashboard's timeline has it.
        with contextlib.suppress(BadEnvelope):
            print_line(console, log_line(decode_event(stored.subject, stored.body, stored.seq)))

    async with linked(goes_on=True) as link:
        task_id = await whole_id(link.bus, task_id) if task_id else None
        middle = f".{task_id}." if task_id else "."
        last = int((await link.bus.js.stream_info(EVENTS)).state.last_seq)
        if start > last:
            raise Failure(f"The log ends at {last}: there is nothing from {start} on to be told.")
        if start > 1:
            screen(to_stderr=True).print(f"[dim]Reading the log up to #{start - 1} …[/]")
        # A letter first: a session of digits alone would be read as a number in an address.
        session = f"r{secrets.token_hex(8)}"
        page = f"{link.endpoint.http}{f'/tasks/{task_id}' if task_id else '/'}?replay={session}"
        script = Script(session, start, last, speed, wanted=lambda subject: middle in subject, tell=tell)
        async with Replay.of(link.bus, script) as replay:
            stopped = asyncio.Event()
            for number in (signal.SIGINT, signal.SIGTERM):
                asyncio.get_running_loop().add_signal_handler(number, stopped.set)
            console.print(f"The replay begins when you open [bold]{page}[/]", soft_wrap=True)

            async def play() -> None:
                await replay.attended()
                await replay.play()
                console.print(f"[green]✓[/] All is told, up to #{last}. It stays until you close the page, or Ctrl-C.")
                await stopped.wait()

            ends = [asyncio.create_task(each) for each in (play(), replay.left(), stopped.wait())]
            try:
                done, _ = await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
                for each in done:
                    each.result()
            finally:
                for each in ends:
                    each.cancel()
                await asyncio.gather(*ends, return_exceptions=True)
        console.print("The replay is over." if stopped.is_set() else "The dashboard is gone: the replay is over.")
