"""The systems that somebody has given names to, and the one that is chosen where a folder holds none."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final

import msgspec

from cli.failures import Failure
from shared.nats.login import Login
from shared.ops.private import private_file

NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class Context(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A system by its address, or by its data directory on this machine; an address may have the files of a login.

    ``http`` is its dashboard's address, where ``token`` lets us in as ``person`` (`journeyman login`).
    """

    url: str = ""
    data: str = ""
    creds: str = ""
    nkey: str = ""
    ca: str = ""
    cert: str = ""
    key: str = ""
    http: str = ""
    token: str = ""
    person: str = ""

    @property
    def login(self) -> Login:
        """How one logs in at the address; a password is in the address itself."""
        creds, nkey, ca, cert, key = (
            Path(file) if file else None for file in (self.creds, self.nkey, self.ca, self.cert, self.key)
        )
        return Login(creds=creds, nkey=nkey, ca=ca, cert=cert, key=key)


class Contexts(msgspec.Struct, frozen=True, kw_only=True):
    """All of them by name. ``chosen`` is empty, or a name among them."""

    chosen: str = ""
    named: dict[str, Context] = {}

    def __getitem__(self, name: str) -> Context:
        """Raises `Failure` for a name that nobody has given."""
        if name not in self.named:
            there = ", ".join(self.named) or "none yet"
            raise Failure(f"There is no context {name!r}; there are: {there}. Add it with `journeyman context add`.")
        return self.named[name]


def path() -> Path:
    """Where they are kept: one file for each account."""
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "journeyman" / "contexts.json"


def read() -> Contexts:
    """What is kept; raises `Failure` for a file that cannot be read."""
    try:
        return msgspec.json.decode(path().read_bytes(), type=Contexts)
    except (FileNotFoundError, NotADirectoryError):
        return Contexts()
    except msgspec.MsgspecError as error:
        raise Failure(f"{path()}: not as `journeyman context` writes it ({error}). Mend or remove it.") from error


def write(contexts: Contexts) -> None:
    """Keep them, for this account alone: an address may have a password in it."""
    path().parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    private_file(path(), msgspec.json.format(msgspec.json.encode(contexts), indent=2).decode() + "\n")
