"""`journeyman prune`: what nobody needs any more."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import rich_click as click
from click.exceptions import Exit

from cli.console import json_option, print_json, say, screen, table
from cli.systems import on_a_system

if TYPE_CHECKING:
    from cli.prune.candidate import Candidate

KINDS: Final = ("conversations", "artifacts", "mirrors", "caches", "branches")
OUTCOMES: Final = ("completed", "failed", "cancelled", "declined")
SHOWN: Final = 20


@click.command("prune", cls=click.RichCommand)
@click.option(
    "--older-than",
    "days",
    type=click.FloatRange(0),
    default=30.0,
    show_default=True,
    metavar="DAYS",
    help="Only tasks that ended, and things that were made, so many days ago.",
)
@click.option(
    "--outcome",
    "outcomes",
    type=click.Choice(OUTCOMES),
    multiple=True,
    help="Only tasks that ended so; may be given again.  [default: all of them]",
)
@click.option(
    "--only",
    "kinds",
    type=click.Choice(KINDS),
    multiple=True,
    help="Only things of this kind; may be given again.  [default: all but branches]",
)
@click.option(
    "--caches-gib",
    type=click.FloatRange(0),
    default=5.0,
    show_default=True,
    help="How much the download caches of one repository may take.",
)
@click.option("--apply", is_flag=True, help="Clear it away; without this it is only listed.")
@json_option
@on_a_system
def command(
    days: float, outcomes: tuple[str, ...], kinds: tuple[str, ...], caches_gib: float, apply: bool, as_json: bool
) -> None:
    """List what nobody needs any more, by age and outcome; with --apply, clear it away.

    conversations: the CLI's records of ended tasks on this machine · artifacts: those that no event names, and
    checkpoints of ended tasks · mirrors: of repositories that are not configured any more · caches: downloads of
    package clients · branches: those that were merged, or whose task was cancelled or declined, in the target
    repositories. The log itself is never pruned. Archive first.
    """
    found, problems = asyncio.run(_prune(days, outcomes, kinds or KINDS[:-1], int(caches_gib * 1024**3), apply))
    if as_json:
        items = [
            {"kind": each.kind, "what": each.what, "bytes": each.bytes, "reason": each.reason, "held": each.held}
            for each in found
        ]
        print_json({"applied": apply, "items": items, "problems": problems})
    else:
        _print(found, apply=apply)
        for problem in problems:
            say(f"journeyman: {problem}", to_stderr=True)
    raise Exit(1 if problems else 0)


def _print(found: Sequence[Candidate], *, apply: bool) -> None:
    from rich.markup import escape

    from shared.ops.disk_use import size_in_words

    console = screen()
    if not found:
        console.print("Nothing to prune.")
        return
    for kind in KINDS:
        of_kind = [each for each in found if each.kind == kind]
        if not of_kind:
            continue
        console.print(f"[bold]{kind}[/]: {len(of_kind):,}, {size_in_words(sum(each.bytes for each in of_kind))}")
        shown = table("", "", "")
        shown.show_header = False
        for each in of_kind[:SHOWN]:
            held = f"[yellow]held: {escape(each.held)}[/]" if each.held else escape(each.reason)
            shown.add_row(f"  {escape(each.what)}", size_in_words(each.bytes) if each.bytes else "", held)
        console.print(shown)
        if len(of_kind) > SHOWN:
            console.print(f"  … and {len(of_kind) - SHOWN:,} more (--json lists all)")
    total = size_in_words(sum(each.bytes for each in found if not each.held))
    if apply:
        console.print(f"\n[green]✓[/] cleared away: {total}")
    else:
        console.print(f"\n{total} could be cleared away. Nothing was: give the command again with [bold]--apply[/].")


async def _prune(
    days: float, outcomes: tuple[str, ...], kinds: tuple[str, ...], cache_bytes: int, apply: bool
) -> tuple[list[Candidate], list[str]]:
    from cli.audit_output import bar
    from cli.connection import linked
    from cli.failures import Failure
    from cli.prune import artifacts, branches, caches, conversations, mirrors
    from cli.prune.history import read_history
    from shared.nats.errors import NatsError
    from shared.ops.config import load_config
    from shared.workspace.git import GitFailed

    before = datetime.now(UTC) - timedelta(days=days)
    async with linked() as link:
        data = link.endpoint.data
        config = load_config(link.settings.config or data / "journeyman.toml")
        with bar("reading the log") as progress:
            history = await read_history(link.bus, progress)
        ended = {
            id: task for id, task in history.ended.items() if task.at < before and task.status in (outcomes or OUTCOMES)
        }
        found: list[Candidate] = []
        problems: list[str] = []
        if "conversations" in kinds:
            found += await asyncio.to_thread(conversations.find, data, ended)
        if "artifacts" in kinds:
            found += await artifacts.find(link.bus, history, ended, before)
        if "mirrors" in kinds:
            found += await asyncio.to_thread(mirrors.find, data, config, before)
        if "caches" in kinds:
            found += await asyncio.to_thread(caches.find, data, cache_bytes)
        if "branches" in kinds:
            some, problems = await branches.find(data, config, ended.values())
            found += some
        for each in found if apply else ():
            if each.held:
                continue
            try:
                await each.clear()
            except (Failure, GitFailed, NatsError, TimeoutError, OSError) as error:
                problems.append(f"{each.what}: {error}")
        return found, problems
