"""Who can be asked for missed events: each is found by its name, and a module ``<name>_missed.py`` is all it takes."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Mapping

from services.gateway.inbound.missed_events import Source
from shared.event_store.journal import Journal
from shared.ops.config import Config
from shared.ops.senders import SENDERS
from shared.ops.settings import Settings

_HERE = __name__.rpartition(".")[0]


def sources(settings: Settings, config: Callable[[], Config], journal: Journal) -> Mapping[str, Source]:
    """By the sender's name, where there are credentials. Raises ValueError with the mend for half of them."""
    found: dict[str, Source] = {}
    for name in SENDERS:
        if importlib.util.find_spec(f"{_HERE}.{name}_missed") is None:
            continue
        make: Callable[[Settings, Callable[[], Config], Journal], Source | None] = importlib.import_module(
            f"{_HERE}.{name}_missed"
        ).source_of
        if (source := make(settings, config, journal)) is not None:
            found[name] = source
    return found
