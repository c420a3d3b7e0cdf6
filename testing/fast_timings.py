"""One service as it is, with other timings: ``python -m testing.fast_timings executor '{"activity_ack_wait_s": 3}'``
is ``python -m services.executor`` whose work comes back 3 s after its process was killed.
"""

from __future__ import annotations

import importlib
import sys

import msgspec

from shared.ops.timings import PRODUCTION, Timings


def command_of(service: str, timings: Timings = PRODUCTION) -> list[str]:
    """The command line of a service with these timings."""
    if timings == PRODUCTION:
        return [sys.executable, "-m", f"services.{service}"]
    return [sys.executable, "-m", __name__, service, msgspec.json.encode(timings).decode()]


def hurried(seconds: float) -> Timings:
    """This ack wait everywhere; checkpoints and snapshots come oftener, and reviews and checks settle sooner."""
    return Timings(
        message_ack_wait_s=seconds,
        activity_ack_wait_s=seconds,
        timer_ack_wait_s=seconds,
        orphans_every_s=seconds,
        orphans_grace_s=seconds,
        checkpoint_every_s=0.2,
        review_silence_s=seconds,
        review_settles_s=seconds / 4,
        checks_settle_s=seconds / 4,
        snapshot_every=3,
    )


def main() -> None:
    """Run the service named first with the timings named second, as JSON."""
    service, timings = sys.argv[1], msgspec.json.decode(sys.argv[2], type=Timings)
    importlib.import_module(f"services.{service}.__main__").main(timings)


if __name__ == "__main__":
    main()
