"""Secrets of webhooks: written once, sealed, and never shown again.

They lie in the bucket SECRETS as AES-256-GCM, sealed by a key that is not in NATS. Archives leave the bucket out.
"""

from __future__ import annotations

import hmac
import os
import secrets
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from shared.nats.bus import Bus
from shared.nats.sealed import SealedBucket
from shared.ops.settings import Settings

KEY_FILE: Final = "secret-key"
"""In the data directory: what seals, where no setting says it."""
NONCE_BYTES: Final = 12


class SecretLost(Exception):
    """A secret is not there any more, or was sealed by another key; the text says the mend."""


class SealedSecrets:
    """Keeps and finds secrets by the name of their webhook and their fingerprint."""

    def __init__(self, bus: Bus, key: bytes) -> None:
        self._bucket = SealedBucket(bus)
        self._sealing = AESGCM(_derived(key, b"seal"))
        self._naming = _derived(key, b"name")

    def fingerprint(self, secret: str) -> str:
        """What names the secret: without the key it says nothing about it."""
        return hmac.digest(self._naming, secret.encode(), "sha256").hex()[:16]

    async def keep(self, webhook: str, secret: str) -> str:
        """Store a secret; answers with its fingerprint. Raises `LogFull`, `LogUnavailable`, the connection's errors."""
        fingerprint = self.fingerprint(secret)
        nonce = secrets.token_bytes(NONCE_BYTES)
        sealed = nonce + self._sealing.encrypt(nonce, secret.encode(), _about(webhook, fingerprint))
        await self._bucket.put(f"{webhook}.{fingerprint}", sealed)
        return fingerprint

    async def find(self, webhook: str, fingerprint: str) -> str:
        """The secret. Raises `SecretLost`, and the connection's errors."""
        sealed = await self._bucket.get(f"{webhook}.{fingerprint}")
        if sealed is None:
            raise SecretLost(
                f"The secret of the webhook {webhook} is not there: archives have none. Give it another one."
            )
        try:
            return self._sealing.decrypt(
                sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], _about(webhook, fingerprint)
            ).decode()
        except (InvalidTag, ValueError) as error:
            raise SecretLost(
                f"The secret of the webhook {webhook} was sealed by another key: set JOURNEYMAN_SECRET_KEY to that "
                "one, or give the webhook another secret."
            ) from error


def sealing_key(settings: Settings) -> bytes:
    """The key that the settings name, else the one in the data directory, which is made where there is none."""
    if key := settings.secret_key.get_secret_value():
        return key.encode()
    path = settings.data_dir / KEY_FILE
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return _made(path)


def _made(path: Path) -> bytes:
    """A new key; of two processes that make one at a time, both take the first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    mine = path.with_name(f"{path.name}.{os.getpid()}")
    mine.touch(mode=0o600)
    mine.write_bytes(secrets.token_urlsafe(32).encode())
    try:
        os.link(mine, path)
    except FileExistsError:
        pass
    finally:
        mine.unlink()
    return path.read_bytes()


def _derived(key: bytes, use: bytes) -> bytes:
    return HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=b"journeyman " + use).derive(key)


def _about(webhook: str, fingerprint: str) -> bytes:
    return f"{webhook}/{fingerprint}".encode()
