"""The account that a process runs as."""

from __future__ import annotations

import getpass
import re
from typing import Final

NOBODY: Final = "admin"
"""Who it is where the machine has no name for the account, as in containers."""
RESERVED: Final = frozenset({"local", "me", "nats", "service", "agent", "unknown"})
"""Names that stand for nobody in particular. ``user:local`` is whoever reaches a gateway whose login is off."""
_MOST: Final = 32


def account_name() -> str:
    """The login name as a short name of ours: small letters, digits and '-', a letter first."""
    try:
        name = getpass.getuser()
    except (OSError, KeyError):
        name = NOBODY
    return short_name(name)


def short_name(name: str) -> str:
    """What is nearest to a name among those that a person may have here (`shared.contracts.user.NAME`)."""
    short = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-").lstrip("0123456789-")[:_MOST].rstrip("-")
    return NOBODY if not short or short in RESERVED else short
