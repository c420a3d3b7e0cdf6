"""The last door before an actor: a host asks what the sender of a command may, whichever way it came."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from services.brain.actors import session, task, user
from shared.contracts.decider import Rejected
from shared.contracts.messages import Command
from shared.contracts.session import Say
from shared.contracts.subjects import Actor
from shared.contracts.task import FollowUp, RecordSpend, Source, Submit
from shared.contracts.user import ChangeRole, Disable, Invite, Role
from shared.event_store.in_memory import MemoryJournal
from shared.runtime.actor_host import ActorHost
from shared.runtime.people import People
from testing.eventually import eventually
from testing.examples import example

SAY = Say(message="What is this?", author="user:vic", task_id="T1")

SESSION = Actor("session", "s")


class House:
    """A host of the brain, and the people that it knows."""

    def __init__(self) -> None:
        self.journal = MemoryJournal()
        self.people = People(self.journal)
        self.host = ActorHost(
            self.journal, [session.DECIDER, task.DECIDER, user.DECIDER], source="test", check=self.people.check
        )
        self._sent = 0

    async def tell(self, actor: Actor, command: Command, principal: str) -> bool:
        self._sent += 1
        return bool(await self.host.execute(actor, command, id=f"c{self._sent}", principal=principal))

    async def invite(self, name: str, role: Role) -> None:
        await self.tell(Actor("user", name), Invite(id=name, role=role), "service:gateway")
        await eventually(lambda: self.people.find(name).invited)


@pytest.fixture
async def house() -> AsyncIterator[House]:
    made = House()
    following = asyncio.create_task(made.people.run())
    yield made
    made.people.drain()
    await following


async def refused(house: House, principal: str, command: Command = SAY, actor: Actor = SESSION) -> str:
    with pytest.raises(Rejected) as refusal:
        await house.tell(actor, command, principal)
    return refusal.value.code


async def test_a_viewer_says_nothing_an_operator_does_and_a_stranger_is_unknown(house: House) -> None:
    await house.invite("vic", Role.VIEWER)
    await house.invite("olga", Role.OPERATOR)
    assert await refused(house, "user:vic") == "role-lacking"
    assert await refused(house, "user:mallory") == "user-unknown"
    assert await refused(house, "user:m.a>") == "user-unknown"
    assert await house.tell(SESSION, SAY, "user:olga")


async def test_what_was_just_allowed_is_allowed_before_the_host_has_heard_of_it(house: House) -> None:
    await house.invite("vic", Role.VIEWER)
    house.people.drain()
    await house.tell(Actor("user", "vic"), ChangeRole(role=Role.OPERATOR), "service:gateway")
    assert await house.tell(SESSION, SAY, "user:vic")


async def test_a_disabled_person_may_do_nothing_any_more(house: House) -> None:
    await house.invite("ada", Role.ADMIN)
    assert await house.tell(SESSION, SAY, "user:ada")
    await house.tell(Actor("user", "ada"), Disable(), "service:gateway")
    await eventually(lambda: (ada := house.people.find("ada")).invited and not ada.enabled)
    assert await refused(house, "user:ada") == "user-disabled"


async def test_no_person_says_what_services_tell_one_another(house: House) -> None:
    spent = example(RecordSpend)
    assert await refused(house, "user:ada", spent, Actor("task", "t")) == "role-lacking"
    await house.invite("ada", Role.ADMIN)
    assert await refused(house, "user:ada", spent, Actor("task", "t")) == "role-lacking"


async def test_a_system_without_people_refuses_nobody_and_people_outside_were_judged_before(house: House) -> None:
    submit = Submit(title="t", text="x", source=Source(kind="test"))
    assert await house.tell(Actor("task", "A"), submit, "user:anybody")
    await house.invite("ada", Role.ADMIN)
    for number, principal in enumerate(("service:brain", "github:octocat", "nats:operator", "user:local")):
        assert await house.tell(Actor("task", f"B{number}"), submit, principal)
    assert await refused(house, "user:anybody", FollowUp(text="more", author="x"), Actor("task", "A")) == "user-unknown"
