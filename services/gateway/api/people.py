"""`/api/users` and `/api/tokens`: who may come in, and what stands for them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import msgspec
from litestar import Controller, Request, get, post
from litestar.params import Parameter

from services.gateway.api.dependencies import problems
from services.gateway.api.me import OpenSessions, end_session, open_sessions
from services.gateway.api.schemas import Body
from services.gateway.people_commands import PeopleCommands
from services.gateway.problems import Problem
from services.gateway.security.door import Door
from services.gateway.security.identity import Identity
from services.gateway.security.one_time import LINK_S
from shared.contracts.roles import OPERATIONS, refusal
from shared.contracts.user import Role, Scope, Token, User
from shared.ops.settings import Settings
from shared.runtime.client import CommandResult
from shared.runtime.people import People

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=32)]
Title = Annotated[str, msgspec.Meta(min_length=1, max_length=80)]
Days = Annotated[int, msgspec.Meta(ge=1, le=3660)]
Person = Annotated[str, Parameter(max_length=32, description="Whose, where they are somebody else's")]


class Invitation(Body, frozen=True, kw_only=True):
    """Whom to let in."""

    name: Name
    role: Role = Role.OPERATOR


class NewRole(Body, frozen=True, kw_only=True):
    """What they may do from now on."""

    role: Role


class NewToken(Body, frozen=True, kw_only=True):
    """What a token is for. Without a role it may do what I may, without scopes everywhere, without days for ever."""

    name: Title
    role: Role | None = None
    scopes: tuple[Scope, ...] = ()
    days: Days | None = None


class UserListed(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who was invited. ``actions`` are what whoever asks may do about them."""

    name: str
    role: Role
    enabled: bool
    tokens: int
    sessions: int
    seen_at: datetime | None
    actions: tuple[str, ...]


class Users(msgspec.Struct, frozen=True, kw_only=True):
    """By name."""

    items: tuple[UserListed, ...]


class OneTimeLink(msgspec.Struct, frozen=True, kw_only=True):
    """Logs this person in once, until ``ends_at``; nobody shows it a second time."""

    name: str
    url: str
    ends_at: datetime


class UserChanged(msgspec.Struct, frozen=True, kw_only=True):
    """How the person stands after that, and the stream sequence of their newest event."""

    user: UserListed
    seq: int


class TokenListed(msgspec.Struct, frozen=True, kw_only=True):
    """A token, which itself nobody keeps. ``used_at`` is exact to five minutes."""

    id: str
    name: str
    role: Role
    scopes: tuple[Scope, ...]
    ends_at: datetime | None
    used_at: datetime | None


class Tokens(msgspec.Struct, frozen=True, kw_only=True):
    """The oldest first."""

    items: tuple[TokenListed, ...]


class TokenMade(TokenListed, frozen=True, kw_only=True):
    """With the token itself, which nobody shows a second time."""

    secret: str
    seq: int


class UserController(Controller):
    """People: an admin lets them in."""

    path = "/api/users"
    tags = ("people",)

    @get("/", operation_id="listUsers", summary="Everybody who was invited", responses=problems(401, 403))
    async def list_users(self, people: People, door: Door, identity: Identity) -> Users:
        """By name."""
        return Users(items=tuple(_listed(name, each, door, identity) for name, each in sorted(people.all().items())))

    @post("/", operation_id="inviteUser", summary="Let a person in", responses=problems(400, 401, 403, 409, 503, 504))
    async def invite(
        self,
        data: Invitation,
        people_commands: PeopleCommands,
        door: Door,
        identity: Identity,
        settings: Settings,
        request: Request[Any, Any, Any],
    ) -> OneTimeLink:
        """Give them the link: it logs in once, within an hour. Nothing is sent to anybody."""
        await people_commands.invite(data.name, data.role, by=identity)
        return await _link(data.name, door, settings, request)

    @post(
        "/{name:str}/link",
        operation_id="linkUser",
        summary="Another one-time link for a person",
        status_code=200,
        responses=problems(401, 403, 404, 409, 503),
    )
    async def link(
        self, name: str, door: Door, people: People, settings: Settings, request: Request[Any, Any, Any]
    ) -> OneTimeLink:
        """It logs in once, within an hour."""
        found = _found(people, name)
        if not found.enabled:
            raise Problem(409, "user-disabled", f"{name} may not log in: enable them first.")
        return await _link(name, door, settings, request)

    @post(
        "/{name:str}/role",
        operation_id="changeUserRole",
        summary="Let a person do more, or less",
        status_code=200,
        responses=problems(400, 401, 403, 404, 409, 503, 504),
    )
    async def change_role(
        self, name: str, data: NewRole, people_commands: PeopleCommands, door: Door, identity: Identity
    ) -> UserChanged:
        """It counts at once, also where they are logged in."""
        return _changed(name, await people_commands.change_role(name, data.role, by=identity), door, identity)

    @post(
        "/{name:str}/disable",
        operation_id="disableUser",
        summary="Let a person in no more",
        status_code=200,
        responses=problems(401, 403, 404, 409, 503, 504),
    )
    async def disable(self, name: str, people_commands: PeopleCommands, door: Door, identity: Identity) -> UserChanged:
        """Sessions and sockets end within a second, tokens count no more; what bears the name stays."""
        return _changed(name, await people_commands.disable(name, by=identity), door, identity)

    @post(
        "/{name:str}/enable",
        operation_id="enableUser",
        summary="Let a person in again",
        status_code=200,
        responses=problems(401, 403, 404, 409, 503, 504),
    )
    async def enable(self, name: str, people_commands: PeopleCommands, door: Door, identity: Identity) -> UserChanged:
        """With the tokens that they had."""
        return _changed(name, await people_commands.enable(name, by=identity), door, identity)

    @get(
        "/{name:str}/sessions",
        operation_id="listUserSessions",
        summary="Where a person is logged in",
        responses=problems(401, 403, 404),
    )
    async def list_sessions(self, name: str, people: People, door: Door, identity: Identity) -> OpenSessions:
        """Every browser."""
        _found(people, name)
        return open_sessions(door, name, identity)

    @post(
        "/{name:str}/sessions/{id:str}/end",
        operation_id="endUserSession",
        summary="Log a browser of a person out",
        status_code=200,
        responses=problems(401, 403, 404, 503),
    )
    async def end_session(self, name: str, id: str, people: People, door: Door, identity: Identity) -> OpenSessions:
        """Returns those that are left."""
        _found(people, name)
        await end_session(door, name, id)
        return open_sessions(door, name, identity)


class TokenController(Controller):
    """Tokens: for programs, and for machines that have no browser."""

    path = "/api/tokens"
    tags = ("people",)

    @get("/", operation_id="listTokens", summary="My tokens, or a person's", responses=problems(401, 403, 404))
    async def list_tokens(self, people: People, door: Door, identity: Identity, person: Person = "") -> Tokens:
        """Those that were not revoked."""
        name = _whose(person, identity)
        return Tokens(items=tuple(_told(each, door) for each in _found(people, name).tokens))

    @post(
        "/",
        operation_id="createToken",
        summary="Make a token of mine, or of a person",
        responses=problems(400, 401, 403, 404, 409, 503, 504),
    )
    async def create_token(
        self, data: NewToken, people_commands: PeopleCommands, door: Door, identity: Identity, person: Person = ""
    ) -> TokenMade:
        """It may do no more than whoever makes it, and is shown this one time."""
        ends = None if data.days is None else datetime.now(UTC) + timedelta(days=data.days)
        name = _whose(person, identity)
        made = await people_commands.make_token(
            name, title=data.name, role=data.role, scopes=data.scopes, ends_at=ends, by=identity
        )
        listed = msgspec.structs.asdict(_told(made.token, door))
        return TokenMade(**listed, secret=made.secret, seq=made.result.position)

    @post(
        "/{id:str}/revoke",
        operation_id="revokeToken",
        summary="Let a token stand for nobody any more",
        status_code=200,
        responses=problems(401, 403, 404, 409, 503, 504),
    )
    async def revoke_token(
        self,
        id: str,
        people: People,
        people_commands: PeopleCommands,
        door: Door,
        identity: Identity,
        person: Person = "",
    ) -> Tokens:
        """Returns those that are left."""
        name = _whose(person, identity)
        await people_commands.revoke_token(name, id, by=identity)
        return Tokens(items=tuple(_told(each, door) for each in _found(people, name).tokens))


def _whose(person: str, identity: Identity) -> str:
    """The person that is meant; only who may see to people names another one. Raises `Problem` 403."""
    if person and person != identity.name:
        identity.require(OPERATIONS["listUsers"])
        return person
    return identity.name


def _found(people: People, name: str) -> User:
    found = people.find(name)
    if not found.invited:
        raise Problem(404, "user-unknown", "There is nobody of this name: look at `journeyman user list`.")
    return found


async def _link(name: str, door: Door, settings: Settings, request: Request[Any, Any, Any]) -> OneTimeLink:
    secret = await door.one_time.link(name)
    base = settings.public_url or f"{request.scope['scheme']}://{request.headers['host']}"
    # Behind the # it reaches no server, no log of one, and nobody who only looks at where the link leads.
    return OneTimeLink(
        name=name, url=f"{base.rstrip('/')}/login#{secret}", ends_at=datetime.now(UTC) + timedelta(seconds=LINK_S)
    )


def _changed(name: str, result: CommandResult, door: Door, identity: Identity) -> UserChanged:
    return UserChanged(user=_listed(name, door.people.find(name), door, identity), seq=result.position)


def _listed(name: str, user: User, door: Door, identity: Identity) -> UserListed:
    sessions = [session for _, session in door.sessions.of(name)]
    return UserListed(
        name=name,
        role=user.role,
        enabled=user.enabled,
        tokens=len(user.tokens),
        sessions=len(sessions),
        seen_at=max((each.seen_at for each in sessions), default=None),
        actions=_actions(user, identity),
    )


def _actions(user: User, identity: Identity) -> tuple[str, ...]:
    if refusal(OPERATIONS["inviteUser"], identity.role, identity.scopes) is not None:
        return ()
    return ("role", "disable", "link") if user.enabled else ("role", "enable")


def _told(token: Token, door: Door) -> TokenListed:
    return TokenListed(
        id=token.token,
        name=token.name,
        role=token.role,
        scopes=token.scopes,
        ends_at=token.ends_at,
        used_at=door.sessions.last_use(token.token),
    )
