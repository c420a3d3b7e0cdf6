"""What the API's controllers have in common."""

from __future__ import annotations

from typing import Annotated, Any, Final

from litestar.openapi.datastructures import ResponseSpec
from litestar.params import Parameter

from services.gateway.problems import ProblemDetails

MinSeq = Annotated[
    int | None, Parameter(query="min_seq", ge=0, description="Answer from a state that includes this event")
]
Filter = Annotated[str | None, Parameter(max_length=500)]
Limit = Annotated[int | None, Parameter(ge=1, le=500)]

_DESCRIPTIONS: Final = {
    400: "The request does not fit",
    403: "Not from the dashboard's own page",
    404: "There is no such thing",
    409: "The command does not fit the state; `code` says why",
    410: "The artifact is gone",
    503: "A part that is needed is away",
    504: "Stored, but not handled in time",
}


def problems(*statuses: int) -> dict[int, ResponseSpec]:
    """The problems that an address answers with, for the OpenAPI document."""
    return {
        status: ResponseSpec(ProblemDetails, description=_DESCRIPTIONS[status], generate_examples=False)
        for status in statuses
    }


def asked(**params: Any) -> dict[str, Any]:
    """The parameters that were given; an empty text counts as none."""
    return {name: value for name, value in params.items() if value is not None and value != ""}
