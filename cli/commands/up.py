"""`journeyman up`: everything on this machine, until Ctrl-C."""

from __future__ import annotations

import asyncio
from pathlib import Path

import rich_click as click
from click.exceptions import Exit


@click.command("up", cls=click.RichCommand)
@click.option(
    "--demo", is_flag=True, help="Scripted model, demonstration repository and one real task: no key, no account."
)
@click.option("--once", is_flag=True, help="With --demo: end when the task has, exit code 0 only if it completed.")
@click.option(
    "--port", type=click.IntRange(0, 65535), help="The dashboard's port; 0 picks free ports for all.  [default: 8080]"
)
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where everything is kept.  [default: .journeyman, for the demo .journeyman/demo]",
)
@click.option("--nats-url", help="Use this NATS instead of an embedded one (as JOURNEYMAN_NATS_URL does).")
@click.option("--logs", is_flag=True, help="Show the services' logs here; they are in DATA/logs in any case.")
def command(demo: bool, once: bool, port: int | None, data: Path | None, nats_url: str | None, logs: bool) -> None:
    """Run all services on this machine, with an embedded NATS, until Ctrl-C.

    A service that ends is started again. When all are ready, one JSON line with the addresses goes to standard
    output; everything else goes to standard error.
    """
    from cli.supervisor.run import UpOptions, run

    if once and not demo:
        raise click.UsageError("--once belongs to --demo.")
    options = UpOptions(demo=demo, once=once, port=port, data=data, nats_url=nats_url or "", logs=logs)
    raise Exit(asyncio.run(run(options)))
