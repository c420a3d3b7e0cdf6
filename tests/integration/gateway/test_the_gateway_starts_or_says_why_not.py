from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import httpx
import pytest
from websockets.asyncio.client import connect

from shared.contracts import reply, task
from shared.contracts.reply import branch_effect
from shared.contracts.subjects import Actor
from shared.nats.bus import Bus
from shared.nats.journal import NatsJournal
from shared.ops.certificate import trust_in
from shared.ops.timings import NatsTimings, Timings
from testing.door import ADA
from testing.eventually import eventually
from testing.nats import Nats, refusing_port
from testing.nats_logins import Authority
from tests.integration.gateway.gateway_process import Gateway, Heard, happen, issue_opened, sent_until_stored, signed


async def test_a_busy_port_is_one_line_with_the_setting_and_the_mend(nats_server: Nats, tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        said = await Gateway(nats_server.url, tmp_path / "data", JOURNEYMAN_HTTP_PORT=port).refusal()
    (line,) = said.splitlines()
    assert line.startswith(f"journeyman gateway: Port {port} ")
    assert "JOURNEYMAN_HTTP_PORT" in line


async def test_a_broken_configuration_is_one_line(nats_server: Nats, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "journeyman.toml").write_text("[policy]\nmention = 5\n")
    (line,) = (await Gateway(nats_server.url, tmp_path / "data").refusal()).splitlines()
    assert "policy.mention" in line
    assert "Mend the file" in line


async def test_credentials_of_github_that_cannot_be_used_are_one_line(nats_server: Nats, tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_text("-----BEGIN PRIVATE KEY-----\nbm9uZQ==\n-----END PRIVATE KEY-----\n")
    key = {"JOURNEYMAN_GITHUB_APP_ID": "7", "JOURNEYMAN_GITHUB_APP_PRIVATE_KEY_FILE": str(tmp_path / "key.pem")}
    (line,) = (await Gateway(nats_server.url, tmp_path / "data", **key).refusal()).splitlines()
    assert "cannot sign" in line and "make a new one" in line


async def test_credentials_that_cannot_be_used_are_one_line_with_the_repository_and_the_mend(
    nats_server: Nats, tmp_path: Path
) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "journeyman.toml").write_text(
        '[repos."acme/web"]\nurl = "https://git.example/acme/web.git"\n'
        '[credentials."git.example"]\ntoken_file = "token"\n'
    )
    (line,) = (await Gateway(nats_server.url, tmp_path / "data").refusal()).splitlines()
    assert line.startswith(
        f'journeyman gateway: acme/web: [credentials."git.example"]: token_file {tmp_path}/data/token'
    )
    assert line.endswith("Put it there, or name another file.")


async def test_nats_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    hasty = Timings(nats=NatsTimings(connect_s=1.0))
    with refusing_port() as port:
        gateway = Gateway(f"nats://127.0.0.1:{port}", tmp_path / "data", hasty)
        (line,) = (await gateway.refusal()).splitlines()
    assert "JOURNEYMAN_NATS_URL" in line


async def test_a_changed_policy_counts_without_a_restart(gateway: Gateway) -> None:
    async with gateway.http() as http:

        async def outcome(number: int) -> int:
            body = issue_opened(number)
            return (await http.post("/webhooks/github", content=body, headers=signed(body, f"d-{number}"))).status_code

        body = issue_opened(1)
        *again, answer = await sent_until_stored(http, body, signed(body, "d-1"))
        assert answer.status_code == 202 or again
        configure(gateway, '[policy]\nlabel = "agent"\n')
        numbers = iter(range(2, 1000))

        async def is_ignored() -> bool:
            return await outcome(next(numbers)) == 200

        await eventually(is_ignored, within=90)
        configure(gateway, "[policy\n")
        await asyncio.sleep(2.5)
        assert await outcome(1001) == 200


def configure(gateway: Gateway, text: str) -> None:
    """Write the whole file at once: half of it would be a configuration too."""
    draft = gateway.data / "journeyman.toml.draft"
    draft.write_text(text)
    draft.replace(gateway.data / "journeyman.toml")


async def test_a_run_that_succeeded_leads_to_a_reply_and_its_failure_is_reported(gateway: Gateway, bus: Bus) -> None:
    succeeded = task.RunSucceeded(
        attempt=1,
        repo="octo/unknown",
        base_commit="a" * 40,
        commit="b" * 40,
        branch="journeyman/x",
        summary="s",
        cause=1,
    )
    await happen(bus, "T1", succeeded)
    journal = NatsJournal(bus)

    async def story() -> bool:
        return len(await journal.load(Actor("reply", "T1"))) == 3

    await eventually(story, within=60)
    requested, claimed, failed = [event.data for event in await journal.load(Actor("reply", "T1"))]
    assert isinstance(requested, reply.Requested)
    assert isinstance(claimed, reply.Claimed)
    assert isinstance(failed, reply.Failed)
    assert (failed.effect, failed.code) == (branch_effect(1), "repo-unknown")


async def test_a_gateway_with_a_certificate_speaks_tls_and_nothing_else(nats_server: Nats, tmp_path: Path) -> None:
    cert, key = Authority(tmp_path / "authority").signs("gateway")
    tls = {"JOURNEYMAN_TLS_CERT": str(cert), "JOURNEYMAN_TLS_KEY": str(key), "JOURNEYMAN_LOGIN": "1"}
    async with Gateway(nats_server.url, tmp_path / "data", **tls) as gateway:
        async with gateway.http(verify=trust_in(cert), headers={"X-Journeyman": "1"}) as http:
            assert (await http.get("/api/me")).json()["name"] == ADA
            assert (await http.post("/api/logout")).headers["set-cookie"].startswith("__Host-journeyman=;")
            query = f"?ticket={(await http.post('/api/ticket')).json()['ticket']}"
        address = gateway.url.replace("https://", "")
        async with connect(f"wss://{address}/ws{query}", proxy=None, ssl=trust_in(cert)) as socket:
            await Heard(socket).say(type="ping")
        async with httpx.AsyncClient(trust_env=False) as plain:
            with pytest.raises(httpx.TransportError):
                await plain.get(f"http://{address}/api/me")


async def test_a_key_of_another_certificate_is_one_line(nats_server: Nats, tmp_path: Path) -> None:
    authority = Authority(tmp_path / "authority")
    (cert, _), (_, other) = authority.signs("gateway"), authority.signs("other")
    tls = {"JOURNEYMAN_TLS_CERT": str(cert), "JOURNEYMAN_TLS_KEY": str(other)}
    (line,) = (await Gateway(nats_server.url, tmp_path / "data", **tls).refusal()).splitlines()
    assert line.startswith(f"journeyman gateway: JOURNEYMAN_TLS_CERT, JOURNEYMAN_TLS_KEY: {other} is not the key")
