"""Tests that ran at the base commit and do not run at the result, by their names."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Final

import msgspec

from shared.workspace.test_results.findings import Findings

_GO: Final = re.compile(r"^(\S+\.(?:Test|Fuzz|Example)[^/\s]*)/")
_BRACKET: Final = re.compile(r"^(.*?\w)[\[(]")
_OF_A_RUN: Final = re.compile(r"\d{4,}|[0-9a-f]{12,}")
"""A time, a port or a hash in a name."""
_NO_LETTER: Final = re.compile(r"\W+")


class Lost(msgspec.Struct, frozen=True):
    """``names`` are tests of the base commit that do not run any more, ``new`` tests that did not run there.

    ``had_failed`` are those of the lost ones that failed at the base commit.
    """

    names: tuple[str, ...] = ()
    new: tuple[str, ...] = ()
    had_failed: tuple[str, ...] = ()


def lost_tests(after: Findings, before: Findings) -> Lost:
    """What is lost; nothing where one of the runs does not name the tests that passed.

    A test that runs at another place under the same name has moved. Cases of one test (``test_f[1-2]``,
    ``m.TestF/empty``) are counted, as their names may hold what differs from run to run.
    """
    if not before.ran or (not after.ran and after.passed_count is not None):
        return Lost()
    gone, come = set(before.ran) - set(after.ran), set(after.ran) - set(before.ran)
    _pair(gone, come, _test_of)
    _pair(gone, come, _title)
    _pair(gone, come, lambda name: _OF_A_RUN.sub("#", name))
    failed = (*before.failed, *before.hidden)
    return Lost(tuple(sorted(gone)), tuple(sorted(come)), tuple(sorted(gone.intersection(failed))))


def not_told(lost: Sequence[str], deleted: Iterable[str], count: int) -> list[str]:
    """Those of the lost tests of which the text of the result does not tell.

    It tells of ``deleted``, names as they stand there, and of as many others as ``count``, what it deletes or skips,
    is more than those: of what is skipped, no name is known.
    """
    told = _told(deleted)
    unknown = [name for name in lost if not _is_told(name, told)]
    known = set(map(_test_of, lost)) - set(map(_test_of, unknown))
    return unknown if len(set(map(_test_of, unknown))) > count - len(known) else []


def red_before(after: Findings, before: Findings) -> tuple[str, ...]:
    """Tests that failed at the base commit and of which the result's run says nothing: mended, or gone."""
    told = {*after.failed, *after.hidden, *after.ran}
    return tuple(name for name in (*before.failed, *before.hidden) if name not in told)


def deleted_among(names: Sequence[str], deleted: Iterable[str]) -> tuple[str, ...]:
    """Those of the ``names`` of tests that the text of the result deletes or renames."""
    told = _told(deleted)
    return tuple(name for name in names if _is_told(name, told))


def _told(deleted: Iterable[str]) -> tuple[str, ...]:
    return tuple({f"_{word}" for each in deleted if (word := _word(each))})


def _is_told(name: str, told: tuple[str, ...]) -> bool:
    return f"_{_word(_test_of(name))}".endswith(told)


def _pair(gone: set[str], come: set[str], key: Callable[[str], str]) -> None:
    """Take one of each from both sets as long as they have the same key."""
    free: dict[str, list[str]] = defaultdict(list)
    for name in sorted(come, reverse=True):
        free[key(name)].append(name)
    for name in sorted(gone):
        if others := free.get(key(name)):
            gone.remove(name)
            come.remove(others.pop())


def _test_of(name: str) -> str:
    """The test that a name is a case of; the name itself where it is of none."""
    match = _GO.match(name) or _BRACKET.match(name)
    return match[1] if match else name


def _title(name: str) -> str:
    """What a test is called in its file, without the file and what is around it."""
    whole = _test_of(name)
    for separator in (" > ", "::", "."):
        if separator in whole:
            return whole.rpartition(separator)[2]
    return whole


def _word(name: str) -> str:
    return _NO_LETTER.sub("_", name).strip("_").lower()
