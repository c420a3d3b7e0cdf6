"""The board of every sender that has one: each is found by its name, so that a module here is all that one takes."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Mapping

from services.gateway.outbound.channels.board import Board, Parts
from shared.ops.senders import SENDERS
from shared.ops.settings import Settings

_HERE = __name__.rpartition(".")[0]


def boards(settings: Settings, parts: Parts) -> Mapping[str, Board]:
    """By the sender's name, where there are credentials. Raises ValueError with the mend for half of them."""
    found: dict[str, Board] = {}
    for name in SENDERS:
        if importlib.util.find_spec(f"{_HERE}.{name}") is None:
            continue
        make: Callable[[Settings, Parts], Board | None] = importlib.import_module(f"{_HERE}.{name}").board_of
        if (board := make(settings, parts)) is not None:
            found[name] = board
    return found
