"""Output: tables and colour for people on a terminal, plain when piped, one JSON document for scripts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import msgspec
import rich_click as click
from rich.console import Console
from rich.table import Table

F = TypeVar("F", bound=Callable[..., Any])

json_option: Callable[[F], F] = click.option("--json", "as_json", is_flag=True, help="Print JSON for scripts.")


def screen(*, to_stderr: bool = False) -> Console:
    """Standard output (or error) for people. Piped, it has no colour and does not break lines."""
    console = Console(stderr=to_stderr, highlight=False, emoji=False, markup=True)
    if not console.is_terminal:
        console = Console(stderr=to_stderr, highlight=False, emoji=False, markup=True, width=200, soft_wrap=True)
    return console


def print_json(value: Any, *, lines: bool = False) -> None:
    """One JSON document, indented; or, with ``lines``, one line."""
    encoded = msgspec.json.encode(value)
    click.echo((encoded if lines else msgspec.json.format(encoded, indent=2)).decode())


def table(*columns: str) -> Table:
    """A table with a quiet head and no frame. Its first column is what one copies: it is never cut."""
    made = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim", show_edge=False)
    for index, column in enumerate(columns):
        made.add_column(column, no_wrap=index == 0)
    return made
