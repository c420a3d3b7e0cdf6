"""The token of this machine: a file in the data directory by which commands here get in at the gateway.

Whoever may read the file owns the data directory, and with it everything. So it stands for the person who runs the
gateway, and needs no session and no event.
"""

from __future__ import annotations

import os
import re
import secrets
from pathlib import Path
from typing import Final, NamedTuple

FILE: Final = "cli-token"
PREFIX: Final = "jm_"
_TOKEN: Final = re.compile(r"jm_([a-z][a-z0-9-]{0,31})_([A-Za-z0-9_-]{22,})")


class MachineToken(NamedTuple):
    """The whole token, and the person's short name that stands in it."""

    token: str
    name: str


def read_machine_token(data: Path) -> MachineToken | None:
    """What the file says; None where there is none, where we may not read it, and where it says nothing."""
    try:
        text = (data / FILE).read_text().strip()
    except (OSError, UnicodeDecodeError):
        return None
    found = _TOKEN.fullmatch(text)
    return MachineToken(text, found.group(1)) if found else None


def machine_token(data: Path, name: str) -> MachineToken:
    """The token of this machine for a person: that of the file, or a new one where it is of somebody else or missing.

    Raises OSError.
    """
    found = read_machine_token(data)
    if found is not None and found.name == name:
        return found
    made = f"{PREFIX}{name}_{secrets.token_urlsafe(32)}"
    # Of two gateways that start over one data directory, the later one's token counts, for both read the file.
    part = data / f"{FILE}.{os.getpid()}"
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        os.fchmod(descriptor, 0o600)
        file.write(made + "\n")
    part.replace(data / FILE)
    return MachineToken(made, name)
