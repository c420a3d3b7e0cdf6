"""How often an address may be wrong: what is guessed has 256 bits, so this only keeps the noise down."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from services.gateway.problems import Problem

MOST: Final = 20
PER_S: Final = 60.0
MOST_ADDRESSES: Final = 4096


class Attempts:
    """Wrong links and tokens by address, for the last minute."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def check(self, address: str) -> None:
        """Raises `Problem` 429 where an address was wrong too often."""
        if self._allowance(address) < 1:
            raise Problem(
                429,
                "too-many-attempts",
                f"More than {MOST} wrong links or tokens came from here within a minute: wait a little.",
                headers={"Retry-After": str(round(PER_S / MOST) + 1)},
            )

    def failed(self, address: str) -> None:
        """Count one more."""
        self._left[address] = (max(0.0, self._allowance(address) - 1), self._clock())
        self._left.move_to_end(address)
        while len(self._left) > MOST_ADDRESSES:
            self._left.popitem(last=False)

    def _allowance(self, address: str) -> float:
        left, at = self._left.get(address, (float(MOST), self._clock()))
        return min(MOST, left + (self._clock() - at) * MOST / PER_S)
