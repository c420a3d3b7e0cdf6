from __future__ import annotations

import asyncio
import contextlib
import gzip
import hashlib
import os
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
import pytest

from shared.ops.proc import MARK
from shared.sandbox.confinement import Confinement, seen
from shared.sandbox.sandbox import Command, Sandbox, Unconfined
from shared.workspace.check_sandbox import CHECKOUT, CheckSandbox
from shared.workspace.checks import (
    ENDS_BYTES,
    WHOLE_BYTES,
    CheckResult,
    hindrance,
    run_check,
    run_checks,
    sweep_marked,
)
from testing.confined import sandbox
from testing.eventually import eventually
from testing.processes import alive


@pytest.fixture
def mark() -> str:
    return f"test-{uuid.uuid4().hex}"


OFF = Unconfined()
"""Where a test has to know the processes of its command by their numbers."""


async def one(
    command: str, tree: Path, mark: str, timeout: float = 90, box: Sandbox | None = None, keep: Path | None = None
) -> CheckResult:
    async with CheckSandbox.opened(box or sandbox(), tree, tree.with_name(f"{mark}-home")) as inside:
        return await run_check(command, inside, timeout, mark, keep=keep)


async def test_a_check_reports_exit_code_output_hash_and_time(tmp_path: Path, mark: str) -> None:
    result = await one("echo out; echo err >&2; exit 3", tmp_path, mark)
    assert (result.exit_code, result.output, result.timed_out, result.passed) == (3, "out\nerr\n", False, False)
    assert result.output_sha256 == hashlib.sha256(b"out\nerr\n").hexdigest()
    assert 0 <= result.duration_ms < 90_000


@pytest.mark.parametrize("box", [sandbox(), OFF], ids=["sandbox", "off"])
async def test_all_checks_run_in_order_whatever_the_first_says(tmp_path: Path, mark: str, box: Sandbox) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    async with CheckSandbox.opened(box, tree, tmp_path / "home") as inside:
        results = await run_checks(["false", "pwd", "no-such-program-here"], inside, 90, mark)
    assert [result.exit_code for result in results] == [1, 0, 127]
    assert results[1].output == f"{CHECKOUT if box.is_on else tree}\n"
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
    whole = await one("seq 200000", tmp_path, mark, keep=tmp_path / "whole.gz")
    text = gzip.decompress((tmp_path / "whole.gz").read_bytes())
    assert (len(text), whole.cut) == (whole.output_size, False)
    assert text.endswith(b"199999\n200000\n")
    long = f"yes x | head -c {WHOLE_BYTES + 10}"
    cut = await one(long, tmp_path, mark, keep=tmp_path / "cut.gz")
    assert len(gzip.decompress((tmp_path / "cut.gz").read_bytes())) == WHOLE_BYTES
    assert (cut.output_size, cut.cut) == (WHOLE_BYTES + 10, True)


async def test_output_that_is_not_text_is_still_valid_unicode(tmp_path: Path, mark: str) -> None:
    (await one(r"printf '\377\376ok'", tmp_path, mark)).output.encode("utf-8")


async def test_a_check_sees_the_allowed_environment_only(
    tmp_path: Path, mark: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "s3cret")
    monkeypatch.setenv("MY_CACHE", "here")
    async with CheckSandbox.opened(sandbox(), tmp_path, tmp_path / "home", extra=["MY_CACHE"]) as inside:
        (result,) = await run_checks(["env"], inside, 90, mark)
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
        one(tree, tmp_path, mark, 10, OFF), one(deaf, tmp_path, f"{mark}-deaf", 10, OFF)
    )
    assert (ended.timed_out, ended.passed, ended.output) == (True, False, "started\n")
    assert ended.exit_code < 0
    assert (killed.timed_out, killed.exit_code) == (True, -9)
    pids = [int((tmp_path / name).read_text()) for name in ("plain", "session", "unmarked", "stubborn", "deaf")]
    await eventually(lambda: not any(alive(pid) for pid in pids))
    assert sweep_marked(mark) == 0


async def test_a_server_left_in_the_background_neither_blocks_nor_survives_the_check(tmp_path: Path, mark: str) -> None:
    result = await one("setsid sleep 300 & echo $! > pid; echo done", tmp_path, mark, box=OFF)
    assert (result.exit_code, result.output, result.timed_out) == (0, "done\n", False)
    assert result.duration_ms < 60_000
    await eventually(lambda: not alive(int((tmp_path / "pid").read_text())))


async def test_a_stopped_run_ends_its_check(tmp_path: Path, mark: str) -> None:
    running = asyncio.create_task(
        one("setsid sleep 300 & echo $! > child; echo $$ > pid; wait", tmp_path, mark, box=OFF)
    )
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

    async with CheckSandbox.opened(sandbox(), tmp_path, tmp_path / "home") as inside:
        await run_checks(["true"], inside, 90, mark, sweep)
    assert asked == [mark] * len(found)


LEAVES = "env -i setsid sh -c 'while sleep 0.05; do echo alive; done >>leaving' & sleep 0.3; "


async def test_what_a_confined_command_leaves_ends_with_it_though_it_carries_no_mark(tmp_path: Path, mark: str) -> None:
    polite = "trap 'echo asked >>asked; exit 9' TERM; while :; do sleep 0.1; done"
    for command, exit_code in ((LEAVES, 0), (LEAVES + polite, 9)):
        result = await one(command, tmp_path, mark, timeout=3)
        assert (result.exit_code, result.timed_out) == (exit_code, exit_code == 9)
        left = (tmp_path / "leaving").stat().st_size
        await asyncio.sleep(0.3)  # what would write, would have written by now
        assert (tmp_path / "leaving").stat().st_size == left > 0
    assert (tmp_path / "asked").read_text() == "asked\n"


async def test_a_sandbox_that_cannot_be_made_is_no_verdict(tmp_path: Path, mark: str) -> None:
    class Broken:
        is_on = True

        @contextlib.contextmanager
        def command(self, argv: Sequence[str], confinement: Confinement) -> Iterator[Command]:
            nowhere = (*confinement.binds, seen(Path("/no/such/place")))
            with sandbox().command(argv, msgspec.structs.replace(confinement, binds=nowhere)) as command:
                yield command

    result = await one("echo bwrap: I say so >&2; exit 1", tmp_path, mark, box=Broken())
    assert (result.unconfined, result.passed) == (True, False)
    assert "/no/such/place" in (hindrance(result) or "")
    said = await one("echo bwrap: I say so >&2; exit 1", tmp_path, mark)
    assert (said.unconfined, hindrance(said)) == (False, None), "a command that only says so has failed"


async def test_a_sweep_spares_other_marks(tmp_path: Path, mark: str) -> None:
    other = await asyncio.create_subprocess_exec("sleep", "60", env={**os.environ, MARK: f"{mark}-other"})
    try:
        assert sweep_marked(mark) == 0
        assert other.returncode is None
        assert alive(other.pid)
    finally:
        other.kill()
        await other.wait()
