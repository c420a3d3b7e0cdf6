"""A parameter behind the question mark that an address does not know is an error: ``state`` is no ``status``."""

from __future__ import annotations

from functools import cache
from typing import Final

from litestar import Litestar
from litestar.connection import Request
from litestar.datastructures import State
from litestar.openapi.spec import Parameter

from services.gateway.problems import FieldError, Problem

_ANYWHERE: Final = frozenset({"replay"})
"""A dashboard that shows a replay says so with all it asks; what is the same at any moment need not know it."""
_METHODS: Final = ("get", "post", "put", "patch", "delete")


def refuse_unknown(request: Request[object, object, State]) -> None:
    """Raise `Problem` ``invalid-request`` that names what is unknown, and what there is."""
    known = _parameters(request.app).get(str(getattr(request.route_handler, "operation_id", "")))
    if known is None:
        return
    unknown = sorted(set(request.query_params) - known - _ANYWHERE)
    if unknown:
        there = ", ".join(sorted(known)) or "none"
        raise Problem(
            400,
            "invalid-request",
            f"This address has no parameter {', '.join(map(repr, unknown))}; it has: {there}.",
            errors=tuple(FieldError(name, "there is no such parameter") for name in unknown),
        )


@cache
def _parameters(app: Litestar) -> dict[str, set[str]]:
    """The names behind the question mark, by operation, as the OpenAPI document has them."""
    found: dict[str, set[str]] = {}
    for path in (app.openapi_schema.paths or {}).values():
        for method in _METHODS:
            if (operation := getattr(path, method)) is not None and operation.operation_id:
                given = [each for each in operation.parameters or () if isinstance(each, Parameter)]
                found[operation.operation_id] = {each.name for each in given if each.param_in == "query"}
    return found
