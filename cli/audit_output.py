"""The audit of the log as a person sees it: a bar while it reads, and one line of what was found."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

from cli.audit import Audit, audit
from cli.console import print_json, say, screen
from shared.nats.bus import Bus


@contextlib.contextmanager
def bar(title: str) -> Iterator[Callable[[int, int], None]]:
    """A progress bar on standard error, where that is a terminal; takes ``(done, total)``."""
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (TextColumn(title), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    console = screen(to_stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as shown:
        row = shown.add_task(title, total=None)
        yield lambda done, total: shown.update(row, completed=done, total=total)


async def audited(bus: Bus) -> Audit:
    """Check the whole log."""
    with bar("reading the log") as progress:
        return await audit(bus, progress)


def print_audit(result: Audit, *, as_json: bool) -> None:
    """Say what was found: a sound log on standard output, damage on standard error."""
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
        say(
            f"journeyman: the log is damaged at stream sequence {result.damage.sequence}{of}: {result.damage.problem}. "
            "Stop the services and restore the log from its archive.",
            to_stderr=True,
        )
