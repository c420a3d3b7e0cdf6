"""List prices, for usage that the CLI never got to report because it was killed."""

from __future__ import annotations

from typing import NamedTuple


class Price(NamedTuple):
    """Micro-dollars per token, which is dollars per million tokens."""

    input: float
    output: float
    cache_read: float
    cache_write: float


# As CLI 2.1.330 prices them itself (what its result lines solve for); a model not here is priced like the CLI's
# default.
_LIST = {
    "claude-opus-5-5": Price(4.0, 20.0, 0.2, 5.0),
    "claude-sonnet-5-5": Price(2.0, 10.0, 0.1, 2.5),
    "claude-haiku-5-5": Price(0.1, 0.5, 0.01, 0.125),
}
_DEFAULT = _LIST["claude-opus-5-5"]


def list_price(model: str) -> tuple[Price, bool]:
    """The price and whether it is this model's own."""
    price = _LIST.get(model)
    return (_DEFAULT, False) if price is None else (price, True)
