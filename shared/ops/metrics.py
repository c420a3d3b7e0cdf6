"""Prometheus metrics of every service. Labels never hold ids or user text."""

from __future__ import annotations

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

COMMANDS: Final = Counter("journeyman_commands_total", "Commands decided on", ["kind", "verb", "outcome"])
CONFLICTS: Final = Counter("journeyman_append_conflicts_total", "Appends that lost against another one", ["kind"])
REACTIONS: Final = Counter("journeyman_reactions_total", "Commands sent in reaction to events", ["reactor"])
PARKED: Final = Counter("journeyman_parked_total", "Messages that no handler could take", ["consumer"])
HANDLING: Final = Histogram("journeyman_handling_seconds", "Time to handle one message", ["consumer"])
ACTIVE: Final = Gauge("journeyman_activities_active", "Activities at work right now", ["activity"])
SLOTS: Final = Gauge("journeyman_activity_slots", "Activities that may be at work at once", ["activity"])
WORKING: Final = Histogram(
    "journeyman_activity_seconds",
    "Time that one piece of an activity's work took, waits for people included",
    ["activity"],
    buckets=(1, 5, 15, 60, 300, 900, 1800, 3600, 7200),
)
BUILD: Final = Gauge("journeyman_build_info", "Always 1; the labels say what runs", ["service", "version", "python"])
CONNECTED: Final = Gauge("journeyman_nats_connected", "1 while the connection to NATS stands")
