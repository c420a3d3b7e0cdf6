"""The door of a real gateway, with the brain that knows the people and the bucket that knows who is logged in."""

from __future__ import annotations

import json
import stat
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from services.gateway.live.session import NOT_LOGGED_IN
from shared.contracts.subjects import Actor
from shared.contracts.user import Role
from shared.nats.bus import Bus
from shared.nats.journal import NatsJournal
from testing.command_line import Run
from testing.door import ADA
from testing.eventually import eventually
from testing.nats import Nats
from tests.integration.gateway.gateway_process import Gateway, Heard, ServiceProcess

NOBODY: dict[str, str] = {}


@pytest.fixture
async def gateway(nats_server: Nats, tmp_path: Path, brain: ServiceProcess) -> AsyncIterator[Gateway]:
    """With the login on, and its first admin known."""
    async with Gateway(nats_server.url, tmp_path / "data", JOURNEYMAN_LOGIN="1") as running:
        async with running.http() as http:

            async def known() -> bool:
                return bool((await http.get("/api/users")).json()["items"])

            await eventually(known)
        yield running


async def invited(ada: httpx.AsyncClient, name: str, role: Role) -> str:
    """The secret of a link for a new person."""
    answer = await ada.post("/api/users", json={"name": name, "role": role})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["url"]).partition("#")[2]


async def logged_in(browser: httpx.AsyncClient, link: str) -> None:
    answer = await browser.post("/api/login", json={"link": link})
    assert answer.status_code == 200, answer.text


async def ticket(http: httpx.AsyncClient) -> str:
    return f"?ticket={(await http.post('/api/ticket')).json()['ticket']}"


async def ended(heard: Heard) -> int:
    """The code that a socket is closed with."""
    with pytest.raises(ConnectionClosed) as closed:
        while True:
            await heard.next()
    assert closed.value.rcvd is not None
    return closed.value.rcvd.code


async def test_a_person_is_invited_logs_in_listens_and_is_disabled_meanwhile(gateway: Gateway, bus: Bus) -> None:
    async with gateway.http() as ada, gateway.http(who=NOBODY) as browser, gateway.http(who=NOBODY) as other:
        assert (await ada.get("/api/me")).json()["name"] == ADA
        refused = await browser.get("/api/tasks")
        assert (refused.status_code, refused.json()["code"]) == (401, "not-logged-in")
        # What proves itself otherwise asks nobody who they are.
        assert [(await browser.get(path)).status_code for path in ("/health/live", "/metrics", "/tasks")] == [200] * 3
        assert (await browser.post("/webhooks/github", content=b"{}")).json()["code"] != "not-logged-in"
        link = await invited(ada, "bo", Role.OPERATOR)
        await logged_in(browser, link)
        assert (await other.post("/api/login", json={"link": link})).json()["code"] == "link-over"

        query = await ticket(browser)
        async with gateway.socket(who=NOBODY, query=query) as socket:
            heard = Heard(socket)
            await heard.say(type="ping")
            await heard.until("pong")
            with pytest.raises(InvalidStatus) as again:
                async with gateway.socket(who=NOBODY, query=query):
                    pass
            assert again.value.response.status_code == 403
            changed = await ada.post("/api/users/bo/disable")
            assert changed.json()["user"]["enabled"] is False
            assert await ended(heard) == NOT_LOGGED_IN
        assert (await browser.get("/api/me")).status_code == 401
        # A cookie alone opens no socket: a page of another site could bring it along.
        await ada.post("/api/users/bo/enable")
        await logged_in(browser, (await ada.post("/api/users/bo/link")).json()["url"].partition("#")[2])
        cookies = {"Cookie": "; ".join(f"{name}={value}" for name, value in browser.cookies.items())}
        with pytest.raises(InvalidStatus):
            async with gateway.socket(who=cookies):
                pass
    events = await NatsJournal(bus).load(Actor("user", "bo"))
    assert [(type(each.data).__name__, each.principal) for each in events] == [
        ("Invited", f"user:{ADA}"),
        ("Disabled", f"user:{ADA}"),
        ("Enabled", f"user:{ADA}"),
    ]


async def test_sessions_end_by_hand_in_the_middle_of_a_socket_and_outlive_the_gateway(gateway: Gateway) -> None:
    async with gateway.http() as ada, gateway.http(who=NOBODY) as browser:
        await logged_in(browser, await invited(ada, "bo", Role.VIEWER))
        await gateway.kill()
        await gateway.again()
    async with (
        gateway.http() as ada,
        gateway.http(who=NOBODY, cookies={f"journeyman-{gateway.url.rpartition(':')[2]}": _key(browser)}) as same,
    ):
        assert (await same.get("/api/me")).json()["name"] == "bo"
        async with gateway.socket(who=NOBODY, query=await ticket(same)) as socket:
            heard = Heard(socket)
            (open_one,) = (await ada.get("/api/users/bo/sessions")).json()["items"]
            assert (await ada.post(f"/api/users/bo/sessions/{open_one['id']}/end")).json()["items"] == []
            assert await ended(heard) == NOT_LOGGED_IN


async def test_commands_log_in_by_a_link_and_out_again(gateway: Gateway, journeyman: Run, tmp_path: Path) -> None:
    here = {"XDG_CONFIG_HOME": str(tmp_path / "config"), "HOME": str(tmp_path)}
    async with gateway.http() as ada:
        answer = (await ada.post("/api/users", json={"name": "bo", "role": "admin"})).json()
        url = answer["url"]

    async def run(*arguments: str) -> str:
        done = await journeyman(*arguments, **here)
        return done.out if done.code == 0 else f"refused: {done.err}"

    assert "You are bo (admin)" in await run("login", url, "--name", "team")
    kept = tmp_path / "config" / "journeyman" / "contexts.json"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    token = json.loads(kept.read_text())["named"]["team"]["token"]
    assert "refused" in await run("login", url, "--name", "again")

    assert [each["name"] for each in json.loads(await run("user", "list", "--json", "--context", "team"))["items"]] == [
        ADA,
        "bo",
    ]
    made = await run("token", "create", "ci", "--scope", "tasks", "--days", "1", "--context", "team")
    async with gateway.http(who={"Authorization": f"Bearer {made.strip()}"}) as program:
        assert (await program.get("/api/me")).json()["scopes"] == ["tasks"]
        assert (await program.get("/api/users")).json()["code"] == "scope-lacking"
    assert "needs its NATS" in await run("task", "list", "--context", "team")
    assert "Logged out" in await run("logout", "team")
    async with gateway.http(who={"Authorization": f"Bearer {token}"}) as revoked:
        assert (await revoked.get("/api/me")).json()["code"] == "token-wrong"
    assert token not in kept.read_text()


def _key(browser: httpx.AsyncClient) -> str:
    (key,) = (value for _, value in browser.cookies.items())
    return key


async def test_each_message_and_topic_of_a_socket_is_for_the_roles_and_scopes_of_its_row(gateway: Gateway) -> None:
    messages: dict[str, dict[str, Any]] = {
        "task.approve": {"task_id": "T" * 26, "version": 1, "digest": "d" * 64},
        "task.stop": {"task_id": "T" * 26, "reason": "r"},
        "task.input": {"task_id": "T" * 26, "message": "t"},
        "chat.message": {"message": "hello"},
        "subscribe": {"topics": ["tasks"]},
    }
    may = {
        Role.VIEWER: {"subscribe"},
        Role.OPERATOR: {"subscribe", "task.stop", "task.input", "chat.message"},
        Role.APPROVER: set(messages),
        Role.ADMIN: set(messages),
    }

    async def lacking(who: dict[str, str]) -> dict[str, str]:
        """The refused messages with their codes."""
        found = {}
        async with gateway.socket(who=who) as socket:
            heard = Heard(socket)
            for type, fields in messages.items():
                await heard.say(type=type, **fields)
                answer = await heard.next()
                if answer["type"] == "error" and answer["code"] in ("role-lacking", "scope-lacking"):
                    found[type] = answer["code"]
        return found

    async with gateway.http() as ada:
        for role in Role:
            await invited(ada, role.value, role)
            made = await ada.post(f"/api/tokens?person={role.value}", json={"name": "test"})
            who = {"Authorization": f"Bearer {made.json()['secret']}"}
            assert set(await lacking(who)) == set(messages) - may[role], role
        narrow = await ada.post("/api/tokens", json={"name": "chat", "scopes": ["chat"], "days": 1})
        who = {"Authorization": f"Bearer {narrow.json()['secret']}"}
        assert await lacking(who) == dict.fromkeys(set(messages) - {"chat.message"}, "scope-lacking")
        (listed,) = (await ada.get("/api/tokens")).json()["items"]
        assert listed["used_at"] is not None
        await ada.post(f"/api/tokens/{listed['id']}/revoke")
        async with gateway.http(who=who) as revoked:
            assert (await revoked.get("/api/me")).json()["code"] == "token-wrong"
