"""The user: a person who may do something here. Its id is the person's short name, as in ``user:ada``."""

from __future__ import annotations

import re
from datetime import datetime
from enum import StrEnum
from typing import Final, assert_never

import msgspec
from msgspec.structs import replace

from shared.contracts.messages import Command, Event

NAME: Final = re.compile(r"[a-z][a-z0-9-]{0,31}")
"""What a person may be called here."""
MAX_TOKENS: Final = 50
"""Tokens of one person that count at one time."""


class Role(StrEnum):
    """What a person may do: each role may do what those before it may. `shared.contracts.roles` says what that is."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    APPROVER = "approver"
    ADMIN = "admin"

    @property
    def rank(self) -> int:
        """The more, the higher."""
        return list(Role).index(self)

    def includes(self, other: Role) -> bool:
        """Whether it may do what the other one may."""
        return self.rank >= other.rank


class Scope(StrEnum):
    """The part of the API that a token opens; what is in none of them (who am I) opens to every token."""

    TASKS = "tasks"
    CHAT = "chat"
    WEBHOOKS = "webhooks"
    SYSTEM = "system"
    PEOPLE = "people"


class Token(msgspec.Struct, frozen=True, kw_only=True):
    """A key to the API. ``hash`` is the SHA-256 of the token, which nobody keeps.

    It may do what its person and ``role`` both may, in its ``scopes``, or everywhere where there are none. None for
    ``ends_at`` is for ever.
    """

    token: str
    hash: str
    name: str
    role: Role
    scopes: tuple[Scope, ...] = ()
    ends_at: datetime | None = None


class Invite(Command, frozen=True, kw_only=True):
    """Let a person in."""

    role: Role


class ChangeRole(Command, frozen=True, kw_only=True):
    """Let the person do more, or less."""

    role: Role


class Disable(Command, frozen=True, kw_only=True):
    """Let the person in no longer; what bears the name stays."""


class Enable(Command, frozen=True, kw_only=True):
    """Let the person in again."""


class MakeToken(Command, frozen=True, kw_only=True):
    """Let a token stand for the person; the fields are those of `Token`."""

    token: str
    hash: str
    name: str
    role: Role
    scopes: tuple[Scope, ...] = ()
    ends_at: datetime | None = None


class RevokeToken(Command, frozen=True, kw_only=True):
    """Let a token stand for nobody any more."""

    token: str


UserCommand = Invite | ChangeRole | Disable | Enable | MakeToken | RevokeToken


class Invited(Event, frozen=True, kw_only=True):
    """The person may log in."""

    role: Role


class RoleChanged(Event, frozen=True, kw_only=True):
    """The person may do more, or less."""

    role: Role


class Disabled(Event, frozen=True, kw_only=True):
    """The person may do nothing any more; sessions and tokens count no longer."""


class Enabled(Event, frozen=True, kw_only=True):
    """The person may log in again; the tokens of before count again."""


class TokenMade(Event, frozen=True, kw_only=True):
    """A token stands for the person."""

    token: str
    hash: str
    name: str
    role: Role
    scopes: tuple[Scope, ...] = ()
    ends_at: datetime | None = None


class TokenRevoked(Event, frozen=True, kw_only=True):
    """A token stands for nobody any more."""

    token: str


UserEvent = Invited | RoleChanged | Disabled | Enabled | TokenMade | TokenRevoked


class User(msgspec.Struct, frozen=True, kw_only=True):
    """The fold of a user's events: ``tokens`` are those that were not revoked, the oldest first.

    Somebody who was never ``invited`` is nobody.
    """

    role: Role = Role.VIEWER
    invited: bool = True
    enabled: bool = True
    tokens: tuple[Token, ...] = ()


NOBODY: Final = User(invited=False, enabled=False)


def evolve(user: User, event: UserEvent) -> User:
    """The user after a fact. It stands here because more than the brain needs it: hosts and gateways know people."""
    match event:
        case Invited(role=role):
            return User(role=role)
        case RoleChanged(role=role):
            return replace(user, role=role)
        case Disabled():
            return replace(user, enabled=False)
        case Enabled():
            return replace(user, enabled=True)
        case TokenMade():
            made = Token(
                token=event.token,
                hash=event.hash,
                name=event.name,
                role=event.role,
                scopes=event.scopes,
                ends_at=event.ends_at,
            )
            return replace(user, tokens=(*user.tokens, made))
        case TokenRevoked(token=id):
            return replace(user, tokens=tuple(each for each in user.tokens if each.token != id))
        case _:
            assert_never(event)
