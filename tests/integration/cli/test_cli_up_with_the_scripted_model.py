"""`up` with the scripted model: by its setting, and in the demo, which keeps what somebody has configured there."""

from __future__ import annotations

import hashlib
import hmac
import json
import stat
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
async def test_the_demo_keeps_what_is_configured_closes_its_directory_and_takes_the_secret_of_the_setting(
    start_up: StartUp, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    data.mkdir()
    config, secret_file = data / "journeyman.toml", data / "webhook-secret"
    ours = "# Written by `journeyman up --demo`.\n" + CONFIG.format(path="/srv/mine")
    config.write_text(ours.rstrip())
    first = await start_up("--demo")
    await first.wait_ready()
    # The demo adds its repository to a configuration of its own that lacks it.
    assert config.read_text().startswith(ours)
    assert '[repos."journeyman/demo"]' in config.read_text()
    assert (_mode(data), _mode(secret_file)) == (0o700, 0o600)
    secret = secret_file.read_text()
    assert await first.end() == 0

    config.write_text(config.read_text() + '\n[policy]\nmention = "@bot"  # ours\n')
    kept = config.read_text()
    data.chmod(0o755)
    secret_file.chmod(0o644)
    again = await start_up("--demo", JOURNEYMAN_GITHUB_WEBHOOK_SECRET="s3cret")
    await again.wait_ready()
    assert config.read_text() == kept
    assert "me/mine" in again.said
    # What was open before is closed, and the secret that was made stays as it was.
    assert (_mode(data), _mode(secret_file)) == (0o700, 0o600)
    assert secret_file.read_text() == secret
    body = json.dumps({"zen": "Keep it logically awesome."}).encode()
    async with httpx.AsyncClient(base_url=again.ready["http"], timeout=20, trust_env=False) as http:
        answers = {
            each: (await http.post("/webhooks/github", content=body, headers=_headers(each, body))).status_code
            for each in ("s3cret", secret)
        }
    assert list(answers.values()) == [200, 401]
    assert await again.end() == 0


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def _headers(secret: str, body: bytes) -> dict[str, str]:
    return {
        "Content-Type": "application/json",
        "X-GitHub-Event": "ping",
        "X-GitHub-Delivery": hashlib.sha256(secret.encode()).hexdigest()[:36],
        "X-Hub-Signature-256": "sha256=" + hmac.digest(secret.encode(), body, "sha256").hex(),
    }
