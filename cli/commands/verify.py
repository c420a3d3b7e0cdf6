"""`journeyman verify`: the whole log, checked."""

from __future__ import annotations

import asyncio

import rich_click as click
from click.exceptions import Exit

from cli.console import json_option
from cli.systems import on_a_system


@click.command("verify", cls=click.RichCommand)
@json_option
@on_a_system
def command(as_json: bool) -> None:
    """Check the whole log from sequence 1: no gap, each actor's versions and hash chain, every event's schema.

    Exit code 1 and the first bad sequence when it is damaged.
    """
    from cli.audit import Audit
    from cli.audit_output import audited, print_audit
    from cli.connection import linked

    async def check() -> Audit:
        async with linked() as link:
            return await audited(link.bus)

    result = asyncio.run(check())
    print_audit(result, as_json=as_json)
    raise Exit(0 if result.damage is None else 1)
