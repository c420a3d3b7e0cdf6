from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from services.executor.run_workspace import Exhausted, RunWorkspace
from shared.claude.agent_activity import AgentWork
from shared.claude.conversation.outcome import Outcome
from shared.claude.demo.repo import create_demo_repository
from shared.claude.process.process import MAX_MESSAGE_BYTES
from shared.claude.process.reaper import sweep
from shared.claude.runner import AgentRunner, Job
from shared.claude.work_dirs import RUNS, remove_run_dirs, work_of_run_dir
from shared.contracts import run
from shared.contracts.messages import Command
from shared.contracts.subjects import Actor
from shared.nats.bus import Bus
from shared.nats.direct import Direct, get_batch
from shared.nats.objects import Artifacts, ArtifactTooLarge
from shared.nats.streams import OUTPUT
from shared.ops.settings import Settings, load_settings
from shared.workspace.gateway_git import GatewayGit
from testing.demo_model import CountingModel
from testing.nats import Nats
from testing.slow_timings import connect_patiently

NOOP = Path(__file__).parents[2] / "testing" / "noop_agent.sh"
ACTOR = Actor("run", "T1")
INIT = '{"type":"system","subtype":"init","session_id":"s","model":"m","tools":[],"claude_code_version":"1"}'


def settings_of(folder: Path, **settings: Any) -> Settings:
    return load_settings({}, data_dir=folder / "data", anthropic_api_key="demo-key", _env_file=None, **settings)


def agent_that_says_first(folder: Path, *lines: bytes, errors: bytes = b"") -> str:
    """An agent that says these lines, and then does what it is told and leaves."""
    folder.mkdir(parents=True, exist_ok=True)
    said = b"".join(line + b"\n" for line in lines)
    cli = folder / "agent"
    # All in one file: a sandbox shows nothing else of the folder.
    cli.write_bytes(
        b"#!/bin/sh\ncat <<'THE END'\n%bTHE END\ncat >&2 <<'THE END'\n%b\nTHE END\n%b"
        % (said, errors, NOOP.read_bytes())
    )
    cli.chmod(0o755)
    return str(cli)


class Shop:
    """An agent runner of one test, and what its agents said in OUTPUT."""

    def __init__(self, bus: Bus, folder: Path, settings: Settings) -> None:
        self.bus = bus
        self.shop = AgentRunner(settings, bus)
        self._folder = folder
        self._dirs: list[Path] = []
        if not (folder / "repository").exists():
            create_demo_repository(folder / "repository")

    async def work(self, prompt: str = "Do it.") -> Outcome:
        """One agent from its start to its end."""
        number = len(list((self.shop.data_dir / RUNS).glob("run-*"))) + 1
        self._dirs.append(self.shop.data_dir / RUNS / f"run-{ACTOR.id}-1-{number}")
        return await asyncio.wait_for(
            self.shop.run(
                Job(
                    ACTOR,
                    self.shop.agent("executor"),
                    run_dir=self._dirs[-1],
                    cwd=self._folder / "repository",
                    session="0d4b5d80-5f43-4c61-9f0b-5b8a3f9e7a11",
                    prompt=prompt,
                )
            ),
            120,
        )

    async def output(self) -> list[Direct]:
        return (await get_batch(self.bus, OUTPUT, "out.run.T1", start=1, limit=1000)).messages

    def stdout(self) -> bytes:
        """Everything the last agent wrote."""
        return (self._dirs[-1] / "stdout.jsonl").read_bytes()

    def clear(self) -> None:
        if self._dirs:
            sweep(work_of_run_dir(self._dirs[0]).mark(self.shop.node_id))
            remove_run_dirs(*self._dirs)


Shops = Callable[..., Shop]
"""Makes an agent runner with this CLI and these settings; it is cleared after the test."""


@pytest.fixture
async def shops(bus: Bus, tmp_path: Path) -> AsyncIterator[Shops]:
    made: list[Shop] = []

    def make(cli: str, **settings: Any) -> Shop:
        made.append(Shop(bus, tmp_path, settings_of(tmp_path, claude_cli=cli, **settings)))
        return made[-1]

    yield make
    for shop in made:
        shop.clear()


def padded(size: int) -> bytes:
    """A tool's result of exactly so many bytes, as the CLI says it."""
    content = [{"type": "tool_result", "tool_use_id": "t", "content": ""}]
    line: dict[str, Any] = {"type": "user", "message": {"role": "user", "content": content}, "padding": ""}
    line["padding"] = "x" * (size - len(msgspec.json.encode(line)))
    return msgspec.json.encode(line)


@pytest.fixture
def model() -> Iterator[CountingModel]:
    with CountingModel() as model:
        yield model


async def test_a_line_of_megabytes_passes_cut_and_the_work_goes_on(
    bus: Bus, tmp_path: Path, model: CountingModel
) -> None:
    """The real CLI, which repeats the whole of a file that it writes or edits."""
    shop = Shop(
        bus, tmp_path, settings_of(tmp_path, demo_model=True, anthropic_base_url=model.url, run_budget_usd=1000)
    )
    try:
        outcome = await shop.work("Title: Large\n\ndemo: huge 3700000")
        assert outcome.ok, outcome
        assert max(len(line) for line in shop.stdout().splitlines()) > 3_600_000
        published = await shop.output()
        assert len(published) == len(shop.stdout().splitlines()), "no line is missing"
        assert max(len(message.data) for message in published) <= 65_536
        cut = [message.data for message in published if b"bytes cut" in message.data]
        assert cut, "and what was cut says so"
        assert [json.loads(message.data)["type"] for message in published].count("result") == 1
    finally:
        shop.clear()


async def test_a_line_of_the_bound_is_read_and_of_a_longer_one_only_its_length_is_told(
    shops: Shops, tmp_path: Path
) -> None:
    at, past = padded(65_536), padded(65_537)
    shop = shops(
        agent_that_says_first(tmp_path / "cli", INIT.encode(), at, past),
        max_agent_line_bytes=65_536,
        max_output_line_bytes=128 * 1024,
    )
    outcome = await shop.work()
    assert outcome.ok, outcome
    said = [message.data for message in await shop.output()]
    assert said[1] == at
    assert json.loads(said[2]) == {"type": "unreadable", "cut_bytes": 65_536}
    assert past in shop.stdout(), "it stands whole in the agent's own file"
    assert len(said) == len(shop.stdout().splitlines())


async def test_a_line_of_the_bound_goes_to_output_as_it_is_and_a_longer_one_is_cut(
    shops: Shops, tmp_path: Path
) -> None:
    at, past = padded(2048), padded(2049)
    shop = shops(agent_that_says_first(tmp_path / "cli", INIT.encode(), at, past), max_output_line_bytes=2048)
    assert (await shop.work()).ok
    said = [message.data for message in await shop.output()]
    assert said[1] == at
    assert len(said[2]) <= 2048 and b"bytes cut" in said[2]


@pytest.mark.parametrize("stream", ["lines", "errors"])
async def test_an_agent_that_writes_more_than_it_may_is_stopped(shops: Shops, tmp_path: Path, stream: str) -> None:
    most = 200_000
    lines = [padded(10_000)] * 15
    few = shops(agent_that_says_first(tmp_path / "cli", INIT.encode(), *lines), max_agent_output_bytes=most)
    assert (await few.work()).ok
    assert len(few.stdout()) < most
    more = (lines * 2, b"") if stream == "lines" else (lines, b"x" * 100_000)
    many = shops(
        agent_that_says_first(tmp_path / "much", INIT.encode(), *more[0], errors=more[1]),
        max_agent_output_bytes=most,
    )
    outcome = await many.work("linger 60")
    assert (outcome.ok, outcome.code) == (False, "agent-output")
    assert "JOURNEYMAN_MAX_AGENT_OUTPUT_BYTES" in outcome.message


async def test_an_agent_is_told_as_much_as_a_task_and_its_plan_may_have_in_any_script(
    shops: Shops, tmp_path: Path
) -> None:
    shop = shops(str(NOOP))
    assert (await shop.work("界" * 165_536)).ok
    with pytest.raises(ValueError, match=f"{MAX_MESSAGE_BYTES}"):
        await shop.work("x" * MAX_MESSAGE_BYTES)


async def untold(actor: Actor, command: Command) -> None:
    """Nobody hears what was spent."""


async def test_a_round_of_work_has_so_many_processes(bus: Bus, tmp_path: Path) -> None:
    settings = settings_of(tmp_path, max_agent_processes=2)
    asked = run.Requested(round=1, repo="a/b", base_commit="c" * 40, title="t", text="x")
    shop = AgentRunner(settings, bus)
    place = RunWorkspace(
        settings, Artifacts(bus), GatewayGit(bus), asked, shop, AgentWork(shop, untold, ACTOR, 1, most=2)
    )
    for number in (1, 2):
        directory = place.next_process()
        assert directory.name == f"run-T1-1-{number}"
        directory.mkdir(parents=True)
        (directory / "run.json").write_text("{}")
    with pytest.raises(Exhausted, match="2 agents"):
        place.next_process()


async def test_an_artifact_of_the_bound_is_stored_and_a_larger_one_is_refused(
    nats_server: Nats, tmp_path: Path
) -> None:
    bus = await connect_patiently(
        nats_server.url, name="bounded", limits=settings_of(tmp_path, max_artifact_bytes=65_536)
    )
    artifacts = Artifacts(bus)
    for store in (artifacts.put, _by_file(artifacts, tmp_path / "file")):
        reference = await store("at", b"x" * 65_536)
        assert await artifacts.get(reference) == b"x" * 65_536
        with pytest.raises(ArtifactTooLarge, match="JOURNEYMAN_MAX_ARTIFACT_BYTES"):
            await store("past", b"x" * 65_537)
    await asyncio.wait_for(bus.close(), 30)


def _by_file(artifacts: Artifacts, path: Path) -> Any:
    async def put(name: str, data: bytes) -> Any:
        path.write_bytes(data)
        return await artifacts.put_file(name, path)

    return put
