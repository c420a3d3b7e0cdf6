"""Targets of Makefiles that make takes for done, as something of their name is there."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Mapping
from typing import Final

from shared.workspace.detect.runners import MAKEFILES

_HEADER: Final = re.compile(r"^([^\s#:=][^:=#]*?)[ \t]*::?(?!=)", re.MULTILINE)
_PHONY: Final = re.compile(r"^\.PHONY[ \t]*:((?:[^\n\\]|\\\n|\\.)*)", re.MULTILINE)


def takes_a_targets_name(path: str, targets: Mapping[str, str], read: Callable[[str], str]) -> bool:
    """Whether a new file, or a folder above it, has the name of a target that the checks run, and that make would not
    run then. ``targets`` are the texts that are reached, by the path of their file; ``read`` reads that file whole.
    """
    return any(
        posixpath.basename(file) in MAKEFILES and _has_the_name(path, file, text, read)
        for file, text in targets.items()
    )


def _has_the_name(path: str, file: str, text: str, read: Callable[[str], str]) -> bool:
    place = posixpath.dirname(file)
    inside = posixpath.relpath(path, place or ".")
    parts = inside.split("/")
    above = {"/".join(parts[:number]) for number in range(1, len(parts) + 1)}
    found = above & {name for header in _HEADER.findall(text) for name in header.split()}
    return bool(found - {name for names in _PHONY.findall(read(file)) for name in names.split()})
