"""Senders deliver at least once; the work is done once."""

from __future__ import annotations

import asyncio
import uuid
from collections import Counter

import httpx
import pytest

from testing.api_client import ApiClient, issue, names_of

pytestmark = pytest.mark.xdist_group("system")


async def test_a_delivery_that_comes_a_hundred_times_sixteen_at_once_makes_one_task(api_client: ApiClient) -> None:
    payload, id = issue("Take a note", "@agent implement\n\nWrite down what a bill is.", number=301)
    delivery, door = str(uuid.uuid4()), asyncio.Semaphore(16)

    async def send() -> httpx.Response:
        async with door:
            return await api_client.deliver(payload, delivery=delivery)

    answers = await asyncio.gather(*(send() for _ in range(100)))
    told = Counter(answer.status_code for answer in answers)
    assert told.keys() <= {200, 202} and told[202] <= 1, "it is new once, to nobody who was told to come again"
    assert len({answer.json()["delivery"] for answer in answers}) == 1
    await api_client.completed(id)
    names = names_of(await api_client.story(id))
    assert [names.count(name) for name in ("task.submitted", "run.claimed", "reply.posted")] == [1, 1, 1]
    listed = (await api_client.http.get("/api/tasks", params={"limit": 200})).json()["items"]
    assert [task["id"] for task in listed if task["source"]["reference"].endswith("#301")] == [id]
