"""A command acts on the system that is named, or on that of its folder; never silently on another one."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cli.supervisor import record
from shared.claude.demo.repo import create_demo_repository
from shared.contracts import task
from shared.nats.bus import Bus
from shared.ops.proc import start_time
from testing.command_line import Ended, run_in
from testing.eventually import eventually
from testing.nats import Nats
from tests.integration.gateway.gateway_process import happen
from tests.unit.projector.projector_support import TASK

UP = """
import sys, time
from pathlib import Path
from cli.supervisor import record
with record.only_one(Path(sys.argv[2])):
    print("held", flush=True)
    time.sleep(600)
"""
"""What another `journeyman up` is to this machine: a process of that name that holds a data directory's lock."""


@pytest.fixture
async def system(tmp_path: Path, nats_server: Nats, bus: Bus) -> AsyncIterator[Path]:
    """A folder with a system that runs, over the test's NATS; returns its data directory."""
    await happen(bus, TASK, task.Submitted(title="Fix it", text="x", source=task.Source(kind="cli")))
    data = tmp_path / "one system" / ".journeyman"
    data.mkdir(parents=True)
    program = tmp_path / "bin" / "journeyman"
    program.parent.mkdir()
    program.write_text(f"#!{sys.executable}\n{UP}")
    program.chmod(0o755)
    process = await asyncio.create_subprocess_exec(program, "up", data, stdout=asyncio.subprocess.PIPE)
    try:
        assert process.stdout is not None
        assert await asyncio.wait_for(process.stdout.readline(), 60) == b"held\n"
        started = await eventually(lambda: start_time(process.pid))
        runs = record.Record(
            http="http://127.0.0.1:8123",
            nats=nats_server.url,
            data=str(data),
            pid=process.pid,
            demo=False,
            pids={},
            started={process.pid: started},
        )
        record.write(data, runs)
        yield data
    finally:
        process.kill()
        await process.wait()


async def test_the_system_of_the_folder_and_each_way_to_name_one(
    system: Path, tmp_path: Path, nats_server: Nats
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    ended = await asyncio.gather(
        run_in(system.parent, "events"),
        run_in(elsewhere, "events", "--data", system),
        run_in(elsewhere, "events", "--url", nats_server.url),
        run_in(elsewhere, "events", "--url", "http://localhost:8123/"),
        run_in(elsewhere, "events", JOURNEYMAN_URL=nats_server.url),
    )
    for each in ended:
        assert (each.code, "Fix it" in each.out) == (0, True), each
    assert not list(elsewhere.iterdir())


async def test_without_a_name_a_folder_without_a_running_system_is_told_which_ones_run(
    system: Path, tmp_path: Path
) -> None:
    stopped = tmp_path / "stopped"
    (stopped / ".journeyman").mkdir(parents=True)
    empty = tmp_path / "empty"
    empty.mkdir()
    there, nowhere, twice, doctor = await asyncio.gather(
        run_in(stopped, "task", "list"),
        run_in(empty, "task", "submit", "x"),
        run_in(empty, "task", "list", "--data", system, "--url", "nats://x"),
        run_in(empty, "doctor", "--json", ANTHROPIC_API_KEY="k"),
    )
    for ended, why in (
        (there, "does not run: start it with `make up`"),
        (nowhere, "There is no system in this folder"),
    ):
        assert ended.code == 1 and ended.out == ""
        assert why in ended.err
        assert str(system) in ended.err and "http://127.0.0.1:8123" in ended.err and "started by" in ended.err
    assert twice.code == 2
    found = {each["what"]: each for each in doctor.json}
    assert doctor.code == 0, "before the first start nothing is wrong"
    assert found["system"]["state"] == "note" and str(system) in found["system"]["detail"]
    assert "NATS" not in found
    assert {found["repositories"]["state"], found["webhooks"]["state"]} == {"note"}
    assert not list(empty.iterdir())


async def test_a_system_that_was_given_a_name_is_acted_on_by_it(
    system: Path, tmp_path: Path, nats_server: Nats
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()

    async def run(*arguments: str | Path, folder: Path = empty) -> Ended:
        return await run_in(folder, *arguments, XDG_CONFIG_HOME=str(tmp_path / "settings of mine"))

    address = nats_server.url.replace("nats://", "nats://ada:s3cret@")
    assert (await run("context", "add", "work", "--data", system)).code == 0
    assert (await run("context", "add", "far", "--url", address)).code == 0
    kept = tmp_path / "settings of mine" / "journeyman" / "contexts.json"
    assert kept.stat().st_mode & 0o077 == 0
    named, unknown, _ = await asyncio.gather(
        run("events", "--context", "work"), run("events", "--context", "none"), run("context", "use", "work")
    )
    assert "Fix it" in named.out
    assert (unknown.code, "far" in unknown.err) == (1, True)
    stopped = tmp_path / "stopped"
    (stopped / ".journeyman").mkdir(parents=True)
    chosen, refused, listed = await asyncio.gather(
        run("events"), run("events", folder=stopped), run("context", "list", "--json")
    )
    assert "Fix it" in chosen.out and "context work" in chosen.err
    assert refused.code == 1, "a folder with a system of its own is not another one's"
    assert (listed.json["chosen"], listed.json["contexts"]["far"]) == ("work", nats_server.url)
    assert str(system) in {each["data"] for each in listed.json["running"]}
    assert (await run("context", "remove", "work")).code == 0
    assert (await run("events")).code == 1


async def test_the_doctor_names_the_system_its_owner_and_its_settings_and_tries_what_it_may_write(
    system: Path, tmp_path: Path
) -> None:
    repository = tmp_path / "a repository"
    create_demo_repository(repository)
    repos = f'[repos.mine]\npath = "{repository}"\n[repos.nowhere]\npath = "{tmp_path}/nowhere.git"\n'
    (system / "journeyman.toml").write_text(repos)
    (system.parent / ".env").write_text("JOURNEYMAN_LOG_LEVEL=info\n")
    ended = await run_in(tmp_path, "doctor", "--data", system, "--json")
    found = {each["what"]: each for each in ended.json}
    assert f"{system}, started by " in found["system"]["detail"]
    assert str(system.parent / ".env") in found["settings"]["detail"]
    assert found["NATS"]["state"] == "good"
    assert (found["repo mine"]["state"], found["repo nowhere"]["state"]) == ("good", "bad"), found
    assert "can be written" in found["repo mine"]["detail"]
    assert "no agent has worked" in found["orphans"]["detail"]
    assert not (system / "place").exists()
