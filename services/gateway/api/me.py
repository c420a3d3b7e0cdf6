"""`/api/login`, `/api/logout` and `/api/me`: who I am, and where I am logged in."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import msgspec
from litestar import Controller, Request, Response, get, post

from services.gateway.api.dependencies import problems
from services.gateway.api.schemas import Body
from services.gateway.problems import Problem
from services.gateway.security.authentication import address_of, session_key, set_cookie
from services.gateway.security.door import Door
from services.gateway.security.identity import Identity, Via
from services.gateway.security.sessions import END, Session
from shared.contracts.roles import OPERATIONS, refusal
from shared.contracts.user import Role, Scope

Secret = Annotated[str, msgspec.Meta(min_length=16, max_length=512)]


class Me(msgspec.Struct, frozen=True, kw_only=True):
    """Who the request is from, and by what. ``may`` has the operation ids of what they may do."""

    name: str
    role: Role
    via: Via
    scopes: tuple[Scope, ...]
    ends_at: datetime | None
    may: tuple[str, ...]


class Login(Body, frozen=True, kw_only=True):
    """What stands behind the ``#`` of a one-time link."""

    link: Secret


class LoggedOut(msgspec.Struct, frozen=True, kw_only=True):
    """Nothing more to say."""


class Ticket(msgspec.Struct, frozen=True, kw_only=True):
    """Opens one WebSocket within half a minute, as ``/ws?ticket=…``."""

    ticket: str


class OpenSession(msgspec.Struct, frozen=True, kw_only=True):
    """One login. ``current`` is that of this request; ``seen_at`` is exact to five minutes."""

    id: str
    made_at: datetime
    seen_at: datetime
    ends_at: datetime
    agent: str
    address: str
    current: bool


class OpenSessions(msgspec.Struct, frozen=True, kw_only=True):
    """The newest first."""

    items: tuple[OpenSession, ...]


class MeController(Controller):
    """Logging in and out."""

    path = "/api"
    tags = ("me",)

    @post(
        "/login",
        operation_id="logIn",
        summary="Log in by a one-time link",
        status_code=200,
        responses=problems(400, 401, 403, 409, 429, 503),
    )
    async def log_in(self, data: Login, request: Request[Any, Any, Any], door: Door) -> Response[Me]:
        """A session, and the cookie that is the key to it."""
        if door.is_open:
            raise Problem(409, "login-off", "The login is off (JOURNEYMAN_LOGIN): everybody here is let in already.")
        key, identity = await door.log_in(
            data.link,
            agent=request.headers.get("user-agent", ""),
            address=address_of(request.scope),
            before=session_key(request.scope),
        )
        cookie = set_cookie(request.scope, key, max_age=round(END.total_seconds()))
        return Response(me_of(identity), headers={"Set-Cookie": cookie, "Cache-Control": "no-store"})

    @post("/logout", operation_id="logOut", summary="Log out", status_code=200, responses=problems(401, 503))
    async def log_out(self, request: Request[Any, Any, Any], identity: Identity, door: Door) -> Response[LoggedOut]:
        """This session ends, wherever it is used."""
        if identity.via is Via.SESSION:
            await door.sessions.end(identity.key)
        return Response(LoggedOut(), headers={"Set-Cookie": set_cookie(request.scope, "", max_age=0)})

    @get("/me", operation_id="whoAmI", summary="Who I am", responses=problems(401))
    async def who_am_i(self, identity: Identity) -> Me:
        """And what I may do."""
        return me_of(identity)

    @post(
        "/ticket",
        operation_id="getTicket",
        summary="A ticket for the WebSocket",
        status_code=200,
        responses=problems(401, 503),
    )
    async def get_ticket(self, identity: Identity, door: Door) -> Ticket:
        """It opens one socket, and no other one after that."""
        return Ticket(ticket=await door.one_time.ticket(identity))

    @get("/me/sessions", operation_id="listMySessions", summary="Where I am logged in", responses=problems(401))
    async def list_my_sessions(self, identity: Identity, door: Door) -> OpenSessions:
        """Every browser."""
        return open_sessions(door, identity.name, identity)

    @post(
        "/me/sessions/{id:str}/end",
        operation_id="endMySession",
        summary="Log a browser of mine out",
        status_code=200,
        responses=problems(401, 404, 503),
    )
    async def end_my_session(self, id: str, identity: Identity, door: Door) -> OpenSessions:
        """Returns those that are left."""
        await end_session(door, identity.name, id)
        return open_sessions(door, identity.name, identity)


def me_of(identity: Identity) -> Me:
    """What people are told of themselves."""
    return Me(
        name=identity.name,
        role=identity.role,
        via=identity.via,
        scopes=identity.scopes,
        ends_at=identity.ends_at,
        may=tuple(name for name, row in OPERATIONS.items() if refusal(row, identity.role, identity.scopes) is None),
    )


def open_sessions(door: Door, name: str, identity: Identity) -> OpenSessions:
    """Where somebody is logged in."""
    found = sorted(door.sessions.of(name), key=lambda each: each[1].made_at, reverse=True)
    return OpenSessions(items=tuple(_told(session, hash == identity.key) for hash, session in found))


async def end_session(door: Door, name: str, id: str) -> None:
    """End one session of one person; raises `Problem` 404 for what is none of theirs."""
    for hash, session in door.sessions.of(name):
        if session.id == id:
            await door.sessions.end(hash)
            return
    raise Problem(404, "session-unknown", f"{name} has no such session, or it has ended.")


def _told(session: Session, current: bool) -> OpenSession:
    return OpenSession(
        id=session.id,
        made_at=session.made_at,
        seen_at=session.seen_at,
        ends_at=session.ends_at,
        agent=session.agent,
        address=session.address,
        current=current,
    )
