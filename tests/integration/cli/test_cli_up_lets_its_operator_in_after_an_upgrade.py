"""A folder that a version without people has left: `up` says how its operator comes in, also with a certificate."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest

from shared.ops.certificate import trust_in
from testing.command_line import Run, StartUp
from testing.door import ADA
from testing.eventually import eventually
from testing.log_copies import another_nats
from testing.nats_logins import Authority
from tests.golden.logs import HERE, Golden


@pytest.mark.timeout(400)
async def test_a_folder_from_before_the_login_prints_a_link_that_logs_its_operator_in(
    start_up: StartUp, journeyman: Run, tmp_path: Path
) -> None:
    async with another_nats(tmp_path / "data" / "nats") as (_, bus):
        before = Golden(HERE / "0.1.0" / "plain").log()
        assert not [each for each in before if each.subject.startswith("evt.user.")]
        for each in before:
            await bus.js.publish(each.subject, each.body, headers={"Nats-Msg-Id": each.headers["Nats-Msg-Id"]})
    cert, key = Authority(tmp_path / "authority").signs("gateway")
    up = await start_up(JOURNEYMAN_USER=ADA, JOURNEYMAN_TLS_CERT=str(cert), JOURNEYMAN_TLS_KEY=str(key))
    await up.wait_ready()
    address = up.ready["http"]
    printed = re.search(rf"log in +{re.escape(address)}/login#(\S+)", up.said)
    assert address.startswith("https://") and printed, up.said
    another = await journeyman("user", "link", "--data", up.data)
    assert another.out.startswith(f"{address}/login#"), another.err
    async with httpx.AsyncClient(base_url=address, verify=trust_in(cert), trust_env=False) as browser:
        consent = {"X-Journeyman": "1"}
        me = (await browser.post("/api/login", json={"link": printed[1]}, headers=consent)).json()
        assert (me["name"], me["role"]) == (ADA, "admin")

        async def shown() -> bool:
            return bool((await browser.get("/api/tasks")).json().get("items"))

        await eventually(shown)
    assert await up.end() == 0
