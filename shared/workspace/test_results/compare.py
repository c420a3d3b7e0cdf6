"""Whether a check that fails at the result fails in the same way at the base commit."""

from __future__ import annotations

import enum
import re
from collections.abc import Collection, Sequence
from typing import Final

import msgspec

from shared.workspace.test_results.findings import MAX_NAMES, Findings
from shared.workspace.test_results.normalise import normalise
from shared.workspace.test_results.totals import same_but_for_totals
from shared.workspace.test_results.unreported import TOO_MANY

_SHOWN: Final = 5
"""Names that a sentence lists."""
_FEWER: Final = 0.9
"""Fewer passing tests than this part of those at the base are worth a note."""
_KILLED: Final = 124
"""Exit codes from here on tell of a timeout, a command that is not there, or a signal. So do negative ones."""

_NO_TESTS: Final = frozenset({"pytest: no tests ran", "unittest: no tests ran"})
_SAID_NONE: Final = re.compile(r"^(?:Error: )?No test(?:s| files)? found\b", re.M)
"""Of jest, vitest and mocha, which fail then."""


class Kind(enum.StrEnum):
    SAME = "same"
    NEW = "new"
    UNCLEAR = "unclear"


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One run of a check command. ``checkout`` is the folder in which it ran, ``home`` what was its ``HOME``: paths
    below these are no difference.

    ``cut`` says that ``output`` has only a part of what the command wrote: it proves no sameness.
    """

    exit_code: int
    output: str
    findings: Findings
    checkout: str = ""
    home: str = ""
    cut: bool = False


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """``why`` is a sentence without a full stop. ``new`` are tests, broken things or steps that fail now only.

    ``fixed`` are tests that failed at the base and do not fail now. ``notes`` are sentences that a person should see.
    ``partial`` says that the runs are the same as far as is known: both gave up at a failure, or ran no test,
    or the result's output has lines that look like other failures. ``totals_only`` says of an UNCLEAR one that the
    outputs differ in how much was looked at, or in numbers of lines, and in nothing else.
    """

    kind: Kind
    why: str
    new: tuple[str, ...] = ()
    fixed: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    partial: bool = False
    totals_only: bool = False


def compare(after: Run, before: Run, edited: Collection[str] = ()) -> Comparison:
    """Set a failing run at the result (``after``) beside the run of the same command at the base (``before``).

    NEW: something fails now that did not fail at the base, whatever else failed there. SAME: everything that fails now
    failed at the base. UNCLEAR: names do not tell, and the outputs differ. Then run the base again and compare its two
    runs: if they are the SAME, the difference is the result's; else nothing is known.
    An edit moves what stands behind it: numbers of lines in ``edited`` files are no more than a total.
    Raises ValueError for an ``after`` that has not failed.
    """
    if after.exit_code == 0:
        raise ValueError("A run that ended with 0 has no failures to compare.")
    new = _new(after.findings, before.findings)
    fixed = _without(before.findings.failed, after.findings.failed)
    notes = _notes(after, before, new, fixed)
    if before.exit_code == 0:
        return Comparison(kind=Kind.NEW, why="the command passes at the base commit", new=new, notes=notes)
    if new:
        why = f"{_amount(new, after.findings)} not at the base commit: {_listed(new)}"
        return Comparison(kind=Kind.NEW, why=why, new=new, fixed=fixed, notes=notes)
    mended = fixed or _without(before.findings.broken, after.findings.broken)
    doubt = _doubt(after, before, mended=bool(mended))
    if doubt is not None and not same_output(after, before):
        totals_only = not after.findings.named and _same_output(after, before, edited)
        return Comparison(kind=Kind.UNCLEAR, why=doubt, fixed=fixed, notes=notes, totals_only=totals_only)
    why = _same(after)
    unknown = _unknown(after, before)
    return Comparison(
        kind=Kind.SAME,
        why="; ".join([why, *unknown]),
        fixed=fixed,
        notes=notes,
        partial=bool(unknown),
    )


def fewer_tests(after: Findings, before: Findings) -> int:
    """How many tests less ran, where the base tells how many passed; none where more ran.

    A run that counts none has run none: of a package without tests, go says so without a number.
    """
    if before.passed_count is None:
        return 0
    then, now = before.passed_count + (before.failed_count or 0), (after.passed_count or 0) + (after.failed_count or 0)
    return max(0, then - now)


def ended_early(after: Findings, before: Findings) -> str:
    """That a runner has not come to its end, so that some tests may not have run; or nothing."""
    if after.passed_count is None and before.passed_count is not None:
        return "its runner ended without a word on how many tests passed, so that some may not have run"
    if (after.failed or after.hidden) and after.passed_count is None and after.counts_tests:
        return "its runner ends without a word on how many tests passed, here and at the base commit"
    return ""


def _unknown(after: Run, before: Run) -> list[str]:
    """Why runs that failed in the same way are not the same as a whole."""
    found = after.findings
    unknown = []
    if early := ended_early(found, before.findings):
        unknown.append(early)
    elif found.broken and found.runs_tests and not found.failed and not (found.passed_count or found.failed_count):
        unknown.append("it could not be built or loaded, so that no test ran")
    if found.stopped:
        unknown.append("it stops there, so that nothing is known of what comes behind")
    if _NO_TESTS.issuperset((*found.failed, *found.broken)) and (found.named or _SAID_NONE.search(after.output)):
        unknown.append("no test ran, so that nothing is proven")
    elif not (found.named or found.stopped) and found.runs_tests and not (found.count or before.findings.count):
        unknown.append("no test ran, here or at the base commit")
    if TOO_MANY in found.unreported:
        unknown.append("its output tells of more failures than are compared")
    elif other := _without(found.unreported, before.findings.unreported):
        unknown.append(f"its output tells of more that may have failed: {other[0]}")
    return unknown


def _new(after: Findings, before: Findings) -> tuple[str, ...]:
    """Tests and broken things. A step of make that failed counts where neither tells: it fails because of them."""
    new = (*_without(after.failed, before.failed), *_without(after.broken, before.broken))
    return new or _without(after.steps, before.steps)


def _without(names: Sequence[str], others: Sequence[str]) -> tuple[str, ...]:
    return tuple(sorted(set(names) - set(others)))


def _doubt(after: Run, before: Run, *, mended: bool) -> str | None:
    """Why names alone do not make the runs the same, or None. Without names, only equal outputs are the same."""
    now, then = after.findings, before.findings
    if after.exit_code != before.exit_code and not (mended and _ended(after) and _ended(before)):
        return f"exit code {after.exit_code}, at the base commit {before.exit_code}"
    if now.named != then.named:
        return "one run names what failed, the other does not"
    if not now.named:
        return "no failing test is named, and the output is not that of the base commit"
    if not _ended(after):
        return f"the command did not run to its end (exit code {after.exit_code})"
    if (now.failed_count or 0) - len(now.failed) > (then.failed_count or 0) - len(then.failed):
        return f"{now.failed_count} tests fail, at the base commit {then.failed_count}, and not all have names"
    if MAX_NAMES in {len(now.failed), len(now.broken)}:
        return "more things fail than are compared by name"
    return None


def _ended(run: Run) -> bool:
    return 0 <= run.exit_code < _KILLED


def same_output(after: Run, before: Run) -> bool:
    """Whether both runs end in the same way, and write the same but for what differs by chance."""
    return _same_output(after, before)


def _same_output(after: Run, before: Run, edited: Collection[str] | None = None) -> bool:
    """The very same; with ``edited`` files, but for totals."""
    if after.cut or before.cut or after.exit_code != before.exit_code:
        return False
    folders = [folder for run in (after, before) for folder in (run.checkout, run.home) if folder]
    said, told = normalise(after.output, *folders), normalise(before.output, *folders)
    # Two failures that say nothing may be any two.
    return bool(said) and (said == told if edited is None else same_but_for_totals(said, told, edited))


def _same(after: Run) -> str:
    found = after.findings
    told = []
    if len(found.failed) == 1:
        told.append(f"the same test fails at the base commit: {found.failed[0]}")
    elif found.failed:
        told.append(f"the same {len(found.failed)} tests fail at the base commit: {_listed(found.failed)}")
    if found.broken:
        told.append(f"the same is broken at the base commit: {_listed(found.broken)}")
    return "; ".join(told) or f"the base commit gives the same output and exit code {after.exit_code}"


def _amount(new: Sequence[str], after: Findings) -> str:
    tests = len(set(new) & set(after.failed))
    match tests, len(new) - tests:
        case 0, _:
            return "this fails,"
        case 1, 0:
            return "1 test fails,"
        case _, 0:
            return f"{tests} tests fail,"
        case _, others:
            return f"{tests + others} things fail,"


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _notes(after: Run, before: Run, new: Sequence[str], fixed: Sequence[str]) -> tuple[str, ...]:
    now, then = after.findings, before.findings
    notes = []
    if then.passed_count and now.passed_count is None:
        notes.append(f"No tests were counted; {then.passed_count} pass at the base commit.")
    elif then.passed_count and now.passed_count is not None and now.passed_count < _FEWER * then.passed_count:
        notes.append(f"Fewer tests pass: {now.passed_count}, at the base commit {then.passed_count}.")
    if now.passed_count is not None and then.passed_count is not None and fixed:
        missing = then.passed_count + len(fixed) - len(_without(now.failed, then.failed)) - now.passed_count
        if missing > 0:
            notes.append(f"Of the tests that no longer fail, some may not have run: {_listed(fixed)}.")
    if new and then.broken and not set(then.broken) <= set(now.broken):
        notes.append("The base commit could not build or load everything: whether these tests fail there is not known.")
    if new and not _ended(before):
        notes.append(f"At the base commit the command did not run to its end (exit code {before.exit_code}).")
    return tuple(notes)
