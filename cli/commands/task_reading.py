"""`journeyman task wait | logs | diff | open`: looking on, without a hand in it."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from typing import Any, Final

import rich_click as click
from click.exceptions import Exit

from cli.completions import task_ids
from cli.console import json_option, print_json, say, screen
from cli.systems import on_a_system


@click.command("wait", cls=click.RichCommand)
@click.argument("id", shell_complete=task_ids)
@click.option("--timeout", type=click.FloatRange(min=0, min_open=True), help="Most seconds.  [default: for ever]")
@click.option("--quiet", is_flag=True, help="Without the story.")
@json_option
@on_a_system
def wait(id: str, timeout: float | None, quiet: bool, as_json: bool) -> None:
    """Show what happens until the task has ended or is in review; exit code 1 if it did not come so far.

    Ctrl-C leaves the task alone.
    """
    from cli.tasks.watching import wait as until_end

    answer = asyncio.run(until_end(id, timeout_s=timeout, quiet=quiet or as_json))
    if as_json:
        print_json(answer)
    else:
        say(words_of_end(answer))
    raise Exit(exit_code(answer))


def exit_code(answer: dict[str, Any]) -> int:
    """0 for a task whose result is where people wanted it, or where they decide about it."""
    return 0 if answer["status"] in ("completed", "in-review") else 1


def words_of_end(answer: dict[str, Any]) -> str:
    """How a task ended, how well its result is proven, and where it is: ``in-review, verified: https://…``."""
    from shared.contracts.sentences.evidence import class_of

    proven = class_of(answer["evidence"], answer["outcome"])
    words = f"{answer['status']}, {proven}" if proven else str(answer["status"])
    return f"{words}: {url}" if (url := answer.get("url")) else words


@click.command("logs", cls=click.RichCommand)
@click.argument("id", shell_complete=task_ids)
@click.option("--follow", "-f", is_flag=True, help="Go on with what is to come, until the task has ended.")
@click.option("--json", "as_json", is_flag=True, help="The lines of the agent's stream, one JSON line each.")
@on_a_system
def logs(id: str, follow: bool, as_json: bool) -> None:
    """What the task's agents did and said, of the last week."""
    asyncio.run(_logs(id, follow, as_json))


async def _logs(id: str, follow: bool, as_json: bool) -> None:
    import msgspec
    from rich.markup import escape

    from cli.follow import activities, print_line
    from cli.tasks.watching import logs as lines_of

    console = screen()
    async with contextlib.aclosing(lines_of(id, following=follow)) as lines:
        async for kind, line in lines:
            if as_json:
                print_json({"actor": kind, "line": msgspec.Raw(line)}, lines=True)
                continue
            for text in activities(line):
                print_line(console, f"[dim]{kind:<5}[/] {escape(text)}")


@click.command("diff", cls=click.RichCommand)
@click.argument("id", shell_complete=task_ids)
@on_a_system
def diff(id: str) -> None:
    """The change that the newest run made, whether or not it was proven: `journeyman task diff ID | git apply`.

    On a terminal, what is invisible in it is shown as marks.
    """
    from cli.tasks.watching import diff as diff_of

    task_id, made = asyncio.run(diff_of(id))
    if not made:
        say(f"Task {task_id} has changed nothing yet.", to_stderr=True)
    elif sys.stdout.isatty():
        say(made.decode(errors="replace").rstrip("\n"))
    else:
        sys.stdout.buffer.write(made)


@click.command("open", cls=click.RichCommand)
@click.argument("id", shell_complete=task_ids)
@json_option
@on_a_system
def open_(id: str, as_json: bool) -> None:
    """Print the address of the task's page in the dashboard."""
    from cli.tasks.watching import address

    found = asyncio.run(address(id))
    if as_json:
        print_json(found)
    else:
        say(found["url"])


COMMANDS: Final[tuple[click.Command, ...]] = (wait, logs, diff, open_)
