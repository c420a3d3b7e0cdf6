"""One service as it is, but in more of a hurry: what a killed process held comes back sooner, checkpoints and snapshots
come oftener.

``python -m testing.fast_timings executor 3`` is ``python -m services.executor`` with an ack wait of 3 s.
"""

from __future__ import annotations

import importlib
import sys

from shared.ops.timings import Timings


def hurried(seconds: float) -> Timings:
    """Timings with this ack wait everywhere."""
    return Timings(
        message_ack_wait_s=seconds,
        activity_ack_wait_s=seconds,
        timer_ack_wait_s=seconds,
        orphans_every_s=seconds,
        orphans_grace_s=seconds,
        checkpoint_every_s=0.2,
        snapshot_every=3,
    )


def main() -> None:
    """Run the service named first with the ack wait named second."""
    service, seconds = sys.argv[1], float(sys.argv[2])
    importlib.import_module(f"services.{service}.__main__").main(hurried(seconds))


if __name__ == "__main__":
    main()
