"""What `journeyman backup` puts beside the archive: the configuration without a secret, and what else to keep."""

from __future__ import annotations

from pathlib import Path

from cli.backup import keep_configuration
from shared.ops.settings import load_settings

TOML = """
[repos."octo/far"]
url = "https://git.example/octo/far.git"
[credentials."git.example"]
token_file = "/run/secrets/git"
[credentials."git.example/octo/far"]
token_env = "FAR_TOKEN"
[repos."octo/near"]
path = "/srv/near"
"""


def test_the_configuration_is_kept_and_no_secret_is(tmp_path: Path) -> None:
    data, target = tmp_path / "data", tmp_path / "backup"
    (data / "agents").mkdir(parents=True)
    (data / "agents" / "CLAUDE.md").write_text("Be kind.")
    (data / "journeyman.toml").write_text(TOML)
    environment = {"JOURNEYMAN_ANTHROPIC_API_KEY_FILE": str(tmp_path / "key")}
    (tmp_path / "key").write_text("key-canary")
    settings = load_settings(
        environment,
        data_dir=data,
        agents_dir=data / "agents",
        nats_url="nats://jm:password-canary@nats.example:4222",
        github_webhook_secret="webhook-canary",
        approval="auto",
    )
    keep = keep_configuration(settings, target, environment)
    told = "\n".join(keep)
    assert "\nANTHROPIC_API_KEY: " in f"\n{told}", "the name that .env.example has"
    for name in ("GITHUB_WEBHOOK_SECRET", "NATS_URL", "ANTHROPIC_API_KEY_FILE"):
        assert f"JOURNEYMAN_{name}: " in told
    assert '/run/secrets/git: a file that [credentials."git.example"] in journeyman.toml names.' in told
    assert 'FAR_TOKEN: the variable with the token of [credentials."git.example/octo/far"].' in told
    assert "octo/near: the repository /srv/near, which is on this machine." in told
    assert "no archive holds the bucket SECRETS" in told and "`journeyman webhook rotate`" in told
    assert (target / "KEEP.txt").read_text().splitlines() == [f"- {each}" for each in keep]

    settings_kept = (target / "configuration" / "settings.env").read_text()
    assert "JOURNEYMAN_APPROVAL=auto\n" in settings_kept
    assert "JOURNEYMAN_NATS_URL=nats://nats.example:4222\n" in settings_kept
    assert (target / "configuration" / "journeyman.toml").read_text() == TOML
    assert (target / "configuration" / "agents" / "CLAUDE.md").read_text() == "Be kind."
    assert (target / "configuration").stat().st_mode & 0o077 == 0, "the agents' files in it keep their modes"
    for file in target.rglob("*"):
        assert file.is_dir() or (file.stat().st_mode & 0o077 == 0 or file.name == "CLAUDE.md"), file
        if file.is_file() and file.name != "journeyman.toml":
            assert "canary" not in file.read_text(), file
