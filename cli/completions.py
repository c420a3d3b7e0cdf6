"""What a shell completes besides our words: ids, repositories and names, as the system that is meant has them now.

A shell waits for it at each TAB, and shows what it prints: so all of it answers within a second, or with nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final

import click
from click.shell_completion import CompletionItem

if TYPE_CHECKING:
    from shared.runtime.client import Client

WITHIN_S: Final = 1.0
MOST: Final = 200

Complete = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]
Found = list[tuple[str, str]]
"""Words, and what a shell that shows more than words says of each."""


def from_system(find: Callable[[Client, str], Awaitable[Found]]) -> Complete:
    """Completes by a question to the running system."""

    def complete(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
        return _silently(context, incomplete, lambda: asyncio.run(_ask(find, incomplete)))

    return complete


def task_ids(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The ids of tasks, the newest first; each with its status and title."""
    return _tasks(context, parameter, incomplete)


def repositories(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The repositories of the system's journeyman.toml, where it is on this machine; the system need not run."""

    def names() -> Found:
        from cli.endpoint import NoSystem, find_endpoint
        from shared.ops.config import load_config

        try:
            found, settings = find_endpoint()
            path = settings.config or found.data / "journeyman.toml"
        except NoSystem as none:
            path = none.settings.config_path
        return [(name, "") for name in load_config(path).repos]

    return _silently(context, incomplete, names)


def context_names(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The names of `journeyman context`."""

    def names() -> Found:
        from cli import contexts
        from shared.ops.addresses import without_credentials

        return [(name, each.data or without_credentials(each.url)) for name, each in contexts.read().named.items()]

    return _silently(context, incomplete, names)


def statuses(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """What the status of a task may be."""
    from shared.contracts.task import Status

    return _silently(context, incomplete, lambda: [(str(each), "") for each in Status if each is not Status.NEW])


def sources(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Where tasks come from."""
    from shared.ops.senders import SENDERS

    return _silently(context, incomplete, lambda: [(name, "") for name in ("cli", "api", "chat", *SENDERS)])


def kinds(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The kinds of actors."""
    from shared.contracts.kinds import KINDS

    return _silently(context, incomplete, lambda: [(name, "") for name in KINDS])


async def _find_tasks(client: Client, incomplete: str) -> Found:
    from shared.contracts.queries import ListTasks

    page = await client.query(ListTasks(q=incomplete, limit=MOST))
    return [(each.id, f"{each.status}: {each.title}") for each in page.items]


_tasks: Final = from_system(_find_tasks)


async def _find_deliveries(client: Client, incomplete: str) -> Found:
    from shared.contracts.queries import ListDeliveries

    page = await client.query(ListDeliveries(limit=MOST))
    return [(each.id, f"{each.webhook} {each.event}") for each in page.items]


delivery_ids: Final = from_system(_find_deliveries)


def _silently(context: click.Context, incomplete: str, find: Callable[[], Found]) -> list[CompletionItem]:
    """What was found and begins so, in any case; nothing when it could not be found."""
    from shared.ops.visible import visible

    wanted = incomplete.lower()
    try:
        with context.scope(cleanup=False):  # so that the options that name a system count
            found = find()
    except Exception:
        return []
    # A text of a stranger is a line in the shell's list, and nothing else.
    return [
        CompletionItem(word, help=" ".join(visible(about).split())[:80] or None)
        for word, about in found
        if word.lower().startswith(wanted)
    ]


async def _ask(find: Callable[[Client, str], Awaitable[Found]], incomplete: str) -> Found:
    from cli.endpoint import find_endpoint
    from shared.nats.bus import Bus
    from shared.ops import logs
    from shared.runtime.client import Client

    logs.configure("cli", level="critical", format="console")
    endpoint, settings = find_endpoint()
    async with asyncio.timeout(WITHIN_S):
        bus = await Bus.connect(endpoint.nats, name="journeyman-completion", login=endpoint.login, limits=settings)
        try:
            return await find(Client(bus, source="journeyman/cli"), incomplete)
        finally:
            await bus.close(flush=False)
