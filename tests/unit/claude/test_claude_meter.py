"""What a run cost is known to the micro-dollar, however it ended."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.claude.cost.meter import Meter
from shared.contracts.usage import ModelUsage, add_usage, cost_of
from tests.recordings.recorded_runs import RecordedRuns

LINES = RecordedRuns()["demo-executor"].lines


def _metered(lines: list[bytes], *, resumed: bool = False) -> Meter:
    meter = Meter(resumed)
    for line in lines:
        meter.feed(line)
    return meter


def test_a_session_in_two_processes_costs_the_session_s_total_once(recordings: RecordedRuns) -> None:
    first = _metered(recordings["resume-1"].lines)
    second = _metered(recordings["resume-2"].lines, resumed=True)
    assert cost_of(add_usage(first.total, second.total)) == 12_896


@pytest.mark.parametrize(
    ("name", "microusd"),
    [
        ("plain", 6_448),
        ("budget-exceeded-single-turn", 1_405_400),
        ("budget-exceeded", 293_600),
        ("max-turns", 19_344),
        ("interrupt-mid-stream", 6_248),
        ("stop-interrupt-control", 6_448),
        ("stream-input-two-turns", 12_896),
        ("bash-timeout", 19_344),
        ("api-429-forever", 0),
        ("startup-failure", 0),
    ],
)
def test_the_cost_of_a_recorded_run_is_what_its_results_say(recordings: RecordedRuns, name: str, microusd: int) -> None:
    assert cost_of(_metered(recordings[name].lines).total) == microusd


def test_a_subagent_is_counted_under_its_own_model(recordings: RecordedRuns) -> None:
    meter = _metered(recordings["subagent"].lines)
    assert {usage.model: usage.cost_microusd for usage in meter.total} == {
        "claude-opus-5-5": 19_344,
        "claude-haiku-5-5": 342,
    }


def test_a_killed_run_is_priced_from_what_streamed(recordings: RecordedRuns) -> None:
    recorded = recordings["plain"]
    meter = _metered(recorded.lines[:-1])  # killed before its result line
    assert meter.since_last_result == meter.total
    assert cost_of(meter.total) == 6_448


def test_a_killed_run_without_partial_messages_is_priced_from_the_beginnings_of_its_responses(
    recordings: RecordedRuns,
) -> None:
    (usage,) = _metered(recordings["stop-sigkill"].lines).total
    assert (usage.input_tokens, usage.cache_read_tokens, usage.cache_write_tokens) == (12, 2000, 1000)
    assert usage.cost_microusd == 5_468


def test_a_model_without_a_list_price_is_marked(recordings: RecordedRuns) -> None:
    (usage,) = _metered(recordings["unknown-model"].lines).total
    assert not usage.priced


def test_the_tail_is_priced_as_the_results_priced_the_same_model() -> None:
    counts = {"inputTokens": 1000, "outputTokens": 0, "costUSD": 0.002, "costBasis": "list"}
    result = {"type": "result", "subtype": "success", "model_usage_since_last_result": {"new-model": counts}}
    began = {"type": "message_start", "message": {"id": "m", "model": "new-model", "usage": {"input_tokens": 500}}}
    meter = _metered([json.dumps(result).encode(), json.dumps({"type": "stream_event", "event": began}).encode()])
    assert cost_of(meter.since_last_result) == 1_000


def test_without_deltas_on_the_results_the_growth_of_the_totals_counts() -> None:
    def result(cost: float) -> bytes:
        usage = {"m": {"inputTokens": int(cost * 100), "costUSD": cost}}
        return json.dumps({"type": "result", "subtype": "success", "modelUsage": usage}).encode()

    meter = _metered([result(0.5), result(0.75)])
    assert cost_of(meter.total) == 750_000
    assert meter.total[0].input_tokens == 75


@given(cuts=st.sets(st.integers(0, 200)), end=st.integers(0, 200))
def test_the_deltas_of_any_checkpoints_add_up_to_the_total(cuts: set[int], end: int) -> None:
    lines = LINES[:end]
    meter = Meter()
    deltas: list[tuple[ModelUsage, ...]] = []
    for number, line in enumerate(lines):
        meter.feed(line)
        if number in cuts:
            deltas.append(meter.take_delta())
    deltas.append(meter.take_delta())
    assert add_usage(*deltas) == tuple(usage for usage in meter.total if cost_of((usage,)))
    assert all(cost_of(delta) >= 0 for delta in deltas)
    assert meter.take_delta() == ()
