"""The OpenAPI document's answers that no handler gives: what requests are refused with before a route is looked up."""

from __future__ import annotations

from litestar.plugins import ReceiveRoutePlugin
from litestar.routes import BaseRoute, HTTPRoute

from services.gateway.api.dependencies import problems
from services.gateway.security.origin_guard import EXEMPT


class RefusalResponses(ReceiveRoutePlugin):
    """Adds the refusals of the origin guard, the concurrency limit and wrong parameters to every route behind them.

    The routes that are exempt from the guard say themselves what they answer.
    """

    def receive_route(self, route: BaseRoute) -> None:
        """Called by Litestar with each route as it is registered."""
        if not isinstance(route, HTTPRoute) or EXEMPT.fullmatch(_example_of(route)):
            return
        for handler in route.route_handlers:
            takes_a_body = bool({"POST", "PUT"} & set(handler.http_methods))
            always = problems(400, 401, 403, 421, 429, 503, *([413] if takes_a_body else []))
            handler.responses = always | dict(handler.responses or {})


def _example_of(route: HTTPRoute) -> str:
    """A path that the route takes."""
    return "/" + "/".join(part if isinstance(part, str) else "x" for part in route.path_components)
