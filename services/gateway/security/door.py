"""The door: it says who a request is from, and whether they still may."""

from __future__ import annotations

import asyncio
import hmac
from collections import defaultdict
from collections.abc import Callable
from datetime import datetime
from typing import Final

import structlog

from services.gateway.problems import Problem
from services.gateway.security.attempts import Attempts
from services.gateway.security.identity import Identity, Via
from services.gateway.security.one_time import OneTime
from services.gateway.security.sessions import SEEN_EVERY, Session, Sessions, hash_of_secret, utc_now
from shared.contracts.user import NOBODY, Role, User
from shared.ops.machine_token import MachineToken
from shared.runtime.people import LOCAL, People

ANYBODY: Final = Identity(name=LOCAL.removeprefix("user:"), role=Role.ADMIN, via=Via.NO_LOGIN)
"""Whoever comes while the login is off."""
LONGEST_SECRET: Final = 512

log = structlog.get_logger(__name__)


class Door:
    """Knows people, sessions, tokens and the token of this machine. ``machine`` None: the login is off."""

    def __init__(
        self,
        people: People,
        sessions: Sessions,
        one_time: OneTime,
        *,
        machine: MachineToken | None,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self.people = people
        self.sessions = sessions
        self.one_time = one_time
        # Each is counted for itself: a program with a wrong token keeps nobody on its machine from logging in.
        self._logins, self._tokens, self._cookies = Attempts(), Attempts(), Attempts()
        self.machine = machine
        self._clock = clock
        self._waiting: defaultdict[str, set[asyncio.Event]] = defaultdict(set)
        people.on_change(self._changed)
        sessions.on_change(self._changed)

    @property
    def is_open(self) -> bool:
        """Whether everybody is let in."""
        return self.machine is None

    async def by_bearer(self, token: str, address: str) -> Identity:
        """Whose token this is; raises `Problem` 401, or 429 where too many wrong ones came from there."""
        if self.machine is None:
            return ANYBODY
        if hmac.compare_digest(token.encode(), self.machine.token.encode()):
            found = self._of_machine(self.machine.name)
        else:
            found = self._of_token(hash_of_secret(token[:LONGEST_SECRET]))
        if found is None:
            self._tokens.check(address)
            self._tokens.failed(address)
            log.info("a token was refused", address=address)
            raise Problem(
                401,
                "token-wrong",
                "This token stands for nobody, or not any more: make another with `journeyman token create`.",
                headers={"WWW-Authenticate": 'Bearer error="invalid_token"'},
            )
        if found.via is Via.TOKEN:
            self.sessions.token_used(found.key)
        return found

    async def by_cookie(self, key: str, address: str) -> Identity | None:
        """Whose session this is; None when it is nobody's, or not any more."""
        if self.machine is None:
            return ANYBODY
        hash = hash_of_secret(key[:LONGEST_SECRET])
        session = self.sessions.find(hash)
        if session is None:
            try:
                self._cookies.check(address)
            except Problem:
                return None
            session = await self.sessions.look_up(hash)
        if session is None:
            self._cookies.failed(address)
            return None
        self.sessions.seen(hash, session)
        return self._of_session(hash, session)

    async def by_ticket(self, ticket: str, address: str) -> Identity | None:
        """Who got this ticket; None when it is none, not any more, or its owner may not come in any more."""
        if self.machine is None:
            return ANYBODY
        self._logins.check(address)
        found = await self.one_time.redeem_ticket(ticket[:LONGEST_SECRET])
        if found is None:
            self._logins.failed(address)
            return None
        return self.current(found)

    async def log_in(self, link: str, *, agent: str, address: str, before: str) -> tuple[str, Identity]:
        """Redeem a link; returns the key of the new session, and who it is for. Raises `Problem` 401, 403 and 429.

        ``before`` is the key of the session that the browser had: it ends, so nobody is logged in by a key that
        somebody else has laid into their browser.
        """
        self._logins.check(address)
        name = await self.one_time.redeem_link(link[:LONGEST_SECRET])
        user = self.people.find(name) if name is not None else NOBODY
        if name is None or not user.invited:
            self._logins.failed(address)
            log.info("a login was refused", address=address)
            raise Problem(
                401,
                "link-over",
                "This link does not log in, or not any more: it does once, within an hour. Ask an admin for another "
                "(`journeyman user link`).",
            )
        if not user.enabled:
            log.info("a login was refused", address=address, person=name)
            raise Problem(
                403,
                "user-disabled",
                f"{name} may not log in here any more: an admin lets you in again (`journeyman user enable {name}`).",
            )
        if before:
            await self.sessions.end(hash_of_secret(before[:LONGEST_SECRET]))
        key = await self.sessions.begin(name, agent=agent, address=address)
        hash = hash_of_secret(key)
        session = self.sessions.find(hash)
        assert session is not None, "it has just begun"
        log.info("logged in", person=name, address=address, session=session.id)
        identity = self._of_session(hash, session)
        assert identity is not None, "the person is enabled"
        return key, identity

    def current(self, identity: Identity) -> Identity | None:
        """The same person with what they may do now; None when they may not come in any more."""
        match identity.via:
            case Via.NO_LOGIN:
                return ANYBODY if self.machine is None else None
            case Via.MACHINE:
                return self._of_machine(identity.name)
            case Via.SESSION:
                session = self.sessions.find(identity.key)
                return None if session is None else self._of_session(identity.key, session)
            case Via.TOKEN:
                user = self.people.find(identity.name)
                token = next((each for each in user.tokens if each.token == identity.key), None)
                return None if token is None else self._of_token(token.hash)

    async def until_over(self, identity: Identity) -> None:
        """Wait until this person may not come in any more by what they came with: within a moment of that."""
        woken = asyncio.Event()
        waiting = self._waiting[identity.name]
        waiting.add(woken)
        try:
            while (now := self.current(identity)) is not None:
                woken.clear()
                if now.via is Via.SESSION and (session := self.sessions.find(now.key)) is not None:
                    # Who has a socket open looks on.
                    self.sessions.seen(now.key, session)
                await _within(woken, self._seconds_to(now))
        finally:
            waiting.discard(woken)
            if not waiting:
                self._waiting.pop(identity.name, None)

    def _seconds_to(self, identity: Identity) -> float:
        most = SEEN_EVERY.total_seconds()
        if identity.ends_at is None:
            return most
        return min(most, max(0.05, (identity.ends_at - self._clock()).total_seconds()))

    def _changed(self, name: str) -> None:
        for woken in self._waiting.get(name, ()):
            woken.set()

    def _of_machine(self, name: str) -> Identity | None:
        """Who runs the gateway is an admin, unless another one has said otherwise."""
        user = self.people.find(name)
        if user.invited and not user.enabled:
            return None
        return Identity(name=name, role=user.role if user.invited else Role.ADMIN, via=Via.MACHINE)

    def _of_session(self, hash: str, session: Session) -> Identity | None:
        user = self.people.find(session.name)
        if not user.enabled:
            return None
        return Identity(name=session.name, role=user.role, via=Via.SESSION, key=hash, ends_at=session.ends_at)

    def _of_token(self, hash: str) -> Identity | None:
        held = self.people.holder(hash)
        if held is None or not held.user.enabled:
            return None
        token = held.token
        if token.ends_at is not None and token.ends_at <= self._clock():
            return None
        return Identity(
            name=held.name,
            role=_lesser(held.user, token.role),
            via=Via.TOKEN,
            scopes=token.scopes,
            key=token.token,
            ends_at=token.ends_at,
        )


def _lesser(user: User, role: Role) -> Role:
    return role if user.role.includes(role) else user.role


async def _within(event: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return
