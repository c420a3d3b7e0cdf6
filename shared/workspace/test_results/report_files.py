"""Where test runners write reports: how they are asked to, without a change to the command, and where those are."""

from __future__ import annotations

import os
import re
import shlex
import stat
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

from shared.workspace.detect.runners import MAKEFILES
from shared.workspace.reached import text_of

MAX_FILES: Final = 1000
MAX_BYTES: Final = 16 * 1024 * 1024
"""Bytes of one report file. What is larger is no report that we read."""
MAX_ENTRIES: Final = 50_000
"""Entries of folders that are looked at."""
_MAX_DEPTH: Final = 12
_GO_ON: Final = "--maxfail=0 --continue-on-collection-errors"
_VERBOSE: Final = "-test.v"
_CLOCK_SLACK: Final = 0.05
"""Seconds: the kernel stamps files with a clock that stands still for up to 10 ms."""
_SKIPPED: Final = frozenset({".git", ".hg", "node_modules", ".venv", "venv", ".tox", ".nox", "vendor", "site-packages"})
_USUAL: Final = (
    "*/surefire-reports/TEST-*.xml",
    "*/failsafe-reports/TEST-*.xml",
    "*/build/test-results/*.xml",
    "*/junit.xml",
    "*/junit-*.xml",
    "*/*-junit.xml",
    "*/pytest.xml",
    "*/test-results.xml",
    "*/test-results/*.xml",
    "*/test-reports/*.xml",
    "*/test-report.xml",
    "*/reports/*.xml",
    "*/test-results.json",
    "*/test-results/*.json",
    "*/jest-results.json",
    "*/mochawesome.json",
)


def report_environment(
    directory: Path, environment: Mapping[str, str] | None = None, checkout: Path | None = None
) -> dict[str, str]:
    """Variables that make runners write reports below ``directory``, or tell what they ran.

    They are to be set for a command in ``checkout`` beside ``environment``.

    pytest: ``junit_family=xunit1`` is the family with which no fixture of pytest warns (under xunit2 and ``-W error`` a
    project's ``record_property`` would fail). pytest expands variables in the path: runs in different folders, and in
    different nox and tox environments, do not overwrite one another. Where two runs do, the text fills the rest. An
    option that the operator's command gives itself wins, as pytest reads this variable first.
    A run that stops at its first failure says nothing of the rest: pytest goes on behind a module that cannot be
    imported and whatever the project's own configuration says, make goes on with the targets that do not need the
    failed one. How they end stays the same.
    The variables of jest-junit and mocha-junit-reporter are left alone: they would move files that the command may
    read, and the text of these runners names what failed.
    go names tests that passed only with ``-v``. As ``-test.v`` among its flags no other command than ``go test`` takes
    it: ``go list``, ``go vet`` and ``go build`` say what they say without.
    """
    given = (environment or {}).get("PYTEST_ADDOPTS", "")
    path = shlex.quote(f"{directory}/pytest/$NOX_CURRENT_SESSION/$TOX_ENV_NAME/$PWD/junit.xml")
    return {
        "PYTEST_ADDOPTS": f"{_GO_ON} {given} -o junit_family=xunit1 --junitxml={path}".strip(),
        "MAKEFLAGS": "k",
        "GOTESTSUM_JSONFILE": f"{directory}/gotestsum.json",
        **_flags_of_go(environment or {}, checkout),
    }


def _flags_of_go(environment: Mapping[str, str], checkout: Path | None) -> dict[str, str]:
    """The flags that are set already, and ours; none where a Makefile has its own: ``?=`` would give way to ours."""
    if checkout is not None and any("GOFLAGS" in text_of(checkout, name) for name in MAKEFILES):
        return {}
    settings = Path(environment.get("HOME", "/nowhere")) / ".config" / "go"  # what `go env -w` writes to
    written = re.search(r"^GOFLAGS=(.*)$", text_of(settings, "env"), re.MULTILINE)
    given = environment.get("GOFLAGS") or (written[1] if written else "")
    return {"GOFLAGS": f"{given} {_VERBOSE}".strip()}


def refuses_reports(output: str) -> bool:
    """Whether a runner did not know an option that we gave it: run the command without it then.

    pytest with ``-p no:junitxml``, and a script that gives all of ``GOFLAGS`` to another command of go than its tests.
    """
    if "unrecognized arguments:" in output and "--junitxml=" in output:
        return True
    return f"flag provided but not defined: {_VERBOSE}" in output or f"unknown flag {_VERBOSE}" in output


def report_files(directory: Path, checkout: Path, since: float) -> list[Path]:
    """Report files below ``directory``, and at the usual places of ``checkout``, not older than ``since``.

    ``since`` is in seconds since the epoch. Only regular files of at most ``MAX_BYTES`` that no link leads to; at most
    ``MAX_FILES``, in the order of their paths, those of ``directory`` first.
    """
    ours = sorted(_files(directory, since, lambda _: True))
    usual = sorted(_files(checkout, since, _is_usual))
    return [Path(path) for path in dict.fromkeys(ours + usual)][:MAX_FILES]


def _is_usual(inside: str) -> bool:
    return any(fnmatchcase(inside, pattern) for pattern in _USUAL)


def _files(top: Path, since: float, wanted: Callable[[str], bool]) -> Iterator[str]:
    """Paths below ``top``. ``wanted`` is asked with what follows ``top``, with the slash in front."""
    todo, left = deque([(str(top), 0)]), MAX_ENTRIES
    while todo:
        # The nearest folders first: a report lies near the top, and a huge folder must not use up what may be read.
        folder, depth = todo.popleft()
        for entry in _entries(folder):
            left -= 1
            if left < 0:
                return
            if entry.is_dir(follow_symlinks=False):
                if depth < _MAX_DEPTH and entry.name not in _SKIPPED:
                    todo.append((entry.path, depth + 1))
            elif (
                entry.name.endswith((".xml", ".json")) and wanted(entry.path[len(str(top)) :]) and _is_new(entry, since)
            ):
                yield entry.path


def _is_new(entry: os.DirEntry[str], since: float) -> bool:
    try:
        found = entry.stat(follow_symlinks=False)
    except OSError:
        return False
    return stat.S_ISREG(found.st_mode) and found.st_size <= MAX_BYTES and found.st_mtime >= since - _CLOCK_SLACK


def _entries(folder: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError:
        return []
