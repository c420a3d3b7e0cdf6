"""Asking the projector as any client of NATS can: a name and JSON, without this version's types."""

from __future__ import annotations

from typing import Any

import msgspec
import nats.errors

from shared.nats.bus import Bus
from shared.runtime.client import QueryFailed


async def ask(bus: Bus, name: str, *, timeout: float = 8.0, **params: Any) -> dict[str, Any]:
    """The answer as it stands on the wire; raises `QueryFailed` as `Client.query` does."""
    try:
        message = await bus.request(f"qry.{name}", msgspec.json.encode(params), timeout=timeout)
    except (TimeoutError, nats.errors.Error) as error:
        raise QueryFailed("projector-away", "The projector does not answer.") from error
    answer: dict[str, Any] = msgspec.json.decode(message.data)
    if "error" in answer:
        raise QueryFailed(answer["error"]["code"], answer["error"]["detail"])
    return answer
