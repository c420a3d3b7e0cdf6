"""`journeyman archive` and `journeyman restore`: the log as Parquet segments, and back, byte for byte."""

from __future__ import annotations

import asyncio
import fcntl
from pathlib import Path

import duckdb
import msgspec
import pytest

import shared.backup.archive
import shared.backup.nats_archive
from shared.backup.archive import Archive, ArchiveRefused
from shared.backup.nats_archive import archive, restore
from shared.contracts.subjects import Actor
from shared.event_store.journal import Head, LogFull
from shared.nats.bus import Bus
from shared.nats.streams import EVENTS
from testing.command_line import Run
from testing.log_copies import another_nats, contents, grow
from testing.nats import Nats
from testing.stream_limits import SMALL
from tests.integration.cli.conftest import journeyman

__all__ = ["journeyman"]


@pytest.fixture
def small_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (shared.backup.archive, shared.backup.nats_archive):
        monkeypatch.setattr(module, "SEGMENT_EVENTS", 100)


async def test_the_commands_carry_a_log_to_another_nats_with_every_byte_and_sequence(
    journeyman: Run, nats_server: Nats, bus: Bus, tmp_path: Path
) -> None:
    heads: dict[Actor, Head] = {}
    await grow(bus, 30, heads)
    for added in (30, 0):
        expected: dict[str, object] = {"added": added, "last": 30, "artifacts": 0, "lines": 0, "lost": []}
        ended = await journeyman("archive", tmp_path / "copy", "--json", JOURNEYMAN_NATS_URL=nats_server.url)
        assert (ended.code, ended.json) == (0, expected), ended.err
    async with another_nats(tmp_path / "other") as (other, there):
        for _ in "once", "again":
            ended = await journeyman("restore", tmp_path / "copy", JOURNEYMAN_NATS_URL=other.url)
            assert ended.code == 0, ended.err
            assert "30 events of 4 actors are whole" in ended.out
        assert await contents(there) == await contents(bus)
        await grow(there, 1, dict(heads), "the log goes on")
        ended = await journeyman("restore", tmp_path / "copy", JOURNEYMAN_NATS_URL=other.url)
        assert (ended.code, ended.out, len(ended.err.splitlines())) == (1, "", 1)
        assert "gone on" in ended.err
    await grow(bus, 2, heads)
    ended = await journeyman("archive", tmp_path / "copy", JOURNEYMAN_NATS_URL=nats_server.url)
    assert "2 events added; the archive ends at 32" in ended.out


@pytest.mark.usefixtures("small_segments")
async def test_full_segments_never_change_and_the_last_one_is_continued(bus: Bus, tmp_path: Path) -> None:
    heads: dict[Actor, Head] = {}
    target = Archive(tmp_path / "copy")
    files: list[list[str]] = []
    kept: list[int] = []
    for events in (90, 30, 130, 50):
        await grow(bus, events, heads)
        assert await archive(bus, target) == events
        files.append(sorted(path.name for path in target.directory.glob("*.parquet")))
        kept.append((target.directory / target.manifest.segments[0].file).stat().st_mtime_ns)
    first, second, third = (f"{n:012d}-{n + 99:012d}.parquet" for n in (1, 101, 201))
    assert files == [
        ["000000000001-000000000090.parquet"],
        [first, "000000000101-000000000120.parquet"],
        [first, second, "000000000201-000000000250.parquet"],
        [first, second, third],
    ]
    assert len(set(kept[1:])) == 1
    target.check()
    found = [
        (event.position, event.subject, event.body, event.headers["Nats-Msg-Id"])
        for segment in target.manifest.segments
        for event in target.events(segment)
    ]
    assert found == await contents(bus)
    with duckdb.connect() as connection:
        rows = connection.execute(
            f"SELECT count(*), max(position) FROM read_parquet('{target.directory}/*.parquet') "
            "WHERE sha256 = sha256(body) AND time > TIMESTAMPTZ '2026-01-01'"
        ).fetchone()
    assert rows == (300, 300)


async def test_what_an_interrupted_run_has_left_is_gone_after_the_next_one(bus: Bus, tmp_path: Path) -> None:
    target = Archive(tmp_path / "copy")
    target.directory.mkdir()
    for name in ("000000000001-000000000007.parquet", "000000000001-000000000009.parquet.part", "notes.txt"):
        (target.directory / name).write_bytes(b"half a file")
    await grow(bus, 5, {})
    await archive(bus, target)
    assert sorted(path.name for path in target.directory.iterdir()) == [
        "000000000001-000000000005.parquet",
        "archive.lock",
        "manifest.json",
        "notes.txt",
    ]


async def test_of_two_archivers_of_one_directory_the_second_is_refused(bus: Bus, tmp_path: Path) -> None:
    with (tmp_path / "archive.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(ArchiveRefused, match="Another"):
            await archive(bus, Archive(tmp_path))


async def test_a_log_that_went_backwards_or_tells_another_story_is_refused(bus: Bus, tmp_path: Path) -> None:
    await grow(bus, 20, {})
    target = Archive(tmp_path / "copy")
    await archive(bus, target)
    before = target.manifest
    async with another_nats(tmp_path / "other") as (_, there):
        heads: dict[Actor, Head] = {}
        await grow(there, 10, heads)
        with pytest.raises(ArchiveRefused, match="went backwards"):
            await archive(there, target)
        await grow(there, 20, heads)
        with pytest.raises(ArchiveRefused, match="another log"):
            await archive(there, target)
        with pytest.raises(ArchiveRefused, match="gone on"):
            await restore(there, target)
    assert Archive(target.directory).manifest == before


async def test_a_restore_refuses_a_log_with_another_beginning(bus: Bus, tmp_path: Path) -> None:
    await grow(bus, 20, {})
    target = Archive(tmp_path / "copy")
    await archive(bus, target)
    async with another_nats(tmp_path / "other") as (_, there):
        await grow(there, 3, {}, "another story")
        with pytest.raises(ArchiveRefused, match="another event 1"):
            await restore(there, target)
        assert (await there.js.stream_info(EVENTS)).state.last_seq == 3


@pytest.mark.parametrize("harm", ["a flipped bit", "a missing segment", "a segment taken out of the manifest"])
@pytest.mark.usefixtures("small_segments")
async def test_a_damaged_archive_restores_nothing(bus: Bus, tmp_path: Path, harm: str) -> None:
    await grow(bus, 250, {})
    target = Archive(tmp_path / "copy")
    await archive(bus, target)
    second = target.directory / target.manifest.segments[1].file
    match harm:
        case "a flipped bit":
            damaged = bytearray(second.read_bytes())
            damaged[len(damaged) // 2] ^= 1
            second.write_bytes(damaged)
        case "a missing segment":
            second.unlink()
        case _:
            kept = (target.manifest.segments[0], target.manifest.segments[2])
            harmed = msgspec.structs.replace(target.manifest, segments=kept)
            (target.directory / "manifest.json").write_bytes(msgspec.json.encode(harmed))
    async with another_nats(tmp_path / "other") as (_, there):
        with pytest.raises(ArchiveRefused, match="damaged"):
            await restore(there, Archive(target.directory))
        assert (await there.js.stream_info(EVENTS)).state.last_seq == 0


async def test_a_restore_goes_on_where_a_killed_nats_or_a_full_log_stopped_it(bus: Bus, tmp_path: Path) -> None:
    await grow(bus, 1500, {})
    target = Archive(tmp_path / "copy")
    await archive(bus, target)
    async with another_nats(tmp_path / "other", msgspec.structs.replace(SMALL, events_bytes=150_000)) as (nats, there):
        with pytest.raises(LogFull):
            await restore(there, target)
        stored = (await there.js.stream_info(EVENTS)).state.last_seq
        assert 0 < stored < 1500
        info = await there.js.stream_info(EVENTS)
        info.config.max_bytes = SMALL.events_bytes
        await there.js.update_stream(info.config)
        killed = asyncio.Event()

        async def kill() -> None:
            await nats.kill()
            await nats.start()

        def progress(done: int, total: int) -> None:
            if done > 300 and not killed.is_set():
                killed.set()
                killing.append(asyncio.ensure_future(kill()))

        killing: list[asyncio.Future[None]] = []
        assert await restore(there, target, progress) == 1500 - stored
        await asyncio.gather(*killing)
        assert killing
        assert await contents(there) == await contents(bus)
