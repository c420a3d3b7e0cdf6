"""What this version makes of a golden log, on the whole real way: restored into NATS, checked, folded, projected."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import msgspec

from cli.audit import audit
from cli.fold import fold
from services.projector.database import current
from services.projector.projection.rows import TABLES
from services.projector.rebuild import FOLDER, rebuild
from shared.backup.archive import Archive, Archived
from shared.backup.nats_archive import archive, restore
from shared.contracts.subjects import Actor, read_event_subject
from shared.nats.bus import Bus
from shared.nats.journal import NatsJournal
from tests.golden.logs import ActorAtEnd, Table, Told, sha256_of


async def retell(bus: Bus, log: list[Archived], folder: Path, known: Told | None = None) -> Told:
    """Restore a log into an empty NATS, fold every actor, and build the read models in ``folder``.

    Of states and tables only what ``known`` has is told: what a later version adds to them is free. Raises
    AssertionError when the log is not whole, or not the same any more.
    """
    source = Archive(folder / "archive")
    source.directory.mkdir(parents=True)
    source.add(log)
    assert await restore(bus, source) == len(log)
    found = await audit(bus)
    assert (found.damage, found.events) == (None, len(log)), found
    assert [_kept(event) for event in await everything_in(bus, folder / "copy")] == [_kept(event) for event in log]
    await rebuild(bus, folder)
    with duckdb.connect(str(current(folder / FOLDER)), read_only=True) as connection:
        tables = _tables(connection, {} if known is None else known.tables)
    return Told(actors=await _actors(bus, log, {} if known is None else known.actors), tables=tables)


async def everything_in(bus: Bus, folder: Path) -> list[Archived]:
    """Every event of the log as it stands there, read by way of an archive in ``folder``."""
    copy = Archive(folder)
    await archive(bus, copy)
    return [event for segment in copy.manifest.segments for event in copy.events(segment)]


def differences(was: Told, now: Told) -> list[str]:
    """What is told otherwise, a line for each actor and each table; the same told twice gives none."""
    found = []
    for actor in sorted(was.actors.keys() | now.actors.keys()):
        before, after = was.actors.get(actor), now.actors.get(actor)
        if before != after:
            found.append(f"{actor} was {before}, is {after}")
    for name, table in was.tables.items():
        here = now.tables[name]
        rows = [(old, new) for old, new in zip(table.rows, here.rows, strict=False) if old != new]
        if table != here:
            found.append(
                f"{name}: {len(table.rows)} rows were told, {len(here.rows)} are; {len(rows)} differ: {rows[:1]}"
            )
    return found


def plain(state: Any, known: Any = None) -> Any:
    """A state as plain data. Of a struct only the fields that ``known`` (its plain data of old) has, all where None."""
    fields: Mapping[str, Any] = known if isinstance(known, dict) else {}
    match state:
        case msgspec.Struct():
            names = [name for name in state.__struct_fields__ if known is None or name in fields]
            return {name: plain(getattr(state, name), fields.get(name)) for name in names}
        case dict():
            return {str(key): plain(value, fields.get(str(key))) for key, value in state.items()}
        case tuple() | list():
            items = known if isinstance(known, list) and len(known) == len(state) else [None] * len(state)
            return [plain(value, item) for value, item in zip(state, items, strict=True)]
        case msgspec.Raw():
            return msgspec.json.decode(state)
        case _:
            return msgspec.to_builtins(state)


async def _actors(bus: Bus, log: Iterable[Archived], known: Mapping[str, ActorAtEnd]) -> dict[str, ActorAtEnd]:
    journal = NatsJournal(bus)
    actors: dict[Actor, None] = dict.fromkeys(read_event_subject(event.subject)[0] for event in log)
    found = {}
    for actor in actors:
        end = await fold(journal, actor.kind, actor.id)
        before = known.get(str(actor))
        state = plain(end.state, None if before is None else before.state)
        found[str(actor)] = ActorAtEnd(
            position=end.position, sequence=end.sequence, hash=end.hash, state=state, state_sha256=sha256_of(state)
        )
    return found


def _tables(connection: duckdb.DuckDBPyConnection, known: Mapping[str, Table]) -> dict[str, Table]:
    columns = {name: table.columns for name, table in known.items()} or {
        name: tuple(row[0] for row in connection.execute(f"DESCRIBE {name}").fetchall())
        for name in ("checkpoint", *TABLES)
    }
    return {name: _table(connection, name, names, known.get(name)) for name, names in columns.items()}


def _table(connection: duckdb.DuckDBPyConnection, name: str, columns: tuple[str, ...], known: Table | None) -> Table:
    found = connection.execute(f"SELECT {', '.join(columns)} FROM {name} ORDER BY ALL").fetchall()
    rows = tuple(tuple(map(_plain_value, row)) for row in found)
    if known is not None and len(known.rows) == len(rows):
        pairs = zip(rows, known.rows, strict=True)
        rows = tuple(tuple(told_as(value, was) for value, was in zip(*pair, strict=True)) for pair in pairs)
    return Table(columns=columns, rows=rows)


def told_as(value: Any, known: Any) -> Any:
    """A cell's value; what was known of it where that is JSON and nothing but new fields has come to it."""
    match value, known:
        case str(), str() if known.startswith(("[", "{")):
            with contextlib.suppress(msgspec.DecodeError):
                now, was = (msgspec.json.decode(text) for text in (value, known))
                return known if _of_old(now, was) == was else value
    return value


def _of_old(now: Any, was: Any) -> Any:
    """Of objects only the fields that there were."""
    match now, was:
        case dict(), dict():
            return {name: _of_old(value, was[name]) for name, value in now.items() if name in was}
        case list(), list() if len(now) == len(was):
            return [_of_old(*pair) for pair in zip(now, was, strict=True)]
        case _:
            return now


def _plain_value(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def _kept(event: Archived) -> tuple[int, str, bytes, str]:
    """What a restore keeps of an event; the guards of its first append are not needed again."""
    return event.position, event.subject, event.body, event.headers["Nats-Msg-Id"]
