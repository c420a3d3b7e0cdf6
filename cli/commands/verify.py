"""`journeyman verify`: the whole log, checked, or what a pull request's receipt says of it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click
from click.exceptions import Exit

from cli.console import json_option, print_json, screen
from cli.failures import Failure
from cli.systems import on_a_system

if TYPE_CHECKING:
    from shared.event_store.envelope import RecordedEvent


@click.command("verify", cls=click.RichCommand)
@click.option(
    "--receipt", metavar="URL-OR-FILE", help="Check what the receipt of a pull request says; - reads it here."
)
@click.option(
    "--archive",
    type=click.Path(path_type=Path, file_okay=False),
    help="Hold the receipt against an archive in this directory, without any service.",
)
@json_option
@on_a_system
def command(receipt: str | None, archive: Path | None, as_json: bool) -> None:
    """Check the whole log from sequence 1: no gap, each actor's versions and hash chain, every event's schema.

    With --receipt: whether the events that a result rests on, its plan and its approval are those in the log.

    Exit code 1 and the first bad sequence, or what does not agree, when something is wrong.
    """
    if receipt is not None:
        raise Exit(_check_receipt(receipt, archive, as_json))
    if archive is not None:
        raise Failure("An archive is what a receipt is held against: give --receipt as well.")
    from cli.audit import Audit
    from cli.audit_output import audited, print_audit
    from cli.connection import linked

    async def check() -> Audit:
        async with linked() as link:
            return await audited(link.bus)

    result = asyncio.run(check())
    print_audit(result, as_json=as_json)
    raise Exit(0 if result.damage is None else 1)


def _check_receipt(source: str, archive: Path | None, as_json: bool) -> int:
    import msgspec

    from cli.receipts import archived_events, receipt_at
    from shared.event_store.receipt import problems_of

    receipt = receipt_at(source)
    events = list(archived_events(archive, receipt.task)) if archive else asyncio.run(_logged(receipt.task))
    problems = problems_of(receipt, events)
    if as_json:
        print_json({"receipt": msgspec.to_builtins(receipt), "problems": problems})
        return 1 if problems else 0
    console = screen()
    for problem in problems:
        console.print(problem, style="red", markup=False)
    if problems:
        return 1
    approved = receipt.plan
    console.print(
        f"The receipt is true: {receipt.range.count} events of task {receipt.task}, in the log from "
        f"{receipt.range.first} to {receipt.range.last}.",
        style="green",
        markup=False,
    )
    if approved is not None:
        plan = f"Plan v{approved.version} {approved.digest[:8]} was approved by {approved.approver}."
        console.print(plan, markup=False)
    evidence = f", {receipt.evidence}" if receipt.evidence else ""
    console.print(f"The result is tree {receipt.tree}{evidence}; the commit to see is {receipt.commit}.", markup=False)
    return 0


async def _logged(task: str) -> list[RecordedEvent]:
    from cli.connection import linked
    from shared.contracts.kinds import TASK_SCOPED
    from shared.contracts.subjects import Actor
    from shared.event_store.journal import LogDamaged
    from shared.nats.journal import NatsJournal

    async with linked() as link:
        journal = NatsJournal(link.bus)
        try:
            return [event for kind in TASK_SCOPED for event in await journal.load(Actor(kind, task))]
        except LogDamaged as error:
            raise Failure(str(error)) from error
