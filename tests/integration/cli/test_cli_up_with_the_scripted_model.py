"""`up` with the scripted model: by its setting, and in the demo, which keeps what somebody has configured there."""

from __future__ import annotations

import hashlib
import hmac
import json
from pathlib import Path

import httpx
import pytest

from shared.claude.demo.repo import create_demo_repository
from testing.command_line import Run, StartUp

CONFIG = '[repos."me/mine"]\npath = "{path}"\nbase = "main"\n'


@pytest.mark.timeout(400)
async def test_the_setting_of_the_scripted_model_starts_it_and_a_task_completes(
    start_up: StartUp, journeyman: Run, tmp_path: Path
) -> None:
    create_demo_repository(tmp_path / "mine")
    data = tmp_path / "data"
    data.mkdir()
    (data / "journeyman.toml").write_text(CONFIG.format(path=tmp_path / "mine"))
    up = await start_up(JOURNEYMAN_DEMO_MODEL="1", JOURNEYMAN_APPROVAL="auto", ANTHROPIC_API_KEY="the person's own key")
    await up.wait_ready()
    assert "demo-model" in up.record().pids
    assert "JOURNEYMAN_DEMO_MODEL=1" in up.said
    here = {"JOURNEYMAN_NATS_URL": up.ready["nats"], "JOURNEYMAN_APPROVAL": "auto"}
    done = await journeyman("task", "submit", "Note it down", "--repo", "me/mine", "--wait", within=240, **here)
    assert done.code == 0, done.out + done.err
    assert await up.end() == 0


@pytest.mark.timeout(400)
async def test_who_names_an_address_of_the_model_gets_no_second_one(start_up: StartUp) -> None:
    up = await start_up(JOURNEYMAN_DEMO_MODEL="1", ANTHROPIC_BASE_URL="http://127.0.0.1:9")
    await up.wait_ready()
    assert "demo-model" not in up.record().pids
    assert await up.end() == 0


@pytest.mark.timeout(400)
async def test_the_demo_keeps_added_repositories_and_takes_the_webhook_secret_of_the_setting(
    start_up: StartUp, tmp_path: Path
) -> None:
    first = await start_up("--demo")
    await first.wait_ready()
    assert await first.end() == 0
    config = tmp_path / "data" / "journeyman.toml"
    mine = CONFIG.format(path="/srv/mine") + 'checks = ["true"]  # ours\n\n[policy]\nmention = "@bot"\n'
    config.write_text(config.read_text() + mine)
    kept = config.read_text()

    again = await start_up("--demo", JOURNEYMAN_GITHUB_WEBHOOK_SECRET="s3cret")
    await again.wait_ready()
    assert config.read_text() == kept
    assert "me/mine" in again.said
    body = json.dumps({"zen": "Keep it logically awesome."}).encode()
    async with httpx.AsyncClient(base_url=again.ready["http"], timeout=20, trust_env=False) as http:
        answers = {
            secret: (await http.post("/webhooks/github", content=body, headers=_headers(secret, body))).status_code
            for secret in ("s3cret", (again.data / "webhook-secret").read_text())
        }
    assert list(answers.values()) == [200, 401]
    assert await again.end() == 0


async def test_the_demo_adds_its_repository_to_a_configuration_of_its_own_that_lacks_it(
    start_up: StartUp, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    data.mkdir()
    mine = "# Written by `journeyman up --demo`.\n" + CONFIG.format(path="/srv/mine")
    (data / "journeyman.toml").write_text(mine.rstrip())
    up = await start_up("--demo")
    await up.wait_ready()
    text = (data / "journeyman.toml").read_text()
    assert text.startswith(mine)
    assert '[repos."journeyman/demo"]' in text
    assert await up.end() == 0


def _headers(secret: str, body: bytes) -> dict[str, str]:
    return {
        "Content-Type": "application/json",
        "X-GitHub-Event": "ping",
        "X-GitHub-Delivery": hashlib.sha256(secret.encode()).hexdigest()[:36],
        "X-Hub-Signature-256": "sha256=" + hmac.digest(secret.encode(), body, "sha256").hex(),
    }
