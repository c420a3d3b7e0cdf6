"""A task's actions are those that whoever asks may have: nobody is offered what is refused to them afterwards."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import duckdb
import msgspec
import pytest

from shared.contracts.permitted_actions import permitted
from shared.contracts.queries import Query
from shared.contracts.rules import Action, ActionState
from shared.contracts.subjects import Actor
from shared.contracts.user import Role, Scope
from shared.runtime.client import Client
from testing.doorstep import Doorstep
from testing.people import House
from tests.unit.projector.projector_support import TASK, answered, planned, projected

pytestmark = pytest.mark.filterwarnings("ignore::litestar.exceptions.LitestarDeprecationWarning")

ALL = {action.value: ActionState(allowed=True, effect="Does so.") for action in Action}


class Projector(Client):
    """The read models themselves, without a way to them."""

    def __init__(self, rows: duckdb.DuckDBPyConnection) -> None:
        self._rows = rows

    async def query(self, query: Query[Any], **_: Any) -> Any:
        return answered(self._rows, query.name, **msgspec.to_builtins(query))

    async def query_actor(self, query: Query[Any], actor: Actor) -> Any:
        return await self.query(query)


@pytest.fixture
async def doorstep() -> AsyncIterator[Doorstep]:
    """With one task, whose plan waits for approval."""
    async with House() as house:
        made = Doorstep(house, client=Projector(projected(planned())))
        yield made
        await made.http.aclose()


def names(actions: dict[str, ActionState]) -> set[str]:
    return {name for name, state in actions.items() if state.allowed}


def test_a_viewer_steers_nothing_an_operator_no_plan_and_an_approver_everything() -> None:
    deciding = {"approve", "reject", "revise", "publish"}
    assert names(permitted(ALL, Role.VIEWER)) == set()
    assert names(permitted(ALL, Role.OPERATOR)) == set(ALL) - deciding
    assert names(permitted(ALL, Role.APPROVER)) == names(permitted(ALL, Role.ADMIN)) == set(ALL)
    assert names(permitted(ALL, Role.ADMIN, (Scope.CHAT,))) == set()


def test_a_refusal_says_which_role_it_takes_and_one_by_the_state_stays_what_it_is() -> None:
    state = ActionState(allowed=False, code="task-finished", reason="The task is completed.")
    found = permitted({"approve": ActionState(allowed=True), "stop": state}, Role.VIEWER)
    assert found["approve"].code == "role-lacking"
    assert "the role approver, and you are viewer" in found["approve"].reason
    assert found["stop"] == state
    brief = permitted({"approve": ActionState(allowed=True)}, Role.VIEWER, in_brief=True)
    assert brief["approve"] == ActionState(allowed=False)


def test_an_action_of_a_newer_projector_is_left_as_it_came() -> None:
    newer = {"fork": ActionState(allowed=True)}
    assert permitted(newer, Role.VIEWER) == newer


async def test_the_api_offers_each_role_what_it_may(doorstep: Doorstep) -> None:
    may = {
        Role.VIEWER: set(),
        Role.OPERATOR: {"stop", "follow-up"},
        Role.APPROVER: {"stop", "follow-up", "approve", "reject", "revise"},
    }
    for role, allowed in may.items():
        await doorstep.house.invite(role.value, role)
        who = {"Authorization": f"Bearer {await doorstep.house.token(role.value)}"}
        task = (await doorstep.http.get(f"/api/tasks/{TASK}", headers=who)).json()["task"]
        (listed,) = (await doorstep.http.get("/api/tasks", headers=who)).json()["items"]
        for found in (task, listed):
            assert {name for name, state in found["actions"].items() if state["allowed"]} == allowed, role
        refused = await doorstep.http.post(f"/api/tasks/{TASK}/approve", headers=who)
        reason = task["actions"]["approve"].get("reason", "")
        assert (refused.status_code == 403) is ("approve" not in allowed)
        if refused.status_code == 403:
            assert reason == refused.json()["detail"], "who is refused was told so before, in the same words"
        assert not listed["actions"]["approve"].get("reason")
