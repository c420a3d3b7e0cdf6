"""How a repository says it is set up and checked: read from its files, running nothing.

``folder`` reads, each other module knows one kind of project by ``checks`` and ``setup``, and this one asks them all:
at the top of the repository, else in the projects one level below.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from shared.workspace.detect import dotnet, go, jvm, native, node, one_tool, php, python, ruby, runners, rust
from shared.workspace.detect.folder import MAX_FOLDERS, Folder

__all__ = ["detect_checks", "detect_setup"]

MAX_PROJECTS: Final = 10
"""Projects below the top whose commands are taken: the first ones by name."""

_KINDS: Final = (node, python, go, rust, jvm, ruby, php, dotnet, native, one_tool)
_HOLD_PROJECTS: Final = frozenset(
    {"packages", "apps", "services", "libs", "modules", "crates", "projects", "components", "plugins", "src", "tests"}
)
"""Folders that usually hold projects and are none: their own folders count as one level below the top."""
_PLAIN_NAME: Final = re.compile(r"[\w.@+ /-]+")


def detect_checks(tree: Path, configured: Sequence[str] = ()) -> list[str]:
    """Shell commands that check the repository at ``tree``; empty when none is found.

    Configured ones win. A ``test`` target of a Makefile, justfile or Taskfile is the repository's own word and stands
    alone; else one command for each kind of project found at the top; else those of the projects one level below, each
    as ``cd project && …``.
    """
    if configured:
        return list(configured)
    top = Folder(tree)
    return _checks(top) or [
        _inside(top, each, _with_own_packages(each) + command) for each in _projects(top) for command in _checks(each)
    ]


def detect_setup(tree: Path, configured: Sequence[str] | None = None) -> list[str]:
    """Shell commands that get what the checks of the repository at ``tree`` need; empty when they need nothing.

    Configured ones win, also none at all. Else they come from lock files and manifests: first those at the top, and of
    projects below it where the checks are there, or where the file with the ``test`` target speaks of their folder. A
    command is given whether the machine has its tool or not.
    """
    if configured is not None:
        return list(configured)
    top = Folder(tree)
    below: list[Folder] = []
    if runners.own_check(top):
        said = runners.written(top)
        below = [each for each in _projects(top) if re.search(rf"(?<![\w-]){re.escape(each.name)}(?![\w-])", said)]
    elif not _checks(top):
        below = _projects(top)
    return [*_setup(top), *(_inside(top, each, command) for each in below for command in _setup(each))]


def _checks(folder: Folder) -> list[str]:
    if own := runners.own_check(folder):
        return [own]
    found = [command for kind in _KINDS for command in kind.checks(folder)]
    gnu = runners.gnu_check(folder)
    return found or ([gnu] if gnu else [])


def _setup(folder: Folder) -> list[str]:
    return [command for kind in _KINDS for command in kind.setup(folder)]


def _projects(top: Folder) -> list[Folder]:
    """Folders below the top that have checks."""
    found: list[Folder] = []
    for folder in top.folders()[:MAX_FOLDERS]:
        if _checks(folder):
            found.append(folder)
        elif folder.name in _HOLD_PROJECTS:
            found += [inner for inner in folder.folders()[:MAX_FOLDERS] if _checks(inner)]
    return [each for each in found if _PLAIN_NAME.fullmatch(_path(top, each))][:MAX_PROJECTS]


def _with_own_packages(folder: Folder) -> str:
    """Assignments before a command that let it find what set-up has put into this folder.

    What set-up has put at the top is found by every command (`shared.workspace.checkout_environment`).
    """
    python_packages = 'PATH="$PWD/.venv/bin:$PATH" ' if python.setup(folder) else ""
    return python_packages + ("BUNDLE_PATH=vendor/bundle " if ruby.setup(folder) else "")


def _inside(top: Folder, folder: Folder, command: str) -> str:
    return f"cd {shlex.quote(_path(top, folder))} && {command}"


def _path(top: Folder, folder: Folder) -> str:
    return folder.path.relative_to(top.path).as_posix()
