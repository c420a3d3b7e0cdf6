from __future__ import annotations

from services.projector.read_model_metrics import TotalsCollector, read_totals
from shared.contracts.usage import ModelUsage
from tests.unit.projector.projector_support import Log, projected, submitted, triaged


def series(collector: TotalsCollector) -> dict[tuple[str, ...], float]:
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in collector.collect()
        for sample in family.samples
    }


def test_tasks_by_status_and_cost_and_tokens_by_model_are_told() -> None:
    small = ModelUsage(model="small", input_tokens=1, output_tokens=2, cache_read_tokens=3, cache_write_tokens=4)
    large = ModelUsage(model="large", output_tokens=5, cost_microusd=1_250_000)
    log = Log().add(submitted(), triaged((small, large))).add(submitted(), id="T2").add(submitted(), id="T3")
    log.add(triaged((large,)), id="T3")
    collector = TotalsCollector()
    assert series(collector) == {}
    collector.show(read_totals(projected(log)))
    told = series(collector)
    assert {name: number for name, number in told.items() if name[0] == "journeyman_tasks"} == {
        ("journeyman_tasks", "received"): 1,
        ("journeyman_tasks", "triaged"): 2,
    }
    assert told[("journeyman_model_cost_usd_total", "large")] == 2.5
    assert told[("journeyman_model_cost_usd_total", "small")] == 0
    assert [told[("journeyman_model_tokens_total", "small", kind)] for kind in ("input", "output", "cache_read")] == [
        1,
        2,
        3,
    ]
    assert told[("journeyman_model_tokens_total", "large", "output")] == 10
