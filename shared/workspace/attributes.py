"""Which ``.gitattributes`` files decide about a path."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Final

ATTRIBUTES: Final = ".gitattributes"


def attribute_files(directory: Path, paths: Iterable[str]) -> list[Path]:
    """The attribute files in ``directory`` that git asks for any of ``paths``, which are relative to it.

    Plain looks at the file system, no git: almost every repository needs nothing more than this answer.
    """
    folders = {folder for path in paths for folder in PurePosixPath(path).parents}
    places = (directory / folder / ATTRIBUTES for folder in folders)
    return [place for place in places if place.is_symlink() or place.exists()]


def is_attribute_file(path: str) -> bool:
    """Whether git reads attributes from a file of this path."""
    return PurePosixPath(path).name == ATTRIBUTES
