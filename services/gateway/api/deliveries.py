"""`/api/deliveries`."""

from __future__ import annotations

from typing import Annotated

from litestar import Controller, get, post
from litestar.params import Parameter

from services.gateway.api.dependencies import Filter, MinSeq, ReadModels, problems
from services.gateway.api.schemas import CommandDone, done
from services.gateway.inbound.delivery_bodies import DeliveryBodies, DeliveryBody
from services.gateway.inbound.replays import DeliveryReplays
from shared.contracts.queries import PAGE_SIZE, DeliveryAnswer, DeliveryPage, GetDelivery, ListDeliveries
from shared.contracts.subjects import actor


class DeliveryController(Controller):
    """What senders have delivered, and what became of it."""

    path = "/api/deliveries"
    tags = ("webhooks",)

    @get("/", operation_id="listDeliveries", summary="Deliveries, newest first", responses=problems(400, 404, 410, 503))
    async def list_deliveries(
        self,
        read_models: ReadModels,
        limit: Annotated[int, Parameter(ge=1, le=200)] = PAGE_SIZE,
        cursor: Filter = "",
        min_seq: MinSeq = 0,
    ) -> DeliveryPage:
        """Those that were accepted; what was ignored or refused is kept for a week, as `listCalls` tells."""
        return await read_models.query(ListDeliveries(limit=limit, cursor=cursor, min_seq=min_seq))

    @get("/{id:str}", operation_id="getDelivery", summary="One delivery", responses=problems(404, 410, 503))
    async def get_delivery(self, id: str, read_models: ReadModels, min_seq: MinSeq = 0) -> DeliveryAnswer:
        """What was read in it, and every event of it."""
        about = actor("delivery", id)
        return await read_models.query_actor(GetDelivery(id=about.id, min_seq=min_seq), about)

    @get(
        "/{id:str}/body",
        operation_id="getDeliveryBody",
        summary="The beginning of a delivery's body, without secrets",
        responses=problems(404, 410, 503),
    )
    async def get_body(self, id: str, delivery_bodies: DeliveryBodies) -> DeliveryBody:
        """As its sender sent it, as far as people may see it."""
        return await delivery_bodies.get(id)

    @post(
        "/{id:str}/replay",
        operation_id="replayDelivery",
        summary="Have a delivery acted on once more",
        status_code=200,
        responses=problems(404, 409, 410, 503, 504),
    )
    async def replay(self, id: str, delivery_replays: DeliveryReplays, principal: str) -> CommandDone:
        """As it is read now. What has taken effect before does not do so twice."""
        return done(await delivery_replays.replay(id, principal=principal))
