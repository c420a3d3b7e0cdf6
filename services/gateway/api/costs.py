"""`/api/costs`."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from litestar import Controller, get
from litestar.params import Parameter

from services.gateway.api.dependencies import MinSeq, ReadModels, problems
from shared.contracts.queries import Costs, GetCosts, GroupBy


class CostController(Controller):
    """What the models cost: integer micro-dollars and tokens."""

    path = "/api/costs"
    tags = ("costs",)

    @get("/", operation_id="getCosts", summary="Costs, grouped", responses=problems(400, 404, 410, 503))
    async def get_costs(
        self,
        read_models: ReadModels,
        group_by: GroupBy = GroupBy.DAY,
        from_: Annotated[date | None, Parameter(query="from", description="First day (UTC)")] = None,
        to: Annotated[date | None, Parameter(query="to", description="Last day (UTC)")] = None,
        min_seq: MinSeq = 0,
    ) -> Costs:
        """Costs of the days from and to, both included."""
        return await read_models.query(GetCosts(group_by=group_by, from_day=from_, to_day=to, min_seq=min_seq))
