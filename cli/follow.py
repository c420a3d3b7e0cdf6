"""One task as it happens: its events, and in between what its agents do."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any, Final, TypeVar

import msgspec
from rich.console import Console
from rich.markup import escape

from cli.story import sentence
from shared.contracts.kinds import KINDS
from shared.contracts.rules import ENDS
from shared.contracts.sentences.words import one_line
from shared.event_store.envelope import RecordedEvent, decode_event
from shared.nats.bus import Bus
from shared.nats.feed import Feed
from shared.nats.streams import EVENTS, OUTPUT

T = TypeVar("T")
_PATHS: Final = ("file_path", "path")
_TELLING: Final = ("file_path", "command", "pattern", "path", "skill", "url", "query", "question", "description")
"""Fields of a tool's input that say what it is about, the most telling ones first."""

_WORKTREE: Final = re.compile(r"""(?:(?<=["'])/[^"']*|(?:/[^\s/]+)*)/worktrees/[^\s/]+/""")
_ONE_WORKTREE: Final = re.compile(r"^/.*?/worktrees/[^\s/]+/")

_COLOURS: Final = {"gateway": "cyan", "brain": "magenta", "planner": "yellow", "executor": "green"}
"""The colour of a service, which `up --logs` has too: an event has that of the service that owns its actor."""


class LiveActivity(msgspec.Struct, frozen=True, kw_only=True):
    """A thing an agent did: a tool it used, or a sentence it said."""

    actor: str
    text: str


async def follow(
    bus: Bus, task_id: str, *, after: int, output_after: int = 0
) -> AsyncGenerator[RecordedEvent | LiveActivity, None]:
    """The task's events behind a stream sequence, mixed with its agents' activities, until the task's end.

    ``output_after`` is the sequence in OUTPUT behind which activities are told.

    Whoever may stop in the middle closes it (`contextlib.aclosing`) while the connection is open.
    """
    async with contextlib.aclosing(
        mixed(_events(bus, task_id, after), _activities(bus, task_id, output_after))
    ) as story:
        async for item in story:
            yield item
            if isinstance(item, RecordedEvent) and isinstance(item.data, ENDS):
                return


async def mixed(*sources: AsyncIterator[T]) -> AsyncGenerator[T, None]:
    """What several sources give, as it comes; raises what one of them raises."""
    queue: asyncio.Queue[T | Exception] = asyncio.Queue(1000)
    feeding = [asyncio.create_task(_pour(each, queue)) for each in sources]
    try:
        while True:
            item = await queue.get()
            if isinstance(item, Exception):
                raise item
            yield item
    finally:
        for each in feeding:
            each.cancel()
        await asyncio.gather(*feeding, return_exceptions=True)


async def _pour(source: AsyncIterator[T], queue: asyncio.Queue[T | Exception]) -> None:
    try:
        async for item in source:
            await queue.put(item)
    except Exception as error:
        await queue.put(error)


async def _events(bus: Bus, task_id: str, after: int) -> AsyncIterator[RecordedEvent | LiveActivity]:
    async with Feed(bus, EVENTS, f"evt.*.{task_id}.>", after=after) as feed:
        async for message in feed:
            yield decode_event(message.subject, message.data, message.position)


async def _activities(bus: Bus, task_id: str, after: int) -> AsyncIterator[RecordedEvent | LiveActivity]:
    async with Feed(bus, OUTPUT, f"out.*.{task_id}", after=after) as feed:
        async for message in feed:
            for text in activities(message.data):
                yield LiveActivity(actor=message.subject.split(".")[1], text=text)


def activities(line: bytes) -> list[str]:
    """What one line of the CLI's stream says an agent does, in words; most lines say nothing of that kind."""
    if b'"assistant"' not in line:
        return []
    try:
        decoded = msgspec.json.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return []
    match decoded:
        case {"type": "assistant", "message": {"content": list(blocks)}}:
            return [text for block in blocks if (text := _block(block))]
        case _:
            return []


def _block(block: Any) -> str:
    match block:
        case {"type": "tool_use", "name": str(name), "input": dict(given)}:
            key = next((key for key in _TELLING if given.get(key)), "")
            about = _within_worktree(str(given.get(key, "")), is_path=key in _PATHS)
            return f"{name} {one_line(about, 90)}".strip()
        case {"type": "text", "text": str(text)} if text.strip():
            return f"“{one_line(text, 90)}”"
        case _:
            return ""


def _within_worktree(text: str, *, is_path: bool) -> str:
    """``ledger/money.py`` for a path into a task's worktree: where that lies says nothing to a person.

    The worktree may lie in a folder with blanks in its name: in a command, such a path is quoted.
    """
    return _ONE_WORKTREE.sub("", text) if is_path else _WORKTREE.sub("", text)


class Storyteller:
    """Prints what `follow` gives: a line per event with its stream sequence, and dimmed lines in between."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._before: RecordedEvent | None = None

    def tell(self, item: RecordedEvent | LiveActivity) -> None:
        """One line."""
        match item:
            case LiveActivity(actor=actor, text=text):
                print_line(self._console, f"[dim]{'':>6}  {'':>8}  {'':<28} {actor}: {escape(text)}[/]")
            case RecordedEvent():
                print_line(self._console, event_line(item, self._before))
                self._before = item


def print_line(console: Console, line: str) -> None:
    """One line, cut at the edge of a terminal, whole when piped."""
    console.print(line, no_wrap=True, overflow="ellipsis" if console.is_terminal else "ignore")


def print_whole(console: Console, line: str) -> None:
    """One line of any length, which a terminal breaks where it has to."""
    console.print(line, soft_wrap=True)


def event_line(event: RecordedEvent, before: RecordedEvent | None) -> str:
    """Stream sequence, time since the event before, what happened, and the same in words, with markup."""
    passed = 0.0 if before is None else (event.time - before.time).total_seconds()
    return f"{_number(event)}  [dim]{passed:>+7.2f}s[/]  {_what(event)}"


def log_line(event: RecordedEvent, *, with_id: bool = True) -> str:
    """Local time, stream sequence, the actor's id, what happened, and the same in words, with markup."""
    id = f"[dim]{event.actor.id[:26]:<26}[/]  " if with_id else ""
    return f"[dim]{event.time.astimezone():%Y-%m-%d %H:%M:%S}[/] {_number(event)}  {id}{_what(event)}"


def _number(event: RecordedEvent) -> str:
    return f"[bold]{'#' + str(event.position):>6}[/]"


def _what(event: RecordedEvent) -> str:
    colour = _COLOURS.get(KINDS[event.kind].owner, "white")
    name = f"{event.kind}.{event.name}"
    return f"[{colour}]{name:<28}[/] {escape(sentence(event))} [dim]{escape(event.principal)}[/]"
