"""What the read models know of the whole system, as metrics. With several projectors each one says the same."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import duckdb
import msgspec
import structlog
from prometheus_client import REGISTRY, Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from services.projector.queries.params import Connection, records
from services.projector.recovery import Recovery

EVERY_S: Final = 5.0
MICROUSD: Final = 1_000_000
_TOKENS: Final = ("input", "output", "cache_read", "cache_write")

log = structlog.get_logger(__name__)


class ModelSpend(msgspec.Struct, frozen=True, kw_only=True):
    """What one model has cost and read and written since the log began."""

    model: str
    cost_microusd: int
    input: int
    output: int
    cache_read: int
    cache_write: int


class Totals(msgspec.Struct, frozen=True, kw_only=True):
    """Tasks by status, and models by spend."""

    tasks: dict[str, int] = {}
    spend: tuple[ModelSpend, ...] = ()


def read_totals(connection: Connection) -> Totals:
    """The totals as of the views' checkpoint."""
    counts = connection.execute("SELECT status, count(*) FROM tasks GROUP BY status").fetchall()
    sums = ", ".join(f"sum({kind}_tokens)::BIGINT AS {kind}" for kind in _TOKENS)
    spend = records(
        connection,
        ModelSpend,
        f"SELECT model, sum(cost_microusd)::BIGINT AS cost_microusd, {sums} FROM usage GROUP BY model ORDER BY model",
    )
    return Totals(tasks=dict(counts), spend=spend)


class TotalsCollector(Collector):
    """Turns the totals that were read last into metrics."""

    def __init__(self) -> None:
        self._totals = Totals()

    def show(self, totals: Totals) -> None:
        """Say these from now on."""
        self._totals = totals

    def collect(self) -> Iterable[Metric]:
        """Called at each scrape, in a thread of the health server."""
        totals = self._totals
        tasks = GaugeMetricFamily("journeyman_tasks", "Tasks by status", labels=["status"])
        for status, count in sorted(totals.tasks.items()):
            tasks.add_metric([status], count)
        cost = CounterMetricFamily(
            "journeyman_model_cost_usd", "What a model has cost, at list price in dollars", labels=["model"]
        )
        tokens = CounterMetricFamily(
            "journeyman_model_tokens", "Tokens that went into a model and came out", labels=["model", "kind"]
        )
        for each in totals.spend:
            cost.add_metric([each.model], each.cost_microusd / MICROUSD)
            for kind in _TOKENS:
                tokens.add_metric([each.model, kind], getattr(each, kind))
        return (tasks, cost, tokens)


TOTALS: Final = TotalsCollector()
REGISTRY.register(TOTALS)


class TotalsReader:
    """Reads the totals again and again, from whichever database answers: `run` it beside the service until `drain`."""

    def __init__(self, recovery: Recovery) -> None:
        self._recovery = recovery
        self._draining = asyncio.Event()

    async def run(self) -> None:
        """Read until `drain`. A database that is being replaced is read at the next time."""
        thread = ThreadPoolExecutor(1, thread_name_prefix="totals")
        try:
            while not self._draining.is_set():
                if (views := self._recovery.answering) is not None:
                    try:
                        TOTALS.show(await views.read(thread, read_totals))
                    except duckdb.Error as error:
                        log.warning("the totals could not be read", error=str(error))
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._draining.wait(), EVERY_S)
        finally:
            thread.shutdown(wait=False)

    def drain(self) -> None:
        """Ask `run` to end."""
        self._draining.set()
