"""However often services and machines change under an agent, the log's sum is what its processes used."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from services.executor.actors.run import DECIDER
from shared.claude.conversation.stream import ResponseBegan, ResponseCounted, Tokens
from shared.claude.cost.meter import Counted, Meter
from shared.claude.cost.reconcile import spent_in
from shared.contracts import run
from shared.contracts.decider import Rejected
from shared.contracts.usage import ModelUsage, add_usage
from tests.recordings.recorded_runs import RecordedRuns

RUNS = RecordedRuns()
OUTPUTS = {name: RUNS[name].lines for name in RUNS.names()}

recordings = st.sampled_from([name for name, lines in OUTPUTS.items() if lines])


class Runner:
    """An executor in miniature: what it reports goes through the run's own rules; it forgets all when it dies."""

    def __init__(self, place: str = "here") -> None:
        self.state = run.Run()
        self.logged: tuple[ModelUsage, ...] = ()
        self.recorded: dict[str, int] = {}
        self.tell(run.Request(round=1, repo="r", base_commit="b", title="t", text="t"))
        self.claim(place)

    def claim(self, place: str = "here") -> None:
        """A service, maybe another one, takes the round."""
        self.tell(run.Claim(round=1, worker=f"w@{place}", session="s"))
        self.turn = 0

    def tell(self, command: run.RunCommand) -> bool:
        try:
            event = DECIDER.decide(self.state, command)
        except Rejected:
            return False
        if event is not None:
            self.state = DECIDER.evolve(self.state, event)
            self.logged = add_usage(self.logged, getattr(event, "usage", ()))
        return True

    def checkpoint(self, process: str, offset: int, usage: tuple[ModelUsage, ...]) -> None:
        self.turn += 1
        taken = self.tell(
            run.RecordCheckpoint(
                attempt=self.state.attempt, turn=self.turn, process=process, offset=offset, usage=usage
            )
        )
        assert taken
        self.recorded[process] = offset


def lines_of(name: str, cut: float) -> list[tuple[int, bytes]]:
    """(offset, line) of a recorded process that was killed after this share of its output."""
    lines = OUTPUTS[name]
    found, offset = [], 0
    for line in lines[: max(1, round(len(lines) * cut))]:
        found.append((offset, line))
        offset += len(line) + 1
    return found


def used_by(lines: list[tuple[int, bytes]]) -> tuple[ModelUsage, ...]:
    meter = Meter(resumed=True)
    for _, raw in lines:
        meter.feed(raw)
    return meter.total


def totals(usage: tuple[ModelUsage, ...]) -> dict[str, tuple[int, ...]]:
    found = {
        each.model: (
            each.input_tokens,
            each.output_tokens,
            each.cache_read_tokens,
            each.cache_write_tokens,
            each.cost_microusd,
        )
        for each in usage
    }
    return {model: numbers for model, numbers in found.items() if any(numbers)}


@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_the_sum_over_usage_events_is_the_sum_over_processes_whatever_died_in_between(data: st.DataObject) -> None:
    runner = Runner()
    used: tuple[ModelUsage, ...] = ()
    for number in range(data.draw(st.integers(1, 3), label="processes")):
        process = f"run-X-1-{number}@here"
        name = data.draw(recordings, label="recording")
        lines = lines_of(name, data.draw(st.floats(0.05, 1.0), label="killed after"))
        used = add_usage(used, used_by(lines))
        cuts = data.draw(st.sets(st.integers(0, len(lines) - 1), max_size=6), label="checkpoints")
        deaths = data.draw(st.sets(st.integers(0, len(lines) - 1), max_size=3), label="deaths of the service")
        meter = Meter(resumed=True)
        index = 0
        while index < len(lines):
            meter.feed(lines[index][1])
            end = lines[index + 1][0] if index + 1 < len(lines) else lines[index][0] + len(lines[index][1]) + 1
            if index in cuts:
                runner.checkpoint(process, end, meter.take_delta())
                cuts.discard(index)
            if index in deaths:
                # A new service attaches: it reads again what is recorded, and reports what comes after.
                deaths.discard(index)
                runner.claim()
                meter, offset = Meter(resumed=True), runner.recorded.get(process, 0)
                index = -1
                while index + 1 < len(lines) and lines[index + 1][0] < offset:
                    index += 1
                    meter.feed(lines[index][1])
                meter.take_delta()
            index += 1
        runner.checkpoint(process, lines[-1][0] + len(lines[-1][1]) + 1, meter.take_delta())
    assert runner.tell(run.Succeed(attempt=runner.state.attempt, summary="done"))
    assert totals(runner.logged) == totals(used)


@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_what_a_lost_machine_had_not_reported_is_paid_for_once_whoever_tells_it_how_often(data: st.DataObject) -> None:
    """A successor tells what was published, maybe not all of it; the machine tells everything once it is back."""
    runner = Runner(place="lost")
    published: tuple[ModelUsage, ...] = ()
    used: tuple[ModelUsage, ...] = ()
    for number in range(data.draw(st.integers(1, 3), label="processes")):
        lines = lines_of(
            data.draw(recordings, label="recording"), data.draw(st.floats(0.05, 1.0), label="killed after")
        )
        used = add_usage(used, used_by(lines))
        reported = data.draw(st.integers(0, len(lines)), label="reported lines")
        if reported:
            end = lines[reported - 1][0] + len(lines[reported - 1][1]) + 1
            runner.checkpoint(f"run-X-1-{number}@lost", end, used_by(lines[:reported]))
        published = add_usage(published, used_by(lines[: data.draw(st.integers(reported, len(lines)), label="heard")]))
    runner.claim(place="successor")
    told = data.draw(st.lists(st.sampled_from([published, used]), max_size=4), label="told")
    for usage in [*told, used, *told]:
        assert runner.tell(run.RecordSpend(round=1, place="lost", usage=usage))
    assert totals(runner.logged) == totals(used)


def test_lines_that_were_published_twice_or_late_count_once_and_in_their_order() -> None:
    began = ResponseBegan(message_id="m", model="x", tokens=Tokens(input=5, output=1))
    counted = ResponseCounted(message_id="m", tokens=Tokens(output=9))
    heard: dict[int, Counted] = {}
    for offset, line in ((70, counted), (0, began), (70, counted)):
        heard[offset] = line
    (usage,) = spent_in(heard)
    assert (usage.input_tokens, usage.output_tokens) == (5, 9)
