from __future__ import annotations

import asyncio
from typing import cast

import msgspec
import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg

from shared.nats.consumer import Pull, Said, next_of, until_done
from shared.ops.timings import NATS
from testing.service_group import ROOT


class Wire:
    """A connection that only remembers what was published."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, int], str]] = []

    async def publish(self, subject: str, payload: bytes, reply: str) -> None:
        self.asked.append((subject, msgspec.json.decode(payload), reply))


def pull_over(wire: Wire, **terms: int) -> Pull:
    return Pull(cast(Client, wire), "EVENTS", "reader", "_INBOX.1", NATS, **terms)


def came(headers: dict[str, str] | None = None, reply: str = "") -> Msg:
    return Msg(_client=cast(Client, Wire()), subject="_INBOX.1", reply=reply, headers=headers)


MESSAGE = came(reply="$JS.ACK.EVENTS.reader.1.7.1.1700000000.0")
ENDS = {
    "its time is over": {"Status": "408", "Description": "Request Timeout", "Nats-Pending-Messages": "4"},
    "its batch is full": {"Status": "409", "Description": "Batch Completed", "Nats-Pending-Messages": "4"},
    "nothing is there": {"Status": "404", "Description": "No Messages", "Nats-Pending-Messages": "4"},
}
LOSSES: dict[str, dict[str, str] | None] = {
    "the consumer is deleted": {"Status": "409", "Description": "Consumer Deleted"},
    "nobody is there": {"Status": "503"},
    "a status of the future": {"Status": "499"},
    "neither message nor status": None,
}


async def test_a_pull_counts_what_it_has_asked_for_and_what_came() -> None:
    wire = Wire()
    pull = pull_over(wire, max_bytes=1000)
    await pull.ask(10)
    assert pull.read(MESSAGE) is Said.MESSAGE
    pull.took()
    await pull.ask(1)
    assert pull.wanted == 10
    (first, terms, reply), second = wire.asked
    assert (first, reply) == ("$JS.API.CONSUMER.MSG.NEXT.EVENTS.reader", "_INBOX.1")
    assert terms == {"batch": 10, "max_bytes": 1000, "expires": 30_000_000_000, "idle_heartbeat": 2_000_000_000}
    assert second[1]["batch"] == 1


@pytest.mark.parametrize("headers", ENDS.values(), ids=ENDS.keys())
async def test_the_end_of_a_pull_takes_back_what_that_pull_wanted(headers: dict[str, str]) -> None:
    pull = pull_over(Wire())
    await pull.ask(10)
    assert pull.read(came({"Status": "100", "Description": "Idle Heartbeat"})) is Said.HEARTBEAT
    assert (pull.wanted, pull.read(came(headers)), pull.wanted) == (10, Said.PULL_ENDED, 6)


async def test_an_end_that_says_no_number_takes_everything_back() -> None:
    pull = pull_over(Wire())
    await pull.ask(10)
    assert (pull.read(came({"Status": "408"})), pull.wanted) == (Said.PULL_ENDED, 0)


@pytest.mark.parametrize("headers", LOSSES.values(), ids=LOSSES.keys())
def test_a_consumer_that_is_gone_or_says_something_else_is_made_anew(headers: dict[str, str] | None) -> None:
    assert pull_over(Wire()).read(came(headers)) is Said.CONSUMER_LOST


async def test_silence_and_a_reconnect_both_put_the_consumer_in_doubt() -> None:
    queue: asyncio.Queue[Msg | None] = asyncio.Queue()
    assert await next_of(queue, 0.01) is None
    queue.put_nowait(MESSAGE)
    queue.put_nowait(None)
    assert await next_of(queue, 0.01) is MESSAGE
    assert await next_of(queue, None) is None


async def test_what_cannot_begin_is_tried_again_until_it_can_or_is_stopped() -> None:
    tried: list[int] = []
    stop = asyncio.Event()

    async def at_the_second_time() -> None:
        tried.append(1)
        if len(tried) == 1:
            raise TimeoutError

    async def never() -> None:
        tried.append(1)
        stop.set()
        raise OSError

    await until_done(at_the_second_time, "a test")
    await until_done(never, "a test", stop)
    await until_done(never, "a test", stop)
    assert len(tried) == 3


@pytest.mark.parametrize("said", ["CONSUMER.MSG.NEXT", "Nats-Pending-Messages", "nats.aio.client", "idle_heartbeat"])
def test_only_the_nats_package_speaks_the_protocol_and_extends_the_client(said: str) -> None:
    speakers = {
        path.relative_to(ROOT).as_posix()
        for part in ("services", "shared", "cli")
        for path in (ROOT / part).rglob("*.py")
        if said in path.read_text()
    }
    assert speakers, "else the test looks for what nobody says"
    assert {speaker for speaker in speakers if not speaker.startswith("shared/nats/")} == set()
    assert said == "nats.aio.client" or speakers == {"shared/nats/consumer.py"}
