"""The run directory, the FIFO and the sweep, with small programs in the place of the CLI."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from shared.claude.process.binary import CliMissing, find_cli
from shared.claude.process.invocation import Invocation
from shared.claude.process.process import MAX_MESSAGE_BYTES, AgentGone, AgentProcess, Line, Rung, message_uuid
from shared.claude.process.reaper import family, marked, sweep
from shared.claude.role import AgentRole
from shared.ops.proc import MARK
from shared.sandbox.sandbox import Sandbox, Unconfined
from testing.confined import sandbox
from testing.eventually import eventually


@pytest.fixture
def mark() -> Iterator[str]:
    mark = f"test-{uuid.uuid4()}"
    yield mark
    sweep(mark)


def _invocation(tmp_path: Path, mark: str, program: str, box: Sandbox | None = None) -> Invocation:
    cli = tmp_path / "program"
    cli.write_text(f"#!/bin/sh\n{program}\n")
    cli.chmod(0o700)
    (tmp_path / "role").mkdir(exist_ok=True)
    return Invocation(
        cli=cli,
        agent=AgentRole(
            name="helper", description="helps", folder=tmp_path / "role", instructions="Help.\n", tools=("Bash",)
        ),
        run_dir=tmp_path / "run",
        cwd=tmp_path,
        config_dir=tmp_path / "config",
        session_id=str(uuid.uuid4()),
        mark=mark,
        sandbox=box or sandbox(),
        inherited=os.environ,
    )


async def _lines(process: AgentProcess, offset: int = 0, limit: int = 1000) -> list[Line]:
    return [line async for line in process.lines(offset, limit)]


async def test_lines_carry_their_offsets_a_long_one_is_cut_and_an_unfinished_one_is_none(
    tmp_path: Path, mark: str
) -> None:
    program = "echo one; echo; head -c 3000000 /dev/zero | tr '\\0' x; echo; echo last; printf unfinished; exit 3"
    process = await AgentProcess.start(_invocation(tmp_path, mark, program))
    lines = await _lines(process)

    assert [(line.raw[:10], len(line.raw), line.cut) for line in lines] == [
        (b"one", 3, False),
        (b"", 0, False),
        (b"x" * 10, 1000, True),
        (b"last", 4, False),
    ]
    assert [line.offset for line in lines] == [0, *(line.end for line in lines[:-1])]
    assert await process.wait() == 3
    assert await _lines(process, offset=lines[2].end) == lines[3:]


async def test_messages_of_any_allowed_size_arrive_whole_and_in_order(
    tmp_path: Path, mark: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.claude.process.process._SEND_DEADLINE_S", 60.0)
    process = await AgentProcess.start(_invocation(tmp_path, mark, "exec head -n 30"))
    texts = [chr(97 + number % 26) * size for number, size in enumerate([10, 300_000, 5_000, 70_000, 1] * 6)]
    reading = asyncio.create_task(_lines(process, limit=MAX_MESSAGE_BYTES))
    for number, text in enumerate(texts):
        await process.send(text, f"message-{number}")

    messages = [json.loads(line.raw) for line in await reading]
    assert [message["message"]["content"] for message in messages] == texts
    assert messages[3]["uuid"] == message_uuid("message-3")
    with pytest.raises(AgentGone):
        await process.send("too late", "late")


async def test_a_message_over_the_limit_is_refused(tmp_path: Path, mark: str) -> None:
    process = await AgentProcess.start(_invocation(tmp_path, mark, "read line"))
    with pytest.raises(ValueError, match="bytes"):
        await process.send("x" * MAX_MESSAGE_BYTES, "big")
    await process.send("small", "small")
    assert await process.wait() == 0


async def test_a_run_directory_takes_one_process_and_says_that_it_has_one(tmp_path: Path, mark: str) -> None:
    invocation = _invocation(tmp_path, mark, "true")
    assert not AgentProcess.exists(invocation.run_dir)
    process = await AgentProcess.start(invocation)
    assert AgentProcess.exists(invocation.run_dir)
    with pytest.raises(FileExistsError):
        await AgentProcess.start(invocation)
    assert await process.wait() == 0


async def test_who_attaches_sees_the_living_process_and_its_end(tmp_path: Path, mark: str) -> None:
    invocation = _invocation(tmp_path, mark, "read line; echo heard; exit 7")
    await AgentProcess.start(invocation)
    other = AgentProcess.attach(invocation.run_dir)
    assert other.alive
    assert (other.mark, other.session_id) == (mark, invocation.session_id)
    await other.send("go", "go")
    assert [line.raw for line in await _lines(other)] == [b"heard"]
    assert await other.wait() == 7


async def test_a_reused_process_id_is_not_taken_for_the_agent(tmp_path: Path, mark: str) -> None:
    invocation = _invocation(tmp_path, mark, "true")
    await (await AgentProcess.start(invocation)).wait()
    for name in ("wrapper", "cli"):
        boot, stat = (invocation.run_dir / name).read_text().split("\n", 1)
        other = f"{os.getpid()} {stat.split(' ', 1)[1]}"  # this test's pid, another start time
        (invocation.run_dir / name).write_text(f"{boot}\n{other}")
    assert not AgentProcess.attach(invocation.run_dir).alive


async def test_a_process_that_was_never_spawned_is_not_alive_because_another_of_the_same_work_is(
    tmp_path: Path, mark: str
) -> None:
    spawned = _invocation(tmp_path, mark, "read line")
    prepared = tmp_path / "run-before"
    prepared.mkdir()
    process = await AgentProcess.start(spawned)
    (prepared / "run.json").write_bytes((spawned.run_dir / "run.json").read_bytes())
    assert process.alive
    assert not AgentProcess.attach(prepared).alive
    await process.stop()


async def test_an_agent_that_ignores_everything_is_killed_within_the_bound(tmp_path: Path, mark: str) -> None:
    program = "trap '' TERM INT; echo ready; while :; do read line || :; done"
    process = await AgentProcess.start(_invocation(tmp_path, mark, program))
    async for _ in process.lines():
        break
    report = await process.stop()
    assert report.rung is Rung.KILLED
    assert report.exit_code in (137, None), "its wrapper may go before it has written that down"
    assert report.duration_ms < 20_000
    assert marked(mark) == []


async def test_without_a_sandbox_descendants_that_dropped_the_mark_go_with_the_run(tmp_path: Path, mark: str) -> None:
    program = "env -i setsid sleep 600 & echo $!; sleep 600"
    process = await AgentProcess.start(_invocation(tmp_path, mark, program, Unconfined()))
    async for line in process.lines():
        child = int(line.raw)
        break
    await eventually(lambda: Path(f"/proc/{child}/cmdline").read_bytes().startswith(b"sleep\0"))
    assert child not in marked(mark)
    assert child in {pid for pid, _ in family(mark)}
    await process.stop()
    assert _gone(child)


INSIDE = "/run/instructions.md"
LEAVES = "env -i setsid sh -c 'while sleep 0.05; do echo >>alive; done' & while ! test -s alive; do sleep 0.02; done; "


@pytest.mark.parametrize(
    ("rest", "ends"), [("exit 3", "by itself"), ("sleep 600", "stopped"), ("echo up; sleep 600", "wrapper killed")]
)
async def test_in_the_sandbox_nothing_outlives_the_cli_though_it_carries_no_mark(
    rest: str, ends: str, tmp_path: Path, mark: str
) -> None:
    invocation = _invocation(tmp_path, mark, LEAVES + rest)
    process = await AgentProcess.start(invocation)
    alive = tmp_path / "alive"
    await eventually(lambda: alive.exists() and alive.stat().st_size > 0)
    match ends:
        case "stopped":
            assert (await process.stop()).rung is not Rung.ALREADY_ENDED
        case "wrapper killed":
            os.kill(int((invocation.run_dir / "wrapper").read_text().split("\n")[1].split()[0]), signal.SIGKILL)
            assert await process.wait() is None
        case _:
            assert await process.wait() == 3
    await eventually(lambda: marked(mark) == [])
    heard = alive.stat().st_size
    await asyncio.sleep(0.3)  # what would write, would have written by now
    assert alive.stat().st_size == heard


async def test_a_signal_is_for_the_cli_in_the_sandbox_and_its_wrapper_notes_how_it_ended(
    tmp_path: Path, mark: str
) -> None:
    program = "trap 'echo asked; exit 9' TERM; echo ready; while :; do read line || :; done"
    process = await AgentProcess.start(_invocation(tmp_path, mark, program))
    async for _ in process.lines():
        break
    report = await AgentProcess.attach(tmp_path / "run").stop()
    assert (report.rung, report.exit_code) == (Rung.TERMINATED, 9)
    assert [line.raw for line in await _lines(process)] == [b"ready", b"asked"]


async def test_a_confined_cli_has_of_its_run_directory_only_what_is_its_own(tmp_path: Path, mark: str) -> None:
    (tmp_path / "work").mkdir()
    (tmp_path / "secret").write_text("canary")
    program = f"ls {tmp_path}; cat {tmp_path}/run/run.json {tmp_path}/secret {tmp_path}/config/other; cat {INSIDE}"
    invocation = msgspec.structs.replace(_invocation(tmp_path, mark, program), cwd=tmp_path / "work")
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "other").write_text("canary")
    process = await AgentProcess.start(invocation)
    said = b"\n".join(line.raw for line in await _lines(process)).decode()
    assert "canary" not in said and mark not in said
    assert said.splitlines() == ["program", "role", "work", "Help."]


def test_a_sweep_kills_what_ignores_it_and_only_its_own_mark(mark: str) -> None:
    other = f"{mark}-other"
    mine, theirs = (_sleeper(each) for each in (mark, other))
    try:
        assert sweep(mark, grace=0.1) >= 1
        assert mine.wait(60) == -9
        assert theirs.poll() is None
        assert theirs.pid in marked(mark), "marked takes a prefix"
    finally:
        theirs.kill()
        theirs.wait()


def test_an_empty_mark_is_refused() -> None:
    with pytest.raises(ValueError, match="every run"):
        sweep("")


def test_the_cli_comes_with_the_installation_and_a_wrong_setting_is_named(tmp_path: Path) -> None:
    assert os.access(find_cli(), os.X_OK)
    with pytest.raises(CliMissing, match="CLAUDE_CLI"):
        find_cli(str(tmp_path / "nothing"))


async def test_starting_a_cli_that_is_not_there_is_named_too(tmp_path: Path, mark: str) -> None:
    invocation = msgspec.structs.replace(_invocation(tmp_path, mark, "true"), cli=tmp_path / "nothing")
    with pytest.raises(CliMissing, match="CLAUDE_CLI"):
        await AgentProcess.start(invocation)
    assert not AgentProcess.exists(invocation.run_dir)


def _sleeper(mark: str) -> subprocess.Popen[bytes]:
    command = "trap '' TERM; echo ready; while :; do sleep 1; done"
    environment = {"PATH": os.environ["PATH"], MARK: mark}
    child = subprocess.Popen(["/bin/bash", "-c", command], env=environment, stdout=subprocess.PIPE)
    assert child.stdout is not None
    child.stdout.readline()
    return child


def _gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True
