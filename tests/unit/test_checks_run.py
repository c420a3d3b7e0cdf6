from __future__ import annotations

import asyncio
import gzip
import hashlib
import os
import uuid
from pathlib import Path

import pytest

from shared.ops.proc import MARK
from shared.workspace.checks import (
    ENDS_BYTES,
    WHOLE_BYTES,
    CheckResult,
    check_environment,
    run_check,
    run_checks,
    sweep_marked,
)
from testing.eventually import eventually
from testing.processes import alive


@pytest.fixture
def mark() -> str:
    return f"test-{uuid.uuid4().hex}"


async def one(command: str, cwd: Path, mark: str, timeout: float = 90) -> CheckResult:
    (result,) = await run_checks([command], cwd, dict(os.environ), timeout, mark)
    return result


async def test_a_check_reports_exit_code_output_hash_and_time(tmp_path: Path, mark: str) -> None:
    result = await one("echo out; echo err >&2; exit 3", tmp_path, mark)
    assert (result.exit_code, result.output, result.timed_out, result.passed) == (3, "out\nerr\n", False, False)
    assert result.output_sha256 == hashlib.sha256(b"out\nerr\n").hexdigest()
    assert 0 <= result.duration_ms < 90_000


async def test_all_checks_run_in_order_whatever_the_first_says(tmp_path: Path, mark: str) -> None:
    results = await run_checks(["false", "pwd", "no-such-program-here"], tmp_path, dict(os.environ), 90, mark)
    assert [result.exit_code for result in results] == [1, 0, 127]
    assert results[1].output == f"{tmp_path}\n"
    assert [result.passed for result in results] == [False, True, False]


async def test_the_beginning_and_the_end_of_a_long_output_are_kept_and_all_of_it_hashed(
    tmp_path: Path, mark: str
) -> None:
    result = await one("printf BEGIN; yes x | head -c 3000000; printf END", tmp_path, mark)
    head, between, tail = result.output.partition(f"\n[{result.output_size - 2 * ENDS_BYTES} bytes left out here]\n")
    assert between
    assert (len(head), head[:7]) == (ENDS_BYTES, "BEGINx\n")
    assert (len(tail), tail[-5:]) == (ENDS_BYTES, "x\nEND")
    assert result.output_size == 3_000_008
    assert result.output_sha256 == hashlib.sha256(b"BEGIN" + b"x\n" * 1_500_000 + b"END").hexdigest()


async def test_the_whole_output_is_in_a_file_up_to_a_bound_that_is_told(tmp_path: Path, mark: str) -> None:
    environment = dict(os.environ)
    whole = await run_check("seq 200000", tmp_path, environment, 90, mark, keep=tmp_path / "whole.gz")
    text = gzip.decompress((tmp_path / "whole.gz").read_bytes())
    assert (len(text), whole.cut) == (whole.output_size, False)
    assert text.endswith(b"199999\n200000\n")
    long = f"yes x | head -c {WHOLE_BYTES + 10}"
    cut = await run_check(long, tmp_path, environment, 90, mark, keep=tmp_path / "cut.gz")
    assert len(gzip.decompress((tmp_path / "cut.gz").read_bytes())) == WHOLE_BYTES
    assert (cut.output_size, cut.cut) == (WHOLE_BYTES + 10, True)


async def test_output_that_is_not_text_is_still_valid_unicode(tmp_path: Path, mark: str) -> None:
    (await one(r"printf '\377\376ok'", tmp_path, mark)).output.encode("utf-8")


async def test_a_check_sees_the_allowed_environment_only(
    tmp_path: Path, mark: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "s3cret")
    monkeypatch.setenv("MY_CACHE", "here")
    async with check_environment(tmp_path / "home", ["MY_CACHE"]) as environment:
        (result,) = await run_checks(["env"], tmp_path, environment, 90, mark)
    assert "s3cret" not in result.output
    assert "MY_CACHE=here" in result.output
    assert "CI=1" in result.output
    assert f"{MARK}={mark}" in result.output


async def test_a_check_cannot_wait_for_input(tmp_path: Path, mark: str) -> None:
    assert (await one("cat; echo done", tmp_path, mark)).output == "done\n"


async def test_at_the_timeout_the_whole_tree_is_ended_and_what_ignores_the_polite_signal_is_killed(
    tmp_path: Path, mark: str
) -> None:
    tree = (
        "sleep 300 & echo $! > plain; "
        "setsid sleep 300 & echo $! > session; "
        "setsid env -i sleep 300 & echo $! > unmarked; "
        "sh -c 'trap \"\" TERM; echo $$ > stubborn; sleep 300; sleep 300' & "
        "echo started; wait"
    )
    deaf = "trap '' TERM; echo $$ > deaf; while :; do sleep 0.1; done"
    ended, killed = await asyncio.gather(
        one(tree, tmp_path, mark, timeout=10), one(deaf, tmp_path, f"{mark}-deaf", timeout=10)
    )
    assert (ended.timed_out, ended.passed, ended.output) == (True, False, "started\n")
    assert ended.exit_code < 0
    assert (killed.timed_out, killed.exit_code) == (True, -9)
    pids = [int((tmp_path / name).read_text()) for name in ("plain", "session", "unmarked", "stubborn", "deaf")]
    await eventually(lambda: not any(alive(pid) for pid in pids))
    assert sweep_marked(mark) == 0


async def test_a_server_left_in_the_background_neither_blocks_nor_survives_the_check(tmp_path: Path, mark: str) -> None:
    result = await one("setsid sleep 300 & echo $! > pid; echo done", tmp_path, mark)
    assert (result.exit_code, result.output, result.timed_out) == (0, "done\n", False)
    assert result.duration_ms < 60_000
    await eventually(lambda: not alive(int((tmp_path / "pid").read_text())))


async def test_a_stopped_run_ends_its_check(tmp_path: Path, mark: str) -> None:
    running = asyncio.create_task(one("setsid sleep 300 & echo $! > child; echo $$ > pid; wait", tmp_path, mark))
    pid = tmp_path / "pid"
    await eventually(lambda: pid.exists() and bool(pid.read_text()))
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    pids = [int((tmp_path / name).read_text()) for name in ("pid", "child")]
    await eventually(lambda: not any(alive(pid) for pid in pids))


async def test_the_given_sweep_is_asked_until_it_finds_nothing_twice(
    tmp_path: Path, mark: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.workspace.checks.SWEEP_LIMIT", 60.0)
    found = [2, 0, 1, 0, 0]
    asked: list[str] = []

    def sweep(given: str) -> int:
        asked.append(given)
        return found[len(asked) - 1]

    await run_checks(["true"], tmp_path, dict(os.environ), 90, mark, sweep)
    assert asked == [mark] * len(found)


async def test_a_sweep_spares_other_marks(tmp_path: Path, mark: str) -> None:
    other = await asyncio.create_subprocess_exec("sleep", "60", env={**os.environ, MARK: f"{mark}-other"})
    try:
        assert sweep_marked(mark) == 0
        assert other.returncode is None
        assert alive(other.pid)
    finally:
        other.kill()
        await other.wait()
