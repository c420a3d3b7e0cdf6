"""Another version of the CLI can be recorded with what is in the repository, and what it says is judged the same."""

from __future__ import annotations

import os
from pathlib import Path

from shared.claude.conversation.outcome import outcome_of
from shared.claude.conversation.stream import Result, read_line
from shared.claude.process.binary import find_cli
from tests.recordings.record import SCENARIOS, record_all
from tests.recordings.recorded_runs import RecordedRun, RecordedRuns


def code(run: RecordedRun) -> str:
    results = [line for line in map(read_line, run.lines) if isinstance(line, Result)]
    return outcome_of(run.exit_code, results[-1] if results else None).code


async def test_a_run_that_is_recorded_again_ends_as_the_kept_one_did(tmp_path: Path) -> None:
    # Not `stop-sigint`: a CLI that has no processor for some seconds after an interrupt ends without a result.
    names = ["plain", "api-401", "bad-flag", "stop-sigkill"]
    await record_all(find_cli(os.environ.get("CLAUDE_CLI")), names, tmp_path)
    kept, again = RecordedRuns(), RecordedRuns(tmp_path)
    assert again.names() == sorted(names)
    assert {name: code(again[name]) for name in names} == {name: code(kept[name]) for name in names}
    assert not any(str(tmp_path.parent).encode() in line for line in again["plain"].lines)


def test_every_run_that_can_be_recorded_here_is_among_the_kept_ones() -> None:
    assert set(SCENARIOS) <= set(RecordedRuns().names())
