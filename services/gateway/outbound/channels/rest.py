"""One request to a sender's REST API: sent, bounded, and its answer or what went wrong."""

from __future__ import annotations

import asyncio
import contextlib
import re
import ssl
import time
from collections.abc import AsyncIterator, Callable, Mapping
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Any, Final, Literal, TypeVar

import httpx
import msgspec

from services.gateway.outbound.displays import CannotShow, NotNow
from shared.ops.known_secrets import without_secrets
from shared.ops.version import VERSION
from shared.ops.visible import visible

TIMEOUT: Final = httpx.Timeout(20.0, connect=5.0)
MAX_ANSWER_BYTES: Final = 16 << 20
MAX_WAIT_S: Final = 3600.0
LIMITED_WAIT_S: Final = 30.0
"""How long nothing is asked after a limit that names no time."""
MAX_SAID_CHARS: Final = 300

_NEXT: Final = re.compile(r'rel="next";\s*results="true";\s*cursor="([^"]{1,200})"')

Method = Literal["GET", "POST", "PUT"]
T = TypeVar("T")


class Gone(CannotShow):
    """The thing is not there, or our credentials do not see it."""


class Refused(CannotShow):
    """The sender does not take the request as it is; ``said`` are its words."""

    def __init__(self, sentence: str, said: str) -> None:
        super().__init__("refused-by-sender", sentence)
        self.said = said


class Rest:
    """Requests to one API with our credentials; changes go out one after the other.

    Calls raise `NotNow` while the sender is away, takes no more or leaves open whether it has acted; `Gone`; `Refused`;
    and `CannotShow` for credentials that do not suffice. ``title`` names the sender, ``setting`` what holds the token.
    """

    def __init__(
        self,
        title: str,
        url: str,
        setting: str,
        *,
        authorization: str,
        http: httpx.AsyncClient | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._title = title
        self._url = url.rstrip("/")
        self._setting = setting
        # A redirect would take the credentials elsewhere.
        self._http = http or httpx.AsyncClient(timeout=TIMEOUT, follow_redirects=False, verify=_trusted())
        self._headers = {
            "authorization": authorization,
            "accept": "application/json",
            "user-agent": f"journeyman/{VERSION}",
        }
        self._clock = clock
        self._closed_until = 0.0
        self._link: str | None = None
        self.told_at = 0.0
        """When the newest answer was given, by the sender's own clock; 0 where it does not say it."""
        self._changing = asyncio.Lock()

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def get(self, shape: type[T], path: str, **params: str | int) -> T:
        """What is there, in a shape."""
        return await self._asked(shape, "GET", path, None, params)

    async def pages(self, shape: type[T], path: str, *, most: int, **params: str | int) -> AsyncIterator[T]:
        """Pages of a list, as the header ``Link`` leads from one to the next by a cursor (RFC 8288); ``most`` of them.

        Requests to such a list are made one at a time.
        """
        cursor: Mapping[str, str] = {}
        for _ in range(most):
            yield await self._asked(shape, "GET", path, None, {**params, **cursor})
            found = _NEXT.search(self._link or "")
            if found is None:
                return
            cursor = {"cursor": found[1]}

    async def change(self, shape: type[T], method: Method, path: str, body: Mapping[str, Any], **params: str) -> T:
        """Change something; an answer without a body is taken for null."""
        async with self._changing:
            return await self._asked(shape, method, path, body, params)

    async def _asked(
        self, shape: type[T], method: Method, path: str, body: Mapping[str, Any] | None, params: Mapping[str, str | int]
    ) -> T:
        if self._closed_until > self._clock():
            raise NotNow(f"{self._title} takes no more calls for now.", self._closed_until)
        what = f"{method} {path}"
        try:
            request = self._http.build_request(
                method, f"{self._url}{path}", headers=self._headers, json=body, params=dict(params) or None
            )
            status, headers, content = await self._sent(request)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise NotNow(f"{what}: no answer came from {self._url} ({_reason(error)}).") from error
        self._refuse(what, status, headers, content)
        self._link, self.told_at = headers.get("link"), _date(headers.get("date"))
        try:
            return msgspec.json.decode(content or b"null", type=shape, strict=False)
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
            raise NotNow(
                f"{what}: the answer of {self._title} is not what its documentation says ({error})."
            ) from error

    async def _sent(self, request: httpx.Request) -> tuple[int, Mapping[str, str], bytes]:
        response = await self._http.send(request, stream=True)
        try:
            content = bytearray()
            async for chunk in response.aiter_bytes():
                content += chunk
                if len(content) > MAX_ANSWER_BYTES:
                    raise httpx.ReadError("the answer is too large")
            return response.status_code, response.headers, bytes(content)
        finally:
            await response.aclose()

    def _refuse(self, what: str, status: int, headers: Mapping[str, str], content: bytes) -> None:
        if status < 300:
            return
        said = _said(content)
        sentence = f"{what}: {self._title} answered {status}{f' ({said})' if said else ''}."
        match status:
            case 429 | 503 if status == 429 or "retry-after" in headers:
                wait = min(max(_seconds(headers.get("retry-after")), 1.0), MAX_WAIT_S)
                self._closed_until = self._clock() + wait
                raise NotNow(sentence, self._closed_until)
            case 401:
                raise CannotShow("denied", f"{sentence} The credentials are not accepted: renew {self._setting}.")
            case 403:
                raise CannotShow("denied", f"{sentence} The account of {self._setting} may not do that there.")
            case 404 | 410:
                raise Gone("not-there", f"{sentence} It is gone, or our credentials do not see it.")
            case _ if status >= 500 or status in (408, 409, 425):
                raise NotNow(sentence)
            case _:
                raise Refused(sentence, said)


@cache
def _trusted() -> ssl.SSLContext:
    """The certificates that are trusted; reading them takes a third of a second."""
    return httpx.create_ssl_context()


def _date(text: str | None) -> float:
    with contextlib.suppress(ValueError):
        return parsedate_to_datetime(text).timestamp() if text else 0.0
    return 0.0


def _seconds(text: str | None) -> float:
    with contextlib.suppress(ValueError):
        if 0 <= (value := float(text or "")) < 1e9:
            return value
    return LIMITED_WAIT_S


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__


def _said(content: bytes) -> str:
    """What an error says, on one line: Jira's and Sentry's have its words at different places."""
    text = content[:4096].decode("utf-8", "replace")
    return without_secrets(" ".join(visible(text).split()))[:MAX_SAID_CHARS]
