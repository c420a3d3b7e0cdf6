"""The peer of the actor host: nats-py's `js.publish` with the same headers and bodies of the same size."""

from __future__ import annotations

import asyncio
import time
import uuid
from typing import Final

from nats.js.client import JetStreamContext

from bench.measure import Timed, timed
from shared.contracts.ids import new_task_id

PATIENCE_S: Final = 60.0
"""A busy disk must not end the measurement."""


async def publish_all(js: JetStreamContext, *, actors: int, each: int, body: bytes) -> Timed:
    """``actors`` chains at once, each of ``each`` guarded publishes one after the other."""
    latencies: list[float] = []
    content_type = "application/cloudevents+json"

    async def chain() -> None:
        actor = new_task_id()
        subject, guard = f"evt.run.{actor}.checkpointed", f"evt.run.{actor}.>"
        last = 0
        for _ in range(each):
            begun = time.perf_counter()
            ack = await js.publish(
                subject,
                body,
                timeout=PATIENCE_S,
                headers={
                    "Nats-Msg-Id": str(uuid.uuid4()),
                    "Nats-Expected-Last-Subject-Sequence": str(last),
                    "Nats-Expected-Last-Subject-Sequence-Subject": guard,
                    "Content-Type": content_type,
                },
            )
            latencies.append(time.perf_counter() - begun)
            last = ack.seq

    begun = time.perf_counter()
    await asyncio.gather(*(chain() for _ in range(actors)))
    return timed(latencies, time.perf_counter() - begun)
