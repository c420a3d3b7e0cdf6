"""Sessions of browsers: they lie with us, a browser has only the key to one; and when tokens were last used.

Every gateway follows the bucket, so a session that is ended anywhere has ended everywhere a moment later.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec
import structlog

from shared.event_store.journal import LogDamaged
from shared.nats.session_bucket import Change, SessionBucket
from shared.ops.visible import visible
from shared.runtime.acknowledge import TRANSIENT
from shared.runtime.watcher import until_draining

END: Final = timedelta(days=14)
"""From the login to the end, whatever happens."""
IDLE: Final = timedelta(days=3)
"""Without a request for so long it has ended."""
SEEN_EVERY: Final = timedelta(minutes=5)
MOST_OF_ONE: Final = 20
"""Sessions of one person; the one that was used least recently makes room."""
TOKEN_BYTES: Final = 32
USE_KEPT: Final = timedelta(days=400)
TROUBLE_S: Final = 1.0
MAX_AGENT: Final = 200

log = structlog.get_logger(__name__)


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """One login. ``id`` is what people call it by; ``agent`` and ``address`` are the browser's at its login."""

    id: str
    name: str
    made_at: datetime
    seen_at: datetime
    agent: str = ""
    address: str = ""

    @property
    def ends_at(self) -> datetime:
        """When it ends unless it is used again."""
        return min(self.made_at + END, self.seen_at + IDLE)


class Use(msgspec.Struct, frozen=True):
    """When a token was last used, to within `SEEN_EVERY`."""

    at: datetime


def hash_of_secret(secret: str) -> str:
    """What a secret is known by."""
    return hashlib.sha256(secret.encode()).hexdigest()


def utc_now() -> datetime:
    """The wall clock."""
    return datetime.now(UTC)


class Sessions:
    """All of them, by the hash of their key."""

    def __init__(self, bucket: SessionBucket, clock: Callable[[], datetime] = utc_now) -> None:
        self._bucket = bucket
        self._clock = clock
        self._found: dict[str, Session] = {}
        self._used: dict[str, datetime] = {}
        self._listeners: list[Callable[[str], None]] = []
        self._draining = asyncio.Event()
        self._touching: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Follow the bucket until `drain`. Trouble with it interrupts this and never ends it."""
        await until_draining(self._draining, self._follow())

    def drain(self) -> None:
        """Follow no longer."""
        self._draining.set()

    def on_change(self, listener: Callable[[str], None]) -> None:
        """Call this with the person's name when a session of theirs is new or has ended."""
        self._listeners.append(listener)

    async def begin(self, name: str, *, agent: str, address: str) -> str:
        """A new session; returns its key, which nobody keeps. Raises what the bucket raises."""
        key = secrets.token_urlsafe(TOKEN_BYTES)
        now = self._clock()
        session = Session(
            id=secrets.token_hex(6),
            name=name,
            made_at=now,
            seen_at=now,
            agent=visible(agent)[:MAX_AGENT],
            address=address,
        )
        await self._keep(hash_of_secret(key), session)
        others = sorted(self.of(name), key=lambda each: each[1].seen_at, reverse=True)
        for hash, _ in others[MOST_OF_ONE:]:
            await self.end(hash)
        return key

    def find(self, hash: str) -> Session | None:
        """The session of a key's hash, as this gateway knows it; None when it is none, or has ended."""
        session = self._found.get(hash)
        return session if session is not None and self._clock() < session.ends_at else None

    async def look_up(self, hash: str) -> Session | None:
        """The same, by the bucket: another gateway may have begun it just now."""
        if (data := await self._bucket.get(f"session.{hash}")) is not None:
            self._take(Change(f"session.{hash}", data))
        return self.find(hash)

    def of(self, name: str) -> list[tuple[str, Session]]:
        """The sessions of one person, with the hashes of their keys."""
        now = self._clock()
        return [(hash, each) for hash, each in self._found.items() if each.name == name and now < each.ends_at]

    async def end(self, hash: str) -> None:
        """End one, everywhere. Raises what the bucket raises."""
        await self._bucket.remove(f"session.{hash}")
        self._take(Change(f"session.{hash}", b""))

    def seen(self, hash: str, session: Session) -> None:
        """It is used: noted now and then, behind the request's back."""
        now = self._clock()
        if now - session.seen_at < SEEN_EVERY:
            return
        seen = msgspec.structs.replace(session, seen_at=now)
        self._found[hash] = seen
        self._behind(self._keep(hash, seen))

    def token_used(self, token: str) -> None:
        """A token is used: noted now and then."""
        now = self._clock()
        if (at := self._used.get(token)) is not None and now - at < SEEN_EVERY:
            return
        self._used[token] = now
        self._behind(
            self._bucket.put(f"used.{token}", msgspec.json.encode(Use(now)), within_s=USE_KEPT.total_seconds())
        )

    def last_use(self, token: str) -> datetime | None:
        """When a token was last used; None for never."""
        return self._used.get(token)

    async def _keep(self, hash: str, session: Session) -> None:
        left = (session.ends_at - self._clock()).total_seconds()
        await self._bucket.put(f"session.{hash}", msgspec.json.encode(session), within_s=left)
        self._found[hash] = session

    def _behind(self, work: Awaitable[None]) -> None:
        async def done() -> None:
            try:
                await work
            except _TROUBLE as error:
                log.warning("cannot note that it was used", problem=str(error) or type(error).__name__)

        task = asyncio.create_task(done())
        self._touching.add(task)
        task.add_done_callback(self._touching.discard)

    async def _follow(self) -> None:
        while True:
            try:
                async for change in self._bucket.changes():
                    self._take(change)
            except _TROUBLE as error:
                log.warning("cannot follow the sessions now", problem=str(error) or type(error).__name__)
                await asyncio.sleep(TROUBLE_S)

    def _take(self, change: Change) -> None:
        kind, _, name = change.name.partition(".")
        try:
            if kind == "session":
                self._take_session(name, change.data)
            elif kind == "used" and change.data:
                self._used[name] = max(
                    msgspec.json.decode(change.data, type=Use).at,
                    self._used.get(name, datetime.min.replace(tzinfo=UTC)),
                )
        except msgspec.MsgspecError as error:
            log.warning("cannot be read", name=change.name, problem=str(error))

    def _take_session(self, hash: str, data: bytes) -> None:
        before = self._found.get(hash)
        if data:
            session = msgspec.json.decode(data, type=Session)
            if before is not None and before.seen_at > session.seen_at:
                return
            self._found[hash] = session
            if before is not None:
                return
            self._forget_ended()
            changed = session.name
        elif before is not None:
            del self._found[hash]
            changed = before.name
        else:
            return
        for listener in self._listeners:
            listener(changed)

    def _forget_ended(self) -> None:
        """A session that ends by its time is no change that anybody tells us of."""
        now = self._clock()
        for hash in [hash for hash, each in self._found.items() if each.ends_at <= now]:
            del self._found[hash]


_TROUBLE: Final = (*TRANSIENT, LogDamaged)
