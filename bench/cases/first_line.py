"""From the 202 of a webhook to the agent's first line, against the bare CLI from its spawn to its first line."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import sys
import time
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from statistics import median
from typing import Any, Final

import httpx
import msgspec
from nats.aio.msg import Msg

from bench.measure import in_turns
from bench.payload import issue_opened, signature, task_of
from bench.peers.bare_claude import first_line_after
from bench.result import Found, Goal, Line, Result, compare, rounded
from bench.sizes import Sizes
from bench.world import ROOT, WEBHOOK_SECRET, CannotMeasure, connected, nats_server, process, service, until
from shared.claude.demo.repo import DEMO_ISSUE_BODY, DEMO_ISSUE_TITLE, create_demo_repository
from shared.claude.process.binary import find_cli
from shared.claude.process.invocation import Invocation
from shared.claude.role import load_role
from shared.contracts.messages import wire_name
from shared.contracts.rules import ENDS
from shared.nats.bus import Bus
from shared.nats.server import NatsServer
from shared.sandbox.sandbox import Unconfined
from shared.workspace.git import git
from testing.door import BEARER

REPO: Final = "octo/ledger"
PEER: Final = "bare claude -p, same flags, environment and prompt"
TEXT: Final = f"{DEMO_ISSUE_BODY}\n@agent implement\n"
SERVICES: Final = ("brain", "planner", "executor", "projector")
STEPS: Final = ("task.triaged", "run.requested", "run.claimed", "first line")
PATIENCE_S: Final = 120.0

ABOUT: Final = (
    "All five services run, each its own process; an issue with `@agent implement` by a trusted author goes through "
    "webhook, triage by rules, task, run, mirror and worktree to the agent's first line on OUTPUT. Both sides use the "
    "scripted demo model. The first line comes before the model is asked: the peer's time is the CLI's own start."
)


class Beginning(msgspec.Struct, frozen=True):
    """One task: milliseconds from the 202 to each step, in the order of `STEPS`."""

    at_ms: dict[str, float]

    @property
    def first_line_ms(self) -> float:
        """To the agent's first line."""
        return self.at_ms["first line"]


async def run(sizes: Sizes, directory: Path) -> Found:
    """Tasks one after the other, each to its end, and bare runs in between."""
    numbers = itertools.count(1)
    data = directory / "data"
    data.mkdir()
    create_demo_repository(data / "ledger")
    await git("clone", "--quiet", "--", str(data / "ledger"), str(directory / "clone"))
    (data / "journeyman.toml").write_text(f'[repos."{REPO}"]\npath = "ledger"\nbase = "main"\n')
    async with (
        nats_server(directory / "nats") as server,
        _model(directory) as model,
        _all(server, data, model) as http,
        connected(server, "bench-watch") as bus,
        httpx.AsyncClient(base_url=http, trust_env=False, headers=BEARER) as client,
    ):
        watch = await _Watch.begin(bus)

        async def whole() -> Beginning:
            return await _begin(next(numbers), client, watch)

        async def bare() -> Beginning:
            invocation = _invocation(directory, next(numbers), model)
            return Beginning({"first line": 1000 * await first_line_after(invocation, _prompt(), directory / "err")})

        # The first start of the CLI makes its configuration, the first task the mirror.
        await whole()
        await bare()
        mine, theirs = await in_turns(sizes.first_lines, whole, bare)
    return Found(title="The agent's first line", lines=_lines(mine, theirs), about=ABOUT, remarks=[_steps(mine)])


def _lines(mine: list[Beginning], theirs: list[Beginning]) -> list[Line]:
    whole = compare("first agent line after the 202", "ms", mine, _first, peer=PEER, theirs=theirs, peer_value=_first)
    overheads = [ours.first_line_ms - peer.first_line_ms for ours, peer in zip(mine, theirs, strict=True)]
    assert whole.result.peer_value is not None
    goal, value = Goal(value_most=150), whole.result.value - whole.result.peer_value
    overhead = Result(
        name="overhead before the first agent line",
        value=rounded(value),
        unit="ms",
        peer=PEER,
        peer_value=whole.result.peer_value,
        ratio=rounded(value / whole.result.peer_value),
        goal=goal.said("ms"),
        met=goal.met(value, None),
        runs=len(overheads),
    )
    spread = (rounded(min(overheads)), rounded(max(overheads)))
    return [whole, Line(result=overhead, spread=spread, peer_spread=whole.peer_spread)]


def _first(beginning: Beginning) -> float:
    return beginning.first_line_ms


def _steps(mine: list[Beginning]) -> str:
    at = ((step, median(each.at_ms[step] for each in mine)) for step in STEPS)
    return "Milliseconds after the 202, medians: " + ", ".join(f"{step} {ms:.0f}" for step, ms in at) + "."


class _Watch:
    """When each task's events and first line were published, as a plain subscriber sees it."""

    def __init__(self) -> None:
        self.seen: dict[str, dict[str, float]] = {}
        self._moved = asyncio.Event()

    @classmethod
    async def begin(cls, bus: Bus) -> _Watch:
        watch = cls()

        async def take(message: Msg) -> None:
            what, kind, id, *name = message.subject.split(".")
            label = f"{kind}.{name[0]}" if what == "evt" else "first line"
            watch.seen.setdefault(id, {}).setdefault(label, time.perf_counter())
            watch._moved.set()

        for subject in ("evt.task.>", "evt.run.>", "out.run.>"):
            await bus.nc.subscribe(subject, cb=take)
        await bus.nc.flush()
        return watch

    async def ended(self, id: str) -> dict[str, float]:
        """Wait until the task has ended; returns what was seen of it."""
        seen = self.seen.setdefault(id, {})
        try:
            async with asyncio.timeout(PATIENCE_S):
                while not any(f"task.{wire_name(end)}" in seen for end in ENDS):
                    self._moved.clear()
                    await self._moved.wait()
        except TimeoutError as error:
            what = ", ".join(seen) or "nothing"
            raise CannotMeasure(f"The task has not ended within {PATIENCE_S:g} s; what happened: {what}.") from error
        return seen


async def _begin(number: int, client: httpx.AsyncClient, watch: _Watch) -> Beginning:
    body = issue_opened(number, title=DEMO_ISSUE_TITLE, text=TEXT, repo=REPO)
    headers = {
        "Content-Type": "application/json",
        "X-GitHub-Event": "issues",
        "X-GitHub-Delivery": str(uuid.uuid4()),
        "X-Hub-Signature-256": signature(body, WEBHOOK_SECRET),
    }
    answer = await client.post("/webhooks/github", content=body, headers=headers)
    begun = time.perf_counter()
    if answer.status_code != 202:
        raise CannotMeasure(f"The gateway did not take the webhook ({answer.status_code}): {answer.text[:300]}")
    seen = await watch.ended(task_of(number, REPO))
    if "task.completed" not in seen:
        raise CannotMeasure(f"The task did not complete; what happened: {', '.join(seen)}.")
    return Beginning({step: (seen[step] - begun) * 1000 for step in STEPS})


@contextlib.asynccontextmanager
async def _model(directory: Path) -> AsyncIterator[str]:
    """The scripted model; yields its address."""
    log, ready = directory / "model.log", directory / "model.port"
    async with process(_python("shared.claude.demo.model", "--port-file", str(ready)), log=log) as child:
        await until(ready.exists, child, log, "The demo model")
        yield f"http://127.0.0.1:{ready.read_text().strip()}"


@contextlib.asynccontextmanager
async def _all(server: NatsServer, data: Path, model: str) -> AsyncIterator[str]:
    """Every service of the product; yields the gateway's address."""
    settings: dict[str, Any] = {"demo_model": "1", "anthropic_base_url": model}
    async with contextlib.AsyncExitStack() as stack:
        for name in SERVICES:
            await stack.enter_async_context(service(name, server, data, **settings))
        gateway = await stack.enter_async_context(service("gateway", server, data, **settings))
        yield gateway["http"]


def _invocation(directory: Path, number: int, model: str) -> Invocation:
    return Invocation(
        cli=find_cli(None),
        agent=load_role(ROOT / "agents" / "executor"),
        run_dir=directory / "bare" / str(number),
        cwd=directory / "clone",
        config_dir=directory / "bare-config",
        session_id=str(uuid.uuid4()),
        mark=f"bench-{number}",
        sandbox=Unconfined(),
        max_turns=100,
        max_budget_usd=5.0,
        api_key="demo-key",
        base_url=model,
        inherited=os.environ,
    )


def _prompt() -> str:
    return f"Title: {DEMO_ISSUE_TITLE}\n\n{TEXT}"


def _python(module: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", module, *arguments]
