"""The archive has artifacts and output too, each content once; a restore brings them back and overwrites nothing."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from shared.backup.archive import Archive, ArchiveRefused
from shared.backup.whole import archive_whole, restore_whole
from shared.contracts.messages import ArtifactRef
from shared.contracts.run import Committed
from shared.contracts.subjects import Actor
from shared.event_store.envelope import MessageMetadata, utc_now
from shared.event_store.journal import Head
from shared.nats.bus import Bus
from shared.nats.journal import NatsJournal
from shared.nats.objects import ArtifactLost, Artifacts
from shared.nats.stored_objects import STREAM, delete_object, messages_after, objects_after
from shared.nats.streams import EVENTS, OUTPUT
from testing.command_line import Run
from testing.log_copies import another_nats, contents, grow
from testing.nats import Nats
from tests.integration.cli.conftest import journeyman

__all__ = ["journeyman"]

LARGE = bytes(range(256)) * 1500
"""More than one chunk of the object store."""


async def lines(bus: Bus) -> list[tuple[int, str, bytes, str]]:
    return [
        (each.position, each.subject, each.data, each.stored.isoformat())
        async for each in messages_after(bus, OUTPUT, "out.>", 0)
    ]


async def speak(bus: Bus, *said: str) -> None:
    for each in said:
        await bus.publish("out.run.A0", each.encode(), {})


async def a_system(bus: Bus) -> list[ArtifactRef]:
    """Ten events, three artifacts of which two are alike, three lines of output."""
    await grow(bus, 10, {})
    store = Artifacts(bus)
    kept = [await store.put("A0.diff", b"same"), await store.put("A1.diff", b"same"), await store.put("A0.big", LARGE)]
    await speak(bus, "one", "two", "three")
    return kept


async def test_a_restore_brings_back_every_event_artifact_and_line_under_its_number(bus: Bus, tmp_path: Path) -> None:
    kept = await a_system(bus)
    # The first lines have aged away: those that are left keep their numbers.
    await bus.js.purge_stream(OUTPUT, seq=2)
    target = Archive(tmp_path / "copy")
    added = await archive_whole(bus, target)
    assert (added.events, added.artifacts, added.lines, added.lost) == (10, 3, 2, ())
    made = [target.directory, *target.directory.rglob("*")]
    assert [each for each in made if each.stat().st_mode & 0o077] == [], "it is as private as what it is a copy of"
    files = [each for each in (target.directory / "contents").rglob("*") if each.is_file()]
    assert len(files) == 2, "the two that are alike have one file"
    async with another_nats(tmp_path / "other") as (_, there):
        for expected in ((10, 3, 2), (0, 0, 0)):
            restored = await restore_whole(there, Archive(target.directory))
            assert (restored.events, restored.artifacts, restored.lines) == expected
            assert (restored.missing, restored.whole) == ((), 10)
        assert await contents(there) == await contents(bus)
        assert await lines(there) == await lines(bus)
        for reference in kept:
            assert await Artifacts(there).get(reference) == await Artifacts(bus).get(reference)


async def test_an_archive_is_continued_and_follows_the_system_into_its_new_nats(bus: Bus, tmp_path: Path) -> None:
    heads: dict[Actor, Head] = {}
    await grow(bus, 5, heads)
    first = await Artifacts(bus).put("A0.diff", b"first")
    await speak(bus, "one")
    target = Archive(tmp_path / "copy")
    await archive_whole(bus, target)
    await grow(bus, 1, heads)
    second = await Artifacts(bus).put("A0.diff", b"second")
    await speak(bus, "two")
    assert (await archive_whole(bus, target))[:3] == (1, 1, 1)
    assert (await archive_whole(bus, target))[:3] == (0, 0, 0)
    async with another_nats(tmp_path / "other") as (_, there):
        await restore_whole(there, target)
        third = await Artifacts(there).put("A0.diff", b"third")
        await speak(there, "three")
        assert (await archive_whole(there, target)).lines == 1, "what came from the archive is in it already"
    async with another_nats(tmp_path / "third") as (_, last):
        await restore_whole(last, Archive(target.directory))
        assert [body for _, _, body, _ in await lines(last)] == [b"one", b"two", b"three"]
        found = [await Artifacts(last).get(each) for each in (first, second, third)]
        assert found == [b"first", b"second", b"third"]


async def test_nothing_is_overwritten(bus: Bus, tmp_path: Path) -> None:
    await a_system(bus)
    target = Archive(tmp_path / "copy")
    await archive_whole(bus, target)
    async with another_nats(tmp_path / "other") as (_, there):
        await speak(there, "of an agent at work")
        with pytest.raises(ArchiveRefused, match="lines of its own"):
            await restore_whole(there, target)
        assert (await there.js.stream_info(EVENTS)).state.last_seq == 0
        assert [each async for each in objects_after(there, 0)] == []


async def test_an_older_archive_of_events_alone_is_restored_and_says_what_is_missing(
    journeyman: Run, nats_server: Nats, bus: Bus, tmp_path: Path
) -> None:
    reference = await Artifacts(bus).put("A9.diff", b"a diff")
    made = Committed(
        round=1, attempt=1, commit="c", tree="t", parent="p", bundle=reference, diff=reference, summary="done"
    )
    metadata = MessageMetadata(id="1", source="test", time=utc_now(), principal="user:ada", causation_id="c")
    await NatsJournal(bus).append(Actor("run", "A9"), made, expected=Head(), metadata=metadata)
    copy = tmp_path / "copy"
    await archive_whole(bus, Archive(copy))
    manifest = msgspec.json.decode((copy / "manifest.json").read_bytes())
    older = {"format": 1, "segments": manifest["segments"]}
    (copy / "manifest.json").write_bytes(msgspec.json.encode(older))
    async with another_nats(tmp_path / "other") as (other, there):
        ended = await journeyman("restore", copy, JOURNEYMAN_NATS_URL=other.url)
        assert ended.code == 0, ended.err
        assert "1 events of 1 actors are whole" in ended.out
        assert "The archive has no artifacts and no output" in ended.out
        assert reference.name in ended.out
        with pytest.raises(ArtifactLost):
            await Artifacts(there).get(reference)
    assert (await archive_whole(bus, Archive(copy)))[:3] == (0, 1, 0), "it is continued in the newer format"
    assert Archive(copy).manifest.whole == 1


@pytest.mark.parametrize("harm", ["a flipped bit", "a missing file"])
async def test_a_damaged_content_restores_nothing(bus: Bus, tmp_path: Path, harm: str) -> None:
    await a_system(bus)
    target = Archive(tmp_path / "copy")
    await archive_whole(bus, target)
    file = max(
        (target.directory / "contents").rglob("*"), key=lambda each: each.stat().st_size if each.is_file() else 0
    )
    if harm == "a missing file":
        file.unlink()
    else:
        damaged = bytearray(file.read_bytes())
        damaged[5] ^= 1
        file.write_bytes(damaged)
    async with another_nats(tmp_path / "other") as (_, there):
        with pytest.raises(ArchiveRefused, match=r"A0\.big"):
            await restore_whole(there, target)
        assert (await there.js.stream_info(EVENTS)).state.last_seq == 0


async def test_an_artifact_whose_bytes_are_gone_is_named_and_one_that_was_deleted_stays_away(
    journeyman: Run, nats_server: Nats, bus: Bus, tmp_path: Path
) -> None:
    kept = await a_system(bus)
    await delete_object(bus, kept[0].name)
    (big,) = [each async for each in objects_after(bus, 0) if each.name == kept[2].name]
    await bus.js.purge_stream(STREAM, subject=f"$O.ARTIFACTS.C.{big.nuid}")
    ended = await journeyman("archive", tmp_path / "copy", "--json", JOURNEYMAN_NATS_URL=nats_server.url)
    assert (ended.code, ended.json["lost"]) == (1, [kept[2].name])
    async with another_nats(tmp_path / "other") as (_, there):
        assert (await restore_whole(there, Archive(tmp_path / "copy"))).artifacts == 1
        assert [each.name async for each in objects_after(there, 0)] == [kept[1].name]


async def test_a_stopped_system_is_restored_without_a_nats_of_its_own_running(
    journeyman: Run, bus: Bus, tmp_path: Path
) -> None:
    await a_system(bus)
    await archive_whole(bus, Archive(tmp_path / "copy"))
    ended = await journeyman("restore", tmp_path / "copy", "--data", tmp_path / "new", "--json")
    assert ended.code == 0, ended.err
    assert ended.json["restored"]["artifacts"] == 3
    assert (tmp_path / "new" / "nats" / "store").is_dir()


async def test_a_backup_is_an_archive_with_the_configuration_and_a_list_of_what_else_to_keep(
    journeyman: Run, nats_server: Nats, bus: Bus, tmp_path: Path
) -> None:
    await a_system(bus)
    address = {"JOURNEYMAN_NATS_URL": nats_server.url, "JOURNEYMAN_GITHUB_WEBHOOK_SECRET": "canary"}
    (tmp_path / ".journeyman").mkdir()
    (tmp_path / ".journeyman" / "journeyman.toml").write_text('[repos."me/app"]\npath = "app"\n')
    ended = await journeyman("backup", tmp_path / "copy", **address)
    assert ended.code == 0, ended.err
    assert "10 events added; the archive ends at 10" in ended.out
    assert "JOURNEYMAN_GITHUB_WEBHOOK_SECRET: a secret that is set." in ended.out
    assert f"me/app: the repository {tmp_path}/.journeyman/app" in ended.out
    assert (tmp_path / "copy" / "configuration" / "journeyman.toml").is_file()
    assert "canary" not in ended.out + (tmp_path / "copy" / "configuration" / "settings.env").read_text()
    again = await journeyman("restore", tmp_path / "copy", "--data", tmp_path / "new")
    assert again.code == 0, again.err
    assert "10 events restored" in again.out


async def test_an_artifact_is_an_object_like_any_other_and_its_loss_is_told(bus: Bus) -> None:
    artifacts, store = Artifacts(bus), await bus.js.object_store("ARTIFACTS")
    for data in (LARGE, b""):
        reference = await artifacts.put("A0.diff", data)
        assert await artifacts.put("A0.diff", data) == reference
        assert ((await store.get(reference.name)).data or b"") == data == await artifacts.get(reference)
    kept = await artifacts.put("A0.diff", LARGE)
    info = await store.get_info(kept.name)
    assert info.size == len(LARGE)
    await bus.js.purge_stream("OBJ_ARTIFACTS", subject=f"$O.ARTIFACTS.C.{info.nuid}")
    with pytest.raises(ArtifactLost, match="not whole"):
        await artifacts.get(kept)
    await store.delete(kept.name)
    with pytest.raises(ArtifactLost, match="not in"):
        await artifacts.get(kept)
    assert await artifacts.get(await artifacts.put("A0.diff", LARGE)) == LARGE
