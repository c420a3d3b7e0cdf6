"""The options that name the system a command acts on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec
import rich_click as click

from cli.completions import context_names

F = TypeVar("F", bound=Callable[..., Any])

_META: Final = "cli.systems.choice"


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """What the options of a command say: at most one of these."""

    data: Path | None = None
    url: str = ""
    context: str = ""


def chosen() -> Choice:
    """What the command that runs was told."""
    context = click.get_current_context(silent=True)
    found: Choice = Choice() if context is None else context.meta.get(_META, Choice())
    return found


def _choose(context: click.Context, option: click.Parameter, value: Any) -> None:
    if value is None:
        return
    if _META in context.meta:
        raise click.UsageError("Name one system: give one of --data, --url and --context.", context)
    context.meta[_META] = Choice(**{str(option.name): value})


_OPTIONS: Final = (
    click.option(
        "--context",
        shell_complete=context_names,
        help="Act on the system of this name (`journeyman context`).",
        expose_value=False,
        callback=_choose,
    ),
    click.option(
        "--url",
        help="Act on the system at this address: of its NATS, or of its dashboard on this machine.",
        expose_value=False,
        callback=_choose,
    ),
    click.option(
        "--data",
        type=click.Path(file_okay=False, path_type=Path),
        help="Act on the system with this data directory.  [default: the one that runs in this folder]",
        expose_value=False,
        callback=_choose,
    ),
)


def on_a_system(command: F) -> F:
    """The options of a command that acts on a running system."""
    for option in _OPTIONS:
        command = option(command)
    return command
