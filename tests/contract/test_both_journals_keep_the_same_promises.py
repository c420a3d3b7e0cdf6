"""One suite for every journal: in memory and on JetStream."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from shared.contracts.subjects import Actor
from shared.contracts.task import Cancelled, Retried, Source, Submitted
from shared.event_store.envelope import MessageMetadata
from shared.event_store.in_memory import MemoryJournal
from shared.event_store.journal import Conflict, Head, Journal, head_of
from shared.nats.journal import NatsJournal
from testing.nats import Nats

TASK = Actor("task", "A1")
SUBMITTED = Submitted(title="t", text="x", source=Source(kind="test"))


def metadata(id: str, cause: str = "") -> MessageMetadata:
    return MessageMetadata(
        id=id,
        source="test",
        time=datetime(2026, 1, 1, tzinfo=UTC),
        principal="user:ada",
        causation_id=cause or f"c-{id}",
    )


@pytest.fixture(params=["memory", "nats"])
async def journal(request: pytest.FixtureRequest) -> AsyncIterator[Journal]:
    if request.param == "memory":
        yield MemoryJournal()
        return
    yield NatsJournal(request.getfixturevalue("bus"))


@pytest.fixture(autouse=True)
def _server_first(request: pytest.FixtureRequest, bus: object, nats_server: Nats) -> None:
    """Async fixtures cannot be asked for later, so both parameters have the server."""


async def test_an_append_is_loaded_back_with_its_version_and_hash(journal: Journal) -> None:
    first = await journal.append(TASK, SUBMITTED, expected=Head(), metadata=metadata("1"))
    second = await journal.append(TASK, Cancelled(), expected=head_of(first), metadata=metadata("2"))
    loaded = await journal.load(TASK)
    assert [(e.sequence, e.name, e.id) for e in loaded] == [(1, "submitted", "1"), (2, "cancelled", "2")]
    assert loaded[1].previous_hash == first.hash
    assert loaded == [first, second]


async def test_an_append_behind_an_old_head_is_a_conflict_and_stores_nothing(journal: Journal) -> None:
    await journal.append(TASK, SUBMITTED, expected=Head(), metadata=metadata("1"))
    with pytest.raises(Conflict):
        await journal.append(TASK, Cancelled(), expected=Head(), metadata=metadata("2"))
    assert len(await journal.load(TASK)) == 1


async def test_of_racing_appends_exactly_one_wins(journal: Journal) -> None:
    results = await asyncio.gather(
        *(journal.append(TASK, SUBMITTED, expected=Head(), metadata=metadata(f"r{n}")) for n in range(8)),
        return_exceptions=True,
    )
    assert sum(not isinstance(each, BaseException) for each in results) == 1
    assert all(isinstance(each, Conflict) for each in results if isinstance(each, BaseException))
    assert len(await journal.load(TASK)) == 1


async def test_the_same_append_again_returns_the_first_one(journal: Journal) -> None:
    first = await journal.append(TASK, SUBMITTED, expected=Head(), metadata=metadata("1"))
    again = await journal.append(TASK, SUBMITTED, expected=Head(), metadata=metadata("1"))
    assert again.position == first.position
    assert len(await journal.load(TASK)) == 1


async def test_actors_do_not_see_one_another(journal: Journal) -> None:
    await journal.append(TASK, SUBMITTED, expected=Head(), metadata=metadata("1"))
    other = await journal.append(Actor("task", "A2"), SUBMITTED, expected=Head(), metadata=metadata("2"))
    assert (other.sequence, other.position) == (1, 2)
    assert [e.id for e in await journal.load(TASK)] == ["1"]


async def test_a_load_as_of_a_position_leaves_out_what_came_later(journal: Journal) -> None:
    first = await journal.append(TASK, SUBMITTED, expected=Head(), metadata=metadata("1"))
    await journal.append(TASK, Cancelled(), expected=head_of(first), metadata=metadata("2"))
    assert [e.id for e in await journal.load(TASK, up_to=first.position)] == ["1"]


async def test_a_load_behind_a_head_gives_only_the_rest(journal: Journal) -> None:
    first = await journal.append(TASK, SUBMITTED, expected=Head(), metadata=metadata("1"))
    second = await journal.append(TASK, Cancelled(), expected=head_of(first), metadata=metadata("2"))
    assert await journal.load(TASK, after=head_of(first)) == [second]
    assert await journal.load(TASK, after=head_of(second)) == []


async def test_a_long_actor_is_loaded_whole_and_in_order(journal: Journal) -> None:
    head = Head()
    for number in range(1105):
        head = head_of(await journal.append(TASK, Retried(stage="x"), expected=head, metadata=metadata(str(number))))
    assert [e.sequence for e in await journal.load(TASK)] == list(range(1, 1106))


async def test_following_gives_history_and_then_what_comes_live(journal: Journal) -> None:
    first = await journal.append(TASK, SUBMITTED, expected=Head(), metadata=metadata("1"))
    seen: list[str] = []

    async def follow() -> None:
        async for event in journal.follow("evt.task.*.*", after=0):
            seen.append(event.id)
            if len(seen) == 2:
                return

    following = asyncio.create_task(follow())
    await journal.append(TASK, Cancelled(), expected=head_of(first), metadata=metadata("2"))
    await asyncio.wait_for(following, 60)
    assert seen == ["1", "2"]
    assert await journal.last_position() == 2
