"""The repository's own checks, run by the executor itself: an agent's word is not evidence."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from shared.contracts.evidence import Check
from shared.workspace.checks import CheckResult, check_environment, detect_checks, run_checks
from shared.workspace.mirror import Mirror
from shared.workspace.worktree import Worktree

TAIL_CHARS = 4000


async def verify(
    worktree: Worktree, configured: Sequence[str] | None, *, base: Path, home: Path, mark: str, timeout_s: float
) -> list[Check]:
    """Run the checks in the worktree; those that fail are run at the base commit too, in a worktree at ``base``.

    ``configured`` None means: detect them. ``home`` is where checks have their own empty home. Times in milliseconds.
    """
    commands = list(configured) if configured is not None else detect_checks(worktree.path)
    async with check_environment(home) as environment:
        results = await run_checks(commands, worktree.path, environment, timeout_s, f"{mark}-checks")
    checks = [_check(result) for result in results]
    failed = [result.command for result in results if not result.passed]
    if not failed:
        return checks
    before = await _at_base(worktree.mirror, worktree.base, failed, base, home, mark, timeout_s)
    return [msgspec.structs.replace(check, failed_before=check.command in before) for check in checks]


def blamed(checks: Sequence[Check]) -> list[Check]:
    """The failures that the work has caused."""
    return [check for check in checks if check.exit_code != 0 and not check.failed_before]


async def _at_base(
    mirror: Mirror, commit: str, commands: Sequence[str], path: Path, home: Path, mark: str, timeout_s: float
) -> set[str]:
    worktree = await Worktree.create(mirror, path, commit)
    try:
        async with check_environment(home) as environment:
            results = await run_checks(commands, worktree.path, environment, timeout_s, f"{mark}-base")
    finally:
        await worktree.remove()
    return {result.command for result in results if not result.passed}


def _check(result: CheckResult) -> Check:
    return Check(
        command=result.command,
        exit_code=result.exit_code if not result.timed_out else 124,
        duration_ms=result.duration_ms,
        output_tail=result.output_tail[-TAIL_CHARS:],
        output_sha256=result.output_sha256,
    )
