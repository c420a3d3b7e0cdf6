"""The system calls that confined programs are refused: one compiled filter for each architecture."""

from __future__ import annotations

import platform
from pathlib import Path
from typing import Final

_NAMES: Final = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "aarch64", "arm64": "aarch64"}


def file_of(architecture: str) -> Path:
    """The filter of an architecture as seccompy calls it."""
    return Path(__file__).parent / f"{architecture}.bpf"


def own_filter() -> Path | None:
    """The filter of this machine's architecture; None where there is none."""
    name = _NAMES.get(platform.machine().lower())
    return None if name is None else file_of(name)
