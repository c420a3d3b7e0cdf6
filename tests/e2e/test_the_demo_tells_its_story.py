"""`journeyman up --demo --once`: what a newcomer sees, and what can be done with the log that it leaves behind."""

from __future__ import annotations

import asyncio
import errno
import os
import pty
import re
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import duckdb
import msgspec
import pytest

from cli.audit import audit
from services.gateway.api.artifacts import TaskArtifacts, Transcript
from services.projector.database import open_views
from services.projector.export import dump
from services.projector.projection.facts import Stored
from services.projector.rebuild import rebuild
from services.projector.writer import Writer
from shared.backup.archive import Archive
from shared.backup.references import artifacts_named_in
from shared.backup.whole import archive_whole, restore_whole
from shared.contracts.plan import Proposed
from shared.contracts.subjects import Actor
from shared.event_store.envelope import decode_envelope
from shared.nats.bus import Bus
from shared.nats.journal import NatsJournal
from shared.nats.objects import Artifacts
from testing.log_copies import another_nats
from testing.nats import Nats
from testing.nats_cli import NatsCli
from testing.processes import processes_of
from testing.slow_timings import connect_patiently
from testing.system import JOURNEYMAN, plain_environment

pytestmark = [pytest.mark.xdist_group("demo"), pytest.mark.timeout(360)]


class Demo(msgspec.Struct, frozen=True):
    """A demonstration that has ended: its exit code, what it told, and its directory."""

    code: int
    story: str
    data: Path


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """One demonstration from its start to its end."""
    data = tmp_path_factory.mktemp("demo")
    done = subprocess.run(
        [str(JOURNEYMAN), "up", "--demo", "--once", "--port", "0", "--data", str(data)],
        env=plain_environment(data),
        cwd=data,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    return Demo(done.returncode, done.stderr, data)


@pytest.fixture
async def log(demo: Demo) -> AsyncIterator[Nats]:
    """NATS over what the demonstration left behind."""
    nats = Nats(demo.data / "nats")
    await nats.start()
    yield nats
    await nats.stop()


@pytest.fixture
async def reader(log: Nats) -> AsyncIterator[Bus]:
    """A connection to that log."""
    bus = await connect_patiently(log.url, name="test")
    yield bus
    await bus.close()


def test_the_demo_ends_well_and_leaves_no_process_behind(demo: Demo) -> None:
    assert demo.code == 0, demo.story
    assert processes_of(demo.data) == []


async def test_each_step_is_told_with_its_sequence_in_the_log(demo: Demo, reader: Bus) -> None:
    told = {int(found[1]): found[2] for found in re.finditer(r"^ +#(\d+) .*? ([a-z]+\.[a-z-]+) ", demo.story, re.M)}
    subjects = {event.seq: event.subject.split(".") for event in await stored(reader)}
    # That whoever started it was let in is no part of the story.
    assert told == {seq: f"{kind}.{event}" for seq, (_, kind, _, event) in subjects.items() if kind != "user"}


async def test_the_log_that_the_demo_leaves_is_whole(demo: Demo, reader: Bus) -> None:
    result = await audit(reader)
    assert result.damage is None
    assert result.events > 15


def test_the_secret_of_the_webhook_is_in_its_own_file_only(demo: Demo) -> None:
    secret = (demo.data / "webhook-secret").read_bytes().strip()
    holding = [file.name for file in demo.data.rglob("*") if file.is_file() and secret in file.read_bytes()]
    assert holding == ["webhook-secret"]


async def test_the_nats_command_shows_the_history(demo: Demo, log: Nats, reader: Bus, tmp_path: Path) -> None:
    events = await stored(reader)
    nats = NatsCli(log.url, tmp_path)
    third = msgspec.json.decode(await nats.run("stream", "get", "EVENTS", "3", "--json"))
    assert (third["seq"], third["subject"]) == (3, events[2].subject)
    page = await asyncio.to_thread(in_a_terminal, nats, "stream", "view", "EVENTS", "25")
    for event in events[:25]:
        assert event.subject in page


async def test_events_read_with_the_nats_command_rebuild_the_read_models_row_by_row(
    demo: Demo, log: Nats, reader: Bus, tmp_path: Path
) -> None:
    (incremental,) = (demo.data / "projector").glob("*.duckdb")
    kept = read_rows(incremental)
    assert len(kept["timeline"]) == len(await stored(reader)) > 15

    read = await NatsCli(log.url, tmp_path).run(
        "sub", "--stream", "EVENTS", "--start-sequence", "1", "--terminate-at-end", "--raw"
    )
    bodies = [line.encode() for line in read.splitlines() if line]
    by_hand = open_views(tmp_path / "by-hand.duckdb")
    Writer(by_hand).apply([Stored(seq, subject_of(body), body) for seq, body in enumerate(bodies, 1)])
    assert dump(by_hand) == kept
    by_hand.close()

    await rebuild(reader, demo.data)
    (rebuilt,) = (demo.data / "projector").glob("*.duckdb")
    assert rebuilt != incremental
    assert read_rows(rebuilt) == kept


async def test_a_restore_brings_back_every_diff_conversation_plan_bundle_and_output_of_a_check(
    demo: Demo, reader: Bus, tmp_path: Path
) -> None:
    await archive_whole(reader, Archive(tmp_path / "copy"))
    async with another_nats(tmp_path / "nats") as (_, there):
        restored = await restore_whole(there, Archive(tmp_path / "copy"))
        assert restored.missing == ()
        (before, after) = [await everything_told(bus) for bus in (reader, there)]
    assert after == before
    kinds = {name.partition(".")[2].rpartition(".")[0] for name in before.artifacts}
    assert {"diff", "published.bundle", "result.bundle", "check.gz", "transcript.tar.gz"} <= kinds
    assert before.diff.startswith(b"diff --git") and b"Ran " in before.check and "#" in before.plan
    assert len(before.transcript.items) > 20


# ---- help ----------------------------------------------------------------------------------------------------------


class Told(msgspec.Struct, frozen=True):
    """What people can read of the demonstration's task, and the bytes of every artifact by its name."""

    diff: bytes
    check: bytes
    plan: str
    transcript: Transcript
    artifacts: dict[str, bytes]


async def everything_told(bus: Bus) -> Told:
    """What the API reads it from, of the only task."""
    journal, store = NatsJournal(bus), Artifacts(bus)
    events = await stored(bus)
    (id,) = {event.subject.split(".")[2] for event in events if event.subject.startswith("evt.task.")}
    kept = TaskArtifacts(bus, journal, store, max_bytes=1 << 24)
    named = {each.name: each for event in events for each in artifacts_named_in(event.body)}
    plans = [each.data.markdown for each in await journal.load(Actor("plan", id)) if isinstance(each.data, Proposed)]
    return Told(
        diff=await kept.diff(id),
        check=b"".join(await kept.check_output(id, 1)),
        plan=plans[-1],
        transcript=await kept.transcript(id, after=0, limit=10_000),
        artifacts={name: await store.get(reference) for name, reference in named.items()},
    )


async def stored(bus: Bus) -> list[Stored]:
    """Every event of the log."""
    last = (await bus.js.stream_info("EVENTS")).state.last_seq
    found = [await bus.js.get_msg("EVENTS", seq, direct=True) for seq in range(1, last + 1)]
    return [Stored(seq, each.subject or "", each.data or b"") for seq, each in enumerate(found, 1)]


def subject_of(body: bytes) -> str:
    """Where an event lies; its envelope says so."""
    envelope = decode_envelope(body)
    kind, _, id = envelope.subject.partition("/")
    return f"evt.{kind}.{id}.{envelope.type.partition('.')[2]}"


def read_rows(path: Path) -> dict[str, list[tuple[object, ...]]]:
    """Everything in a database that nobody has open."""
    connection = duckdb.connect(str(path), read_only=True)
    try:
        return dump(connection)
    finally:
        connection.close()


def in_a_terminal(nats: NatsCli, *arguments: str) -> str:
    """What the command shows to somebody who sits at it and answers every question with no."""
    ours, its = pty.openpty()
    process = subprocess.Popen(nats.argv(*arguments), env=nats.environment, stdin=its, stdout=its, stderr=its)
    os.close(its)
    shown, answered = b"", 0
    try:
        while True:
            try:
                chunk = os.read(ours, 65536)
            except OSError as error:
                if error.errno == errno.EIO:  # the other end is closed
                    break
                raise
            if not chunk:
                break
            shown += chunk
            if shown.count(b"Next Page") > answered:
                answered += 1
                os.write(ours, b"n\n")
    finally:
        os.close(ours)
        process.kill()
        process.wait()
    return shown.decode(errors="replace")
