"""One service as it is, but in more of a hurry: what a killed process held comes back sooner, checkpoints come oftener.

``python -m tests.support.impatient executor 3`` is ``python -m services.executor`` with an ack wait of 3 s.
"""

from __future__ import annotations

import importlib
import sys
from datetime import timedelta

from shared import activity, mailbox, reactor


def main() -> None:
    """Run the service named first with the ack wait named second."""
    service, seconds = sys.argv[1], float(sys.argv[2])
    mailbox.ACK_WAIT_S = reactor.ACK_WAIT_S = seconds  # type: ignore[misc]  # a constant to everybody else
    defaults = activity.Activity.__init__.__kwdefaults__
    assert defaults is not None
    defaults["ack_wait_s"] = seconds
    leftovers = importlib.import_module("shared.claude.leftovers")
    leftovers.EVERY_S, leftovers.SETTLED = seconds, timedelta(seconds=seconds)
    if service == "executor":
        attempt = importlib.import_module("services.executor.attempt")
        attempt.CHECKPOINT_EVERY_S = 0.2
    importlib.import_module(f"services.{service}.__main__").main()


if __name__ == "__main__":
    main()
