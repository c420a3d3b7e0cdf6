"""Who a request is from."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Final

import msgspec
from litestar.types import Scope as AsgiScope

from services.gateway.problems import Problem
from shared.contracts.roles import Row, refusal
from shared.contracts.user import Role, Scope

STATE: Final = "identity"
"""Where it stands in a request's state."""


class Via(StrEnum):
    """What says so."""

    SESSION = "session"
    TOKEN = "token"
    MACHINE = "machine"
    NO_LOGIN = "no-login"


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """A person, and what they may do by this request.

    ``key`` names the session or the token that it came with: the hash of the one, the id of the other. After
    ``ends_at`` it is nobody.
    """

    name: str
    role: Role
    via: Via
    scopes: tuple[Scope, ...] = ()
    key: str = ""
    ends_at: datetime | None = None

    @property
    def principal(self) -> str:
        """What events say of who did it."""
        return f"user:{self.name}"

    def require(self, row: Row | None) -> None:
        """Raises `Problem` 403 where they may not."""
        if (refused := refusal(row, self.role, self.scopes)) is not None:
            raise Problem(403, refused.code, refused.sentence)


def identity_in(scope: AsgiScope) -> Identity:
    """Who the request is from; raises `Problem` 401 where nobody is named: every route but a few needs somebody."""
    found = (scope.get("state") or {}).get(STATE)
    if not isinstance(found, Identity):
        raise unauthenticated()
    return found


def identity_of(scope: AsgiScope) -> Identity:
    """Who the request is from: a dependency of the handlers."""
    return identity_in(scope)


def principal_of(scope: AsgiScope) -> str:
    """What events say of who did it: a dependency of the handlers."""
    return identity_in(scope).principal


def unauthenticated() -> Problem:
    """401, and how one gets in."""
    return Problem(
        401,
        "not-logged-in",
        "Nobody is logged in: open a link by `journeyman user link`, or send `Authorization: Bearer` with a token.",
        headers={"WWW-Authenticate": "Bearer"},
    )
