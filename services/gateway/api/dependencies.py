"""What the API's controllers have in common."""

from __future__ import annotations

from typing import Annotated, Final, TypeVar

import msgspec
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import Parameter

from services.gateway.problems import documented
from shared.contracts.messages import MAX_SEQUENCE
from shared.contracts.queries import Query
from shared.contracts.subjects import Actor
from shared.runtime.client import Client
from shared.runtime.replay import GetMoment, Moment

A = TypeVar("A", bound=msgspec.Struct)

MinSeq = Annotated[
    int, Parameter(query="min_seq", ge=0, le=MAX_SEQUENCE, description="Answer from a state that includes this event")
]
Filter = Annotated[str, Parameter(max_length=500)]
InReplay = Annotated[
    str | None, Parameter(query="replay", max_length=64, description="Answer as of the moment of this replay")
]

_DESCRIPTIONS: Final = {
    400: "The request does not fit",
    401: "Nobody is logged in, or the token or link stands for nobody",
    403: "Not from the dashboard's own page (`origin-foreign`, `consent-missing`), or not in this role "
    "(`role-lacking`) or with this token (`scope-lacking`)",
    404: "There is no such thing",
    409: "The command does not fit the state; `code` says why",
    410: "The artifact is gone, or the replay is over",
    413: "The body is larger than this address takes",
    421: "This gateway is not known by the name in `Host`",
    422: "The idempotency key came with another body before",
    429: "Too many of them in a short time",
    503: "A part that is needed is away, or too many requests are being answered",
    504: "Stored, but not handled in time",
}


class ReadModels:
    """The read models as of now, or as of the moment of a replay. Raises `QueryFailed`, `BadAddress`."""

    def __init__(self, client: Client, replay: str) -> None:
        self._client = client
        self.replay = replay
        """The session, or empty for now."""

    async def query(self, query: Query[A]) -> A:
        """The answer to one question."""
        return await self._client.query(query, replay=self.replay)

    async def query_actor(self, query: Query[A], actor: Actor) -> A:
        """The answer to a question about one actor; every address with an id in its path asks by this.

        Now, an actor that the log has events of is never ``not-found`` (`Client.query_actor`); a replay knows what
        there was at its moment.
        """
        return await self.query(query) if self.replay else await self._client.query_actor(query, actor)

    async def moment(self) -> Moment | None:
        """Where the replay is; None means now."""
        return await self.query(GetMoment()) if self.replay else None


def read_models(client: Client, replay: InReplay = None) -> ReadModels:
    """What the request asks of: a dependency of the handlers."""
    return ReadModels(client, replay or "")


def problems(*statuses: int) -> dict[int, ResponseSpec]:
    """The problems that an address answers with, for the OpenAPI document."""
    return {status: documented(_DESCRIPTIONS[status]) for status in statuses}
