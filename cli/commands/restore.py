"""`journeyman restore`: an empty system, rebuilt from its archive."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import rich_click as click
from click.exceptions import Exit

from cli.console import json_option, print_json, screen
from cli.systems import on_a_system

if TYPE_CHECKING:
    from cli.audit import Audit
    from shared.backup.whole import Restored


@click.command("restore", cls=click.RichCommand)
@click.argument("directory", type=click.Path(exists=True, file_okay=False, path_type=Path))
@json_option
@on_a_system
def command(directory: Path, as_json: bool) -> None:
    """Rebuild an empty system from the archive in DIRECTORY: the same events, artifacts and output, then checked.

    Stop the services first. Where no NATS is named it starts the embedded one of the data directory for itself.
    Nothing is overwritten: it refuses a log that has events of its own. A restore that was interrupted goes on.
    """
    from cli.audit_output import print_audit

    restored, result, last = asyncio.run(_restore(directory))
    if as_json:
        print_json({**msgspec.structs.asdict(result), "restored": restored._asdict()})
    else:
        _print(restored, last)
        print_audit(result, as_json=False)
    raise Exit(0 if result.damage is None else 1)


def _print(restored: Restored, last: int) -> None:
    console = screen()
    console.print(
        f"[green]✓[/] {restored.events:,} events restored "
        f"[dim]({restored.artifacts:,} artifacts, {restored.lines:,} lines of output)[/]"
    )
    if restored.whole < last:
        since = f" behind event {restored.whole:,}" if restored.whole else ""
        console.print(
            f"[yellow]![/] The archive has no artifacts and no output{since}: it was written by an older version, or "
            "interrupted. Diffs, bundles and conversations of those events are missing."
        )
    if restored.missing:
        console.print(
            f"[yellow]![/] {len(restored.missing):,} artifacts that events name are not in the archive: "
            f"{', '.join(restored.missing[:5])}{' …' if len(restored.missing) > 5 else ''}"
        )


async def _restore(directory: Path) -> tuple[Restored, Audit, int]:
    from cli.audit_output import audited, bar
    from cli.quiet_log import quiet_log
    from shared.backup.archive import Archive, ArchiveRefused
    from shared.backup.whole import restore_whole

    source = Archive(directory)
    if not source.manifest.segments:
        raise ArchiveRefused(f"{directory} holds no archive: name the directory of `journeyman archive`.")
    async with quiet_log() as bus:
        with bar("restoring") as progress:
            restored = await restore_whole(bus, source, progress)
        return restored, await audited(bus), source.manifest.last
