"""The second copy of the log: Parquet segments in a directory, and a manifest that chains their hashes.

A segment holds consecutive events; all but the last one are full and never change again. The last one is written anew
under a longer name when events come. The manifest names every segment that counts; a file it does not name is what an
interrupted run has left, and goes. Everything reaches the disk before the manifest names it.
"""

from __future__ import annotations

import contextlib
import glob
import hashlib
import json
import os
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Final, NamedTuple

import duckdb
import msgspec

from shared.event_store.envelope import hash_of
from shared.ops.crash_points import crash_point
from shared.ops.files import lock_file, sha256_of

FORMAT: Final = 1
SEGMENT_EVENTS: Final = 50_000
SEGMENT_BYTES: Final = 64 << 20
MANIFEST: Final = "manifest.json"
_FETCH: Final = 500
_SEGMENT_NAME: Final = re.compile(r"\d{12}-\d{12}\.parquet(\.part)?")


class ArchiveRefused(Exception):
    """The archive and the log do not fit together, or the archive is damaged; one sentence with the mend."""


class Archived(NamedTuple):
    """One event as it stood in the log. ``headers`` are those of its NATS message, ``time`` is when it was stored."""

    position: int
    subject: str
    headers: dict[str, str]
    body: bytes
    time: datetime | None


class Segment(msgspec.Struct, frozen=True, kw_only=True):
    """One file: the events ``first`` to ``last``. ``bytes`` counts their bodies, ``last_event`` is the last one's hash.

    ``chain`` is the SHA-256 of the chain so far and of this file's ``sha256``: a segment that is taken out, replaced or
    moved breaks it.
    """

    file: str
    first: int
    last: int
    bytes: int
    sha256: str
    chain: str
    last_event: str

    @property
    def full(self) -> bool:
        """Whether the next event begins another segment."""
        return self.last - self.first + 1 >= SEGMENT_EVENTS or self.bytes >= SEGMENT_BYTES


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """Every segment that counts, in order."""

    format: int = FORMAT
    segments: tuple[Segment, ...] = ()

    @property
    def last(self) -> int:
        """The position of the newest archived event, 0 for an empty archive."""
        return self.segments[-1].last if self.segments else 0


class Archive:
    """The archive in one directory. `locked` keeps a second writer out."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.manifest = self._read()

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """The only writer; raises `ArchiveRefused` when there is one already. Removes what an interrupted one left."""
        self.directory.mkdir(parents=True, exist_ok=True)
        with contextlib.ExitStack() as held:
            try:
                held.enter_context(lock_file(self.directory / "archive.lock"))
            except BlockingIOError as error:
                raise ArchiveRefused(f"Another `journeyman archive` writes to {self.directory}: let it end.") from error
            self.manifest = self._read()
            named = {segment.file for segment in self.manifest.segments}
            for path in self.directory.iterdir():
                if _SEGMENT_NAME.fullmatch(path.name) and path.name not in named:
                    path.unlink()
                    crash_point("archive.leftover-removed")
            yield

    def check(self) -> None:
        """Every file is the one that the manifest names, and the chain holds; raises `ArchiveRefused`."""
        chain, last = "", 0
        for segment in self.manifest.segments:
            path = self.directory / segment.file
            if segment.first != last + 1 or segment.chain != _chain(chain, segment.sha256):
                raise ArchiveRefused(f"{self.directory / MANIFEST} is damaged at {segment.file}: use another copy.")
            if not path.is_file() or sha256_of(path) != segment.sha256:
                raise ArchiveRefused(f"{path} is damaged or missing: use another copy of the archive.")
            chain, last = segment.chain, segment.last

    def events(self, segment: Segment) -> Iterator[Archived]:
        """The events of a segment, in order, each checked against its hash; raises `ArchiveRefused`."""
        path = self.directory / segment.file
        wrong = f"{path} is damaged: use another copy of the archive."
        position = segment.first
        with duckdb.connect() as connection:
            rows = connection.execute(
                "SELECT position, subject, headers, body, sha256 FROM read_parquet(?) ORDER BY position",
                [glob.escape(str(path))],
            )
            while batch := rows.fetchmany(_FETCH):
                for found, subject, headers, body, sha256 in batch:
                    if found != position or hash_of(body) != sha256:
                        raise ArchiveRefused(wrong)
                    yield Archived(found, subject, json.loads(headers), body, None)
                    position += 1
        if position != segment.last + 1:
            raise ArchiveRefused(wrong)

    def add(self, events: list[Archived]) -> None:
        """Write events behind the last one, no more than fit in one segment, and name them in the manifest."""
        kept = self.manifest.segments
        begun = kept[-1] if kept and not kept[-1].full else None
        if begun is not None:
            kept = kept[:-1]
        first = begun.first if begun is not None else events[0].position
        name = f"{first:012d}-{events[-1].position:012d}.parquet"
        self._write(name, begun, events)
        sha256 = sha256_of(self.directory / name)
        segment = Segment(
            file=name,
            first=first,
            last=events[-1].position,
            bytes=sum(len(event.body) for event in events) + (begun.bytes if begun is not None else 0),
            sha256=sha256,
            chain=_chain(kept[-1].chain if kept else "", sha256),
            last_event=hash_of(events[-1].body),
        )
        self._name(Manifest(segments=(*kept, segment)))
        if begun is not None:
            (self.directory / begun.file).unlink()
        crash_point("archive.added")

    def _write(self, name: str, begun: Segment | None, events: list[Archived]) -> None:
        part = self.directory / f"{name}.part"
        with duckdb.connect() as connection:
            connection.execute(
                "CREATE TABLE segment (position UBIGINT, subject VARCHAR, headers VARCHAR, body BLOB, "
                "time TIMESTAMPTZ, sha256 VARCHAR)"
            )
            if begun is not None:
                old = self.directory / begun.file
                if not old.is_file() or sha256_of(old) != begun.sha256:
                    raise ArchiveRefused(f"{old} is damaged or missing: archive into another directory.")
                connection.execute("INSERT INTO segment SELECT * FROM read_parquet(?)", [glob.escape(str(old))])
            with connection.appender("segment") as appender:
                appender.append_rows(
                    [
                        (event.position, event.subject, json.dumps(event.headers), event.body, event.time, sha256)
                        for event, sha256 in ((event, hash_of(event.body)) for event in events)
                    ]
                )
            connection.execute(
                "COPY (SELECT * FROM segment ORDER BY position) TO ? (FORMAT parquet, COMPRESSION zstd)", [str(part)]
            )
        crash_point("archive.segment-written")
        _publish_file(part, self.directory / name)
        crash_point("archive.segment-named")

    def _name(self, manifest: Manifest) -> None:
        part = self.directory / f"{MANIFEST}.part"
        part.write_bytes(msgspec.json.format(msgspec.json.encode(manifest)) + b"\n")
        crash_point("archive.manifest-written")
        _publish_file(part, self.directory / MANIFEST)
        crash_point("archive.manifest-named")
        self.manifest = manifest

    def _read(self) -> Manifest:
        path = self.directory / MANIFEST
        try:
            manifest = msgspec.json.decode(path.read_bytes(), type=Manifest)
        except FileNotFoundError:
            return Manifest()
        except msgspec.MsgspecError as error:
            raise ArchiveRefused(f"{path} is no manifest of an archive: use another copy.") from error
        if manifest.format != FORMAT:
            raise ArchiveRefused(f"{path} has format {manifest.format}, this version reads {FORMAT}: upgrade.")
        return manifest


def _chain(previous: str, sha256: str) -> str:
    return hashlib.sha256(f"{previous}{sha256}".encode()).hexdigest()


def _publish_file(part: Path, path: Path) -> None:
    """Give a written file its name, so that after a power cut there is all of it or nothing."""
    for place in (part, None, path.parent):
        if place is None:
            part.replace(path)
            continue
        descriptor = os.open(place, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
