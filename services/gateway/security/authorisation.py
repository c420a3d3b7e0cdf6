"""Authorisation: whether somebody may have a route, by the one table of roles."""

from __future__ import annotations

from typing import Any, Final

import structlog
from litestar.connection import ASGIConnection
from litestar.handlers.base import BaseRouteHandler

from services.gateway.problems import Problem
from services.gateway.security.identity import identity_in
from shared.contracts.roles import OPEN, OPERATIONS, SIGNED_IN, Row

OPERATION: Final = "operation"
"""Where a handler that is in no document says which row of the table is its own."""
_BESIDE: Final[dict[str, Row]] = {"dashboard": OPEN, "live": SIGNED_IN, "schema": SIGNED_IN}
"""What has no operation id: the dashboard's files, the WebSocket (which asks for each of its topics and messages), and
the document itself."""

log = structlog.get_logger(__name__)


def row_of(handler: BaseRouteHandler) -> Row | None:
    """The row of a route; None for one that has none, which nobody may have."""
    operation = str(getattr(handler, "operation_id", None) or handler.opt.get(OPERATION))
    return _BESIDE.get(operation, OPERATIONS.get(operation))


def authorise(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """A guard of Litestar; raises `Problem` 401 and 403."""
    row = row_of(handler)
    if row is OPEN:
        return
    identity = identity_in(connection.scope)
    try:
        identity.require(row)
    except Problem as problem:
        log.info("refused", code=problem.code, person=identity.name, via=identity.via, handler=handler.handler_name)
        raise
