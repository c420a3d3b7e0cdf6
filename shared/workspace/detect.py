"""How a repository says it is checked: read from the files at its top, running nothing.

The files may be an agent's: links, pipes and large files are not read.
"""

from __future__ import annotations

import contextlib
import json
import re
import stat
import tomllib
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Final

MAX_FILE: Final = 1024 * 1024
"""Bytes of a project file that is looked into."""
MAX_ENTRIES: Final = 2_000
"""Entries of one directory that are looked at."""

_MAKE_TEST: Final = re.compile(r"^(?:[\w./-]+[ \t]+)*test(?:[ \t]+[\w./-]+)*[ \t]*::?(?!=)", re.MULTILINE)
_NPM_PLACEHOLDER: Final = "no test specified"
_NODE_RUNNERS: Final = {
    "pnpm-lock.yaml": "pnpm test",
    "yarn.lock": "yarn test",
    "bun.lock": "bun run test",
    "bun.lockb": "bun run test",
}
_IMPORTS_PYTEST: Final = re.compile(r"^\s*(?:import|from)\s+pytest\b", re.MULTILINE)


def detect_checks(tree: Path, configured: Sequence[str] = ()) -> list[str]:
    """Shell commands that check the repository at ``tree``; empty when none is found.

    Configured ones win. A ``test`` target of a Makefile is the repository's own word and stands alone; else one
    command for each kind of project found at the top.
    """
    if configured:
        return list(configured)
    if any(_MAKE_TEST.search(_text(tree / name)) for name in ("GNUmakefile", "makefile", "Makefile")):
        return ["make test"]
    found = (_node(tree), _python(tree), _go(tree), _rust(tree), _jvm(tree))
    return [command for command in found if command is not None]


def _node(tree: Path) -> str | None:
    package: object = None
    with contextlib.suppress(ValueError, RecursionError):
        package = json.loads(_text(tree / "package.json") or "null")
    match package:
        case {"scripts": {"test": str(script)}} if script.strip() and _NPM_PLACEHOLDER not in script:
            return next((command for lock, command in _NODE_RUNNERS.items() if (tree / lock).is_file()), "npm test")
        case _:
            return None


def _python(tree: Path) -> str | None:
    project: dict[str, object] = {}
    with contextlib.suppress(ValueError, RecursionError):
        project = tomllib.loads(_text(tree / "pyproject.toml"))
    folder = next((name for name in ("tests", "test") if _tests_in(tree / name)), None)
    at_top = _tests_in(tree)
    tests = [*at_top, *(_tests_in(tree / folder) if folder else ())]
    if (
        _is_file(tree / "pytest.ini")
        or _has_table(project, "pytest")
        or "[tool:pytest]" in _text(tree / "setup.cfg")
        or re.search(r"^\[pytest\]", _text(tree / "tox.ini"), re.MULTILINE)
        or any(_is_file(place / "conftest.py") for place in (tree, tree / "tests", tree / "test"))
        or any(_IMPORTS_PYTEST.search(_text(test)) for test in tests)
    ):
        return "python3 -m pytest"
    if _is_file(tree / "tox.ini") or _has_table(project, "tox"):
        return "tox"
    if not tests:
        return None
    path = "PYTHONPATH=src " if (tree / "src").is_dir() else ""
    pattern = "" if any(test.name.startswith("test") for test in tests) else " -p '*_test.py'"
    if folder is None:
        return f"{path}python3 -m unittest discover{pattern}"
    package = " -t ." if _is_file(tree / folder / "__init__.py") else ""
    return f"{path}python3 -m unittest discover -s {folder}{package}{pattern}"


def _go(tree: Path) -> str | None:
    return "go test ./..." if _is_file(tree / "go.mod") else None


def _rust(tree: Path) -> str | None:
    return "cargo test" if _is_file(tree / "Cargo.toml") else None


def _jvm(tree: Path) -> str | None:
    if _is_file(tree / "pom.xml"):
        return "sh ./mvnw -B test" if _is_file(tree / "mvnw") else "mvn -B test"
    if _is_file(tree / "gradlew"):
        return "sh ./gradlew test"
    if _is_file(tree / "build.gradle") or _is_file(tree / "build.gradle.kts"):
        return "gradle test"
    return None


def _has_table(project: dict[str, object], tool: str) -> bool:
    match project:
        case {"tool": {**tools}}:
            return tool in tools
        case _:
            return False


def _tests_in(directory: Path) -> list[Path]:
    """Test modules right in the directory (unittest's and pytest's usual names), in order."""
    found: list[Path] = []
    with contextlib.suppress(OSError):
        entries = sorted(islice(directory.iterdir(), MAX_ENTRIES))
        found = [
            entry for entry in entries if re.fullmatch(r"test\w*\.py|\w+_test\.py", entry.name) and _is_file(entry)
        ]
    return found


def _is_file(path: Path) -> bool:
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except OSError:
        return False


def _text(path: Path) -> str:
    """The beginning of a regular file; empty for anything else (a pipe would never end)."""
    with contextlib.suppress(OSError):
        if _is_file(path):
            with path.open("rb") as file:
                return file.read(MAX_FILE).decode("utf-8", "replace")
    return ""
