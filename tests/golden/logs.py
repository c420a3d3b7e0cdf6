"""The files of a golden log: its events as they stood in EVENTS, and what its own version made of them.

A folder ``<version>/<scenario>`` holds ``log.jsonl`` (an event a line), ``actors.json`` (every actor at the end) and
``rows.json`` (every table of the read models); a large one is gzipped.
"""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import msgspec

from shared.backup.archive import Archived
from shared.contracts.docs import schema_name
from shared.event_store.envelope import decode_envelope

HERE: Final = Path(__file__).parent
GZIP_FROM: Final = 100_000
"""Bytes from which on a file is gzipped."""


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """An event: position in the stream, subject, NATS headers, and the stored body, which is UTF-8."""

    position: int
    subject: str
    headers: dict[str, str]
    body: str


class ActorAtEnd(msgspec.Struct, frozen=True, kw_only=True):
    """An actor after its last event: that event's stream position, own version and hash, and the folded state.

    ``state_sha256`` is over `canonical` of ``state``.
    """

    position: int
    sequence: int
    hash: str
    state: Any
    state_sha256: str


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """A table of the read models, its rows sorted; times as ISO 8601."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str | int | bool | None, ...], ...]


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What a version makes of a log."""

    actors: dict[str, ActorAtEnd]
    tables: dict[str, Table]


class Golden(msgspec.Struct, frozen=True):
    """One golden log's folder."""

    folder: Path

    @property
    def name(self) -> str:
        """``0.1.0/plain``"""
        return self.folder.relative_to(HERE).as_posix()

    @property
    def files(self) -> list[Path]:
        """Everything in the folder."""
        return sorted(self.folder.iterdir())

    def log(self) -> list[Archived]:
        """The events, oldest first."""
        lines = map(msgspec.json.Decoder(Line).decode, self._read("log.jsonl").splitlines())
        return [Archived(each.position, each.subject, each.headers, each.body.encode(), None) for each in lines]

    def told(self) -> Told:
        """What the version that recorded it made of it."""
        return Told(
            actors=msgspec.json.decode(self._read("actors.json"), type=dict[str, ActorAtEnd]),
            tables=msgspec.json.decode(self._read("rows.json"), type=dict[str, Table]),
        )

    def write(self, log: Iterable[Archived], told: Told) -> None:
        """Make the folder; raises FileExistsError when it is there."""
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        self.folder.mkdir()
        self._write("log.jsonl", b"".join(_line(event) for event in log))
        self._write("actors.json", _pretty(told.actors))
        self._write("rows.json", _pretty(told.tables))

    def _read(self, name: str) -> bytes:
        plain = self.folder / name
        return plain.read_bytes() if plain.exists() else gzip.decompress((self.folder / f"{name}.gz").read_bytes())

    def _write(self, name: str, content: bytes) -> None:
        if len(content) < GZIP_FROM:
            (self.folder / name).write_bytes(content)
        else:
            (self.folder / f"{name}.gz").write_bytes(gzip.compress(content, mtime=0))


def all_logs() -> list[Golden]:
    """Every golden log of every version."""
    return [Golden(path.parent) for path in sorted(HERE.glob("*/*/actors.json*"))]


def text_of(file: Path) -> str:
    """A file's text, unpacked."""
    content = file.read_bytes()
    return (gzip.decompress(content) if file.suffix == ".gz" else content).decode()


def fields_in(log: Iterable[Archived]) -> Iterator[tuple[str, str]]:
    """``task.failed`` with ``code`` and so on: every field that an event of that name has, and one that is empty.

    An event of a later version is called as in `docs.schemas`.
    """
    for event in log:
        _, kind, _, name = event.subject.split(".")
        envelope = decode_envelope(event.body)
        for field in ("", *msgspec.json.decode(envelope.data)):
            yield schema_name(kind, name, envelope.dataversion), field


def canonical(state: Any) -> bytes:
    """Plain data as JSON with sorted keys and no white space."""
    return msgspec.json.encode(state, order="sorted")


def sha256_of(state: Any) -> str:
    """The hash of a state in its canonical encoding, in hex."""
    return hashlib.sha256(canonical(state)).hexdigest()


def _line(event: Archived) -> bytes:
    return (
        msgspec.json.encode(
            Line(position=event.position, subject=event.subject, headers=event.headers, body=event.body.decode())
        )
        + b"\n"
    )


def _pretty(content: object) -> bytes:
    return msgspec.json.format(msgspec.json.encode(content, order="sorted"), indent=1) + b"\n"
