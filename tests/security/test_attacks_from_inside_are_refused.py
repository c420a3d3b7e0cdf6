"""Everything that the review has done from an agent's shell, a check and a set-up, tried again from each of them."""

from __future__ import annotations

import json
import os
import tempfile
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from shared.claude.conversation.converse import Prompt, converse
from shared.claude.demo.model import DemoModel
from shared.claude.process.binary import find_cli
from shared.claude.process.invocation import Invocation
from shared.claude.process.process import AgentProcess
from shared.claude.role import load_role
from shared.sandbox.confinement import HOME, Confinement, Network, written
from shared.sandbox.sandbox import Unconfined
from shared.workspace.check_sandbox import Access, CheckSandbox
from shared.workspace.checks import run_check
from testing.confined import NOBODY, run_confined, sandbox
from tests.security.attacks import ATTACKS, INSIDE, PAGE, page, probe
from tests.security.world import ROOT, World, world

PROBE = "python3 probe.py world.json"
OPEN_TO_A_SET_UP = {attack.name for attack in ATTACKS if attack.needs_no_network}


@pytest.fixture
def outside(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    # Every account can come there; pytest's own folders are root's alone.
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        Path(folder).chmod(0o777)
        with world(Path(folder)) as found:
            monkeypatch.setenv("JOURNEYMAN_GITHUB_TOKEN", found.canary)
            monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", found.canary)
            yield found


def what_worked(output: str) -> dict[str, str]:
    """What the probe says."""
    told = [line for line in output.splitlines() if "TRIED " in line]
    assert told, output
    found: dict[str, str] = json.loads(told[-1].partition("TRIED ")[2])
    return found


def nothing_is_left(outside: World) -> None:
    assert outside.is_as_it_was()
    lives = outside.given / "outlives"
    heard = lives.stat().st_size if lives.exists() else 0
    time.sleep(0.3)  # what would write, would have written by now
    assert (lives.stat().st_size if lives.exists() else 0) == heard


@pytest.mark.parametrize("account", [None, NOBODY], ids=["own account", "nobody"])
def test_of_a_program_in_the_sandbox(outside: World, account: int | None) -> None:
    if account is not None and os.geteuid() != 0:
        pytest.skip("only root can become another account")
    environment = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(HOME)}
    confinement = Confinement(cwd=outside.given, environment=environment, binds=(written(outside.given),))
    box = sandbox(outside.folder / "data")
    done = run_confined(PROBE, confinement, box=box, account=account)
    assert what_worked(done.stdout + done.stderr) == {}
    nothing_is_left(outside)


@pytest.mark.parametrize("network", list(Network))
async def test_of_a_check_and_of_a_set_up(outside: World, network: Network) -> None:
    home, mark = outside.folder / "given" / "home", f"test-{uuid.uuid4().hex}"
    async with CheckSandbox.opened(sandbox(outside.folder / "data"), outside.given, home) as inside:
        result = await run_check(PROBE, inside, 60, mark, access=Access(network))
    assert what_worked(result.output).keys() <= (OPEN_TO_A_SET_UP if network is Network.HOST else set())
    nothing_is_left(outside)


@pytest.fixture
async def model() -> AsyncIterator[str]:
    model = DemoModel()
    yield await model.start()
    await model.stop()


async def test_of_the_shell_of_an_agent(outside: World, model: str, tmp_path: Path) -> None:
    invocation = Invocation(
        cli=find_cli(os.environ.get("CLAUDE_CLI")),
        agent=load_role(ROOT / "agents" / "executor"),
        run_dir=tmp_path / "run",
        cwd=outside.given,
        config_dir=outside.folder / "data" / "claude",
        session_id=str(uuid.uuid4()),
        mark=f"test-{uuid.uuid4()}",
        sandbox=sandbox(outside.folder / "data"),
        api_key="demo-key",
        base_url=model,
        inherited=os.environ,
    )
    process = await AgentProcess.start(invocation)
    call = json.dumps({"command": f"{PROBE} >said 2>&1", "description": "Try"})
    assert (await converse(process, prompt=Prompt("p", f"demo: use Bash {call}"))).ok
    assert what_worked((outside.given / "said").read_text()) == {}
    await process.wait()
    records = outside.folder / "data" / "claude" / "projects"
    for path in (each for each in records.rglob("*") if each.is_file() and "other" not in each.parts):
        assert outside.canary not in path.read_text()
        path.unlink()
    nothing_is_left(outside)


def test_the_page_says_what_is_tried_and_what_closes_it() -> None:
    text = PAGE.read_text("utf-8")
    assert page(text) == text, "run python -m tests.security.attacks"
    assert (ROOT / INSIDE).exists()


async def test_without_a_sandbox_they_work(outside: World) -> None:
    """Else the probe would prove nothing. Only those are tried that touch nothing beside this test."""
    looks = ("read the environment", "read a secret", "speak to NATS", "speak to a service")
    (outside.given / "some.py").write_text(probe(lambda attack: attack.name.startswith(looks)))
    async with CheckSandbox.opened(Unconfined(), outside.given, outside.given / "home") as commands:
        result = await run_check("python3 some.py world.json", commands, 60, f"test-{uuid.uuid4().hex}")
    assert len(what_worked(result.output)) == len(looks), result.output
