"""Which senders can be asked for what their deliveries leave out: those that have a module for it."""

from __future__ import annotations

import importlib.util
from functools import cache

from shared.ops.senders import SENDERS

_HERE = __name__.rpartition(".")[0]


@cache
def may_be_completed(name: str) -> bool:
    """Whether a sender's deliveries may wait for details, also where its credentials are not set any more."""
    return name in SENDERS and importlib.util.find_spec(f"{_HERE}.{name}_details") is not None
