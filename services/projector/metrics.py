"""Prometheus metrics of the projector."""

from __future__ import annotations

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

EVENTS: Final = Counter("journeyman_projected_events_total", "Events whose rows were written")
UNREAD: Final = Counter("journeyman_unread_events_total", "Events that this version could not read or fold")
POSITION: Final = Gauge("journeyman_projector_position", "Stream sequence of the last event in the read models")
BEHIND: Final = Gauge("journeyman_projector_behind_events", "Events in the log that are not in the read models yet")
QUERIES: Final = Histogram("journeyman_query_seconds", "Time to answer one question", ["query"])
REFUSED: Final = Counter("journeyman_queries_refused_total", "Questions that got no answer", ["code"])
