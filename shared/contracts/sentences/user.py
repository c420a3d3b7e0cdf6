"""What happened to a person's rights."""

from __future__ import annotations

from typing import assert_never

from shared.contracts.user import Disabled, Enabled, Invited, RoleChanged, TokenMade, TokenRevoked, UserEvent


def sentence(event: UserEvent) -> str:
    """One line."""
    match event:
        case Invited(role=role):
            return f"Invited as {role}"
        case RoleChanged(role=role):
            return f"Is {role} from now on"
        case Disabled():
            return "May not log in any more"
        case Enabled():
            return "May log in again"
        case TokenMade(name=name, role=role, ends_at=None):
            return f"Token {name!r} was made: {role}, without an end"
        case TokenMade(name=name, role=role, ends_at=ends):
            return f"Token {name!r} was made: {role}, until {ends:%Y-%m-%d %H:%M} UTC"
        case TokenRevoked(token=token):
            return f"Token {token} was revoked"
        case _:
            assert_never(event)
