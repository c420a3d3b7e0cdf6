"""The supervisor behind `up`, with the real services as its children."""

from __future__ import annotations

import os
import signal
import statistics
from pathlib import Path

import httpx
import pytest

from cli.supervisor import record
from cli.supervisor.names import HEALTH_OFFSETS, SERVICES
from shared.claude.demo.repo import create_demo_repository
from shared.contracts.queries import ListTasks
from shared.ops import proc as processes
from shared.ops.proc import environment_of
from shared.runtime.client import Client, QueryFailed
from testing.command_line import Run, StartUp
from testing.eventually import eventually
from testing.slow_timings import connect_patiently

STALL_S = 15.0
"""How long a machine that others use may stand still."""


def living(pids: dict[int, int]) -> list[int]:
    return [pid for pid, started in pids.items() if processes.is_alive(pid, started)]


def patience(seconds: float) -> float:
    """A promise in seconds of this machine with nothing else to do, stretched by how busy it is."""
    return seconds * max(1.0, 2 * os.getloadavg()[0] / (os.cpu_count() or 1))


def of_data_directory(data: Path) -> list[int]:
    """Every process whose environment or command line names the data directory."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            said = (entry / "environ").read_bytes() + (entry / "cmdline").read_bytes()
        except OSError:
            continue
        if entry.name.isdigit() and str(data).encode() in said and processes.start_time(int(entry.name)) is not None:
            found.append(int(entry.name))
    return found


@pytest.mark.timeout(400)
async def test_a_secret_of_something_else_reaches_no_child_and_a_model_that_is_named_gets_no_second_one(
    start_up: StartUp,
) -> None:
    up = await start_up(
        AWS_SECRET_ACCESS_KEY="canary-91c4",
        JOURNEYMAN_GITHUB_WEBHOOK_SECRET="canary-77aa",
        JOURNEYMAN_DEMO_MODEL="1",
        ANTHROPIC_BASE_URL="http://127.0.0.1:9",
    )
    await up.wait_ready()
    told = {name: b"\n".join(environment_of(pid)) for name, pid in up.record().pids.items()}
    assert told.keys() == {*SERVICES, "nats"}
    assert [name for name, said in told.items() if b"canary-91c4" in said] == []
    assert [name for name, said in told.items() if b"canary-77aa" in said] == ["gateway"]
    assert {line.partition(b"=")[0] for line in environment_of(up.record().pids["nats"]) if line} <= {b"PATH", b"TZ"}
    assert await up.end() == 0


@pytest.mark.timeout(400)
async def test_whichever_child_is_killed_is_back_at_work_within_five_seconds(start_up: StartUp) -> None:
    up = await start_up("--demo")
    await up.wait_ready()
    assert up.ready["event"] == "ready"
    # The demonstration goes on while its services die: that is what it has to survive anyway.
    away: dict[str, float] = {}
    for name in (*SERVICES, "demo-model", "nats"):
        old = up.record().pids[name]
        os.kill(old, signal.SIGKILL)
        away[name] = await up.wait_back(name, old, within=90)
    assert statistics.median(away.values()) < patience(5), away
    assert max(away.values()) < patience(5) + STALL_S, away
    assert up.record().http == up.ready["http"]
    assert up.record().nats == up.ready["nats"]
    # Prometheus finds every service where it has found it before.
    ports = up.ready["health"]
    assert ports.keys() == HEALTH_OFFSETS.keys()
    assert up.record().health == ports
    assert all(f"{name}:{port}" in up.said for name, port in ports.items())
    bus = await connect_patiently(up.ready["nats"], name="test")
    async with httpx.AsyncClient(base_url=up.ready["http"], timeout=20, trust_env=False) as http:

        async def works() -> bool:
            try:
                live = (await http.get("/health/ready")).status_code == 200
                return live and (await Client(bus, source="test").query(ListTasks())).seq >= 0
            except (httpx.TransportError, QueryFailed):
                return False

        await eventually(works, within=90)
        for name, port in ports.items():
            metrics = (await http.get(f"http://127.0.0.1:{port}/metrics")).text
            assert "journeyman_build_info{" in metrics and f'service="{name}"' in metrics
    await bus.close()
    children = up.record().started
    assert await up.end() == 0
    assert living(children) == []
    assert of_data_directory(up.data / "nats") == []
    assert record.read(up.data) is None


@pytest.mark.timeout(400)
async def test_a_person_drives_a_task_from_the_terminal(start_up: StartUp, journeyman: Run, tmp_path: Path) -> None:
    create_demo_repository(tmp_path / "data" / "app")
    (tmp_path / "data" / "journeyman.toml").write_text('[repos."me/app"]\npath = "app"\n')
    up = await start_up()
    await up.wait_ready()
    assert "Agents cannot run" in up.said
    assert "ANTHROPIC_API_KEY" in up.said
    there = {"JOURNEYMAN_DATA_DIR": str(up.data)}

    second = await journeyman("up", "--port", "0", "--data", up.data)
    assert second.code == 1
    assert len(second.err.splitlines()) == 1
    assert str(up.data) in second.err

    # Without a model the task waits for triage, instead of failing.
    opened = await journeyman("task", "submit", "Say hello\nin every language", "--json", **there)
    assert opened.code == 0, opened.err
    task_id = opened.json["id"]

    async def is_listed() -> bool:
        """The read models come a moment later."""
        listed = await journeyman("task", "list", "--json", **there)
        rows = [(row["id"], row["title"], row["source"]["kind"]) for row in listed.json["items"]]
        return rows == [(task_id, "Say hello", "cli")]

    await eventually(is_listed)
    shown = await journeyman("task", "show", task_id[-8:], **there)
    assert "Say hello" in shown.out
    assert "task.submitted" in shown.out

    early = await journeyman("task", "approve", task_id, "--version", "1", "--digest", "0" * 64, **there)
    assert early.code == 1
    assert len(early.err.splitlines()) == 1
    stopped = await journeyman("task", "stop", task_id, "--reason", "changed my mind", "--json", **there)
    assert stopped.json["event"]["type"] == "task.cancelled", stopped.err
    assert stopped.json["event"]["principal"].startswith("user:")
    again = await journeyman("task", "retry", task_id, **there)
    assert again.code == 0

    story = await journeyman("events", "--task", task_id, "--json", **there)
    assert '"task.retried"' in story.out
    assert (await journeyman("verify", **there)).code == 0
    state = await journeyman("state", "task", task_id, "--at", str(stopped.json["seq"]), "--json", **there)
    assert state.json["state"]["status"] == "cancelled"
    rebuilt = await journeyman("project", "rebuild", "--json", **there)
    assert rebuilt.json["state"] == "done", rebuilt.err

    async def are_good() -> bool:
        """The doctor gives each service a moment to answer."""
        doctor = await journeyman("doctor", "--json", **there)
        states = {each["what"]: each["state"] for each in doctor.json}
        assert all(states[name] == "good" for name in SERVICES), states
        return True

    await eventually(are_good)

    # Killed itself, its children end with it, or the next one ends them; and it finds everything it had.
    before = record.read(up.data)
    assert before is not None
    os.kill(up.process.pid, signal.SIGKILL)
    await up.process.wait()
    next_up = await start_up()
    await next_up.wait_ready()
    assert [name for name, pid in before.pids.items() if processes.is_alive(pid, before.started[pid])] == []
    assert task_id in (await journeyman("task", "list", "--json", **there)).out
    assert await next_up.end(signal.SIGINT) == 0
    assert of_data_directory(up.data / "nats") == []


@pytest.mark.timeout(400)
async def test_the_demonstration_turns_a_signed_webhook_into_a_tested_commit(start_up: StartUp) -> None:
    up = await start_up("--demo", "--once")
    await up.wait_ready()
    assert await up.process.wait() == 0, up.said
    for step in ("delivery.accepted", "task.approved", "run.succeeded", "reply.posted", "task.completed"):
        assert step in up.said
    for promise in ("passes (it failed before)", "in the read model", "Verified", "hash chain and schemas are right"):
        assert promise in up.said
    assert record.read(up.data) is None
