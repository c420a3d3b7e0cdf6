"""What the executing agent is told. Other people's words are quoted as data."""

from __future__ import annotations

from collections.abc import Sequence

from shared.claude.runner import quoted
from shared.contracts.evidence import Check
from shared.contracts.run import Run

_NOW = "The repository is your working directory. Do the work and verify it; do not commit or push."


def first_prompt(run: Run, plan: str) -> str:
    """The task, with its approved plan when there is one."""
    parts = [quoted("task", run.text, title=run.title)]
    if plan:
        parts += [
            "The approved plan. Keep to it; say in your summary where you could not:",
            quoted("approved plan", plan),
        ]
    return "\n\n".join([*parts, _NOW])


def takeover_prompt(run: Run, plan: str) -> str:
    """For an agent whose process was lost on the way."""
    return (
        "You were interrupted: your process was lost, and your working directory is as it was at the last checkpoint. "
        "Commands you had begun since then may or may not have taken effect. First check what is done "
        "(git status, git diff, the tests), then finish the task.\n\n" + first_prompt(run, plan)
    )


def revival_prompt(run: Run, plan: str) -> str:
    """For an agent whose process was killed where it worked."""
    return (
        "You were interrupted: your process was killed, and your working directory is as it was at that moment. "
        "Your last command may or may not have taken effect. First check what is done (git status, git diff, the "
        "tests), then finish the task.\n\n" + first_prompt(run, plan)
    )


def repair_prompt(failed: Sequence[Check]) -> str:
    """For an agent whose work does not pass the repository's checks."""
    reports = [quoted(f"output of {check.command}", check.output_tail[-6000:]) for check in failed]
    return "\n\n".join(
        ["The repository's own checks fail after your work. Mend the cause, not the check, and verify it.", *reports]
    )
