"""The files that repeat what the settings are: .env.example, and which secrets compose.yaml gives to the gateway.

``python -m shared.ops.settings_files`` writes both; `make docs` calls it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from shared.ops.senders import SENDERS, secret_setting
from shared.ops.settings import example, variable_of

ROOT: Final = Path(__file__).resolve().parents[2]
EXAMPLE: Final = ROOT / ".env.example"
COMPOSE: Final = ROOT / "compose.yaml"
_BEGIN: Final = (
    "# `make docs` writes the next lines from shared/ops/settings_files.py: the secrets of the gateway alone.\n"
)
_OF_GITHUB: Final = ("github_token", "github_app_private_key", "secret_key")
"""The credentials by which results and answers reach GitHub."""
_END: Final = "# Here ends what `make docs` writes.\n"


def with_webhook_secrets(compose: str) -> str:
    """The text of compose.yaml with the gateway's secrets between its two marks; raises ValueError without them."""
    before, begin, rest = compose.partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not begin or not end:
        raise ValueError(f"compose.yaml lacks one of these two lines; put it back:\n{_BEGIN}{_END}")
    return before + begin + _fragments() + end + after


def _fragments() -> str:
    """YAML anchors for the three places where Compose wants to read of a secret."""
    secrets = [*(secret_setting(name) for name in SENDERS), *_OF_GITHUB]
    environment = [f"  {variable_of(each)}_FILE: /run/secrets/{each}\n" for each in secrets]
    files = [f'  {each}: {{ file: "${{{variable_of(each)}_FILE:-/dev/null}}" }}\n' for each in secrets]
    return "".join(
        [
            "x-webhook-environment: &webhook-environment\n",
            *environment,
            f"x-webhook-secrets: &webhook-secrets [{', '.join(secrets)}]\n",
            "x-webhook-secret-files: &webhook-secret-files\n",
            *files,
        ]
    )


def main() -> None:
    """Write both files."""
    EXAMPLE.write_text(example())
    COMPOSE.write_text(with_webhook_secrets(COMPOSE.read_text()))


if __name__ == "__main__":
    main()
