"""The webhooks that people have made, as the log has them now: found by name for every delivery."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

import jwt
import structlog
from msgspec.structs import replace

from services.gateway.custom.paths import find
from services.gateway.custom.sealed_secrets import SealedSecrets, SecretLost
from services.gateway.custom.sender_keys import KeysUnavailable, SenderKeys
from services.gateway.custom.verification import verify
from services.gateway.inbound.receiver import Door
from services.gateway.inbound.sender import Ignored, Incoming, Reading, Sender
from services.gateway.inbound.text import one_line, visible
from services.gateway.problems import Problem, unavailable
from shared.contracts.delivery import Signal, SignalKind
from shared.contracts.subjects import Actor
from shared.contracts.webhook import NAME, Definition, Scheme, Webhook, evolve
from shared.event_store.envelope import RecordedEvent
from shared.event_store.journal import Journal
from shared.ops.config import Config
from shared.runtime.acknowledge import TRANSIENT
from shared.runtime.reached import Reached
from shared.runtime.watcher import until_draining, watch

CALL: Final = "call"
"""What every event of such a webhook is called."""
WINDOW_S: Final = 600.0
"""The same body within so many seconds is one delivery, where the webhook has no path to an id."""
FILE_KEPT_S: Final = 2.0
MAX_FILE_BYTES: Final = 4 * 1024
"""Of a file with a secret."""

log = structlog.get_logger(__name__)


class Webhooks:
    """Follows the log. A webhook counts as soon as its event is heard, in every gateway."""

    def __init__(self, journal: Journal, secrets: SealedSecrets, keys: SenderKeys) -> None:
        self._journal = journal
        self._secrets = secrets
        self.keys = keys
        self._found: dict[str, Webhook] = {}
        self._made_by: dict[str, str] = {}
        self._reached = Reached()
        self._kept: dict[tuple[str, str], bytes] = {}
        self._files: dict[str, tuple[float, bytes]] = {}
        self._draining = asyncio.Event()

    async def run(self) -> None:
        """Follow the log until `drain`."""
        await until_draining(self._draining, watch(self._journal, "evt.webhook.>", after=0, handle=self._hear))

    def drain(self) -> None:
        """Follow no longer."""
        self._draining.set()

    def _hear(self, event: RecordedEvent) -> None:
        name = event.actor.id
        self._found[name] = evolve(self._found.get(name), event.data)
        self._made_by.setdefault(name, event.principal)
        self._reached.move(event.position)

    async def heard(self, position: int) -> None:
        """Wait until the log was followed to a position, for a moment at most."""
        await self._reached.wait(position)

    def all(self) -> Mapping[str, Webhook]:
        """Every webhook by its name."""
        return self._found

    def made_by(self, name: str) -> str:
        """The principal of the person who has made it."""
        return self._made_by.get(name, "")

    def sender_of(self, name: str) -> Sender | None:
        """How its deliveries are read; None for a name that nobody has given."""
        webhook = self._found.get(name)
        return None if webhook is None else self._sender(name, webhook.definition, ())

    async def door(self, name: str, headers: Mapping[str, str]) -> Door | None:
        """How a delivery with these headers is handled now; None for a name that nobody has given. Raises `Problem`."""
        webhook = self._found.get(name) or await self._asked(name)
        if webhook is None:
            return None
        if not webhook.enabled:
            raise Problem(404, "webhook-disabled", f"The webhook {name} takes no deliveries: enable it.")
        how = webhook.definition.verification
        keys = await self._keys_of(how.jwks_url, headers) if how.jwks_url else ()
        return Door(self._sender(name, webhook.definition, keys), await self._secrets_of(name, webhook))

    async def _asked(self, name: str) -> Webhook | None:
        """A webhook that this gateway has not heard of: one that starts, or another one has made it a moment ago."""
        if not NAME.fullmatch(name):
            return None
        try:
            events = await self._journal.load(Actor("webhook", name))
        except TRANSIENT as error:
            raise unavailable("nats-away", "Webhooks cannot be looked up right now: send it again.") from error
        webhook: Webhook | None = None
        for event in events:
            webhook = evolve(webhook, event.data)
        return webhook

    async def secrets_of(self, name: str) -> tuple[bytes, ...]:
        """The secrets that count now, the newest first; none for a webhook without. Raises `Problem`."""
        webhook = self._found.get(name)
        return () if webhook is None else await self._secrets_of(name, webhook)

    def _sender(self, name: str, definition: Definition, keys: Sequence[Mapping[str, Any]]) -> Sender:
        return Sender(
            verify=lambda incoming, secrets: verify(definition.verification, incoming, secrets, lambda: keys),
            event=lambda _: CALL,
            delivery_id=_delivery_id,
            read=partial(_read, name, definition),
            signed_id=_signed_id if definition.verification.scheme is Scheme.STANDARD else lambda _: "",
        )

    async def _secrets_of(self, name: str, webhook: Webhook) -> tuple[bytes, ...]:
        if file := webhook.definition.verification.secret_file:
            return (await self._secret_in(name, file),)
        found, lost = [], ""
        for fingerprint in webhook.fingerprints(datetime.now(UTC)):
            key = (name, fingerprint)
            if key not in self._kept:
                try:
                    self._kept[key] = (await self._secrets.find(name, fingerprint)).encode()
                except SecretLost as error:
                    # After a restore a new one counts, and the one before it is lost.
                    log.error("a secret of a webhook is lost", webhook=name, problem=str(error))
                    lost = str(error)
                    continue
            found.append(self._kept[key])
        if lost and not found:
            raise Problem(401, "webhook-not-configured", lost)
        return tuple(found)

    async def _secret_in(self, name: str, file: str) -> bytes:
        kept = self._files.get(file)
        if kept is not None and kept[0] > time.monotonic():
            return kept[1]
        try:
            secret = await asyncio.to_thread(secret_in, Path(file))
        except OSError as error:
            raise Problem(
                401, "webhook-not-configured", f"The file with the secret of the webhook {name} cannot be read."
            ) from error
        if not secret or len(secret) > MAX_FILE_BYTES:
            raise Problem(
                401,
                "webhook-not-configured",
                f"The file with the secret of the webhook {name} is {'too long for one' if secret else 'empty'}.",
            )
        self._files[file] = (time.monotonic() + FILE_KEPT_S, secret)
        return secret

    async def _keys_of(self, url: str, headers: Mapping[str, str]) -> Sequence[Mapping[str, Any]]:
        token = headers.get("authorization", "").rpartition(" ")[2]
        try:
            kid = jwt.get_unverified_header(token).get("kid")
        except jwt.PyJWTError:
            return ()  # nothing that a key could fit: it is refused without asking anybody
        try:
            return await self.keys.of(url, kid)
        except KeysUnavailable as error:
            log.warning("the keys of a webhook cannot be read", url=url, problem=str(error))
            raise unavailable(
                "keys-unavailable", "The sender's keys cannot be read right now: send it again."
            ) from error


def secret_in(path: Path) -> bytes:
    """The secret in a file, cut a byte behind the most it may have.

    Raises `OSError`, also for what is no file and could go on for ever.
    """
    if not path.is_file():
        raise OSError(f"{path} is no file")
    with path.open("rb") as opened:
        return opened.read(MAX_FILE_BYTES + 1).strip()


def _delivery_id(incoming: Incoming) -> str:
    named = ("webhook-id", "x-request-id", "idempotency-key")
    return next((incoming.headers[name][:200] for name in named if incoming.headers.get(name)), "unnamed")


def _signed_id(incoming: Incoming) -> str:
    return incoming.headers.get("webhook-id", "")


def _read(name: str, definition: Definition, event: str, body: bytes, config: Config) -> Reading:
    """What a call means; raises `Unreadable`."""
    found = find(definition, body)
    content = (name, found.id) if found.id else ()
    reading = Reading(action="", sender=found.author, meaning=Ignored(""), content=content, window_s=WINDOW_S)
    if found.failed:
        return replace(reading, meaning=Ignored(f"the filter {found.failed} does not hold"))
    thing = found.thing or found.id
    signal = Signal(
        kind=SignalKind.WORK,
        thread=f"{name}:{thing}" if thing else "",
        opened_at_ms=0,
        # A task is found by its title in every list.
        title=found.title or one_line(visible(f"{name} {thing}".strip())),
        text=found.text,
        repo=config.name_for(found.repository or definition.repo),
        url=found.url,
        author=found.author,
        # Who has made the webhook has said what is to be done; nobody else says anything but the text.
        trusted=True,
        directive=definition.directive if definition.directive != "auto" else "",
        agent=definition.agent,
        by_program=True,
    )
    return replace(reading, meaning=signal)
