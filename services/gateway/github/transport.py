"""One request to GitHub: sent, bounded, and its answer or what went wrong."""

from __future__ import annotations

import asyncio
import re
import ssl
import time
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final, Literal, TypeVar
from urllib.parse import quote, urlsplit

import httpx
import msgspec
from gidgethub import GitHubException, sansio
from prometheus_client import Counter

from services.gateway.github.errors import (
    AlreadyThere,
    Denied,
    GitHubError,
    NotAccepted,
    NotThere,
    RateLimited,
    Refused,
    Unavailable,
    Unclear,
)
from shared.ops.version import VERSION

API_VERSION: Final = "2022-11-28"
ACCEPT: Final = "application/vnd.github+json"
MAX_ANSWER_BYTES: Final = 32 << 20
"""Above what a page of a hundred comments of the greatest length takes."""
MAX_STORED_BYTES: Final = 64 << 20
MAX_KEPT_BYTES: Final = 2 << 20
"""Of a text that is kept elsewhere: so much is read at most, and so much of its end is kept."""
STORED_S: Final = 30.0
MAX_MOVES: Final = 3
TEXT_HOSTS: Final = (".actions.githubusercontent.com", ".blob.core.windows.net")
"""Where GitHub keeps logs.

Source: https://docs.github.com/en/actions/reference/runners/self-hosted-runners ("communication requirements")
"""
SECONDARY_WAIT_S: Final = 60.0
"""What GitHub asks for when it names no time.

Source: https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
"""
MAX_WAIT_S: Final = 3600.0
TIMEOUT: Final = httpx.Timeout(20.0, connect=5.0)

CALLS: Final = Counter("journeyman_github_calls_total", "Calls of GitHub's API, by what they ended with", ["outcome"])

Method = Literal["GET", "POST", "PATCH", "PUT", "DELETE"]
Json = Mapping[str, Any]
T = TypeVar("T")

_MOVED: Final = frozenset({301, 302, 303, 307, 308})
_NEVER_SENT: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)
"""The request left no byte on the wire."""


_REPO: Final = re.compile(r"(?!\.\.?/)[A-Za-z0-9._-]+/(?!\.\.?$)[A-Za-z0-9._-]+")


def repo_path(repo: str) -> str:
    """Where the calls about ``owner/name`` begin. Raises `NotThere` for what is no name of a repository."""
    if not _REPO.fullmatch(repo):
        raise NotThere(
            f'{repo!r} is no repository of GitHub: write github = "owner/name" in its part of journeyman.toml.'
        )
    return f"/repos/{repo}"


def path_part(text: str) -> str:
    """One part of a path, whatever it holds. Raises `NotThere` for a name that no part can have."""
    if text in ("", ".", ".."):
        raise NotThere(f"GitHub has nothing that is called {text!r}.")
    return quote(text, safe="")


class Transport:
    """Requests to one API; what it says about its limits holds for the ``account`` that asked."""

    def __init__(
        self, api_url: str, *, http: httpx.AsyncClient | None = None, clock: Callable[[], float] = time.time
    ) -> None:
        self.api_url = api_url.rstrip("/")
        # Renamed repositories answer with a redirect. httpx gives credentials to the same host alone.
        self._http = http or httpx.AsyncClient(
            timeout=TIMEOUT, follow_redirects=True, max_redirects=3, verify=_trusted()
        )
        self._clock = clock
        self._closed_until: dict[str, float] = {}

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def ask(
        self,
        shape: type[T],
        method: Method,
        path: str,
        *,
        authorization: str,
        account: str,
        body: Json | None = None,
        params: Json | None = None,
    ) -> T:
        """The answer in a shape. ``path`` begins with a slash. Raises a `GitHubError`."""
        answer, _ = await self._ask(method, path, authorization, account, body, params)
        return _converted(answer, shape, method, path)

    async def page(
        self, shape: type[T], path: str, *, authorization: str, account: str, params: Json | None = None
    ) -> tuple[T, str | None]:
        """One page of a list in a shape, and the path of the next one. Raises a `GitHubError`."""
        answer, following = await self._ask("GET", path, authorization, account, None, params)
        return _converted(answer, shape, "GET", path), self._own(following)

    async def stored(self, path: str, *, authorization: str, account: str) -> str:
        """The end of a text that GitHub keeps elsewhere, such as a log. Raises a `GitHubError`.

        GitHub answers with the address, which is good for a minute. Only one where GitHub keeps such texts is followed,
        once, and without the credentials: the address itself lets in.
        """
        what, where = f"GET {path}", f"{self.api_url}{path}"
        for _ in range(MAX_MOVES):
            request = self._request("GET", where, authorization, account)
            status, headers, content = await self._answer("GET", what, request, account, follow=False)
            if status not in _MOVED:
                raise _refusal("GET", what, status, headers, content)
            where = str(request.url.join(headers.get("location", "")))
            if not where.startswith(f"{self.api_url}/"):
                return await self._fetched(what, httpx.URL(where))
            # The repository has another name by now.
        raise Refused(f"{what}: GitHub leads in a circle.")

    async def _fetched(self, what: str, where: httpx.URL) -> str:
        if not self._keeps_texts(where):
            raise Refused(f"{what}: it is kept at {where.host or 'no host'}, where GitHub's texts are not known to be.")
        # Nothing that the client remembers of GitHub goes there: no credentials, no cookies.
        request = httpx.Request("GET", where, headers={"user-agent": f"journeyman/{VERSION}"})
        kept, total = bytearray(), 0
        try:
            async with asyncio.timeout(STORED_S):
                response = await self._http.send(request, stream=True, follow_redirects=False, auth=None)
                try:
                    if response.status_code != 200:
                        raise NotThere(f"{what}: {where.host} answered {response.status_code}.")
                    async for chunk in response.aiter_bytes():
                        kept += chunk
                        total += len(chunk)
                        del kept[: max(0, len(kept) - MAX_KEPT_BYTES)]
                        if total > MAX_STORED_BYTES:
                            raise Refused(f"{what}: it is larger than {MAX_STORED_BYTES >> 20} MiB.")
                finally:
                    await response.aclose()
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
            raise Unavailable(f"{what}: {where.host} gave no answer ({_reason(error)}).") from error
        return kept.decode("utf-8", "replace")

    def _keeps_texts(self, where: httpx.URL) -> bool:
        """Whether GitHub keeps texts there: its own storage, or a host of an Enterprise Server's own."""
        own = httpx.URL(self.api_url)
        if where.userinfo or where.scheme != own.scheme:
            return False
        if own.host == "api.github.com" or own.host.endswith(".ghe.com"):
            return where.port is None and where.host.endswith(TEXT_HOSTS)
        return where.host == own.host or where.host.endswith(f".{own.host}")

    def _own(self, following: str | None) -> str | None:
        """The path of the next page; an address elsewhere is not followed."""
        if following is None or not following.startswith(f"{self.api_url}/"):
            return None
        return following.removeprefix(self.api_url)

    async def _ask(
        self, method: Method, path: str, authorization: str, account: str, body: Json | None, params: Json | None
    ) -> tuple[Any, str | None]:
        outcome = "answered"
        try:
            return await self._exchanged(method, path, authorization, account, body, params)
        except GitHubError as error:
            outcome = type(error).__name__
            raise
        finally:
            CALLS.labels(outcome).inc()

    async def _exchanged(
        self, method: Method, path: str, authorization: str, account: str, body: Json | None, params: Json | None
    ) -> tuple[Any, str | None]:
        what = f"{method} {urlsplit(path).path}"
        request = self._request(method, f"{self.api_url}{path}", authorization, account, body, params)
        status, answered, content = await self._answer(method, what, request, account)
        try:
            decoded, _, following = sansio.decipher_response(status, answered, content)
        except GitHubException as error:
            raise _named(method, what, status, answered, error) from error
        except (ValueError, LookupError, TypeError, RecursionError) as error:
            raise _lost(method, f"{what}: GitHub answered {status} with what cannot be read.") from error
        return decoded, following

    def _request(
        self,
        method: Method,
        url: str,
        authorization: str,
        account: str,
        body: Json | None = None,
        params: Json | None = None,
    ) -> httpx.Request:
        """A request to the API. Raises `RateLimited` where the account may not ask now."""
        if (until := self._closed_until.get(account, 0.0)) > self._clock():
            raise RateLimited("GitHub accepts no more calls", until)
        headers = sansio.create_headers(f"journeyman/{VERSION}", accept=ACCEPT)
        headers["x-github-api-version"] = API_VERSION
        if authorization:
            headers["authorization"] = authorization
        return self._http.build_request(method, url, headers=headers, json=body, params=params or None)

    async def _answer(
        self, method: Method, what: str, request: httpx.Request, account: str, *, follow: bool = True
    ) -> tuple[int, Mapping[str, str], bytes]:
        """Status, headers and body. Raises what comes instead of an answer, and `RateLimited`."""
        try:
            status, answered, content = await self._sent(request, follow=follow)
        except _NEVER_SENT as error:
            raise Unavailable(f"GitHub cannot be reached at {self.api_url} ({_reason(error)}).") from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise _lost(method, f"{what}: no answer came ({_reason(error)}).") from error
        if until := self._until(status, answered, content):
            self._closed_until[account] = until
            raise RateLimited("GitHub accepts no more calls", until)
        self._remember_last_call(account, answered)
        return status, answered, content

    async def _sent(self, request: httpx.Request, *, follow: bool) -> tuple[int, Mapping[str, str], bytes]:
        """Status, headers with lower-case names, and body."""
        response = await self._http.send(request, stream=True, follow_redirects=follow)
        try:
            content = bytearray()
            async for chunk in response.aiter_bytes():
                content += chunk
                if len(content) > MAX_ANSWER_BYTES:
                    raise httpx.ReadError("the answer is too large")
            return response.status_code, response.headers, bytes(content)
        finally:
            await response.aclose()

    def _until(self, status: int, headers: Mapping[str, str], content: bytes) -> float:
        """Until when nothing may be asked, in seconds since 1970; 0 where the answer is about something else."""
        if status not in (403, 429):
            return 0.0
        now = self._clock()
        if (wait := _number(headers.get("retry-after"))) is not None:
            return now + min(max(wait, 1.0), MAX_WAIT_S)
        if headers.get("x-ratelimit-remaining") == "0" and (reset := _number(headers.get("x-ratelimit-reset"))):
            return min(max(reset, now + 1.0), now + MAX_WAIT_S)
        if status == 429 or b"secondary rate limit" in content.lower() or b"abuse detection" in content.lower():
            return now + SECONDARY_WAIT_S
        return 0.0

    def _remember_last_call(self, account: str, headers: Mapping[str, str]) -> None:
        """After the last call that the primary limit allows: do not ask again before it is reset."""
        if headers.get("x-ratelimit-remaining") == "0" and (reset := _number(headers.get("x-ratelimit-reset"))):
            self._closed_until[account] = min(reset, self._clock() + MAX_WAIT_S)


@cache
def _trusted() -> ssl.SSLContext:
    """The certificates that are trusted; reading them takes a third of a second."""
    return httpx.create_ssl_context()


def _number(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if 0 <= value < 1e12 else None


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__


def _lost(method: Method, sentence: str) -> GitHubError:
    """What a failure means that says nothing about whether the request was acted on."""
    return Unavailable(sentence) if method == "GET" else Unclear(sentence)


def _refusal(method: Method, what: str, status: int, headers: Mapping[str, str], content: bytes) -> GitHubError:
    """What an answer means that is no address, although it was to be one."""
    try:
        sansio.decipher_response(status, headers, content)
    except GitHubException as error:
        return _named(method, what, status, headers, error)
    except (ValueError, LookupError, TypeError, RecursionError):
        pass
    return _lost(method, f"{what}: GitHub answered {status} and no address.")


def _named(method: Method, what: str, status: int, headers: Mapping[str, str], error: GitHubException) -> GitHubError:
    sentence = f"{what}: GitHub answered {status} ({error})."
    match status:
        case 401:
            return NotAccepted(f"{sentence} The credentials are not accepted: make new ones.")
        case 403:
            needed = headers.get("x-accepted-github-permissions", "")
            return Denied(sentence + (f" It needs {needed}." if needed else ""))
        case 404 | 410 | 451:
            return NotThere(sentence)
        case 422 if "already exists" in str(error).lower():
            return AlreadyThere(sentence)
        case 400 | 405 | 406 | 409 | 413 | 415 | 422:
            return Refused(sentence)
        case _ if 300 <= status < 500:
            return Refused(sentence)
        case _:
            return _lost(method, sentence)


def _converted(answer: Any, shape: type[T], method: Method, path: str) -> T:
    try:
        return msgspec.convert(answer, shape, strict=False)
    except (msgspec.ValidationError, RecursionError) as error:
        what = f"{method} {urlsplit(path).path}"
        raise _lost(method, f"{what}: GitHub's answer has another shape than its documentation ({error}).") from error
