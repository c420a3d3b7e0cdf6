from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from services.gateway.first_admin import FirstAdmin
from services.gateway.problems import Problem
from services.gateway.security.identity import Identity, Via
from services.gateway.security.one_time import LINK_S, TICKET_S
from services.gateway.security.sessions import END, IDLE, MOST_OF_ONE, SEEN_EVERY, hash_of_secret
from shared.contracts.decider import Rejected
from shared.contracts.user import Role, Scope
from shared.runtime.client import Client, CommandResult
from testing.door import ADA, TOKEN
from testing.eventually import eventually
from testing.people import OWNER, House

HERE = "192.0.2.1"


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async with House() as made:
        yield made


async def problem(house: House, *, link: str = "", token: str = "", before: str = "") -> str:
    with pytest.raises(Problem) as refused:
        if token:
            await house.door.by_bearer(token, HERE)
        else:
            await house.door.log_in(link, agent="", address=HERE, before=before)
    return refused.value.code


async def test_a_link_logs_in_once_and_within_an_hour(house: House) -> None:
    await house.invite("bo", Role.OPERATOR)
    link = await house.one_time.link("bo")
    key, identity = await house.door.log_in(link, agent="Firefox", address=HERE, before="")
    assert (identity.name, identity.role, identity.via) == ("bo", Role.OPERATOR, Via.SESSION)
    assert await house.door.by_cookie(key, HERE) == identity
    assert await problem(house, link=link) == "link-over"

    late = await house.one_time.link("bo")
    house.bucket.tick(timedelta(seconds=LINK_S + 1))
    assert await problem(house, link=late) == "link-over"
    assert await problem(house, link="no-such-link-at-all") == "link-over"


async def test_of_two_who_redeem_a_link_at_once_one_is_logged_in(house: House) -> None:
    await house.invite("bo", Role.VIEWER)
    link = await house.one_time.link("bo")
    both = (house.door.log_in(link, agent="", address=HERE, before="") for _ in range(2))
    came = await asyncio.gather(*both, return_exceptions=True)
    assert sorted(type(each).__name__ for each in came) == ["Problem", "tuple"]


async def test_a_key_that_somebody_laid_into_a_browser_is_worth_nothing_after_the_login(house: House) -> None:
    await house.invite("eve", Role.VIEWER)
    laid, _ = await house.log_in("eve")
    await house.invite("bo", Role.APPROVER)
    link = await house.one_time.link("bo")
    key, _ = await house.door.log_in(link, agent="", address=HERE, before=laid)
    assert key != laid
    assert await house.door.by_cookie(laid, HERE) is None
    made_up = "x" * 43
    key, _ = await house.door.log_in(await house.one_time.link("bo"), agent="", address=HERE, before=made_up)
    assert key != made_up
    assert await house.door.by_cookie(made_up, HERE) is None


async def test_a_session_ends_when_it_is_not_used_and_at_its_end_whatever_happens(house: House) -> None:
    await house.invite("bo", Role.VIEWER)
    key, _ = await house.log_in("bo")
    house.bucket.tick(IDLE - SEEN_EVERY)
    assert await house.door.by_cookie(key, HERE) is not None
    for _ in range(END // (IDLE - SEEN_EVERY)):
        assert await house.door.by_cookie(key, HERE) is not None
        house.bucket.tick(IDLE - SEEN_EVERY)
    assert await house.door.by_cookie(key, HERE) is None
    other, _ = await house.log_in("bo")
    house.bucket.tick(IDLE + SEEN_EVERY)
    assert await house.door.by_cookie(other, HERE) is None


async def test_nobody_can_log_in_with_what_is_stored(house: House) -> None:
    await house.invite("bo", Role.VIEWER)
    key, _ = await house.log_in("bo")
    link, token = await house.one_time.link("bo"), await house.token("bo")
    stored = repr(vars(house.bucket)) + repr(house.journal.log)
    assert not any(secret in stored for secret in (key, link, token, token.rpartition("_")[2]))
    assert hash_of_secret(key) in stored
    assert await house.door.by_cookie(hash_of_secret(key), HERE) is None


async def test_a_person_has_no_more_than_so_many_sessions(house: House) -> None:
    await house.invite("bo", Role.VIEWER)
    first, _ = await house.log_in("bo")
    for _ in range(MOST_OF_ONE):
        house.bucket.tick(SEEN_EVERY)
        await house.log_in("bo")
    assert len(house.sessions.of("bo")) == MOST_OF_ONE
    assert await house.door.by_cookie(first, HERE) is None


async def test_who_is_disabled_is_out_at_once_by_whatever_they_came(house: House) -> None:
    await house.invite("bo", Role.OPERATOR)
    key, identity = await house.log_in("bo")
    token = await house.token("bo")
    ticket = await house.one_time.ticket(identity)
    by_token = await house.door.by_bearer(token, HERE)
    over = [asyncio.create_task(house.door.until_over(each)) for each in (identity, by_token)]
    link = await house.one_time.link("bo")
    await house.commands.disable("bo", by=OWNER)
    await asyncio.wait_for(asyncio.gather(*over), 5)
    assert await house.door.by_cookie(key, HERE) is None
    assert await house.door.by_ticket(ticket, HERE) is None
    assert await problem(house, token=token) == "token-wrong"
    assert await problem(house, link=link) == "user-disabled", "who has a link of theirs may know why"

    await house.commands.enable("bo", by=OWNER)
    assert (await house.door.by_bearer(token, HERE)).name == "bo"
    assert await house.door.by_cookie(key, HERE) is None


async def test_a_socket_hears_that_its_session_has_ended_elsewhere_and_that_its_token_has_expired(house: House) -> None:
    await house.invite("bo", Role.OPERATOR)
    _, identity = await house.log_in("bo")
    over = asyncio.create_task(house.door.until_over(identity))
    await house.bucket.remove(f"session.{identity.key}")
    await asyncio.wait_for(over, 5)

    token = await house.token("bo", ends_at=house.bucket.now + timedelta(seconds=0.2))
    by_token = await house.door.by_bearer(token, HERE)
    over = asyncio.create_task(house.door.until_over(by_token))
    house.bucket.tick(timedelta(seconds=1))
    await asyncio.wait_for(over, 5)


async def test_a_role_that_was_changed_counts_at_once(house: House) -> None:
    await house.invite("bo", Role.APPROVER)
    key, identity = await house.log_in("bo")
    token = await house.token("bo")
    await house.commands.change_role("bo", Role.VIEWER, by=OWNER)
    now = (await house.door.by_cookie(key, HERE), house.door.current(identity), await house.door.by_bearer(token, HERE))
    assert [each and each.role for each in now] == [Role.VIEWER] * 3


async def test_a_ticket_opens_one_socket_and_soon(house: House) -> None:
    identity = await house.invite("bo", Role.OPERATOR)
    ticket = await house.one_time.ticket(identity)
    assert await house.door.by_ticket(ticket, HERE) == identity
    assert await house.door.by_ticket(ticket, HERE) is None
    late = await house.one_time.ticket(identity)
    house.bucket.tick(timedelta(seconds=TICKET_S + 1))
    assert await house.door.by_ticket(late, HERE) is None


async def test_a_ticket_for_a_token_has_the_tokens_scopes(house: House) -> None:
    await house.invite("bo", Role.ADMIN)
    token = await house.token("bo", role=Role.VIEWER, scopes=(Scope.CHAT,))
    identity = await house.door.by_bearer(token, HERE)
    opened = await house.door.by_ticket(await house.one_time.ticket(identity), HERE)
    assert opened is not None
    assert (opened.role, opened.scopes) == (Role.VIEWER, (Scope.CHAT,))


async def test_a_token_is_known_to_have_been_used_and_is_nothing_after_its_end(house: House) -> None:
    await house.invite("bo", Role.VIEWER)
    token = await house.token("bo", ends_at=house.bucket.now + timedelta(days=1))
    id = house.people.find("bo").tokens[0].token
    assert house.sessions.last_use(id) is None
    await house.door.by_bearer(token, HERE)
    assert house.sessions.last_use(id) == house.bucket.now
    house.bucket.tick(timedelta(days=1))
    assert await problem(house, token=token) == "token-wrong"


async def test_a_token_that_was_revoked_stands_for_nobody(house: House) -> None:
    await house.invite("bo", Role.VIEWER)
    token = await house.token("bo")
    assert (await house.door.by_bearer(token, HERE)).name == "bo"
    await house.commands.revoke_token("bo", house.people.find("bo").tokens[0].token, by=OWNER)
    assert await problem(house, token=token) == "token-wrong"


async def test_a_token_makes_no_token_that_may_do_more_or_lasts_longer(house: House) -> None:
    await house.invite("bo", Role.ADMIN)
    ends = house.bucket.now + timedelta(days=1)
    narrow = await house.door.by_bearer(
        await house.token("bo", role=Role.OPERATOR, scopes=(Scope.PEOPLE, Scope.TASKS), ends_at=ends), HERE
    )

    async def refused(**wanted: object) -> str:
        with pytest.raises(Rejected) as refusal:
            await house.token("bo", by=narrow, **wanted)
        return refusal.value.code

    assert await refused(role=Role.ADMIN, scopes=(Scope.TASKS,)) == "token-role"
    assert await refused() == "token-scope"
    assert await refused(scopes=(Scope.TASKS, Scope.SYSTEM)) == "token-scope"
    made = await house.door.by_bearer(await house.token("bo", by=narrow, scopes=(Scope.TASKS,)), HERE)
    assert (made.role, made.scopes, made.ends_at) == (Role.OPERATOR, (Scope.TASKS,), ends)


async def test_the_only_admin_stays_one(house: House) -> None:
    await house.invite("bo", Role.ADMIN)
    for asked in (house.commands.disable("bo", by=OWNER), house.commands.change_role("bo", Role.VIEWER, by=OWNER)):
        with pytest.raises(Rejected) as refused:
            await asked
        assert refused.value.code == "last-admin"
    await house.invite("cy", Role.ADMIN)
    await house.commands.disable("bo", by=OWNER)


async def test_the_machines_token_is_whoever_runs_the_gateway_until_another_admin_says_otherwise(house: House) -> None:
    async def mine() -> Identity:
        return await house.door.by_bearer(TOKEN, HERE)

    assert (await mine()).role is Role.ADMIN
    await house.invite("bo", Role.ADMIN)
    await house.commands.invite(ADA, Role.ADMIN, by=OWNER)
    await house.commands.change_role(ADA, Role.VIEWER, by=OWNER)
    assert (await mine()).role is Role.VIEWER
    await house.commands.disable(ADA, by=OWNER)
    assert await problem(house, token=TOKEN) == "token-wrong"


async def test_who_guesses_is_slowed_down_and_disturbs_nobody_who_knows(house: House) -> None:
    await house.invite("bo", Role.VIEWER)
    codes = [await problem(house, token=f"jm_guess_{number}") for number in range(30)]
    assert (codes[0], codes[-1]) == ("token-wrong", "too-many-attempts")
    assert (await house.door.by_bearer(TOKEN, HERE)).name == ADA
    codes = [await problem(house, link=f"guess-{number}") for number in range(30)]
    assert codes[-1] == "too-many-attempts"
    link = await house.one_time.link("bo")
    _, identity = await house.door.log_in(link, agent="", address="192.0.2.2", before="")
    assert identity.name == "bo"


async def test_with_the_login_off_everybody_is_let_in() -> None:
    assert (await House(is_open=True).door.by_bearer("whatever", HERE)).principal == "user:local"


async def test_a_session_that_another_gateway_began_is_one_here(house: House) -> None:
    await house.invite("bo", Role.VIEWER)
    key, identity = await house.log_in("bo")
    data = await house.bucket.get(f"session.{identity.key}")
    assert data is not None
    await house.bucket.remove(f"session.{identity.key}")
    await eventually(lambda: house.sessions.find(identity.key) is None)
    await house.bucket.put(f"session.{identity.key}", data, within_s=60)
    assert await house.door.by_cookie(key, HERE) == identity


class Unanswered(Client):
    """A way to a brain that is not there."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()

    async def send(self, *_: Any, **__: Any) -> CommandResult:
        self.asked.set()
        await asyncio.Event().wait()
        raise AssertionError("nobody answers")


async def test_a_gateway_that_leaves_does_not_wait_for_a_brain_that_is_away(house: House) -> None:
    client = Unanswered()
    first = FirstAdmin(client, house.people, ADA)
    running = asyncio.create_task(first.run())
    await client.asked.wait()
    first.drain()
    await asyncio.wait_for(running, 5)
