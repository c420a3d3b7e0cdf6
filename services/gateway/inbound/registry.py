"""The adapter of every sender: each is found by its name, so that a line in `shared.ops.senders` registers it."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Final

from services.gateway.inbound.sender import Sender
from shared.ops.senders import SENDERS


def _adapter_of(name: str) -> Sender:
    sender: Sender = importlib.import_module(f"services.gateway.inbound.{name}").SENDER
    return sender


ADAPTERS: Final[Mapping[str, Sender]] = {name: _adapter_of(name) for name in SENDERS}
"""By the name in ``POST /webhooks/{name}``."""
