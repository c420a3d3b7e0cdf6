"""`journeyman backup`: everything that another machine needs to go on from."""

from __future__ import annotations

import asyncio
from pathlib import Path

import rich_click as click
from click.exceptions import Exit

from cli.console import json_option, print_json, screen
from cli.systems import on_a_system


@click.command("backup", cls=click.RichCommand)
@click.argument("directory", type=click.Path(file_okay=False, path_type=Path))
@json_option
@on_a_system
def command(directory: Path, as_json: bool) -> None:
    """Archive into DIRECTORY what is new, copy the configuration beside it, and say what else to keep.

    `journeyman restore DIRECTORY` brings it back. Secrets are named, never copied.
    """
    from rich.markup import escape

    from cli.backup import FOLDER, KEEP, keep_configuration
    from cli.commands.archive import archived, print_added
    from cli.endpoint import find_endpoint
    from shared.ops.settings import load_settings

    endpoint, settings = find_endpoint()
    if endpoint.data != settings.data_dir:
        settings = load_settings(data_dir=endpoint.data)  # the demo has one of its own
    added, last = asyncio.run(archived(directory))
    keep = keep_configuration(settings, directory)
    if as_json:
        print_json({**added._asdict(), "last": last, "keep": keep})
    else:
        print_added(added, last)
        console = screen()
        console.print(f"[green]✓[/] the configuration is in {escape(str(directory / FOLDER))}")
        console.print(f"\nKeep these elsewhere (also in {escape(str(directory / KEEP))}):")
        for each in keep:
            console.print(f"  • {escape(each)}")
    raise Exit(1 if added.lost else 0)
