"""What lets somebody in once: a link by which one logs in, and a ticket by which a WebSocket is opened."""

from __future__ import annotations

import secrets
from typing import Final

import msgspec

from services.gateway.security.identity import Identity
from services.gateway.security.sessions import TOKEN_BYTES, hash_of_secret
from shared.nats.session_bucket import SessionBucket

LINK_S: Final = 3600.0
TICKET_S: Final = 30.0


class _Link(msgspec.Struct, frozen=True):
    name: str


class OneTime:
    """Makes them and takes them back, each once, whichever gateway is asked. Raises what the bucket raises."""

    def __init__(self, bucket: SessionBucket) -> None:
        self._bucket = bucket

    async def link(self, name: str) -> str:
        """A secret by which this person logs in, once and within `LINK_S`."""
        secret = secrets.token_urlsafe(TOKEN_BYTES)
        await self._bucket.put(f"link.{hash_of_secret(secret)}", msgspec.json.encode(_Link(name)), within_s=LINK_S)
        return secret

    async def redeem_link(self, secret: str) -> str | None:
        """Whose it was; None for what is no link, not any more, or not yet."""
        data = await self._bucket.take(f"link.{hash_of_secret(secret)}")
        return None if data is None else msgspec.json.decode(data, type=_Link).name

    async def ticket(self, identity: Identity) -> str:
        """A secret by which this person opens one WebSocket, within `TICKET_S`."""
        secret = secrets.token_urlsafe(TOKEN_BYTES)
        await self._bucket.put(f"ticket.{hash_of_secret(secret)}", msgspec.json.encode(identity), within_s=TICKET_S)
        return secret

    async def redeem_ticket(self, secret: str) -> Identity | None:
        """Who got it; None for what is no ticket, or not any more."""
        data = await self._bucket.take(f"ticket.{hash_of_secret(secret)}")
        return None if data is None else msgspec.json.decode(data, type=Identity)
