"""From a request to its answer: read with bounds, verify, parse, understand, store."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

import msgspec
import structlog
from prometheus_client import Counter, Histogram

from services.gateway.inbound.acceptance import Acceptance, Delivery
from services.gateway.inbound.body import (
    FORM,
    JSON,
    BadForm,
    Bodies,
    Gone,
    Receive,
    TooLarge,
    TooMuchAtOnce,
    TooSlow,
    json_of,
    media_type,
)
from services.gateway.inbound.redaction import without_own
from services.gateway.inbound.rereading import understood
from services.gateway.inbound.sender import Ignored, Incoming, NotAuthentic, Sender, Unnamed, Unreadable
from services.gateway.inbound.text import one_line, visible
from services.gateway.problems import Problem, unavailable
from shared.event_store.journal import LogFull
from shared.ops.config import Config
from shared.ops.senders import secret_setting
from shared.ops.settings import variable_of
from shared.runtime.acknowledge import TRANSIENT

RECEIVED: Final = Counter("journeyman_webhooks_total", "Webhook deliveries by what became of them", ["outcome"])
_accepted, _duplicate, _ignored, _refused = (
    RECEIVED.labels(outcome) for outcome in ("accepted", "duplicate", "ignored", "refused")
)

SECONDS: Final = Histogram(
    "journeyman_webhook_seconds",
    "Time from a delivery's head to its answer; senders wait for a few seconds at most",
    ["sender"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)

READ_APART_BYTES: Final = 128 * 1024
SHOWN_BYTES: Final = 8 * 1024
"""Of a body that is noted."""
UNKNOWN: Final = "webhook-unknown"

log = structlog.get_logger(__name__)


class Answer(msgspec.Struct, frozen=True):
    """Status code and body."""

    status: int
    body: dict[str, str]


class Door(NamedTuple):
    """How one webhook's deliveries are handled, and the secrets that count."""

    sender: Sender
    secrets: tuple[bytes, ...]


class Answered(NamedTuple):
    """A call of a door that there is, as it was answered: what is noted of it. ``body`` is the beginning of it."""

    door: str
    status: int
    told: Mapping[str, str]
    event: str
    client: str
    headers: tuple[str, ...]
    body: bytes
    body_bytes: int
    secrets: tuple[bytes, ...]


@dataclass
class _Seen:
    """What is known of a call so far."""

    secrets: tuple[bytes, ...] = ()
    body: bytes = b""
    body_bytes: int = 0
    event: str = ""


class Receiver:
    """The webhook of each sender that is known: ``senders`` are their adapters, ``secrets`` what they sign with.

    Both are by webhook name; ``custom`` finds those that people have made. ``heard`` is told the webhook and the
    event's name of every authentic delivery, ``noted`` every call of a door that there is, as it was answered.
    """

    def __init__(
        self,
        acceptance: Acceptance,
        *,
        senders: Mapping[str, Sender],
        secrets: Mapping[str, tuple[bytes, ...]],
        config: Callable[[], Config],
        connected: Callable[[], bool],
        bodies: Bodies | None = None,
        heard: Callable[[str, str], None] | None = None,
        custom: Callable[[str, Mapping[str, str]], Awaitable[Door | None]] | None = None,
        noted: Callable[[Answered], None] | None = None,
    ) -> None:
        self._acceptance = acceptance
        self._senders = senders
        self._secrets = secrets
        self._config = config
        self._connected = connected
        self._bodies = bodies or Bodies()
        self._heard = heard
        self._custom = custom
        self._noted = noted

    async def receive(
        self, name: str, headers: Mapping[str, str], receive: Receive, *, key: str = "", client: str = ""
    ) -> Answer:
        """Take one delivery; raises `Problem` for everything that is refused. The last two are those of `Incoming`."""
        seen = _Seen()
        with SECONDS.labels(name if name in self._senders else "unknown").time():
            try:
                answer = await self._receive(name, headers, receive, key, client, seen)
            except Problem as problem:
                _refused.inc()
                self._note(name, headers, client, seen, problem)
                raise
        self._note(name, headers, client, seen, answer)
        return answer

    async def _receive(
        self, name: str, headers: Mapping[str, str], receive: Receive, key: str, client: str, seen: _Seen
    ) -> Answer:
        sender, seen.secrets = await self._door_of(name, headers)
        media = self._media_of(headers)
        body = await self._read(headers, receive)
        try:
            seen.body, seen.body_bytes = body[:SHOWN_BYTES], len(body)
            incoming = Incoming(webhook=name, headers=headers, body=body, key=key, client=client)
            _verify(sender, incoming, seen.secrets)
            return await self._take(sender, incoming, media, seen)
        finally:
            self._bodies.done(body)

    def _note(self, name: str, headers: Mapping[str, str], client: str, seen: _Seen, outcome: Answer | Problem) -> None:
        if self._noted is None or (isinstance(outcome, Problem) and outcome.code == UNKNOWN):
            return
        told = {"reason": outcome.detail, "code": outcome.code} if isinstance(outcome, Problem) else outcome.body
        self._noted(
            Answered(
                door=name,
                status=outcome.status,
                told=told,
                event=seen.event,
                client=client,
                headers=tuple(headers),
                body=seen.body,
                body_bytes=seen.body_bytes,
                secrets=seen.secrets,
            )
        )

    async def _door_of(self, name: str, headers: Mapping[str, str]) -> Door:
        sender = self._senders.get(name)
        if sender is None:
            door = await self._custom(name, headers) if self._custom is not None else None
            if door is not None:
                return door
            # Whoever asks is nobody: what people have called their own is not listed.
            raise Problem(
                404,
                UNKNOWN,
                f"There is no webhook of this name: besides {', '.join(self._senders)} there are those that people "
                "have made, and `journeyman webhook list` names them.",
            )
        secrets = self._secrets.get(name)
        if not secrets:
            raise Problem(
                401,
                "webhook-not-configured",
                f"The webhook {name} has no secret: set {variable_of(secret_setting(name))} to the one the sender "
                "signs with, and restart the gateway.",
            )
        return Door(sender, secrets)

    @staticmethod
    def _media_of(headers: Mapping[str, str]) -> str:
        media = media_type(headers.get("content-type", ""))
        if media not in (JSON, FORM):
            raise Problem(415, "media-type", f"A webhook is sent as {JSON} or {FORM}.")
        if (encoding := headers.get("content-encoding", "").strip().lower()) not in ("", "identity"):
            what = one_line(visible(encoding))[:50]
            raise Problem(
                415,
                "content-encoding",
                f"A webhook's body is sent as it is, and this one is compressed (Content-Encoding: {what}): have the "
                "sender send it uncompressed, without that header.",
            )
        return media

    async def _read(self, headers: Mapping[str, str], receive: Receive) -> bytes:
        try:
            return await self._bodies.read(receive, headers.get("content-length", ""))
        except TooLarge as error:
            most = self._bodies.max_bytes
            raise Problem(413, "too-large", f"A webhook's body has at most {most:,} bytes.") from error
        except TooSlow as error:
            # The rest may come yet: it must not be taken for the next request.
            raise Problem(
                408, "too-slow", "The body did not come in time: send it again.", headers={"Connection": "close"}
            ) from error
        except TooMuchAtOnce as error:
            raise unavailable("too-much-at-once", "Too many large deliveries at one time: send it again.") from error
        except Gone as error:
            raise Problem(400, "hung-up", "The sender hung up before the whole body was here.") from error

    async def _take(self, sender: Sender, incoming: Incoming, media: str, seen: _Seen) -> Answer:
        name = incoming.webhook
        event, id = _named(sender, incoming)
        seen.event = event
        if self._heard is not None:
            self._heard(name, event)
        try:
            json = without_own(json_of(incoming.body, media), seen.secrets)
            # The bytes are kept as they are inside our own JSON, which is UTF-8.
            if not json.isascii():
                json.decode()
            if len(json) > READ_APART_BYTES:
                # A large body must not hold up the small ones.
                reading = await asyncio.to_thread(understood, sender, event, json, self._config())
            else:
                reading = understood(sender, event, json, self._config())
        except (BadForm, Unreadable, UnicodeDecodeError) as error:
            problem = f"The body is not UTF-8: {error}." if isinstance(error, UnicodeDecodeError) else str(error)
            log.warning("unreadable delivery", webhook=name, event_name=event, delivery=id, problem=problem)
            raise Problem(400, "body-unreadable", problem) from error
        match reading.meaning:
            case Ignored(reason=reason):
                _ignored.inc()
                return Answer(200, {"status": "ignored", "reason": reason})
            case signal:
                delivery = Delivery(
                    webhook=name,
                    event=event,
                    action=reading.action,
                    id=id,
                    principal=f"{name}:{reading.sender}",
                    signal=signal,
                    json=json,
                    body=incoming.body,
                    content=reading.content or _signed(sender, incoming),
                    formerly=reading.formerly,
                    window_s=reading.window_s,
                )
                return await self._keep(delivery)

    async def _keep(self, delivery: Delivery) -> Answer:
        if not self._connected():
            raise unavailable("nats-away", "The delivery cannot be stored right now: send it again.")
        try:
            kept = await self._acceptance.keep(delivery)
        except LogFull as error:
            log.error("a delivery was not stored", delivery=delivery.id, problem=str(error))
            raise unavailable("log-full", str(error)) from error
        except TRANSIENT as error:
            log.error("a delivery was not stored", delivery=delivery.id, problem=str(error) or type(error).__name__)
            raise unavailable("log-unavailable", "The delivery cannot be stored right now: send it again.") from error
        if kept.new:
            _accepted.inc()
            return Answer(202, {"delivery": kept.id})
        _duplicate.inc()
        return Answer(200, {"status": "duplicate", "delivery": kept.id})


def _verify(sender: Sender, incoming: Incoming, secrets: tuple[bytes, ...]) -> None:
    try:
        sender.verify(incoming, secrets)
    except NotAuthentic as error:
        raise Problem(401, "signature-invalid", str(error)) from error


def _signed(sender: Sender, incoming: Incoming) -> tuple[str, ...]:
    """What names the happening where its body does not."""
    id = sender.signed_id(incoming)
    return ("signed-id", id) if id else ()


def _named(sender: Sender, incoming: Incoming) -> tuple[str, str]:
    """The event's name and the delivery's id."""
    try:
        return sender.event(incoming), sender.delivery_id(incoming)
    except Unnamed as error:
        raise Problem(400, "header-missing", str(error)) from error
