"""The rules of people: names, and what may become of somebody's role and tokens."""

from __future__ import annotations

import re
from typing import Final

from shared.contracts.decider import Decider, Rejected
from shared.contracts.user import (
    MAX_TOKENS,
    NAME,
    NOBODY,
    RESERVED,
    ChangeRole,
    Disable,
    Disabled,
    Enable,
    Enabled,
    Invite,
    Invited,
    MakeToken,
    RevokeToken,
    RoleChanged,
    TokenMade,
    TokenRevoked,
    User,
    UserCommand,
    UserEvent,
    evolve,
)

MAX_TOKEN_NAME: Final = 80
_HASH: Final = re.compile(r"[0-9a-f]{64}")
_TOKEN: Final = re.compile(r"[a-z0-9]{6,32}")


def decide(user: User, command: UserCommand) -> UserEvent | None:
    """What comes of a command; what changes nothing gives None. Raises `Rejected`."""
    match command:
        case Invite():
            return _invited(user, command)
        case _ if not user.invited:
            raise Rejected("user-unknown", "There is nobody of this name: an admin invites people.")
        case ChangeRole(role=role):
            return None if role is user.role else RoleChanged(role=role)
        case Disable():
            return Disabled() if user.enabled else None
        case Enable():
            return None if user.enabled else Enabled()
        case MakeToken():
            return _token_made(user, command)
        case RevokeToken(token=id):
            if not any(each.token == id for each in user.tokens):
                raise Rejected("token-unknown", "This person has no such token: it may have been revoked.")
            return TokenRevoked(token=id)


def _invited(user: User, command: Invite) -> Invited | None:
    if not NAME.fullmatch(command.id) or command.id in RESERVED:
        raise Rejected(
            "user-name",
            f"Nobody can be called {command.id[:40]!r}: take 1 to 32 small letters, digits and '-', a letter first, "
            f"and none of {', '.join(sorted(RESERVED))}.",
        )
    if not user.invited:
        return Invited(role=command.role)
    if user.role is command.role and user.enabled:
        return None
    raise Rejected("user-exists", "There is somebody of this name: change the role, enable them, or take another name.")


def _token_made(user: User, command: MakeToken) -> TokenMade | None:
    made = TokenMade(
        token=command.token,
        hash=command.hash,
        name=command.name.strip(),
        role=command.role,
        scopes=command.scopes,
        ends_at=command.ends_at,
    )
    if any(each.token == made.token and each.hash == made.hash for each in user.tokens):
        return None
    if not user.enabled:
        raise Rejected("user-disabled", "This person may not log in: enable them first.")
    if not _TOKEN.fullmatch(made.token) or not _HASH.fullmatch(made.hash):
        raise Rejected("token-malformed", "A token has an id of small letters and digits, and a SHA-256 in hex.")
    if not made.name or len(made.name) > MAX_TOKEN_NAME or not made.name.isprintable():
        raise Rejected("token-name", f"A token has a name of 1 to {MAX_TOKEN_NAME} letters: say what it is for.")
    if any(each.token == made.token for each in user.tokens):
        raise Rejected("token-exists", "This person has a token of this id: make another one.")
    if not user.role.includes(made.role):
        raise Rejected("token-role", f"This person is {user.role}: a token of theirs may do no more.")
    if len(user.tokens) >= MAX_TOKENS:
        raise Rejected("too-many-tokens", f"This person has {MAX_TOKENS} tokens: revoke one that is not used.")
    return made


DECIDER: Decider[User] = Decider("user", NOBODY, decide, evolve)
