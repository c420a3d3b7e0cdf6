"""What one git command needs to get in at a remote repository, and how it comes to git without being seen.

A user and token reach git through an inherited pipe, which a credential helper of one line reads: they are in no
argument, no environment, no file and no configuration. The helper is bound to scheme, host and port, so that a
redirection to another server gets nothing.
"""

from __future__ import annotations

import base64
import contextlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final, Protocol
from urllib.parse import quote, urlsplit

MASK: Final = "***"
"""What stands in place of a secret in a text."""


class Right(StrEnum):
    """What is to be done with a repository; WRITE includes reading."""

    READ = "read"
    WRITE = "write"


@dataclass(frozen=True)
class Login:
    """A user and a secret, and the server they are for (``https://host:port``)."""

    server: str
    username: str
    secret: str = field(repr=False)


@dataclass(frozen=True)
class RemoteAccess:
    """How one repository is reached. ``config`` and ``env`` hold nothing secret; ``expires_at`` is None for never.

    ``origin`` says to a person where the credentials come from; it is empty when there are none.
    """

    origin: str = ""
    config: Mapping[str, str] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    login: Login | None = None
    expires_at: datetime | None = None

    @contextlib.contextmanager
    def given(self) -> Iterator[tuple[list[str], tuple[int, ...]]]:
        """Options for git, and the descriptors that it has to inherit, for as long as it takes to start it."""
        options = [part for key, value in self.config.items() for part in ("-c", f"{key}={value}")]
        if self.login is None:
            yield options, ()
            return
        readable, writable = os.pipe()
        try:
            with os.fdopen(writable, "wb") as pipe:
                pipe.write(f"username={self.login.username}\npassword={self.login.secret}\n".encode())
            # By its name, because a shell may take no descriptor of two digits in a redirection.
            helper = f'!f() {{ test "$1" = get && cat /dev/fd/{readable}; }}; f'
            yield [*options, "-c", f"credential.{self.login.server}.helper={helper}"], (readable,)
        finally:
            os.close(readable)

    def scrub(self, text: str) -> str:
        """The text without the secret, in every form in which a server could say it back."""
        for secret in self._spellings():
            text = text.replace(secret, MASK)
        return text

    @property
    def longest_secret(self) -> int:
        """Characters of the longest form of the secret: a text that was cut may begin with all but one of them."""
        return max(map(len, self._spellings()), default=0)

    def _spellings(self) -> list[str]:
        if self.login is None:
            return []
        user, secret = self.login.username, self.login.secret
        basic = base64.b64encode(f"{user}:{secret}".encode()).decode()
        return [basic, basic.rstrip("="), secret, quote(secret, safe="")]


ANONYMOUS: Final = RemoteAccess()
"""No credentials of ours; git uses what the account has (keys of ssh, ``~/.netrc``)."""


class GitCredentials(Protocol):
    """Who knows how repositories are reached. Only the gateway, and a person's own command, hold one."""

    async def access(self, url: str, right: Right) -> RemoteAccess:
        """What git needs for one command at this address, `ANONYMOUS` where none is known. Raises `GitFailed`."""


class NoCredentials:
    """Knows nothing."""

    async def access(self, url: str, right: Right) -> RemoteAccess:
        """Always `ANONYMOUS`."""
        return ANONYMOUS


NO_CREDENTIALS: Final = NoCredentials()


def server_of(url: str) -> str:
    """``https://host:port`` of an http or https address, as git names a server; empty for another one."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return ""
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}" + (f":{parts.port}" if parts.port else "")
