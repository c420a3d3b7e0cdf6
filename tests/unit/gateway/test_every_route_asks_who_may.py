"""Routes by role and scope, from the table: a request of somebody who may not never reaches a handler."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from services.gateway.app import openapi
from shared.contracts.roles import OPEN, OPERATIONS, Permission
from shared.contracts.user import Role, Scope
from testing.doorstep import COOKIE, Doorstep
from testing.people import House

pytestmark = pytest.mark.filterwarnings("ignore::litestar.exceptions.LitestarDeprecationWarning")

REFUSALS = ("role-lacking", "scope-lacking")


@pytest.fixture
async def doorstep() -> AsyncIterator[Doorstep]:
    # Without the tracebacks of what fails behind the routes this takes a tenth of the time.
    with capture_logs():
        async with House() as house:
            made = Doorstep(house)
            yield made
            await made.http.aclose()


def routes() -> list[tuple[str, str, str]]:
    """Each operation's id, method and an example of its path."""
    return [
        (each["operationId"], method.upper(), re.sub(r"\{[^}]+\}", "1" * 20, path))
        for path, methods in openapi()["paths"].items()
        for method, each in methods.items()
    ]


async def test_every_route_lets_in_whom_its_row_names_and_nobody_else(doorstep: Doorstep) -> None:
    for role in Role:
        await doorstep.house.invite(role.value, role)
    tokens = {role: await doorstep.house.token(role.value) for role in Role}
    for operation, method, path in routes():
        row = OPERATIONS[operation]
        nobody = await doorstep.code(method, path)
        assert (nobody == "not-logged-in") is (row is not OPEN), operation
        for role, token in tokens.items():
            code = await doorstep.code(method, path, Authorization=f"Bearer {token}")
            may = row is OPEN or (isinstance(row, Permission) and role.includes(row.role))
            assert (code not in REFUSALS) is may, (operation, role, code)
            assert code not in ("not-logged-in", "not-found", "method-not-allowed"), (operation, code)


async def test_every_route_asks_for_the_scope_of_its_row(doorstep: Doorstep) -> None:
    await doorstep.house.invite("ada", Role.ADMIN)
    tokens = {scope: await doorstep.house.token("ada", scopes=(scope,)) for scope in Scope}
    for operation, method, path in routes():
        row = OPERATIONS[operation]
        for scope, token in tokens.items():
            code = await doorstep.code(method, path, Authorization=f"Bearer {token}")
            may = not isinstance(row, Permission) or row.scope in (None, scope)
            assert (code != "scope-lacking") is may, (operation, scope, code)


async def test_a_browser_logs_in_by_a_link_and_looking_at_the_link_burns_nothing(doorstep: Doorstep) -> None:
    await doorstep.house.invite("bo", Role.OPERATOR)
    link = await doorstep.house.one_time.link("bo")
    http = doorstep.http
    for _ in range(2):  # a preview of the link, a scanner of mails
        assert (await http.get("/login")).status_code == 200
    answer = await http.post("/api/login", json={"link": link})
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(f"{COOKIE}=")
    assert {"Path=/", "HttpOnly", "SameSite=Strict"} <= {each.strip() for each in cookie.split(";")}
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json()["name"] == "bo"
    me = (await http.get("/api/me")).json()
    assert (me["role"], me["via"]) == ("operator", "session")
    assert "openTask" in me["may"]
    assert "approvePlan" not in me["may"]
    assert (await http.post("/api/logout")).headers["set-cookie"].startswith(f"{COOKIE}=;")
    assert await doorstep.code("GET", "/api/me", Cookie=cookie.partition(";")[0]) == "not-logged-in"


async def test_under_tls_the_cookie_is_of_this_host_alone(doorstep: Doorstep) -> None:
    await doorstep.house.invite("bo", Role.VIEWER)
    link = await doorstep.house.one_time.link("bo")
    answer = await doorstep.http.post("https://127.0.0.1:8080/api/login", json={"link": link})
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-journeyman=")
    assert "Secure" in cookie
    assert "Domain" not in cookie


async def test_a_page_of_another_site_does_nothing_with_the_cookie_that_it_brings(doorstep: Doorstep) -> None:
    await doorstep.house.invite("bo", Role.ADMIN)
    key, _ = await doorstep.house.log_in("bo")
    cookie = f"{COOKIE}={key}"
    assert await doorstep.code("GET", "/api/me", Cookie=cookie) == "200"
    foreign = {"Cookie": cookie, "Origin": "http://evil.example"}
    assert await doorstep.code("POST", "/api/logout", **foreign) == "origin-foreign"
    assert await doorstep.code("GET", "/api/me", **foreign) == "origin-foreign"


async def test_a_person_sees_and_ends_what_is_their_own(doorstep: Doorstep) -> None:
    house = doorstep.house
    for name in ("bo", "cy"):
        await house.invite(name, Role.APPROVER)
        await house.token(name)
    house.bucket.tick(timedelta(seconds=1))
    key, _ = await house.log_in("bo")
    cookie = {"Cookie": f"{COOKIE}={key}"}
    theirs = house.sessions.of("cy")[0][1].id
    token = house.people.find("cy").tokens[0].token
    assert await doorstep.code("POST", f"/api/me/sessions/{theirs}/end", **cookie) == "session-unknown"
    assert await doorstep.code("POST", f"/api/users/cy/sessions/{theirs}/end", **cookie) == "role-lacking"
    assert await doorstep.code("GET", "/api/tokens?person=cy", **cookie) == "role-lacking"
    assert await doorstep.code("POST", f"/api/tokens/{token}/revoke?person=cy", **cookie) == "role-lacking"
    assert await doorstep.code("POST", f"/api/tokens/{token}/revoke", **cookie) == "token-unknown"
    mine = (await doorstep.http.get("/api/me/sessions", headers=cookie)).json()["items"]
    assert [each["current"] for each in mine] == [True, False]
    ended = await doorstep.http.post(f"/api/me/sessions/{mine[0]['id']}/end", headers=cookie)
    assert ended.status_code == 200
    assert await doorstep.code("GET", "/api/me", **cookie) == "not-logged-in"


async def test_an_invitation_is_a_link_and_an_admin_makes_another(doorstep: Doorstep) -> None:
    await doorstep.house.invite("ada", Role.ADMIN)
    bearer = {"Authorization": f"Bearer {await doorstep.house.token('ada')}"}
    invited = (await doorstep.http.post("/api/users", json={"name": "bo", "role": "approver"}, headers=bearer)).json()
    assert invited["url"].startswith("http://127.0.0.1:8080/login#")
    again = (await doorstep.http.post("/api/users/bo/link", headers=bearer)).json()
    for each in (invited, again):
        answer = await doorstep.http.post("/api/login", json={"link": each["url"].partition("#")[2]})
        assert (answer.json()["name"], answer.json()["role"]) == ("bo", "approver")
    assert await doorstep.code("POST", "/api/users/nobody/link", **bearer) == "user-unknown"


async def test_no_spelling_of_a_path_walks_around_the_login(doorstep: Doorstep) -> None:
    for path in ("//api/tasks", "/api//tasks", "/x/../api/tasks", "/./api/tasks", "/api/tasks/", "/ws/x"):
        assert await doorstep.code("GET", path) in ("not-logged-in", "not-found"), path
    for path in ("/schema/openapi.json", "/asyncapi.json", "/api", "/api/tasks?x=1", "/schema"):
        assert await doorstep.code("GET", path) == "not-logged-in", path
    assert await doorstep.code("POST", "/") == "not-logged-in"
    assert await doorstep.code("PUT", "/api/login") == "not-logged-in"
