"""What a backup has beside the archive: the configuration, and a list of what must be kept elsewhere."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from pydantic import SecretStr

from shared.ops.addresses import without_credentials
from shared.ops.config import BadConfig, load_config
from shared.ops.private import private_file
from shared.ops.setting_sources import PREFIX
from shared.ops.settings import Settings, written_as

FOLDER: Final = "configuration"
SETTINGS: Final = "settings.env"
KEEP: Final = "KEEP.txt"
_DEMO_SECRET: Final = "webhook-secret"


def keep_configuration(settings: Settings, directory: Path, environment: Mapping[str, str] = os.environ) -> list[str]:
    """Write the configuration into ``directory/configuration``, readable by us alone.

    Returns what a backup cannot hold, one sentence for each; the same is in `KEEP`. No secret is written.
    """
    folder = directory / FOLDER
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)  # the agents' files in it keep their modes
    private_file(folder / SETTINGS, _settings(settings))
    if settings.config_path.is_file():
        private_file(folder / "journeyman.toml", settings.config_path.read_text())
    if settings.agents_dir is not None and settings.agents_dir.is_dir():
        shutil.copytree(settings.agents_dir, folder / "agents", dirs_exist_ok=True)
    keep = what_else_to_keep(settings, environment)
    private_file(directory / KEEP, "".join(f"- {each}\n" for each in keep))
    return keep


def what_else_to_keep(settings: Settings, environment: Mapping[str, str]) -> list[str]:
    """What a system needs that is no part of its backup: secrets by their names, and other people's places."""
    keep = [f"{written_as(name)}: a secret that is set." for name in _secrets(settings)]
    keep += [
        f"{name}: names the file {path}, which holds a secret."
        for name, path in sorted(environment.items())
        if name.startswith(PREFIX) and name.endswith("_FILE") and path
    ]
    if urlsplit(settings.nats_url.partition(",")[0]).password:
        keep.append(f"{written_as('nats_url')}: the password in it; {SETTINGS} has the address without it.")
    if (settings.data_dir / _DEMO_SECRET).exists():
        keep.append(f"{settings.data_dir / _DEMO_SECRET}: the demo's webhook secret.")
    # The log knows of each webhook and has the fingerprint of its secret alone.
    keep.append(
        "The secrets of webhooks that people have made, where there are any: no archive holds the bucket SECRETS. "
        "After a restore give each webhook another one by `journeyman webhook rotate`, and its sender, too."
    )
    try:
        config = load_config(settings.config_path)
    except BadConfig as error:
        return [*keep, f"The repositories: {error}"]
    for place, credential in config.credentials.items():
        section = f'[credentials."{place}"]'
        keep += [f"{path}: a file that {section} in journeyman.toml names." for path in credential.files]
        if credential.token_env:
            keep.append(f"{credential.token_env}: the variable with the token of {section}.")
        if credential.helper:
            keep.append(f"What the helper of {section} knows: {credential.helper}")
    far = [name for name, repo in config.repos.items() if not repo.target.startswith("/")]
    if far and not config.credentials:
        keep.append("What git finds in this account to reach the repositories: ~/.netrc, keys of SSH.")
    for name, repo in config.repos.items():
        if repo.target.startswith("/"):
            keep.append(f"{name}: the repository {repo.target}, which is on this machine.")
    return keep


def _settings(settings: Settings) -> str:
    """The settings that are not the defaults, as lines of `.env`."""
    secrets = set(_secrets(settings))
    lines = []
    for name in sorted(settings.model_fields_set - secrets):
        value = getattr(settings, name)
        if isinstance(value, SecretStr):
            continue
        text = without_credentials(str(value)) if name == "nats_url" else str(value)
        lines.append(f"{written_as(name)}={'1' if value is True else '0' if value is False else text}\n")
    return "# Journeyman's settings as of the backup, without its secrets.\n" + "".join(lines)


def _secrets(settings: Settings) -> list[str]:
    """The settings that hold a secret and are set."""
    values = {name: getattr(settings, name) for name in type(settings).model_fields}
    return [name for name, value in values.items() if isinstance(value, SecretStr) and value.get_secret_value()]
