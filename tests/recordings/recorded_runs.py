"""The recorded outputs of one version of the CLI: each run is a gzipped file and a line of ``index.json``."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

HERE: Final = Path(__file__).resolve().parent
CLI_VERSION: Final = "2.1.330"
"""The version whose recordings the tests read; figures in the tests are those of its runs."""
INDEX: Final = "index.json"


class Entry(msgspec.Struct, frozen=True, omit_defaults=True):
    """The index's entry of a run. ``exit_code`` is negative after a signal, None when nobody waited for the end."""

    exit_code: int | None
    about: str = ""


class RecordedRun(NamedTuple):
    """One run: its standard output line by line, and its exit code (see `Entry`)."""

    name: str
    lines: list[bytes]
    exit_code: int | None


class RecordedRuns:
    """The runs in one folder, by name."""

    def __init__(self, folder: Path = HERE / CLI_VERSION) -> None:
        self.folder = folder
        self.index = read_index(folder)

    def __getitem__(self, name: str) -> RecordedRun:
        lines = gzip.decompress((self.folder / f"{name}.jsonl.gz").read_bytes()).splitlines()
        return RecordedRun(name, lines, self.index[name].exit_code)

    def names(self) -> list[str]:
        """Every run's name, sorted."""
        return sorted(self.index)


def read_index(folder: Path) -> dict[str, Entry]:
    """The entries of a folder by the run's name; empty when it has no index yet."""
    file = folder / INDEX
    return msgspec.json.decode(file.read_bytes(), type=dict[str, Entry]) if file.exists() else {}


def keep(folder: Path, name: str, output: bytes, entry: Entry) -> None:
    """Writes one run and its entry; a run of that name is replaced. The same output makes the same file."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.jsonl.gz").write_bytes(gzip.compress(output, 9, mtime=0))
    entries = read_index(folder) | {name: entry}
    rows = (f'  "{each}": {msgspec.json.encode(entries[each]).decode()}' for each in sorted(entries))
    (folder / INDEX).write_text("{\n" + ",\n".join(rows) + "\n}\n", "utf-8")
