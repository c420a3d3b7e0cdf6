"""`journeyman chat`: a conversation with the brain, over NATS alone."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

import rich_click as click
from click.exceptions import Exit

from cli.completions import repositories
from cli.console import json_option, print_json, say, write
from cli.systems import on_a_system

if TYPE_CHECKING:
    from cli.conversation import Answer
    from shared.contracts.session import Proposal
    from shared.contracts.task import Approval


@click.command("chat", cls=click.RichCommand)
@click.argument("message", required=False)
@click.option("--session", "session_id", default="", help="Go on with this conversation.  [default: a new one]")
@click.option("--repo", default="", shell_complete=repositories, help="The repository that it is about.")
@json_option
@on_a_system
def command(message: str | None, session_id: str, repo: str, as_json: bool) -> None:
    """Ask the brain, or tell it what is to be done: MESSAGE, or what standard input says, or line by line.

    A question is answered as the answer comes; what is work becomes a task at once. `/plan`, `/fix`, `/task`, `/ask`,
    `/status` and `/cost` in front of a message say which it is. What the brain would like to change it proposes, and
    nothing happens before you say yes to it. Ctrl-C breaks an answer off.

    The exit code of a single message is 0 where it was answered or became a task, and 1 where it was not.
    """
    if message is None and not as_json and _at_terminal():
        _talk(session_id, repo)
        return
    if message in (None, "-"):
        message = sys.stdin.read()
    answer = _exchange(message or "", session_id, repo, quiet=as_json)
    if as_json:
        print_json(answer)
    else:
        _decide(answer.session_id, answer.proposals, answer.approval)
        _say_how_to_go_on(answer.session_id)
    raise Exit(0 if answer.status in ("answered", "opened") else 1)


def _talk(session_id: str, repo: str) -> None:
    """One message after the other, until the input ends."""
    from cli.conversation import undecided

    if session_id:
        _decide(session_id, *asyncio.run(undecided(session_id)))
    say("Ask, or say what is to be done. Ctrl-D ends it.", to_stderr=True)
    while True:
        try:
            message = click.prompt("you", prompt_suffix="> ", err=True)
        except click.Abort:
            say("", to_stderr=True)
            break
        try:
            answer = _exchange(message, session_id, repo, quiet=False)
        except KeyboardInterrupt:
            say("\nThe answer was broken off.", to_stderr=True)
            continue
        session_id = answer.session_id
        _decide(session_id, answer.proposals, answer.approval)
    if session_id:
        _say_how_to_go_on(session_id)


def _exchange(message: str, session_id: str, repo: str, *, quiet: bool) -> Answer:
    """Say it; what comes of it goes to standard output, why nothing does to standard error."""
    from cli.conversation import exchange

    answer = asyncio.run(
        exchange(message, session_id=session_id, repo=repo, tell=(lambda text: None) if quiet else write)
    )
    if quiet:
        return answer
    match answer.status:
        case "opened":
            say(answer.task_id)
            say(f"It is a task: `journeyman task wait {answer.task_id}` follows it.", to_stderr=True)
        case "answered":
            write("\n")
        case "interrupted":
            write("\n")
            say("The answer was broken off.", to_stderr=True)
        case _:
            say(f"There is no answer ({answer.code}): {answer.text}", to_stderr=True)
    return answer


def _decide(session_id: str, proposals: tuple[Proposal, ...], approval: Approval) -> None:
    """Show what is proposed, whole, and ask about each where somebody can answer."""
    from cli.conversation import decide, what_is_done

    for proposal in proposals:
        say(f"\nProposed: {what_is_done(proposal, approval)}\n", to_stderr=True)
        if not _at_terminal():
            say(f"It waits for a yes, in the dashboard or at `journeyman chat --session {session_id}`.", to_stderr=True)
            continue
        wanted = click.confirm("Do exactly this?", err=True)
        asyncio.run(decide(session_id, proposal, wanted=wanted))
        if not wanted:
            say("Turned down.", to_stderr=True)
            continue
        say(f"Done: `journeyman task show {proposal.task_id}` shows what comes of it.", to_stderr=True)


def _at_terminal() -> bool:
    return sys.stdin.isatty()


def _say_how_to_go_on(session_id: str) -> None:
    say(f"To go on: `journeyman chat --session {session_id}`", to_stderr=True)
