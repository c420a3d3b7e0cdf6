"""Output: tables and colour for people on a terminal, plain when piped, one JSON document for scripts.

Everything that a command prints goes through here, so that no text of a stranger or of a model steers the terminal or
hides from the reader (`shared.ops.visible`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final, TypeVar

import msgspec
import rich_click as click
from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from shared.ops.visible import visible, visible_json

F = TypeVar("F", bound=Callable[..., Any])

SEQUENCE: Final = click.IntRange(1, 2**63 - 1)
"""A stream sequence that somebody types: `MAX_SEQUENCE`, which the CLI does not import, to start fast."""

_ONE_LINE: Final = bytes.maketrans(b"\r\n", b"  ")

json_option: Callable[[F], F] = click.option("--json", "as_json", is_flag=True, help="Print JSON for scripts.")


class VisibleConsole(Console):
    """A console that prints a mark in place of each invisible character."""

    def render_str(self, text: str, **how: Any) -> Text:
        """Marks are set before rich measures the text, so that tables stay aligned."""
        return super().render_str(visible(text), **how)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Marks are set once more in what comes out, because titles of panels and Markdown pass `render_str` by."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(visible(segment.text), segment.style)

    def on_broken_pipe(self) -> None:
        """Called for a `BrokenPipeError`, which goes on: the exit that rich would make here leaves tasks behind."""
        raise  # rich is in the middle of handling it


def screen(*, to_stderr: bool = False) -> Console:
    """Standard output (or error) for people. Piped, it has no colour and does not break lines."""
    console = VisibleConsole(stderr=to_stderr, highlight=False, emoji=False, markup=True)
    if not console.is_terminal:
        console = VisibleConsole(stderr=to_stderr, highlight=False, emoji=False, markup=True, width=200, soft_wrap=True)
    return console


def say(text: str, *, to_stderr: bool = False) -> None:
    """One plain line, without markup."""
    click.echo(visible(text), err=to_stderr)


def write(text: str) -> None:
    """A piece of a text, which goes on where it ends."""
    click.echo(visible(text), nl=False)


def print_json(value: Any, *, lines: bool = False) -> None:
    """One JSON document, indented; or, with ``lines``, one line. Invisible characters are escaped.

    What is passed on as it was stored may have been written on several lines: between its values, and nowhere else.
    """
    encoded = msgspec.json.encode(value)
    shown = encoded.translate(_ONE_LINE) if lines else msgspec.json.format(encoded, indent=2)
    click.echo(visible_json(shown.decode()))


def table(*columns: str) -> Table:
    """A table with a quiet head and no frame. Its first column is what one copies: it is never cut."""
    made = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim", show_edge=False)
    for index, column in enumerate(columns):
        made.add_column(column, no_wrap=index == 0)
    return made
