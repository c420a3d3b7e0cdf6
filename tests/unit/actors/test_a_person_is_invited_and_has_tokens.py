from __future__ import annotations

import pytest
from msgspec.structs import replace

from services.brain.actors.user import DECIDER
from shared.contracts.user import (
    MAX_TOKENS,
    ChangeRole,
    Disable,
    Disabled,
    Enable,
    Enabled,
    Invite,
    Invited,
    MakeToken,
    RevokeToken,
    Role,
    RoleChanged,
    Scope,
    TokenMade,
    TokenRevoked,
)
from testing.given import given

INVITED = Invited(role=Role.APPROVER)
MAKE = MakeToken(token="abc123", hash="0" * 64, name="CI", role=Role.OPERATOR, scopes=(Scope.TASKS,))
MADE = TokenMade(token="abc123", hash="0" * 64, name="CI", role=Role.OPERATOR, scopes=(Scope.TASKS,))


def test_a_person_is_invited_once_and_changed_after_that() -> None:
    invite = Invite(id="ada", role=Role.APPROVER)
    given(DECIDER).when(invite).then(INVITED)
    given(DECIDER, INVITED).when(invite).nothing()
    given(DECIDER, INVITED).when(replace(invite, role=Role.ADMIN)).is_rejected("user-exists")
    given(DECIDER, INVITED, Disabled()).when(invite).is_rejected("user-exists")
    given(DECIDER, INVITED).when(ChangeRole(role=Role.ADMIN)).then(RoleChanged(role=Role.ADMIN))
    given(DECIDER, INVITED).when(ChangeRole(role=Role.APPROVER)).nothing()
    given(DECIDER).when(ChangeRole(role=Role.ADMIN)).is_rejected("user-unknown")


@pytest.mark.parametrize("name", ["", "Ada", "ada.l", "1ada", "a" * 33, "local", "me", "nats", "ada\u202e"])
def test_a_name_that_means_something_else_is_nobodys(name: str) -> None:
    given(DECIDER).when(Invite(id=name, role=Role.VIEWER)).is_rejected("user-name")


def test_a_person_is_let_in_again_as_before() -> None:
    given(DECIDER, INVITED).when(Disable()).then(Disabled())
    given(DECIDER, INVITED, Disabled()).when(Disable()).nothing()
    given(DECIDER, INVITED, Disabled()).when(Enable()).then(Enabled())
    given(DECIDER, INVITED).when(Enable()).nothing()
    state = DECIDER.fold([INVITED, MADE, Disabled(), Enabled()])
    assert [each.token for each in state.tokens] == ["abc123"]


def test_a_token_is_made_once_and_revoked_once() -> None:
    given(DECIDER, INVITED).when(MAKE).then(MADE)
    given(DECIDER, INVITED, MADE).when(MAKE).nothing()
    given(DECIDER, INVITED, MADE).when(replace(MAKE, hash="1" * 64)).is_rejected("token-exists")
    given(DECIDER, INVITED, MADE).when(RevokeToken(token="abc123")).then(TokenRevoked(token="abc123"))
    given(DECIDER, INVITED).when(RevokeToken(token="abc123")).is_rejected("token-unknown")


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"role": Role.ADMIN}, "token-role"),
        ({"name": "  "}, "token-name"),
        ({"name": "x" * 81}, "token-name"),
        ({"name": "a\u202eb"}, "token-name"),
        ({"hash": "secret"}, "token-malformed"),
        ({"token": "a.b.c.d"}, "token-malformed"),
    ],
)
def test_a_token_that_says_too_much_or_too_little_is_refused(wrong: dict[str, object], code: str) -> None:
    given(DECIDER, INVITED).when(replace(MAKE, **wrong)).is_rejected(code)


def test_a_disabled_person_gets_no_token_and_nobody_gets_too_many() -> None:
    given(DECIDER, INVITED, Disabled()).when(MAKE).is_rejected("user-disabled")
    many = [replace(MADE, token=f"token{number:03}") for number in range(MAX_TOKENS)]
    given(DECIDER, INVITED, *many).when(MAKE).is_rejected("too-many-tokens")
