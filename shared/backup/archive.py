"""The second copy of the log: Parquet segments in a directory, and a manifest that chains their hashes.

A segment holds events; all but the last one are full and never change again. The last one is written anew under a
longer name when events come. The manifest names every segment that counts; a file it does not name is what an
interrupted run has left, and goes. Everything reaches the disk before the manifest names it.

Two more chains of segments hold the lines of OUTPUT and the descriptions of what ARTIFACTS holds. Those streams forget,
so positions are missing there. The bytes of artifacts are files of their own, see `shared.backup.contents`.
"""

from __future__ import annotations

import contextlib
import glob
import hashlib
import json
import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Final, NamedTuple

import duckdb
import msgspec

from shared.event_store.envelope import hash_of
from shared.ops.crash_points import crash_point
from shared.ops.files import lock_file, sha256_of
from shared.ops.private import private_files

FORMAT: Final = 2
EVENTS_ALONE: Final = 1
"""The format of an archive that has the events and nothing else; it is read, and continued in the newer one."""
SEGMENT_EVENTS: Final = 50_000
SEGMENT_BYTES: Final = 64 << 20
MANIFEST: Final = "manifest.json"
_FETCH: Final = 500
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SEGMENT_NAME: Final = re.compile(r"((artifacts|output)-\d{6}-)?\d{12}-\d{12}\.parquet(\.part)?")


class ArchiveRefused(Exception):
    """The archive and the log do not fit together, or the archive is damaged; one sentence with the mend."""


class Part(StrEnum):
    """What an archive keeps a chain of segments of."""

    EVENTS = "events"
    ARTIFACTS = "artifacts"
    OUTPUT = "output"


class Archived(NamedTuple):
    """One message as it stood in its stream: ``headers`` are those of NATS, ``time`` is when it was stored."""

    position: int
    subject: str
    headers: dict[str, str]
    body: bytes
    time: datetime | None


class Segment(msgspec.Struct, frozen=True, kw_only=True):
    """One file: the messages ``first`` to ``last``.

    ``bytes`` counts their bodies, ``last_event`` is the hash of the last one. ``chain`` is the SHA-256 of the chain so
    far and of this file's ``sha256``: a segment that is taken out, replaced or moved breaks it. Of a stream that
    forgets, ``rows`` counts the messages, and ``source`` says when that stream was made: the positions of another one
    tell nothing about these.
    """

    file: str
    first: int
    last: int
    bytes: int
    sha256: str
    chain: str
    last_event: str
    rows: int = 0
    source: str = ""

    @property
    def messages(self) -> int:
        """How many there are."""
        return self.rows or self.last - self.first + 1

    @property
    def full(self) -> bool:
        """Whether the next message begins another segment."""
        return self.messages >= SEGMENT_EVENTS or self.bytes >= SEGMENT_BYTES


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """Every segment that counts, in order: ``segments`` are those of EVENTS.

    ``whole`` is the last event up to which the archive has artifacts and output too: 0 in one of events alone.
    """

    format: int = FORMAT
    segments: tuple[Segment, ...] = ()
    artifacts: tuple[Segment, ...] = ()
    output: tuple[Segment, ...] = ()
    whole: int = 0

    @property
    def last(self) -> int:
        """The position of the newest archived event, 0 for an empty archive."""
        return self.segments[-1].last if self.segments else 0

    def of(self, part: Part) -> tuple[Segment, ...]:
        """The segments of a part."""
        match part:
            case Part.EVENTS:
                return self.segments
            case Part.ARTIFACTS:
                return self.artifacts
            case Part.OUTPUT:
                return self.output

    def with_segments(self, part: Part, segments: tuple[Segment, ...]) -> Manifest:
        """The manifest with other segments of a part."""
        field = "segments" if part is Part.EVENTS else part.value
        return msgspec.structs.replace(self, format=FORMAT, **{field: segments})


class Archive:
    """The archive in one directory. `locked` keeps a second writer out."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.manifest = self._read()

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """The only writer; raises `ArchiveRefused` when there is one already. Removes what an interrupted one left.

        What it writes is readable by us alone, like what it is a copy of. A directory that is there keeps its mode.
        """
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        with contextlib.ExitStack() as held:
            held.enter_context(private_files())
            try:
                held.enter_context(lock_file(self.directory / "archive.lock"))
            except BlockingIOError as error:
                raise ArchiveRefused(f"Another `journeyman archive` writes to {self.directory}: let it end.") from error
            self.manifest = self._read()
            named = {segment.file for part in Part for segment in self.manifest.of(part)}
            for path in self.directory.iterdir():
                if _SEGMENT_NAME.fullmatch(path.name) and path.name not in named:
                    path.unlink()
                    crash_point("archive.leftover-removed")
            yield

    def check(self) -> None:
        """Every file is the one that the manifest names, and the chains hold; raises `ArchiveRefused`."""
        for part in Part:
            chain, last = "", 0
            for segment in self.manifest.of(part):
                path = self.directory / segment.file
                gap = part is Part.EVENTS and segment.first != last + 1
                if gap or segment.chain != _chain(chain, segment.sha256):
                    raise ArchiveRefused(f"{self.directory / MANIFEST} is damaged at {segment.file}: use another copy.")
                if not path.is_file() or sha256_of(path) != segment.sha256:
                    raise ArchiveRefused(f"{path} is damaged or missing: use another copy of the archive.")
                chain, last = segment.chain, segment.last

    def events(self, segment: Segment) -> Iterator[Archived]:
        """The messages of a segment, in order, each checked against its hash; raises `ArchiveRefused`."""
        path = self.directory / segment.file
        wrong = f"{path} is damaged: use another copy of the archive."
        expected, read = segment.first, 0
        with duckdb.connect() as connection:
            rows = connection.execute(
                "SELECT position, subject, headers, body, sha256, epoch_us(time) FROM read_parquet(?) "
                "ORDER BY position",
                [glob.escape(str(path))],
            )
            while batch := rows.fetchmany(_FETCH):
                for found, subject, headers, body, sha256, stored in batch:
                    gap = found < expected if segment.rows else found != expected
                    if gap or hash_of(body) != sha256:
                        raise ArchiveRefused(wrong)
                    time = None if stored is None else _EPOCH + timedelta(microseconds=stored)
                    yield Archived(found, subject, json.loads(headers), body, time)
                    expected, read = found + 1, read + 1
        if read != segment.messages or expected != segment.last + 1:
            raise ArchiveRefused(wrong)

    def all(self, part: Part) -> Iterator[Archived]:
        """Every message of a part, in order; raises `ArchiveRefused`."""
        for segment in self.manifest.of(part):
            yield from self.events(segment)

    def end_of(self, part: Part, source: str) -> int:
        """Where to go on in the stream that was made at ``source``: behind its last archived message, 0 without one."""
        segments = self.manifest.of(part)
        return segments[-1].last if segments and segments[-1].source == source else 0

    def begun(self, part: Part, source: str = "") -> Segment | None:
        """The segment that still takes messages of that stream, if there is one."""
        segments = self.manifest.of(part)
        return segments[-1] if segments and not segments[-1].full and segments[-1].source == source else None

    def add(self, events: list[Archived], part: Part = Part.EVENTS, source: str = "") -> None:
        """Write messages behind the last one, no more than fit in one segment, and name them in the manifest.

        ``source`` says when their stream was made, for a part whose stream forgets.
        """
        kept = self.manifest.of(part)
        begun = self.begun(part, source)
        if begun is not None:
            kept = kept[:-1]
        first = begun.first if begun is not None else events[0].position
        # Another stream's positions may be the same.
        prefix = "" if part is Part.EVENTS else f"{part}-{len(kept):06d}-"
        name = f"{prefix}{first:012d}-{events[-1].position:012d}.parquet"
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
            rows=0 if part is Part.EVENTS else len(events) + (begun.rows if begun is not None else 0),
            source=source,
        )
        self._name(self.manifest.with_segments(part, (*kept, segment)))
        if begun is not None:
            (self.directory / begun.file).unlink()
        crash_point("archive.added")

    def complete(self) -> None:
        """Say that the archive has everything that its events speak of."""
        if self.manifest.whole != self.manifest.last:
            self._name(msgspec.structs.replace(self.manifest, format=FORMAT, whole=self.manifest.last))

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
        publish_file(part, self.directory / name)
        crash_point("archive.segment-named")

    def _name(self, manifest: Manifest) -> None:
        part = self.directory / f"{MANIFEST}.part"
        part.write_bytes(msgspec.json.format(msgspec.json.encode(manifest)) + b"\n")
        crash_point("archive.manifest-written")
        publish_file(part, self.directory / MANIFEST)
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
        if manifest.format not in (EVENTS_ALONE, FORMAT):
            raise ArchiveRefused(f"{path} has format {manifest.format}, this version reads {FORMAT}: upgrade.")
        return manifest


def _chain(previous: str, sha256: str) -> str:
    return hashlib.sha256(f"{previous}{sha256}".encode()).hexdigest()


def publish_file(part: Path, path: Path) -> None:
    """Give a written file its name, so that after a power cut there is all of it or nothing."""
    sync(part)
    part.replace(path)
    sync(path.parent)


def sync(place: Path) -> None:
    """Have a file or a directory on the disk."""
    descriptor = os.open(place, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
