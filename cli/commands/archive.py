"""`journeyman archive`: a second copy of everything that happened."""

from __future__ import annotations

import asyncio
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click
from click.exceptions import Exit

from cli.console import json_option, print_json, say, screen
from cli.systems import on_a_system

if TYPE_CHECKING:
    from shared.backup.whole import Added


@click.command("archive", cls=click.RichCommand)
@click.argument("directory", type=click.Path(file_okay=False, path_type=Path))
@json_option
@on_a_system
def command(directory: Path, as_json: bool) -> None:
    """Write to DIRECTORY what is new: the log, what ARTIFACTS holds, and the agents' output, with their hashes.

    Run it as often as the second copy is to be fresh. It refuses a log that does not go on where the archive ends, so a
    log that has lost its end shows here. Exit code 1 when an artifact's bytes are gone from the store.
    """
    added, last = asyncio.run(archived(directory))
    if as_json:
        print_json(
            {
                "added": added.events,
                "last": last,
                "artifacts": added.artifacts,
                "lines": added.lines,
                "lost": added.lost,
            }
        )
    else:
        print_added(added, last)
    raise Exit(1 if added.lost else 0)


async def archived(directory: Path) -> tuple[Added, int]:
    """Archive what is new into a directory; returns what that was, and the last event that the archive has."""
    from cli.audit_output import bar
    from cli.connection import linked
    from shared.backup.archive import Archive
    from shared.backup.whole import archive_whole

    async with linked() as link:
        target = Archive(directory)
        with bar("archiving") as progress:
            added = await archive_whole(link.bus, target, progress)
        if directory.stat().st_mode & 0o077:
            say(
                f"journeyman: {directory} may be read by others of this machine, and it holds diffs and conversations: "
                f"`chmod 700 {shlex.quote(str(directory))}`.",
                to_stderr=True,
            )
        return added, target.manifest.last


def print_added(added: Added, last: int) -> None:
    """Say what was added, and what could not be."""
    screen().print(
        f"[green]✓[/] {added.events:,} events added; the archive ends at {last:,} "
        f"[dim]({added.artifacts:,} artifacts, {added.lines:,} lines of output)[/]"
    )
    if added.lost:
        say(
            f"journeyman: the bytes of {len(added.lost)} artifacts are gone or damaged: {_some(added.lost)}. "
            "An older copy may have them.",
            to_stderr=True,
        )


def _some(names: tuple[str, ...]) -> str:
    shown = ", ".join(names[:5])
    return shown if len(names) <= 5 else f"{shown} and {len(names) - 5} more"
