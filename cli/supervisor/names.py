"""The services, by name."""

from __future__ import annotations

from typing import Final

HEALTH_OFFSETS: Final = {"brain": 0, "planner": 1, "executor": 2, "projector": 3}
"""Where `up` has a service answer /health and /metrics: so far behind JOURNEYMAN_HEALTH_PORT. The gateway does on its
own port.
"""

SERVICES: Final = ("projector", "brain", "planner", "executor", "gateway")
"""In the order in which they are started; the gateway comes last, when there is somebody to work for it."""
