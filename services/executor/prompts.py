"""What the executing agent is told. Other people's words are quoted as data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from shared.claude.runner import quoted
from shared.contracts.evidence import Check
from shared.contracts.run import Run

OUTPUT_CHARS: Final = 4_000
"""Of the end of a failing check's output."""

MOST_LOST: Final = 50
"""Files of submodules that an agent is told of."""

_NOW: Final = "The repository is your working directory. Do the work and verify it; do not commit or push."


def opening_prompt(run: Run, plan: str, *, resume: bool) -> str:
    """What a new process is told first: the task, and where it stands."""
    opening = takeover_prompt(run, plan) if resume else beginning_prompt(run, plan)
    return f"{opening}\n\n{repair_prompt(run.blamed)}" if run.blamed else opening


def with_lost_edits(prompt: str, lost: Sequence[str]) -> str:
    """``lost`` are files of submodules that were changed where the work was taken over from."""
    if not lost:
        return prompt
    told = "What was changed inside of submodules before you were interrupted is not there any more:"
    return "\n\n".join([prompt, told, quoted("changed inside of submodules", "\n".join(lost[:MOST_LOST]))])


def beginning_prompt(run: Run, plan: str) -> str:
    """The first prompt of a round that begins at the base, or at an earlier result."""
    return first_prompt(run, plan) if run.start is None else start_prompt(run, plan)


def reopened_prompt(run: Run) -> str:
    """Why the agent goes on with its committed work."""
    return repair_prompt(run.blamed) if run.blamed else late_words_prompt()


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


def start_prompt(run: Run, plan: str) -> str:
    """For an agent that goes on from an earlier result."""
    assert run.start is not None
    return "\n\n".join(
        [
            "An earlier attempt at this task left its result in your working directory, as uncommitted changes (git "
            "status, git diff). It was not good enough, for this reason:",
            quoted("what the result lacks", run.start.reason or "nobody said"),
            "Keep what is right of it, mend the rest, and finish the task.",
            first_prompt(run, plan),
        ]
    )


def repair_prompt(failed: Sequence[Check]) -> str:
    """For an agent whose work does not pass the repository's checks."""
    reports = [quoted(f"what fails of {check.command}", _report(check)) for check in failed]
    return "\n\n".join(
        [
            "The repository's own checks fail after your work. They ran in a clean checkout of it. Mend the cause, not "
            "the check, and verify it.",
            *reports,
        ]
    )


def late_words_prompt() -> str:
    """For an agent that somebody spoke to after its last turn; what was said is a message of its own."""
    return (
        "Somebody wrote to you after your last turn: see the message beside this one. Act on it, then finish the task."
    )


def _report(check: Check) -> str:
    """What is new, the lines that name it, and the end of the output."""
    parts = [check.reason, *check.new_failures]
    if check.failing_lines:
        parts += ["Lines of the output that name failures:", *check.failing_lines]
    return "\n".join([*(part for part in parts if part), "The end of the output:", check.output_tail[-OUTPUT_CHARS:]])
