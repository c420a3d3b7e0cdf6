"""What a proxy in front says of a request: who asks, and whether by TLS. Nobody else is believed."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from typing import Final

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send

from shared.ops.addresses import Network

_BY_TLS: Final = {ScopeType.HTTP: "https", ScopeType.WEBSOCKET: "wss"}


class TrustedProxies:
    """An ASGI application around another one, which finds the asker in ``client`` and ``scheme``."""

    def __init__(self, app: ASGIApp, networks: Sequence[Network]) -> None:
        self._app = app
        self._networks = networks

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what is believed."""
        client = scope.get("client")
        if scope["type"] in _BY_TLS and client and self._is_trusted(client[0]):
            scope["client"] = (self._asker(scope, client[0]), 0)
            if _values(scope, b"x-forwarded-proto")[-1:] == ["https"]:
                scope["scheme"] = _BY_TLS[ScopeType(scope["type"])]
        await self._app(scope, receive, send)

    def _asker(self, scope: Scope, last: str) -> str:
        """The last address that no proxy of ours has: what stands before it anybody may have written."""
        for address in reversed(_values(scope, b"x-forwarded-for")):
            last = address
            if not self._is_trusted(address):
                break
        return last

    def _is_trusted(self, address: str) -> bool:
        try:
            found = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(found in network for network in self._networks)


def _values(scope: Scope, name: bytes) -> list[str]:
    """Each value of a header that is a list, in order."""
    lines = [value.decode("latin-1") for header, value in scope["headers"] if header == name]
    return [each.strip() for line in lines for each in line.split(",") if each.strip()]
