"""How large the streams of a test are."""

from __future__ import annotations

from typing import Final

from shared.nats.streams import MEBI, StreamLimits

SMALL: Final = StreamLimits(
    events_bytes=256 * MEBI,
    commands_bytes=64 * MEBI,
    output_bytes=128 * MEBI,
    parked_bytes=16 * MEBI,
    artifacts_bytes=128 * MEBI,
)
"""The server reserves these sizes on the disk; the product asks for more than many tests at once would find there."""
