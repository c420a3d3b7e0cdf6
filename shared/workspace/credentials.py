"""Credentials out of ``journeyman.toml``: tokens, deploy keys and credential helpers, by host or by repository."""

from __future__ import annotations

import asyncio
import os
import shlex
import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from shared.ops.addresses import is_loopback
from shared.ops.config import Config, Credential
from shared.workspace.git import GitFailed
from shared.workspace.remote_access import ANONYMOUS, Login, RemoteAccess, Right, server_of
from shared.workspace.submodules import address_key

MAX_TOKEN: Final = 16 * 1024
"""Bytes of a token's file."""
NO_HOME: Final = "/nonexistent"
"""Where a login is configured, the account's own (``~/.netrc``) does not come before it."""


class CredentialsUnusable(GitFailed):
    """What is configured cannot be used as it is: the sentence says why, with the mend."""


class ConfiguredCredentials:
    """What ``[credentials."…"]`` says now: a file is read for each use, so a token that is replaced counts at once.

    ``config`` gives the configuration, ``environment`` holds the variables that ``token_env`` names.
    """

    def __init__(self, config: Callable[[], Config], environment: Mapping[str, str] = os.environ) -> None:
        self._config = config
        self._environment = environment

    async def access(self, url: str, right: Right) -> RemoteAccess:
        """What git needs at this address, whatever the right: a token does not tell its own. Raises `GitFailed`."""
        if (found := credential_for(self._config(), url)) is None:
            return ANONYMOUS
        return await asyncio.to_thread(self._access, url, *found)

    def _access(self, url: str, place: str, credential: Credential) -> RemoteAccess:
        if not (server := server_of(url)):
            return _by_ssh(place, credential)
        config = (
            {f"http.{server}.sslCAInfo": str(_file(place, "ca_file", credential.ca_file))} if credential.ca_file else {}
        )
        has_login = bool(credential.helper or credential.token_file or credential.token_env)
        if has_login and urlsplit(url).scheme == "http" and not is_loopback(urlsplit(url).hostname or ""):
            raise CredentialsUnusable(
                f"{server} is spoken to without encryption, and no credentials are sent so: write https in its url."
            )
        if credential.helper:
            key = f"credential.{server}.helper"
            return RemoteAccess(f"the helper of {_section(place)}", {**config, key: credential.helper})
        if not has_login:
            if credential.ssh_key_file:
                raise CredentialsUnusable(
                    f"{_section(place)} has a key for ssh, but the address begins with {urlsplit(url).scheme}: write "
                    "ssh://git@host/owner/name.git as url, or give a token_file."
                )
            return RemoteAccess("", config)
        token, origin = self._token(place, credential)
        return RemoteAccess(origin, config, {"HOME": NO_HOME}, Login(server, credential.username, token))

    def _token(self, place: str, credential: Credential) -> tuple[str, str]:
        """The token, and the words for where it comes from."""
        if name := credential.token_env:
            origin, token = f"the token in the variable {name}", self._environment.get(name, "").strip()
            mend = f"Set {name} in the environment that the gateway is started with (a .env file does not count)."
        else:
            path = _file(place, "token_file", credential.token_file)
            origin, token = f"the token in {path}", _text_of(path, place)
            mend = "Write the token into it."
        if not token or not token.isascii() or not token.isprintable():
            raise CredentialsUnusable(f"{_section(place)}: there is no token in {origin.rpartition(' in ')[2]}. {mend}")
        return token, origin


def credential_for(config: Config, url: str) -> tuple[str, Credential] | None:
    """The entry for an address and its name: of all that its host and path begin with, the longest."""
    try:
        wanted = f"{address_key(url).lower()}/"
    except ValueError:  # no address at all, which git's first use of it tells
        return None
    fitting = [place for place in config.credentials if wanted.startswith(f"{place.lower()}/")]
    place = max(fitting, key=len, default=None)
    return None if place is None else (place, config.credentials[place])


def unusable(config: Config, environment: Mapping[str, str] = os.environ) -> list[str]:
    """A line for each repository whose credentials cannot be used, as far as their files and variables tell."""
    credentials = ConfiguredCredentials(lambda: config, environment)
    lines = []
    for name, repo in config.repos.items():
        if (found := credential_for(config, repo.target)) is not None:
            try:
                credentials._access(repo.target, *found)
            except GitFailed as error:
                lines.append(f"{name}: {error}")
    return lines


def place_of(url: str) -> str:
    """The host to write in ``[credentials."…"]`` for an address."""
    return address_key(url).partition("/")[0]


def _by_ssh(place: str, credential: Credential) -> RemoteAccess:
    if credential.ssh_key_file is None:
        if credential.token_file or credential.token_env or credential.helper:
            raise CredentialsUnusable(
                f"{_section(place)} has a login for https, but the address is one of ssh: write an https url, or give "
                "ssh_key_file and known_hosts_file."
            )
        return ANONYMOUS
    key = _file(place, "ssh_key_file", credential.ssh_key_file)
    known = _file(place, "known_hosts_file", credential.known_hosts_file)
    found = key.stat()
    if found.st_uid == os.geteuid() and stat.S_IMODE(found.st_mode) & 0o077:
        raise CredentialsUnusable(f"{key} can be read by others, and ssh refuses such a key: `chmod 600 {key}`.")
    options = {
        "BatchMode": "yes",
        "IdentitiesOnly": "yes",
        "IdentityAgent": "none",
        "IdentityFile": _for_ssh(key),
        "StrictHostKeyChecking": "yes",
        "UserKnownHostsFile": _for_ssh(known),
        "GlobalKnownHostsFile": "/dev/null",
        "ControlMaster": "no",
        "ControlPath": "none",
    }
    # -F: the account's own configuration could add keys, hosts and programs.
    command = ["ssh", "-F", "/dev/null", *(f"-o{name}={value}" for name, value in options.items())]
    return RemoteAccess(f"the key {key}", env={"GIT_SSH_COMMAND": shlex.join(command)})


def _file(place: str, name: str, path: Path | None) -> Path:
    """A file that an entry names; raises `CredentialsUnusable` for one that cannot be read."""
    assert path is not None, "the configuration has been checked"
    if not path.is_file():
        raise CredentialsUnusable(f"{_section(place)}: {name} {path} is not there. Put it there, or name another file.")
    if not os.access(path, os.R_OK):
        raise CredentialsUnusable(f"{_section(place)}: {name} {path} cannot be read. Let the gateway's user read it.")
    return path


def _text_of(path: Path, place: str) -> str:
    try:
        with path.open("rb") as file:
            return file.read(MAX_TOKEN).decode("ascii", "replace").strip()
    except OSError as error:
        raise CredentialsUnusable(f"{_section(place)}: {path} cannot be read ({error.strerror}).") from None


def _for_ssh(path: Path) -> str:
    """A path as a value of ssh's configuration, where quotes hold blanks together and % begins a token."""
    return '"' + str(path).replace("%", "%%") + '"'


def _section(place: str) -> str:
    return f'[credentials."{place}"]'
