"""The console of `up`: one line when a child is ready, one when it ends, and where everything is."""

from __future__ import annotations

import os

from rich.console import Console
from rich.markup import escape

from cli.supervisor.restarts import Change


class UpConsole:
    """Says what happens to the children, briefly."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.quiet = False

    def changed(self, change: Change) -> None:
        """One line per change; nothing while we stop, when every child is meant to end."""
        if self.quiet:
            return
        match change:
            case Change(what="ready", first=True):
                self.say(f"  [green]✓[/] {change.name:<11} [dim]{change.seconds:.1f} s[/]")
            case Change(what="ready"):
                self.say(f"  [green]✓[/] {change.name:<11} [green]back[/] [dim]after {change.seconds:.1f} s[/]")
            case Change(what="ended"):
                self.say(
                    f"  [yellow]![/] {change.name:<11} [yellow]ended ({escape(change.detail)})[/], "
                    f"starting it again in {change.seconds:.1f} s"
                )
            case _:
                self.say(
                    f"  [red]✗[/] {change.name:<11} [red]does not start:[/] {escape(change.detail)} "
                    f"[dim]Next try in {change.seconds:.1f} s.[/]"
                )

    def say(self, text: str = "", *, whole: bool = False) -> None:
        """A line with markup, which is not broken when it is wanted ``whole``, to be copied.

        A terminal that was closed is no reason to leave children behind.
        """
        try:
            self.console.print(text, soft_wrap=whole)
        except (OSError, SystemExit):
            self.console = Console(file=open(os.devnull, "w"))  # noqa: SIM115, PTH123  # for the rest of our life
