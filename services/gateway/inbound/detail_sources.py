"""What can be asked about the things of each sender, each found by its name: a module here is all that one takes."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping

from services.gateway.inbound.authorisation import Details
from services.gateway.inbound.detail_names import may_be_completed
from shared.ops.config import Config
from shared.ops.senders import SENDERS
from shared.ops.settings import Settings

_HERE = __name__.rpartition(".")[0]


def details_of(settings: Settings, config: Callable[[], Config]) -> Mapping[str, Details]:
    """By the sender's name, where there are credentials. Raises ValueError with the mend for half of them."""
    found: dict[str, Details] = {}
    for name in SENDERS:
        if may_be_completed(name):
            make: Callable[[Settings, Callable[[], Config]], Details | None] = importlib.import_module(
                f"{_HERE}.{name}_details"
            ).details_of
            if (details := make(settings, config)) is not None:
                found[name] = details
    return found
