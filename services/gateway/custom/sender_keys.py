"""The public keys of senders that sign with a JWT, as their address (JWKS) gives them. Source: RFC 7517.

Whoever makes a webhook names the address and whoever calls it has it asked: so it is asked seldom, never for long, for
few bytes, without following it elsewhere, and never inside of our own network unless the operator allows the host.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import math
import time
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Any, Final

import httpx
import msgspec

Key = Mapping[str, Any]
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]

KEPT_S: Final = 300.0
AGAIN_S: Final = 30.0
"""The soonest that an address is asked again: for a key that is not known yet, or after it has failed."""
WAIT_S: Final = 3.0
MAX_BYTES: Final = 256 * 1024
MAX_ADDRESSES: Final = 200
TRANSLATED: Final = ipaddress.IPv6Network("64:ff9b::/96")
"""NAT64: the last 32 bits are an address of IPv4, which may be one of ours. Source: RFC 6052."""


class KeysUnavailable(Exception):
    """The keys cannot be read; the text says why, for the operator."""


class _KeySet(msgspec.Struct, frozen=True):
    keys: list[Any]


class _Kept:
    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.keys: Sequence[Key] | None = None
        self.asked = -math.inf
        self.problem = ""


class SenderKeys:
    """Reads and keeps keys. ``own_hosts`` may be asked although they are inside of our own network."""

    def __init__(
        self,
        own_hosts: Collection[str] = (),
        *,
        resolve: Resolve | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._own_hosts = {host.lower() for host in own_hosts}
        self._resolve = resolve or _addresses
        self._transport = transport
        self._clock = clock
        self._kept: dict[str, _Kept] = {}

    async def of(self, url: str, kid: str | None) -> Sequence[Key]:
        """The keys at an address, read again for one with an unknown id. Raises `KeysUnavailable`."""
        if url not in self._kept and len(self._kept) >= MAX_ADDRESSES:
            self._kept.pop(next(iter(self._kept)))
        kept = self._kept.setdefault(url, _Kept())
        async with kept.lock:  # one question, however many deliveries wait for it
            if self._is_due(kept, kid):
                kept.asked = self._clock()
                try:
                    async with asyncio.timeout(WAIT_S):
                        kept.keys, kept.problem = await self._read(url), ""
                except (httpx.HTTPError, httpx.InvalidURL, OSError, TimeoutError, ValueError) as error:
                    kept.problem = str(error) or type(error).__name__
        if kept.keys is None:
            raise KeysUnavailable(kept.problem)
        return kept.keys

    async def refuse_address(self, url: str) -> None:
        """Raises `ValueError` for an address that is never asked. One that cannot be looked up now is none of these."""
        there = _usable(url)
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(WAIT_S):
                await self._permitted(there.host, there.port or 443)

    def _is_due(self, kept: _Kept, kid: str | None) -> bool:
        age = self._clock() - kept.asked
        is_known = kept.keys is not None and (kid is None or any(key.get("kid") == kid for key in kept.keys))
        return age > (KEPT_S if is_known and not kept.problem else AGAIN_S)

    async def _read(self, url: str) -> Sequence[Key]:
        there = _usable(url)
        # What was looked up is what is connected to: another answer of the name server changes nothing.
        address = await self._permitted(there.host, there.port or 443)
        async with (
            httpx.AsyncClient(timeout=WAIT_S, transport=self._transport, follow_redirects=False) as http,
            http.stream(
                "GET",
                there.copy_with(host=address),
                headers={"Host": there.netloc.decode(), "Accept": "application/json", "Accept-Encoding": "identity"},
                extensions={"sni_hostname": there.host},
            ) as answer,
        ):
            if answer.status_code != 200:
                raise ValueError(f"it answered {answer.status_code}")
            body = bytearray()
            async for part in answer.aiter_raw():
                body += part
                if len(body) > MAX_BYTES:
                    raise ValueError(f"it answered with more than {MAX_BYTES:,} bytes")
        try:
            found = msgspec.json.decode(bytes(body), type=_KeySet).keys
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise ValueError(f"it answered with no set of keys: {error}") from error
        return [key for key in found if isinstance(key, dict) and key.get("use", "sig") == "sig"]

    async def _permitted(self, host: str, port: int) -> str:
        found = await self._resolve(host, port)
        if not found:
            raise ValueError("its host has no address")
        if host.lower() not in self._own_hosts and not all(map(_is_public, found)):
            raise ValueError(
                "its host is inside of our own network: name it in JOURNEYMAN_JWKS_HOSTS where that is meant"
            )
        return found[0]


def _usable(url: str) -> httpx.URL:
    try:
        there = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise ValueError(f"it is no address: {error}") from error
    if there.scheme != "https" or there.userinfo or not there.host:
        raise ValueError("keys are read over https://, without a login in the address")
    return there


def _is_public(address: str) -> bool:
    parsed = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed in TRANSLATED:
            parsed = ipaddress.IPv4Address(int(parsed) & 0xFFFF_FFFF)
        else:
            parsed = parsed.ipv4_mapped or parsed.sixtofour or parsed
    return parsed.is_global and not parsed.is_multicast


async def _addresses(host: str, port: int) -> Sequence[str]:
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=1)
    return [str(where[0]) for *_, where in found]
