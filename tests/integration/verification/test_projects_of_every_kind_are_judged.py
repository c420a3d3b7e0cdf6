"""One test is red before, in each language: it excuses itself and nothing else."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from shared.contracts.evidence import CheckVerdict, Evidence
from tests.integration.verification.projects import PROJECTS, Project
from tests.integration.verification.trials import MakeTrial


@pytest.fixture(autouse=True)
def python_has_pytest(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the machine's own ``python3`` has installed."""
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")


@pytest.mark.parametrize("project", PROJECTS, ids=[project.name for project in PROJECTS])
async def test_a_red_test_excuses_itself_and_nothing_else(project: Project, trial: MakeTrial) -> None:
    place = trial(project.files)
    unchanged = await place.judge({"NOTE.md": "hello\n"}, *project.checks)
    if not project.can_run:
        assert [check.verdict for check in unchanged.checks] == [CheckVerdict.COULD_NOT_RUN]
        assert unchanged.evidence is Evidence.UNVERIFIED
        return
    assert [check.verdict for check in unchanged.checks] == [CheckVerdict.FAILED_BEFORE]
    assert unchanged.evidence is Evidence.NO_NEW_FAILURES

    second = await place.judge(project.second, *project.checks)
    assert second.evidence is Evidence.FAILING
    assert [check.new_failures for check in second.checks] == [(project.named,)]

    broken = await place.judge(project.broken, *project.checks)
    assert broken.evidence is Evidence.FAILING
    assert broken.checks[0].new_failures
