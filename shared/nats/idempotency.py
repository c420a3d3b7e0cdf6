"""Idempotency keys in a key-value bucket: which task a key has opened, kept for a day."""

from __future__ import annotations

import hashlib
import re
from typing import Final

import msgspec
import nats.js.errors

from shared.event_store.journal import LogFull, LogUnavailable
from shared.nats.bus import Bus
from shared.nats.journal import CONFLICTS
from shared.nats.last import last_message
from shared.nats.streams import IDEMPOTENCY, STREAM_FULL

MAX_KEY_CHARS: Final = 255
KEY: Final = re.compile(rf"[\x21-\x7e]{{1,{MAX_KEY_CHARS}}}")
"""An idempotency key: 1 to 255 visible ASCII characters."""
TRIES: Final = 3
"""How often a claim is made while nothing says whether it is stored, or while the earlier one has just expired."""


class KeyReused(Exception):
    """The key belongs to another request; the text says so to a person."""


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """The task that a key opens, and the fingerprint of the request that came with the key."""

    task_id: str
    request: str


class IdempotencyKeys:
    """Claims keys, each once in 24 hours: two processes that claim one key at the same time get the same task."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def claim(self, principal: str, key: str, wanted: Claim) -> Claim:
        """The claim that holds for this principal's key: the wanted one, or the earlier one of the same request.

        Raises `KeyReused` when the earlier request was another one, `LogFull`, `LogUnavailable`, and the connection's
        errors.
        """
        # The key is a text from outside: only its hash becomes a part of a subject.
        hashed = hashlib.sha256(f"{principal}\x1f{key}".encode()).hexdigest()
        subject = f"$KV.{IDEMPOTENCY}.{hashed}"
        for _ in range(TRIES):
            if await self._create(subject, wanted):
                return wanted
            if (found := await self._find(subject)) is None:
                continue
            if found.request != wanted.request:
                raise KeyReused(
                    "This idempotency key came with another request before: use a new key for a new request."
                )
            return found
        raise LogUnavailable("The idempotency keys do not answer: check that NATS runs, then try again.")

    async def _create(self, subject: str, claim: Claim) -> bool:
        """Store the claim where there is none; False when there is one, or when it is not known."""
        try:
            headers = {"Nats-Expected-Last-Subject-Sequence": "0"}
            await self._bus.publish(subject, msgspec.json.encode(claim), headers)
        except nats.js.errors.NoStreamResponseError as error:
            raise LogUnavailable(f"The bucket {IDEMPOTENCY} is missing: run `journeyman provision`.") from error
        except nats.js.errors.APIError as error:
            if error.err_code in STREAM_FULL:
                raise LogFull(
                    "There is no room for another idempotency key: wait until older ones expire, or give them more "
                    f"room with `nats stream edit KV_{IDEMPOTENCY} --max-bytes`."
                ) from error
            if error.err_code not in CONFLICTS:
                raise
            return False
        except TimeoutError:
            return False
        return True

    async def _find(self, subject: str) -> Claim | None:
        message = await last_message(self._bus, f"KV_{IDEMPOTENCY}", subject)
        return None if message is None else msgspec.json.decode(message.data, type=Claim)


def fingerprint(request: list[str]) -> str:
    """What a request asks for, as a SHA-256: the same for the same texts in the same order."""
    return hashlib.sha256(msgspec.json.encode(request)).hexdigest()
