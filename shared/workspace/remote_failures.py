"""What a server's refusal means: who was not let in, with what, and the mend."""

from __future__ import annotations

import re
from typing import Final

from shared.workspace.git import Answer, GitFailed, failed
from shared.workspace.remote_access import RemoteAccess, server_of

PAGE: Final = "docs/git-credentials.md"
_UNKNOWN_HOST: Final = re.compile(r"host key verification failed|no \S+ host key is known", re.IGNORECASE)
_CERTIFICATE: Final = re.compile(
    r"certificate (verification|problem)|certificate verify|unable to get local issuer", re.IGNORECASE
)
_NOT_LET_IN: Final = re.compile(
    r"could not read (username|password)|terminal prompts disabled|authentication failed|access denied"
    r"|returned error: 40[134]|repository not found|repository '[^']*' not found|not found\.?$"
    r"|permission (to \S+ )?denied|permission denied \(|read[- ]only|not authorized|write access",
    re.IGNORECASE | re.MULTILINE,
)


class AccessRefused(GitFailed):
    """The server is there and does not let us in, or is not who it should be. Nothing gets better by trying again."""


def remote_failed(args: tuple[str, ...], answer: Answer, sentence: str, source: str, access: RemoteAccess) -> GitFailed:
    """The exception for a command that a remote repository has not answered well; with the mend where access is why."""
    plain = failed(args, answer, sentence)
    if source.startswith("/") or (mend := _mend(answer.err, source, access)) is None:
        return plain
    with_what = f"with {access.origin}" if access.origin else "without credentials"
    return AccessRefused(f"{failed(args, answer, f'{sentence} {with_what}')} {mend}", plain.detail)


def _mend(said: str, source: str, access: RemoteAccess) -> str | None:
    section = f'[credentials."{_host(source)}"]'
    if _UNKNOWN_HOST.search(said):
        return f"Mend: add the host's key to the known_hosts_file of {section} ({PAGE})."
    if _CERTIFICATE.search(said):
        return f"Mend: name the authority that signed the server's certificate as ca_file of {section} ({PAGE})."
    if not _NOT_LET_IN.search(said):
        return None
    if access.origin:
        return f"Mend: see that it is valid and may do this in this repository, and that the address is right ({PAGE})."
    way = "a token_file or a helper" if server_of(source) else "an ssh_key_file and a known_hosts_file"
    return f"Mend: correct the address, or give {section} in journeyman.toml {way} ({PAGE})."


def _host(source: str) -> str:
    if server := server_of(source):
        return server.partition("://")[2]
    return re.sub(r"^ssh://", "", source).rpartition("@")[2].partition("/")[0].partition(":")[0]
