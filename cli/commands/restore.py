"""`journeyman restore`: an empty log, rebuilt from its archive."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click
from click.exceptions import Exit

from cli.console import json_option, screen
from cli.systems import on_a_system

if TYPE_CHECKING:
    from cli.audit import Audit


@click.command("restore", cls=click.RichCommand)
@click.argument("directory", type=click.Path(exists=True, file_okay=False, path_type=Path))
@json_option
@on_a_system
def command(directory: Path, as_json: bool) -> None:
    """Rebuild an empty log from the archive in DIRECTORY: the same bytes at the same sequences, then checked.

    Begin with a NATS without data, `journeyman provision`, and no service running. It refuses a log that has events
    of its own; a restore that was interrupted goes on.
    """
    from cli.audit_output import print_audit

    published, result = asyncio.run(_restore(directory))
    if not as_json:
        screen().print(f"[green]✓[/] {published:,} events restored")
    print_audit(result, as_json=as_json)
    raise Exit(0 if result.damage is None else 1)


async def _restore(directory: Path) -> tuple[int, Audit]:
    from cli.audit_output import audited, bar
    from cli.connection import linked
    from shared.backup.archive import Archive, ArchiveRefused
    from shared.backup.nats_archive import restore

    source = Archive(directory)
    if not source.manifest.segments:
        raise ArchiveRefused(f"{directory} holds no archive: name the directory of `journeyman archive`.")
    async with linked() as link:
        with bar("restoring the log") as progress:
            published = await restore(link.bus, source, progress)
        return published, await audited(link.bus)
