"""What a request is to the API's handlers."""

from __future__ import annotations

from typing import Any

from litestar import Request

from services.gateway.problems import Problem


class ApiRequest(Request[Any, Any, Any]):
    """A request whose body is JSON in UTF-8, or a 400 that says what is wrong with it."""

    async def json(self) -> Any:
        """The body, decoded. Raises `Problem` for what Litestar passes on as an error of ours."""
        try:
            return await super().json()
        except UnicodeDecodeError as error:
            at = error.start
            raise Problem(400, "body-unreadable", f"The body is not UTF-8 (byte {at}): send JSON in UTF-8.") from error
        except RecursionError as error:
            raise Problem(400, "body-unreadable", "The body's JSON is nested too deeply: send it flatter.") from error
