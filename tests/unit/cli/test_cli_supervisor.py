"""The supervisor's parts, with real processes as children."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from pathlib import Path

import msgspec
import pytest

from cli.failures import Failure
from cli.supervisor import record
from cli.supervisor.children import KEY_ELSEWHERE, LaunchPlan, service_environment
from cli.supervisor.logs import MOST_BYTES, ChildLog
from cli.supervisor.names import SERVICES
from cli.supervisor.process import CannotLaunch, ChildProcess, launch
from cli.supervisor.restarts import Change, Restarts
from cli.supervisor.supervisor import limits_for
from shared.nats.streams import StreamLimits
from shared.ops import proc as processes
from testing.eventually import eventually

OWN = {
    "PATH": "/usr/bin",
    "ANTHROPIC_API_KEY": "the person's own key",
    "JOURNEYMAN_GITHUB_WEBHOOK_SECRET": "hush",
    "JOURNEYMAN_GITHUB_TOKEN_FILE": "/run/secrets/token",
    "JOURNEYMAN_GITHUB_APP_PRIVATE_KEY_FILE": "/run/secrets/key.pem",
    "JOURNEYMAN_SECRET_KEY": "hush",
    "JOURNEYMAN_LOG_LEVEL": "debug",
    "HOME": "/home/ada",
    "HTTPS_PROXY": "http://proxy:3128",
    "PIP_INDEX_URL": "https://pip.example/simple",
    "AWS_SECRET_ACCESS_KEY": "hush",
    "GITHUB_TOKEN": "hush",
    "DATABASE_URL": "postgres://me:hush@db",
}


def plan(tmp_path: Path, *, demo: bool = False) -> LaunchPlan:
    return LaunchPlan(
        data=tmp_path,
        http_host="127.0.0.1",
        http_port=8080,
        nats_url="nats://127.0.0.1:1",
        model_port=7,
        demo=demo,
        scripted_model=demo,
    )


@pytest.mark.parametrize("name", ["brain", "planner", "executor", "projector"])
def test_secrets_of_the_edge_reach_the_gateway_alone(tmp_path: Path, name: str) -> None:
    inner = service_environment(name, plan(tmp_path), tmp_path / "ready", OWN)
    edge = service_environment("gateway", plan(tmp_path), tmp_path / "ready", OWN)
    assert not {key for key in inner if any(word in key for word in ("SECRET", "TOKEN", "PRIVATE_KEY"))}
    assert edge["JOURNEYMAN_GITHUB_WEBHOOK_SECRET"] == "hush"
    assert edge["JOURNEYMAN_GITHUB_APP_PRIVATE_KEY_FILE"] == "/run/secrets/key.pem"
    assert inner["JOURNEYMAN_LOG_LEVEL"] == "debug"


def test_a_token_of_git_that_the_configuration_names_reaches_the_gateway_alone(tmp_path: Path) -> None:
    own = OWN | {"ACME_GIT_TOKEN": "hush"}
    named = msgspec.structs.replace(plan(tmp_path), token_variables=frozenset({"ACME_GIT_TOKEN", "NOT_SET"}))
    made = {name: service_environment(name, named, tmp_path / "ready", own) for name in SERVICES}
    assert [name for name in SERVICES if "ACME_GIT_TOKEN" in made[name]] == ["gateway"]
    assert not any("NOT_SET" in each for each in made.values())


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_logs_in_to_nats(tmp_path: Path, name: str) -> None:
    own = OWN | {"JOURNEYMAN_NATS_PASSWORD": "hush", "JOURNEYMAN_NATS_USER": "jm"}
    made = service_environment(name, plan(tmp_path), tmp_path / "ready", own)
    assert (made["JOURNEYMAN_NATS_USER"], made["JOURNEYMAN_NATS_PASSWORD"]) == ("jm", "hush")


@pytest.mark.parametrize("name", SERVICES)
def test_nothing_unknown_of_our_environment_reaches_a_service(tmp_path: Path, name: str) -> None:
    made = service_environment(name, plan(tmp_path), tmp_path / "ready", OWN)
    assert not made.keys() & {"AWS_SECRET_ACCESS_KEY", "GITHUB_TOKEN", "DATABASE_URL"}
    assert (made["PATH"], made["HOME"], made["HTTPS_PROXY"]) == ("/usr/bin", "/home/ada", "http://proxy:3128")


@pytest.mark.parametrize("name", SERVICES)
def test_the_models_key_reaches_what_runs_agents_and_nothing_else(tmp_path: Path, name: str) -> None:
    own = OWN | {"JOURNEYMAN_ANTHROPIC_API_KEY": "the person's own key"}
    made = service_environment(name, plan(tmp_path), tmp_path / "ready", own)
    runs_agents = name in ("brain", "planner", "executor")
    assert ("the person's own key" in made.values()) == runs_agents
    assert ("PIP_INDEX_URL" in made) == runs_agents
    # The gateway's status says whether agents can run.
    assert (KEY_ELSEWHERE in made.values()) == (name == "gateway")


@pytest.mark.parametrize("name", ["brain", "planner", "executor"])
def test_the_demo_never_uses_the_persons_own_key(tmp_path: Path, name: str) -> None:
    made = service_environment(name, plan(tmp_path, demo=True), tmp_path / "ready", OWN)
    assert "the person's own key" not in made.values()
    assert made["ANTHROPIC_BASE_URL"] == made["JOURNEYMAN_ANTHROPIC_BASE_URL"] == "http://127.0.0.1:7"


def test_the_streams_fit_on_a_small_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Disk:
        free = 4 * 1024**3

    monkeypatch.setattr("cli.supervisor.supervisor.shutil.disk_usage", lambda path: Disk)
    small = limits_for(tmp_path)
    sizes = (small.events_bytes, small.commands_bytes, small.output_bytes, small.parked_bytes, small.artifacts_bytes)
    assert 0 < sum(sizes) <= Disk.free / 2
    Disk.free = 1024**4
    assert limits_for(tmp_path) == StreamLimits()


def script(tmp_path: Path, text: str) -> list[str]:
    """The arguments that make ``python -m`` run this program."""
    (tmp_path / "child_program.py").write_text(text)
    return ["child_program"]


async def start(tmp_path: Path, text: str, *, patience_s: float = 30.0) -> ChildProcess:
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(tmp_path)}
    log = ChildLog("child", tmp_path / "logs", show=False)
    arguments = script(tmp_path, text)
    ready = tmp_path / "ready.json"
    return await launch("child", arguments, environment, log, ready_file=ready, patience_s=patience_s)


READY = (
    "import pathlib, time\n"
    "pathlib.Path({ready!r} + '.new').write_text('{{\"x\": 1}}')\n"
    "pathlib.Path({ready!r} + '.new').rename({ready!r})\n"
)
STAY = "while True:\n    time.sleep(0.05)\n"
"""Short sleeps, since a signal that comes just before one of them is answered after it."""


async def test_a_child_that_explains_itself_is_quoted(tmp_path: Path) -> None:
    with pytest.raises(CannotLaunch, match=r"^Port 80 is taken: set another one\.$"):
        await start(tmp_path, "import sys; sys.exit('journeyman child: Port 80 is taken: set another one.')")


async def test_a_child_that_dies_without_a_word_is_named_with_its_log(tmp_path: Path) -> None:
    with pytest.raises(CannotLaunch, match=r"child ended at once with code 3 \(oops\): see .*child\.log"):
        await start(tmp_path, "print('oops'); raise SystemExit(3)")


async def test_a_child_that_never_becomes_ready_is_ended(tmp_path: Path) -> None:
    with pytest.raises(CannotLaunch, match="not ready"):
        await start(tmp_path, "import time; time.sleep(600)", patience_s=0.5)


async def test_a_killed_child_is_started_again_with_growing_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cli.supervisor.restarts.STEADY_S", 600.0)
    changes: list[Change] = []
    ready = tmp_path / "ready.json"
    text = READY.format(ready=str(ready)) + STAY
    keeper = Restarts("child", lambda: start(tmp_path, text), changes.append)
    await keeper.start()
    pids = [keeper.pid]
    for _ in range(3):
        assert keeper.pid is not None
        os.kill(keeper.pid, signal.SIGKILL)
        await eventually(lambda: keeper.pid not in (None, pids[-1]))
        pids.append(keeper.pid)
    ends = [change for change in changes if change.what == "ended"]
    assert [change.detail for change in ends] == ["SIGKILL"] * 3
    assert ends[0].seconds < ends[1].seconds < ends[2].seconds
    await keeper.stop()
    assert keeper.pid is None
    assert processes.start_time(pids[-1] or 0) is None


@pytest.mark.parametrize(("drain_s", "finishes"), [(0.3, False), (60.0, True)])
async def test_a_child_has_the_time_it_was_promised_to_leave_and_no_more(
    tmp_path: Path, drain_s: float, finishes: bool
) -> None:
    done = tmp_path / "done"
    last = 1 if finishes else 60
    text = (
        "import pathlib, signal, sys, time\n"
        f"def leave(*_):\n    time.sleep({last})\n    pathlib.Path({str(done)!r}).touch()\n    sys.exit()\n"
        "signal.signal(signal.SIGTERM, leave)\n"
    )
    text += READY.format(ready=str(tmp_path / "ready.json")) + STAY
    keeper = Restarts("child", lambda: start(tmp_path, text), lambda change: None, drain_s=drain_s)
    await keeper.start()
    await keeper.stop()
    assert (done.exists(), keeper.pid) == (finishes, None)


async def test_a_child_goes_when_the_supervisor_is_killed(tmp_path: Path) -> None:
    ready = tmp_path / "ready.json"
    program = (
        "import asyncio, sys\nfrom pathlib import Path\n"
        "from cli.supervisor.logs import ChildLog\nfrom cli.supervisor.process import launch\n"
        "async def main():\n"
        f"    log = ChildLog('child', Path({str(tmp_path)!r}), show=False)\n"
        f"    environment = {{'PYTHONPATH': {str(tmp_path)!r}}}\n"
        f"    ready = Path({str(ready)!r})\n"
        "    child = await launch('child', ['child_program'], environment, log, ready_file=ready)\n"
        "    print(child.pid, flush=True)\n"
        "    await asyncio.sleep(600)\n"
        "asyncio.run(main())\n"
    )
    script(tmp_path, READY.format(ready=str(ready)) + STAY)
    supervisor = await asyncio.create_subprocess_exec(sys.executable, "-c", program, stdout=asyncio.subprocess.PIPE)
    assert supervisor.stdout is not None
    child = int(await asyncio.wait_for(supervisor.stdout.readline(), 90))
    assert processes.start_time(child) is not None
    supervisor.kill()
    await supervisor.wait()
    await eventually(lambda: processes.start_time(child) is None)


def test_a_data_directory_belongs_to_one_supervisor(tmp_path: Path) -> None:
    with record.only_one(tmp_path), pytest.raises(Failure, match="already runs on"), record.only_one(tmp_path):
        pass
    with record.only_one(tmp_path):
        pass


def test_a_process_number_that_was_given_away_again_is_not_ours() -> None:
    own = os.getpid()
    started = processes.start_time(own)
    assert started is not None
    assert processes.is_alive(own, started)
    assert not processes.is_alive(own, started - 1)


def test_a_log_file_never_grows_without_bound(tmp_path: Path) -> None:
    log = ChildLog("child", tmp_path, show=False)
    line = b"x" * 1023 + b"\n"
    began = time.monotonic()
    for _ in range(MOST_BYTES // len(line) + 100):
        log._keep(line)
    assert log.path.stat().st_size < MOST_BYTES
    assert log.path.with_suffix(".log.1").stat().st_size <= MOST_BYTES + len(line)
    assert time.monotonic() - began < 60
