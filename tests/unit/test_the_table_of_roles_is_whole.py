"""Deny by default: what has no row in the table of roles nobody may, so each thing that there is has one."""

from __future__ import annotations

import pytest

from services.gateway.app import openapi
from services.gateway.live.protocol import ClientMessage, Ping, Subscribe, Unsubscribe
from shared.contracts import kinds
from shared.contracts.roles import (
    CLOSED,
    COMMANDS,
    MESSAGES,
    OPERATIONS,
    Permission,
    is_for_people,
    refusal,
    refusal_of_command,
)
from shared.contracts.user import NOBODY, Role, Scope, User

OPEN_ROUTES = {"receiveWebhook", "receiveWebhookByKey", "isLive", "isReady", "getMetrics", "logIn"}
COMMANDS_TO_ACTORS = [(kind, verb) for kind, verbs in kinds.COMMANDS.items() for verb in verbs]


def operations() -> set[str]:
    return {each["operationId"] for path in openapi()["paths"].values() for each in path.values()}


def test_every_command_of_every_kind_has_a_row_and_no_row_is_of_nothing() -> None:
    assert {(kind, verb) for kind, rows in COMMANDS.items() for verb in rows} == set(COMMANDS_TO_ACTORS)


def test_every_route_has_a_row_and_no_row_is_of_nothing() -> None:
    assert set(OPERATIONS) == operations()


def test_only_what_proves_itself_otherwise_is_open_to_everybody() -> None:
    assert {name for name, row in OPERATIONS.items() if refusal(row, Role.VIEWER) is None} >= OPEN_ROUTES
    assert {name for name, row in OPERATIONS.items() if not isinstance(row, Permission)} == OPEN_ROUTES


def test_every_message_of_a_socket_that_does_something_has_a_row() -> None:
    tags = {cls.__struct_config__.tag for cls in ClientMessage.__args__}
    assert set(MESSAGES) == tags - {cls.__struct_config__.tag for cls in (Subscribe, Unsubscribe, Ping)}


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize(("kind", "verb"), COMMANDS_TO_ACTORS)
def test_a_role_may_give_a_command_where_its_row_says_so(kind: str, verb: str, role: Role) -> None:
    row = COMMANDS[kind][verb]
    refused = refusal_of_command(kind, verb, name="ada", actor="ada", user=User(role=role))
    assert (refused is None) is (isinstance(row, Permission) and role.includes(row.role))
    for nobody in (NOBODY, User(role=role, enabled=False)):
        assert refusal_of_command(kind, verb, name="ada", actor="ada", user=nobody) is not None


def test_a_plan_is_approved_by_approvers_and_people_are_made_by_admins() -> None:
    may = {role: refusal_of_command("task", "approve", name="ada", actor="X", user=User(role=role)) for role in Role}
    assert [role for role, refused in may.items() if refused is None] == [Role.APPROVER, Role.ADMIN]
    may = {role: refusal_of_command("user", "invite", name="ada", actor="bo", user=User(role=role)) for role in Role}
    assert [role for role, refused in may.items() if refused is None] == [Role.ADMIN]


def test_a_person_makes_tokens_of_their_own_and_an_admin_those_of_others() -> None:
    for verb in ("make-token", "revoke-token"):
        assert refusal_of_command("user", verb, name="ada", actor="ada", user=User(role=Role.VIEWER)) is None
        refused = refusal_of_command("user", verb, name="ada", actor="bo", user=User(role=Role.APPROVER))
        assert refused is not None and refused.code == "role-lacking"
        assert refusal_of_command("user", verb, name="ada", actor="bo", user=User(role=Role.ADMIN)) is None


def test_a_token_opens_what_its_scopes_name() -> None:
    row = OPERATIONS["openTask"]
    assert refusal(row, Role.ADMIN, (Scope.TASKS,)) is None
    assert refusal(row, Role.ADMIN) is None
    refused = refusal(row, Role.ADMIN, (Scope.CHAT, Scope.SYSTEM))
    assert refused is not None and refused.code == "scope-lacking"
    assert refusal(None, Role.ADMIN) is not None
    assert refusal(CLOSED, Role.ADMIN) is not None


def test_people_speak_to_tasks_and_never_to_runs() -> None:
    assert [kind for kind in COMMANDS if is_for_people(kind)] == ["task", "delivery", "session", "webhook", "user"]
