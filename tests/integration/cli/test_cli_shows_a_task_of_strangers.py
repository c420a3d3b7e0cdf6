"""A task whose every text is hostile, read with the installed command: on a terminal, through a pipe, and as JSON."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import re
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import pytest
from msgspec import structs

from shared.contracts import plan, run, task
from shared.contracts.evidence import Check
from shared.nats.bus import Bus
from testing.command_line import COMMAND, Run, clean_environment
from testing.nats import Nats
from tests.integration.projector.projector_process import Projector, publish
from tests.unit.projector.projector_support import BASE, TASK, Log, execution, proposed, submitted, triaged, usage

HOSTILE: Final = "[red]in\x1b[8mno\x1b]52;c;cm0=\x07c\x9b2J\u202een\u200bt\u2066\ufeff\U000e0041[/red]"
RAW: Final = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b\u202a-\u202e\u2066-\u2069\ufeff\U000e0000-\U000e0fff]"
)
COLOURS: Final = re.compile(r"\x1b\[[\d;]*m")
WAITING: Final = "01JX7Z000000000000000WAIT0"
"""A task whose plan waits for an approval."""
PAGES: Final = (
    ("task", "list"),
    ("task", "show", TASK),
    ("task", "approve", WAITING),
    ("events",),
    ("state", "task", TASK),
    ("state", "plan", TASK),
    ("state", "run", TASK),
)


def hostile_log() -> Log:
    source = task.Source(kind="api", reference=HOSTILE, url=HOSTILE, author=HOSTILE)
    done = run.Succeeded(
        round=1,
        attempt=1,
        summary=HOSTILE,
        commit=BASE,
        branch=HOSTILE,
        files=(run.FileChange(path=HOSTILE, added=1, removed=1),),
        checks=(Check(command=HOSTILE, exit_code=0, duration_ms=1),),
        usage=usage(1, HOSTILE),
    )
    planned = (
        submitted(title=HOSTILE, text=HOSTILE, source=source, repo=HOSTILE),
        triaged(),
        plan.DraftingStarted(draft=1, repo=HOSTILE, base_commit=BASE, title=HOSTILE, text=HOSTILE),
        plan.Claimed(draft=1, attempt=1, worker=HOSTILE, session="s"),
        structs.replace(proposed(), markdown=f"# {HOSTILE}\n\n`{HOSTILE}`", summary=HOSTILE),
        task.PlanReady(version=1, digest="1" * 64, base_commit=BASE, summary=HOSTILE),
    )
    asked = (*planned, *execution(), task.QuestionAsked(attempt=1, question=HOSTILE), done)
    principal = f"user:{HOSTILE}"
    return Log().add(*planned, id=WAITING, principal=principal).add(*asked, principal=principal)


@pytest.fixture
async def address(nats_server: Nats, bus: Bus, tmp_path: Path) -> AsyncIterator[dict[str, str]]:
    """Settings that lead a command to a log and to read models with that task."""
    log = hostile_log()
    await publish(bus, log)
    async with Projector(nats_server.url, tmp_path / "views", bus) as projector:
        await projector.reaches(len(log.stored))
        yield {"JOURNEYMAN_NATS_URL": nats_server.url}


async def on_a_terminal(folder: Path, *arguments: str, **settings: str) -> str:
    """What a command writes to a terminal of 200 columns, where a person answers every question with no."""
    ours, theirs = pty.openpty()
    process = await asyncio.create_subprocess_exec(
        COMMAND,
        *arguments,
        cwd=folder,
        env=clean_environment(COLUMNS="200", TERM="xterm-256color", **settings),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    os.write(ours, b"n\n")
    try:
        return (await asyncio.wait_for(asyncio.to_thread(_all_of, ours), 60)).decode()
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        await process.wait()
        os.close(ours)


def _all_of(terminal: int) -> bytes:
    """Everything until the last process has closed its end, which Linux tells as an error."""
    read = b""
    while True:
        try:
            read += (piece := os.read(terminal, 65536))
        except OSError:
            return read
        if not piece:
            return read


def assert_harmless(said: str) -> None:
    plain = COLOURS.sub("", said)
    assert not RAW.findall(plain), ascii(plain)
    assert "\x1b[8m" not in said
    assert "[red]in␛[8mno" in plain.replace("\n", ""), "what was hidden is seen, and markup is text"


async def test_every_page_of_a_hostile_task_shows_marks(
    journeyman: Run, address: dict[str, str], tmp_path: Path
) -> None:
    for page in PAGES:
        piped = await journeyman(*page, **address)
        assert_harmless(piped.out + piped.err)
        assert_harmless(await on_a_terminal(tmp_path, *page, **address))


async def test_the_same_pages_as_json_have_nothing_invisible_and_the_whole_text(
    journeyman: Run, address: dict[str, str]
) -> None:
    for page in PAGES:
        if "approve" in page:
            continue
        answer = (await journeyman(*page, "--json", **address)).out
        assert not RAW.findall(answer), ascii(answer)
        documents = [json.loads(line) for line in answer.splitlines()] if page == ("events",) else [json.loads(answer)]
        assert HOSTILE in _texts(documents)


def _texts(node: object) -> set[str]:
    match node:
        case dict():
            return set().union(*map(_texts, node.values()))
        case list():
            return set().union(*map(_texts, node))
        case str():
            return {node}
        case _:
            return set()
