"""Recorded outputs of the real CLI; they lie beside the repository and are not part of it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[3]
TRANSCRIPTS = ROOT.parent / "shared" / "transcripts"


class Recording(NamedTuple):
    """One run: its lines and its exit code (negative after a signal)."""

    name: str
    lines: list[bytes]
    exit_code: int | None


class Recordings:
    def __getitem__(self, name: str) -> Recording:
        index = (TRANSCRIPTS / "INDEX.md").read_text("utf-8")
        row = re.search(rf"^\| {re.escape(name)} \|.*?\| (-?\d+|None) \|", index, re.MULTILINE)
        assert row is not None, f"no recording {name}"
        lines = (TRANSCRIPTS / f"{name}.jsonl").read_bytes().splitlines()
        return Recording(name, lines, None if row[1] == "None" else int(row[1]))

    def names(self) -> list[str]:
        return sorted(path.stem for path in TRANSCRIPTS.glob("*.jsonl"))


@pytest.fixture
def recordings() -> Recordings:
    if not TRANSCRIPTS.is_dir():
        pytest.skip("the recorded transcripts are not on this machine")
    return Recordings()
