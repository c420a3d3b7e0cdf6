"""The files that repeat what the settings are: .env.example, and what compose.yaml gives to each service.

``python -m shared.ops.settings_files`` writes both; `make docs` calls it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from shared.ops.senders import SENDERS, secret_setting
from shared.ops.settings import Settings, example, variable_of

ROOT: Final = Path(__file__).resolve().parents[2]
EXAMPLE: Final = ROOT / ".env.example"
COMPOSE: Final = ROOT / "compose.yaml"
_BEGIN: Final = "# `make docs` writes the next lines from shared/ops/settings_files.py.\n"
_END: Final = "# Here ends what `make docs` writes.\n"

NOT_PASSED_ON: Final = {
    "data_dir": "a volume of each replica",
    "http_host": "the gateway's is 0.0.0.0 inside; compose.yaml publishes the port on loopback alone",
    "trusted_proxies": "what publishes the port, which compose.yaml does on loopback alone",
    "tls_cert": "compose.yaml publishes the port on loopback alone",
    "tls_key": "compose.yaml publishes the port on loopback alone",
    "http_port": "inside it is always 8080; compose.yaml publishes it at the one that is set",
    "health_host": "the image says it",
    "health_port": "inside it is always 9100",
    "config": "mounted, and then named inside",
    "agents_dir": "mounted, and then named inside",
    "machine_id": "each replica has a name of its own",
    "url": "of the client commands",
    "ready_file": "of the supervisor",
    "claude_cli": "the image has its own",
    "drain_seconds": "compose.yaml has a default of its own for what runs agents",
}
"""Settings that compose.yaml gives no service as they are, and why."""
_GATEWAY_SECRETS: Final = (
    *(secret_setting(name) for name in SENDERS),
    *("github_token", "github_app_private_key", "signing_key", "jira_token", "sentry_token", "secret_key"),
)
"""Of webhooks, the credentials by which results and answers reach people, and the key of what people enter."""
_GATEWAY_KEY_FILES: Final = ("github_app_private_key_file", "signing_key_file")
_AGENT_SETTINGS: Final = ("anthropic_api_key", "anthropic_base_url")
_NATS_FILES: Final = ("nats_creds", "nats_nkey", "nats_ca", "nats_cert", "nats_key")


def with_settings(compose: str) -> str:
    """The text of compose.yaml with all settings and secrets between its two marks; raises ValueError without them."""
    before, begin, rest = compose.partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not begin or not end:
        raise ValueError(f"compose.yaml lacks one of these two lines; put it back:\n{_BEGIN}{_END}")
    return before + begin + _fragments() + end + after


def _fragments() -> str:
    """YAML anchors: what all services are given, what the gateway alone, what runs agents; and the files of secrets."""
    elsewhere = {*NOT_PASSED_ON, *_AGENT_SETTINGS, *_NATS_FILES, *_GATEWAY_SECRETS, *_GATEWAY_KEY_FILES}
    plain = [name for name in Settings.model_fields if name not in elsewhere | {"nats_url", "nats_password"}]
    nats_secrets = ("nats_password", *_NATS_FILES)
    files = {name: variable_of(name) for name in _NATS_FILES}
    files |= {name: f"{variable_of(name)}_FILE" for name in ("nats_password", *_GATEWAY_SECRETS, "anthropic_api_key")}
    return "".join(
        [
            "x-settings: &settings\n",
            f"  {variable_of('nats_url')}: ${{{variable_of('nats_url')}:-nats://nats:4222}}\n",
            *(f"  {variable_of(name)}:\n" for name in plain),
            *(f"  {variable_of(name)}: ${{{variable_of(name)}:+/run/secrets/{name}}}\n" for name in _NATS_FILES),
            *_secret("nats_password"),
            "x-gateway-settings: &gateway-settings\n",
            *(line for name in _GATEWAY_SECRETS for line in _secret(name)),
            "x-agent-settings: &agent-settings\n",
            *("  ANTHROPIC_BASE_URL:\n", f"  {variable_of('anthropic_base_url')}:\n", "  ANTHROPIC_API_KEY:\n"),
            *_secret("anthropic_api_key"),
            f"x-secrets: &secrets [{', '.join(nats_secrets)}]\n",
            f"x-gateway-secrets: &gateway-secrets [{', '.join((*nats_secrets, *_GATEWAY_SECRETS))}]\n",
            f"x-agent-secrets: &agent-secrets [{', '.join((*nats_secrets, 'anthropic_api_key'))}]\n",
            "x-secret-files: &secret-files\n",
            *(f'  {name}: {{ file: "${{{variable}:-/dev/null}}" }}\n' for name, variable in files.items()),
        ]
    )


def _secret(name: str) -> list[str]:
    """A secret as a value of the environment or of .env, where it is set there, and as a file."""
    value = [f"  {variable_of(name)}:\n"] if name in Settings.model_fields else []
    return [*value, f"  {variable_of(name)}_FILE: /run/secrets/{name}\n"]


def main() -> None:
    """Write both files."""
    EXAMPLE.write_text(example())
    COMPOSE.write_text(with_settings(COMPOSE.read_text()))


if __name__ == "__main__":
    main()
