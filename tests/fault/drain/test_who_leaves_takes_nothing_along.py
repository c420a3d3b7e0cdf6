"""A consumer or a query server may leave at any moment: what was sent to it is handled all the same."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sized

import pytest
from nats.aio.msg import Msg

from shared.nats.bus import Bus
from shared.nats.pull import StandingPull
from shared.nats.streams import COMMANDS
from testing.eventually import eventually
from testing.nats import Nats
from testing.slow_timings import RARE_HEARTBEATS, connect_patiently

MESSAGES = 2000
SENDERS = 8
ASKERS = 16
LEAVES = 30
WITHIN_S = 60.0
FOR_EVER_S = 600.0
"""An ack wait nobody waits for here."""


@pytest.fixture
async def rare(nats_server: Nats) -> AsyncIterator[Bus]:
    """A connection whose consumers are not disturbed when this process stands still."""
    bus = await connect_patiently(nats_server.url, timings=RARE_HEARTBEATS)
    yield bus
    await asyncio.wait_for(bus.close(), 60)


async def test_messages_that_were_on_their_way_to_a_consumer_that_leaves_go_to_another_at_once(rare: Bus) -> None:
    taken: Counter[bytes] = Counter()

    async def take(message: Msg) -> None:
        taken[message.data] += 1
        await message.ack()

    def one() -> StandingPull:
        return StandingPull(
            rare, COMMANDS, "test", ["cmd.*.task.*.*"], take, ack_wait_s=FOR_EVER_S, max_ack_pending=256, ahead=31
        )

    async def send(numbers: range) -> None:
        for number in numbers:
            await rare.js.publish(f"cmd.task.T{number}.stop", str(number).encode())

    stays = one()
    staying = asyncio.create_task(stays.run())
    sending = [asyncio.create_task(send(range(first, MESSAGES, SENDERS))) for first in range(SENDERS)]
    for _ in range(LEAVES):
        leaves = one()
        leaving = asyncio.create_task(leaves.run())
        await more_than(taken, min(len(taken) + 50, MESSAGES - 1))
        leaves.drain()
        await leaving
    await asyncio.gather(*sending)
    await eventually(lambda: len(taken) == MESSAGES, within=WITHIN_S)
    stays.drain()
    await staying
    assert taken.most_common(1)[0][1] == 1


async def test_questions_that_were_on_their_way_to_one_who_leaves_are_answered(bus: Bus) -> None:
    async def answer(message: Msg) -> None:
        await asyncio.sleep(0)
        await message.respond(message.data)

    async def join() -> Callable[[], Awaitable[None]]:
        subscription = await bus.nc.subscribe("test.question", queue="test", cb=answer)
        return lambda: bus.leave(subscription)

    asked: list[bytes] = []
    stop = asyncio.Event()

    async def ask() -> None:
        while not stop.is_set():
            asked.append((await bus.request("test.question", b"?", timeout=WITHIN_S)).data)

    stays = await join()
    asking = [asyncio.create_task(ask()) for _ in range(ASKERS)]
    for _ in range(LEAVES):
        leave = await join()
        await more_than(asked, len(asked) + 2 * ASKERS)
        await leave()
    stop.set()
    await asyncio.gather(*asking)
    await stays()
    assert set(asked) == {b"?"}


async def more_than(some: Sized, number: int) -> None:
    await eventually(lambda: len(some) > number, within=WITHIN_S)
