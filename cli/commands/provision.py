"""`journeyman provision`: create the streams, once."""

from __future__ import annotations

import asyncio

import rich_click as click

from cli.console import json_option, print_json, say
from cli.systems import on_a_system

PATIENCE_S = 30.0


@click.command("provision", cls=click.RichCommand)
@json_option
@on_a_system
def command(as_json: bool) -> None:
    """Create the streams and check the log's guards. Safe to run again; waits up to 30 s for NATS to come up."""
    created = asyncio.run(_provision())
    if as_json:
        print_json({"created": created})
    else:
        say(f"created {', '.join(created)}" if created else "everything is there already; the guards stand")


async def _provision() -> list[str]:
    from cli.connection import linked
    from shared.nats.requirements import require
    from shared.nats.streams import provision, stream_limits_of

    async with linked(patience_s=PATIENCE_S) as link:
        limits = stream_limits_of(link.settings)
        await require(link.bus, limits)
        return await provision(link.bus, limits)
