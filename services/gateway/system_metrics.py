"""What waits in the whole system, as this gateway last saw it. With several gateways each one says the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Final

from prometheus_client import REGISTRY, Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from services.gateway.api.system import Machine


class SystemCollector(Collector):
    """Turns what was seen last into metrics; queues and services that are gone leave no value behind."""

    def __init__(self) -> None:
        self._seen = Machine(queues=[], services=[], parked=0)

    def show(self, seen: Machine) -> None:
        """Say this from now on."""
        self._seen = seen

    def collect(self) -> Iterable[Metric]:
        """Called at each scrape."""
        waiting = GaugeMetricFamily("journeyman_queue_waiting", "Messages that nobody has taken yet", labels=["queue"])
        in_hand = GaugeMetricFamily("journeyman_queue_in_progress", "Messages that are in hand", labels=["queue"])
        oldest = GaugeMetricFamily(
            "journeyman_queue_oldest_seconds", "For how long the oldest of what waits has waited", labels=["queue"]
        )
        for queue in self._seen.queues:
            waiting.add_metric([queue.service], queue.pending)
            in_hand.add_metric([queue.service], queue.in_progress)
            oldest.add_metric([queue.service], queue.oldest_ms / 1000)
        instances = GaugeMetricFamily(
            "journeyman_service_instances", "Instances of a service that answer", labels=["service"]
        )
        for service, count in sorted(Counter(each.service for each in self._seen.services).items()):
            instances.add_metric([service], count)
        parked = GaugeMetricFamily(
            "journeyman_parked_messages", "Messages that no handler could take, and that wait for a decision"
        )
        parked.add_metric([], self._seen.parked)
        return (waiting, in_hand, oldest, instances, parked, *self._storage())

    def _storage(self) -> Iterable[Metric]:
        used = GaugeMetricFamily("journeyman_stream_bytes", "What a stream holds", labels=["stream"])
        room = GaugeMetricFamily("journeyman_stream_max_bytes", "What a stream may hold", labels=["stream"])
        for stream in self._seen.streams:
            used.add_metric([stream.name], stream.bytes)
            room.add_metric([stream.name], stream.max_bytes)
        disk = GaugeMetricFamily("journeyman_disk_bytes", "What the data directory takes, by kind", labels=["kind"])
        for each in self._seen.disk:
            disk.add_metric([each.kind], each.bytes)
        free = GaugeMetricFamily("journeyman_disk_free_bytes", "What is left on the data directory's disk")
        free.add_metric([], self._seen.disk_free_bytes)
        return (used, room, disk, free)


SYSTEM: Final = SystemCollector()
REGISTRY.register(SYSTEM)
