"""What the sentences of several kinds have in common."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

from shared.contracts.evidence import Check, CheckVerdict

LONGEST: Final = 200
SPENT: Final = "What an agent had spent before its work was broken off or taken over was accounted for."


def one_line(text: str, limit: int = LONGEST) -> str:
    """The text's words on one line of at most ``limit`` characters."""
    line = " ".join(text[: limit * 4].split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def because(reason: str) -> str:
    """The end of a sentence: a colon with the reason, or a full stop where none was given."""
    return f": {one_line(reason)}" if reason else "."


def again(number: int) -> str:
    """Which time it is, from the second one on."""
    return f" (number {number})" if number > 1 else ""


def at_commit(commit: str) -> str:
    """The short name of a commit, where there is one."""
    return f" at {commit[:8]}" if commit else ""


def dollars(microusd: int) -> str:
    """Micro-dollars as dollars, with at least cents and at most what there is: ``$2.00``, ``$0.0015``."""
    whole = f"{microusd / 1_000_000:.6f}".rstrip("0")
    cents = len(whole) - whole.index(".") - 1
    return f"${whole}{'0' * max(0, 2 - cents)}"


def counted(number: int, word: str) -> str:
    """``1 file``, ``2 files``."""
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def verdicts(checks: Sequence[Check]) -> list[str]:
    """How many checks there are of each verdict: ``2 checks passed``, ``1 check failed``."""
    count = Counter(check.judged for check in checks)
    return [f"{counted(count[verdict], 'check')} {VERDICTS[verdict]}" for verdict in CheckVerdict if count[verdict]]


VERDICTS: Final = {
    CheckVerdict.PASSED: "passed",
    CheckVerdict.FAILED: "failed",
    CheckVerdict.FAILED_BEFORE: "failed before too",
    CheckVerdict.COULD_NOT_RUN: "could not run",
}
"""What people read of a verdict."""
DOUBTED: Final = "passed, but proves nothing"


def verdict_of(check: Check) -> str:
    """What people read of how a check ended."""
    return DOUBTED if check.doubted else VERDICTS[check.judged]
