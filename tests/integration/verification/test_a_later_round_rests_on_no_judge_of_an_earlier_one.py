from __future__ import annotations

from pathlib import Path

import pytest

from services.executor.verification.judges_notes import JudgesOf
from services.executor.verification.rounds import first_base
from shared.workspace.mirror import Mirror
from tests.integration.workspace.workspace_support import sh_git

TASK = "01JX7TASK"
OURS = f"Work\n\nIt is done.\n\nJourneyman-Task: {TASK}\nJourneyman-Evidence: unverified\n"


class Line:
    """A repository with one line of commits."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        sh_git(folder, "init", "--quiet", "--initial-branch=main")

    def commit(self, message: str, name: str) -> str:
        (self.folder / name).write_text("x\n")
        sh_git(self.folder, "add", "--all")
        sh_git(self.folder, "commit", "--quiet", f"--message={message}")
        return sh_git(self.folder, "rev-parse", "HEAD")


@pytest.fixture
def line(tmp_path: Path) -> Line:
    return Line(tmp_path / "target")


async def test_a_judge_that_an_earlier_round_has_replaced_is_none_in_a_later_one(line: Line, tmp_path: Path) -> None:
    start = line.commit("first", "a")
    line.commit(OURS, "pytest.py")
    base = line.commit("A person's own", "b")
    result = line.commit(OURS, "c")
    mirror = Mirror(tmp_path / "mirrors", str(line.folder))
    await mirror.ensure(result)
    assert await first_base(mirror, base, TASK) == start
    judges = JudgesOf(mirror, base, result, ["python3 -m pytest"], start)
    assert await judges.replaced() == "pytest.py (module that takes the place of the test runner added)"
    assert await judges.notes() == (), "this round has changed no judge"


async def test_a_base_without_a_commit_of_the_task_is_its_first(line: Line, tmp_path: Path) -> None:
    line.commit("first", "a")
    line.commit(OURS.replace(TASK, "01JX7OTHER"), "pytest.py")
    base = line.commit(f"It quotes Journeyman-Task: {TASK}\n\nand says more", "b")
    mirror = Mirror(tmp_path / "mirrors", str(line.folder))
    await mirror.ensure(base)
    assert await first_base(mirror, base, TASK) == base
