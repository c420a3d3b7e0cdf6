"""Caches and installed packages that an agent leaves behind, and that no commit takes even without a ``.gitignore``.

The list is git's own exclude file of the lowest rank (``core.excludesFile``): a pattern of the repository's own, also a
negated one, wins, and what is tracked stays tracked. Only names stand here that are never source in any project;
``build``, ``target``, ``dist``, ``vendor`` and ``coverage`` are not among them.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from typing import Final

PATTERNS: Final = (
    # Python
    "__pycache__/",
    "*.py[co]",
    ".pytest_cache/",
    ".mypy_cache/",
    ".ruff_cache/",
    ".pytype/",
    ".hypothesis/",
    ".coverage",
    ".coverage.*",
    "htmlcov/",
    ".tox/",
    ".nox/",
    ".venv",
    ".eggs/",
    "*.egg-info/",
    ".ipynb_checkpoints/",
    # JavaScript
    "node_modules",
    ".nyc_output/",
    ".parcel-cache/",
    ".pnpm-store/",
    ".turbo/",
    ".next/",
    ".svelte-kit/",
    ".eslintcache",
    ".stylelintcache",
    "*.tsbuildinfo",
    # PHP, JVM, Dart, Terraform
    ".phpunit.cache/",
    ".phpunit.result.cache",
    ".php-cs-fixer.cache",
    ".gradle/",
    ".kotlin/",
    ".dart_tool/",
    ".terraform/",
    # Desktops and editors
    ".DS_Store",
    "Thumbs.db",
    ".*.sw[op]",
)
"""Patterns of gitignore(5) for the last part of a path: with ``/`` at the end for directories only."""

COMMITTED_BY_SOME: Final = ("node_modules",)
"""Directories that some repositories commit (GitHub's own actions do): there, what is new is the agent's work."""

MAX_NAMED: Final = 200
"""Held back paths that are named, at most."""

_SPECIAL: Final = re.compile(r"([\\*?\[\] ])")


def exclude_file(tracked: Iterable[str]) -> str:
    """The text of the exclude file; the directories ``tracked`` are not held back."""
    return "".join(
        f"{line}\n" for line in (*PATTERNS, *(_negated(path) for path in sorted(tracked) if "\n" not in path))
    )


def held_back_at(path: str, tracked: Collection[str] = ()) -> str | None:
    """What the list holds back of this path: the path, the directory above it (with ``/``), or None for nothing.

    ``path`` ends with ``/`` when it is a directory. Below the directories ``tracked`` nothing is held back.
    """
    parts = PurePosixPath(path).parts
    for number, part in enumerate(parts, start=1):
        here, is_directory = "/".join(parts[:number]), number < len(parts) or path.endswith("/")
        if here in tracked:
            return None
        if any(_matches(part, pattern, is_directory) for pattern in PATTERNS):
            return f"{here}/" if is_directory else here
    return None


def may_be_committed(path: str) -> bool:
    """Whether a held back path is a directory of the kind that some repositories commit."""
    return path.endswith("/") and PurePosixPath(path).name in COMMITTED_BY_SOME


def _matches(name: str, pattern: str, is_directory: bool) -> bool:
    return (is_directory or not pattern.endswith("/")) and fnmatchcase(name, pattern.removesuffix("/"))


def _negated(path: str) -> str:
    escaped = _SPECIAL.sub(r"\\\1", path)
    return f"!/{escaped}\n!/{escaped}/**"
