"""What a change does to the things that judge it: the tests, their configuration, scripts that checks run, CI.

Nothing here forbids such a change; a person is told of it. It compares text and runs nothing.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from shared.workspace.judges import configuration, weakened
from shared.workspace.judges.in_tests import (
    ToldToLoad,
    changes_modules,
    hides_a_module,
    is_included,
    is_loaded,
    is_script,
)
from shared.workspace.judges.reach import Reach, reach_of
from shared.workspace.judges.replaced import Replaced
from shared.workspace.judges.targets import takes_a_targets_name
from shared.workspace.judges.weakened import TakenAway, Weaker, is_test

__all__ = [
    "MAX_FILES",
    "JudgeChange",
    "Read",
    "TakenAway",
    "Weaker",
    "are_tests_touched",
    "judges_changed",
    "taken_away",
    "weaker",
]

MAX_FILES: Final = 500
"""Changed files that are looked at."""
MAX_TEXT: Final = 256 * 1024
"""Characters of a file that are looked at."""

_SHELL: Final = re.compile(r"[^.]+|.+\.(?:ba|z)?sh")
_VERBS: Final = {"A": "added", "D": "deleted"}

Read = Callable[[str], str]
"""The text of a file at one commit; empty where it is not there."""


class JudgeChange(msgspec.Struct, frozen=True):
    """One thing that judges the work and was changed: where, and a short phrase. No path: it is about the whole."""

    path: str
    what: str
    replaces: bool = False
    """Whether it takes the judge's place: what the checks say then is the change's own word."""
    is_run: bool = False
    """Whether it is run by the checks or with the tests, so that the checks may be run once with what was there before.
    """


def judges_changed(
    files: Sequence[tuple[str, str]], base: Read, result: Read, commands: Sequence[str] = ()
) -> list[JudgeChange]:
    """What of ``files`` judges the work, in their order. ``commands`` are the checks.

    ``files`` are paths with the letter that git gives without looking for renames: A, M, D or T. ``base`` and
    ``result`` read a file before and after the change. New tests are no judges of old work, new configuration is.
    Of files beyond `MAX_FILES` only the names are looked at.
    """
    looked_at = files[:MAX_FILES]
    base, result = _cut(base), _cut(result)
    reached = (reach_of(commands, base), reach_of(commands, result))
    tests = weakened.weakened(looked_at, base, result)
    replaced = Replaced(base, result, [*commands, *_texts(reached[0], base), *_texts(reached[1], result)])
    told = ToldToLoad(base)
    gone_tests = [path for path, status in looked_at if status == "D" and is_test(path)]
    found: list[JudgeChange] = []
    for at, (path, status) in enumerate(files):
        verb = _VERBS.get(status, "changed")
        is_looked_at = at < MAX_FILES
        if kind := replaced.by_path(path) or (is_looked_at and replaced.by_text(path)):
            found.append(JudgeChange(path, f"{kind} {verb}", replaces=status != "D"))
        elif is_looked_at:
            if status == "A" and any(gone.startswith(f"{path}/") for gone in gone_tests):
                found.append(JudgeChange(path, "put in the place of a folder with tests", is_run=True))
            found += _judges(path, verb, base, result, reached, told) or [
                JudgeChange(path, phrase) for phrase in tests.get(path, [])
            ]
            if changes_modules(path, result(path)) and not changes_modules(path, base(path)):
                found.append(JudgeChange(path, "test that changes other modules while it is imported", is_run=True))
    if len(files) > MAX_FILES:
        found.append(JudgeChange("", f"{len(files) - MAX_FILES} more changed files were not looked at"))
    return found


def taken_away(files: Sequence[tuple[str, str]], base: Read, result: Read) -> TakenAway:
    """What tests the change to these ``files`` (as those of `judges_changed`) deletes or skips."""
    return weakened.taken_away(files[:MAX_FILES], _cut(base), _cut(result))


def weaker(files: Sequence[tuple[str, str]], base: Read, result: Read) -> Weaker:
    """Which of these ``files`` (as those of `judges_changed`) have tests that say less than before."""
    return weakened.weaker(files[:MAX_FILES], _cut(base), _cut(result))


def are_tests_touched(files: Sequence[tuple[str, str]], base: Read) -> bool:
    """Whether the change to these ``files`` (as those of `judges_changed`) is one to tests that were there."""
    return len(files) > MAX_FILES or weakened.is_touched(files, _cut(base))


def _texts(reach: Reach, read: Read) -> list[str]:
    scripts = (read(path) for path in sorted(reach.scripts) if _SHELL.fullmatch(posixpath.basename(path)))
    return [*reach.targets.values(), *filter(None, scripts)]


def _cut(read: Read) -> Read:
    return lambda path: read(path)[:MAX_TEXT]


def _judges(
    path: str, verb: str, base: Read, result: Read, reached: tuple[Reach, Reach], told: ToldToLoad
) -> list[JudgeChange]:
    """At most one: the first that fits."""
    before, after = reached
    if verb == "added" and takes_a_targets_name(path, before.targets, base):
        return [JudgeChange(path, "file at the name of a target, which make then takes for done, added", is_run=True)]
    if path in before.scripts | after.scripts and not is_test(path):
        # What was not there before was named by nobody but the operator: then it is the work itself.
        return [
            JudgeChange(
                path, f"script that the checks run {verb}", is_run=verb != "added" and is_script(path, base(path))
            )
        ]
    if (path in before.targets or path in after.targets) and before.targets.get(path) != after.targets.get(path):
        return [JudgeChange(path, "commands that the checks run changed", is_run=True)]
    if is_included(path, "\n".join([*before.targets.values(), *after.targets.values()])):
        return [JudgeChange(path, f"part of a Makefile {verb}", is_run=True)]
    if kind := configuration.judge(path, base, result):
        return [JudgeChange(path, f"{kind} {verb}", is_run=configuration.is_run(path, kind))]
    if verb == "added" and hides_a_module(path, base):
        return [JudgeChange(path, "module that tests find in the place of the work's own added", is_run=True)]
    if is_loaded(path, told):
        return [JudgeChange(path, f"file that is loaded with the tests {verb}", is_run=True)]
    return []
