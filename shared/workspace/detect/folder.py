"""A folder of a repository as detection reads it: bounded, following no link, running nothing.

The files may be an agent's: links, pipes and large files are not read.
"""

from __future__ import annotations

import contextlib
import json
import re
import stat
import tomllib
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any, Final

import msgspec

MAX_FILE: Final = 1024 * 1024
"""Bytes of a project file that is looked into."""
MAX_ENTRIES: Final = 2_000
"""Entries of one directory that are looked at."""
MAX_FOLDERS: Final = 200
"""Folders in which one search for files looks."""
NO_PROJECTS: Final = frozenset(
    {
        *("node_modules", "vendor", "third_party", "third-party", "external", "extern", "deps", "dist", "build", "out"),
        *(
            "target",
            "testdata",
            "fixtures",
            "examples",
            "example",
            "docs",
            "doc",
            "website",
            "bin",
            "obj",
            "__pycache__",
        ),
    }
)
"""Folders that hold what others wrote, what was built, or what only illustrates."""

_JSON_COMMENT: Final = re.compile(r'("(?:\\.|[^"\\])*")|//[^\n]*|/\*(?:.*?\*/|.*)', re.DOTALL)
_LAST_COMMA: Final = re.compile(r",(?=\s*[}\]])")


class Folder(msgspec.Struct, frozen=True):
    """One folder. What cannot be read is as if it were not there."""

    path: Path

    @property
    def name(self) -> str:
        """Its own name, without those above it."""
        return self.path.name

    def has(self, *names: str) -> bool:
        """Whether any of these is a regular file."""
        return any(stat.S_ISREG(_mode(self.path / name)) for name in names)

    def below(self, name: str) -> Folder | None:
        """The folder of this name in it."""
        return Folder(self.path / name) if stat.S_ISDIR(_mode(self.path / name)) else None

    def text(self, *names: str) -> str:
        """The beginning of the first of these that is a regular file (a pipe would never end); empty for none."""
        for name in names:
            with contextlib.suppress(OSError):
                if self.has(name):
                    with (self.path / name).open("rb") as file:
                        return file.read(MAX_FILE).decode("utf-8", "replace")
        return ""

    def json(self, *names: str) -> dict[str, Any]:
        """A file that holds a JSON object, perhaps with comments and last commas; empty for anything else."""
        text = self.text(*names)
        with contextlib.suppress(ValueError, RecursionError):
            return _table(json.loads(text))
        with contextlib.suppress(ValueError, RecursionError):
            return _table(json.loads(_LAST_COMMA.sub("", _JSON_COMMENT.sub(lambda found: found[1] or "", text))))
        return {}

    def toml(self, name: str) -> dict[str, Any]:
        """A file that holds TOML; empty for anything else."""
        with contextlib.suppress(ValueError, RecursionError):
            return tomllib.loads(self.text(name))
        return {}

    def files(self, pattern: str) -> list[str]:
        """Names of the regular files right in it that match the whole pattern, in order."""
        return [name for name in self._names() if re.fullmatch(pattern, name) and self.has(name)]

    def folders(self) -> list[Folder]:
        """The folders right in it that may hold a project, in order."""
        found = (self.below(name) for name in self._names() if name not in NO_PROJECTS and not name.startswith("."))
        return [folder for folder in found if folder is not None]

    def search(self, pattern: str, depth: int) -> Iterator[tuple[Folder, str]]:
        """Files that match, each with its folder, in this one and up to ``depth`` levels below."""
        level, seen = [self], 0
        for _ in range(depth + 1):
            for folder in level:
                yield from ((folder, name) for name in folder.files(pattern))
            seen += len(level)
            level = [inner for folder in level for inner in folder.folders()][: MAX_FOLDERS - seen]

    def _names(self) -> list[str]:
        with contextlib.suppress(OSError):
            return sorted(entry.name for entry in islice(self.path.iterdir(), MAX_ENTRIES))
        return []


def table(value: object, *keys: str) -> dict[str, Any]:
    """The table that these keys lead to; empty where there is none."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return _table(value)


def strings(value: object) -> list[str]:
    """The strings of a list; none for anything else."""
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []


def _table(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _mode(path: Path) -> int:
    try:
        return path.lstat().st_mode
    except (OSError, ValueError):
        return 0
