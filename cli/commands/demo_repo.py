"""`journeyman demo-repo`: the demonstration repository alone."""

from __future__ import annotations

from pathlib import Path

import rich_click as click

from cli.console import say


@click.command("demo-repo", cls=click.RichCommand)
@click.argument("path", type=click.Path(path_type=Path))
def command(path: Path) -> None:
    """Make the demonstration repository in the new folder PATH: a small bug, and a test that shows it."""
    from cli.failures import Failure
    from shared.claude.demo.repo import create_demo_repository

    try:
        say(str(create_demo_repository(path)))
    except FileExistsError as error:
        raise Failure(f"{path} exists: name a new folder.") from error
