"""One service as it is, but in more of a hurry: what a killed process held comes back sooner, checkpoints and snapshots
come oftener.

``python -m tests.support.impatient executor 3`` is ``python -m services.executor`` with an ack wait of 3 s.
"""

from __future__ import annotations

import importlib
import sys
from datetime import timedelta
from typing import Any

from shared import activity, actor, mailbox, reactor, timers


def main() -> None:
    """Run the service named first with the ack wait named second."""
    service, seconds = sys.argv[1], float(sys.argv[2])
    mailbox.ACK_WAIT_S = reactor.ACK_WAIT_S = timers.ACK_WAIT_S = seconds  # type: ignore[misc]  # constants to others
    _defaults(activity.Activity)["ack_wait_s"] = seconds
    _defaults(actor.ActorHost)["snapshot_every"] = 3
    leftovers = importlib.import_module("shared.claude.leftovers")
    leftovers.EVERY_S, leftovers.SETTLED = seconds, timedelta(seconds=seconds)
    if service == "executor":
        attempt = importlib.import_module("services.executor.attempt")
        attempt.CHECKPOINT_EVERY_S = 0.2
    importlib.import_module(f"services.{service}.__main__").main()


def _defaults(part: type) -> dict[str, Any]:
    """What its keyword arguments are where nobody gives them."""
    found: dict[str, Any] = part.__init__.__kwdefaults__  # type: ignore[misc]  # of this very class
    return found


if __name__ == "__main__":
    main()
