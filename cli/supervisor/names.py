"""The services, by name."""

from __future__ import annotations

from typing import Final

SERVICES: Final = ("projector", "brain", "planner", "executor", "gateway")
"""In the order in which they are started; the gateway comes last, when there is somebody to work for it."""
