"""Tests of the base commit that a result does not run: what a person is told of them, and whether anybody knows why."""

from __future__ import annotations

import msgspec

from services.executor.verification.naming import listed
from shared.workspace.judges import TakenAway
from shared.workspace.test_results import (
    Findings,
    Lost,
    deleted_among,
    fewer_tests,
    lost_tests,
    not_told,
    red_before,
)


class LeftOut(msgspec.Struct, frozen=True):
    """``told`` names the tests that no longer run, where names are known. ``doubt`` says why nothing is proven by those
    that do: nobody can tell why the others do not, or one of them had failed.
    """

    told: str = ""
    doubt: str = ""

    def __bool__(self) -> bool:
        return bool(self.told or self.doubt)


def left_out(after: Findings, before: Findings, taken: TakenAway) -> LeftOut:
    """What a run at the result leaves out of one at the base commit, beside what the result's text takes away.

    Tests that are deleted or renamed in the text are named; that is a person's to judge, and no doubt.
    """
    if before.ran and not after.ran and after.passed_count:
        return LeftOut("", "nothing names the tests that ran, and at the base commit their runner does")
    lost, fewer = lost_tests(after, before), fewer_tests(after, before)
    told = _no_longer_run(lost)
    if red := lost.had_failed or deleted_among(red_before(after, before), taken.names):
        return LeftOut(told, f"what failed at the base commit no longer runs: {listed(red)}")
    if unknown := not_told(lost.names, taken.names, taken.count):
        return LeftOut(told, f"the result does not say why these tests no longer run: {listed(tuple(unknown))}")
    if fewer > max(taken.count, len(lost.names)):
        less = "1 test less" if fewer == 1 else f"{fewer} tests less"
        return LeftOut(told, f"{less} ran than at the base commit, and the result deletes or skips {taken.count}")
    return LeftOut(told)


def is_anything_left_out(after: Findings, before: Findings) -> bool:
    """Whether it is worth to read the result's text."""
    is_nameless = bool(before.ran and not after.ran and after.passed_count)
    return bool(
        is_nameless or fewer_tests(after, before) or lost_tests(after, before).names or red_before(after, before)
    )


def _no_longer_run(lost: Lost) -> str:
    if not lost.names:
        return ""
    sentence = f"{_tests(len(lost.names))} no longer run: {listed(lost.names)}"
    return f"{sentence}; new: {listed(lost.new)}" if lost.new else sentence


def _tests(count: int) -> str:
    return "1 test is" if count == 1 else f"{count} tests are"
