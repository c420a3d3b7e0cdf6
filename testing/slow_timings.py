"""What a test itself asks of NATS may take longer than what a service asks: a stalled machine decides no test.

The services are processes of their own, and as they are.
"""

from __future__ import annotations

from typing import Final

import msgspec

from shared.nats.bus import Bus
from shared.ops.limits import DEFAULTS, Limits
from shared.ops.timings import NatsTimings

PATIENT: Final = NatsTimings(
    connect_s=60.0,
    answer_s=30.0,
    publish_s=15.0,  # a lost acknowledgement is waited for as long, each time
    read_silence_s=10.0,
    command_s=60.0,
    query_s=60.0,
    tries=10,
)

RARE_HEARTBEATS: Final = msgspec.structs.replace(PATIENT, heartbeat_s=20.0, pull_expires_s=120.0)
"""For tests that count deliveries: a consumer that hears no heartbeat, because its process stood still, begins again,
and what it had been sent is delivered again."""


async def connect_patiently(
    url: str, *, name: str = "test", limits: Limits = DEFAULTS, timings: NatsTimings = PATIENT
) -> Bus:
    """A test's own connection; raises `NatsUnreachable`."""
    return await Bus.connect(url, name=name, limits=limits, timings=timings)
