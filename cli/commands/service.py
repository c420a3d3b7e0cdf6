"""`journeyman service NAME`: one service alone, configured by its environment."""

from __future__ import annotations

import importlib

import rich_click as click

from cli.supervisor.names import SERVICES


@click.command("service", cls=click.RichCommand)
@click.argument("name", type=click.Choice(sorted(SERVICES)))
def command(name: str) -> None:
    """Run one service alone, configured by its environment (JOURNEYMAN_NATS_URL and so on): what containers run."""
    importlib.import_module(f"services.{name}.__main__").main()
