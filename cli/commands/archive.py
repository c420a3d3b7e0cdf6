"""`journeyman archive`: a second copy of the log."""

from __future__ import annotations

import asyncio
from pathlib import Path

import rich_click as click

from cli.console import json_option, print_json, screen
from cli.systems import on_a_system


@click.command("archive", cls=click.RichCommand)
@click.argument("directory", type=click.Path(file_okay=False, path_type=Path))
@json_option
@on_a_system
def command(directory: Path, as_json: bool) -> None:
    """Write to DIRECTORY what is new in the log, as Parquet segments with their hashes.

    Run it as often as the log's second copy is to be fresh. It refuses a log that does not go on where the archive
    ends, so a log that has lost its end shows here.
    """
    added, last = asyncio.run(_archive(directory))
    if as_json:
        print_json({"added": added, "last": last})
    else:
        screen().print(f"[green]✓[/] {added:,} events added; the archive ends at {last:,}")


async def _archive(directory: Path) -> tuple[int, int]:
    from cli.audit_output import bar
    from cli.connection import linked
    from shared.backup.archive import Archive
    from shared.backup.nats_archive import archive

    async with linked() as link:
        target = Archive(directory)
        with bar("archiving the log") as progress:
            added = await archive(link.bus, target, progress)
        return added, target.manifest.last
