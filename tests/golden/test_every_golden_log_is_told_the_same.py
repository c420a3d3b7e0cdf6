"""What a version has written into the log means the same to every later one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from cli import fold as folding
from shared.contracts import docs, run
from shared.contracts.decider import Decider
from shared.nats.bus import Bus
from tests.golden.logs import Golden, all_logs, fields_in, sha256_of, text_of
from tests.golden.record import of_this_place, record, traces
from tests.golden.retelling import differences, plain, retell, told_as
from tests.golden.scenarios import SCENARIOS

LOGS = all_logs()
LIMIT_BYTES = 3_000_000


@pytest.mark.parametrize("golden", [pytest.param(each, id=each.name) for each in LOGS])
async def test_a_golden_log_is_restored_folded_and_projected_to_the_same_result(
    golden: Golden, bus: Bus, tmp_path: Path
) -> None:
    was = golden.told()
    assert differences(was, await retell(bus, golden.log(), tmp_path, was)) == []


async def test_a_golden_log_of_a_first_version_is_told_the_same_by_a_later_one(
    bus: Bus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lifted = []

    def to_second(data: dict[str, Any]) -> dict[str, Any]:
        lifted.append(data)
        return {"at": data["turn"], "kept": data}

    def to_third(data: dict[str, Any]) -> dict[str, Any]:
        return {**data["kept"], "turn": data["at"]}

    monkeypatch.setattr(run.Checkpointed, "upcasters", (to_second, to_third))
    golden = _log("taken-over")
    was = golden.told()
    assert differences(was, await retell(bus, golden.log(), tmp_path, was)) == []
    assert lifted != []


async def test_a_fold_that_has_changed_its_mind_is_noticed(
    bus: Bus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    golden = _log("taken-over")
    right = folding.DECIDERS["run"]

    def evolve(state: run.Run, event: run.RunEvent) -> run.Run:
        return state if isinstance(event, run.Started) else right.evolve(state, event)

    monkeypatch.setitem(folding.DECIDERS, "run", Decider("run", right.initial, right.decide, evolve))
    (difference,) = differences(golden.told(), await retell(bus, golden.log(), tmp_path, golden.told()))
    assert difference.startswith("run/")


def test_a_row_that_is_told_otherwise_is_noticed() -> None:
    was = _log("plain").told()
    now = msgspec.structs.replace(
        was, tables=was.tables | {"runs": msgspec.structs.replace(was.tables["runs"], rows=())}
    )
    (difference,) = differences(was, now)
    assert difference.startswith("runs: 1 rows were told, 0 are")


def test_a_field_that_a_later_version_adds_to_a_state_is_free() -> None:
    class Inner(msgspec.Struct):
        one: int = 1
        later: int = 2

    class State(msgspec.Struct):
        inner: Inner
        many: dict[str, Inner]
        later: str = "new"

    known = {"inner": {"one": 1}, "many": {"a": {"one": 1}}}
    assert plain(State(Inner(), {"a": Inner()}), known) == known
    assert plain(State(Inner(), {"a": Inner(), "b": Inner()}), known) != known
    assert plain(State(Inner(one=3), {"a": Inner()}), known) != known


def test_a_field_that_a_later_version_adds_to_the_json_of_a_cell_is_free() -> None:
    was = '[{"command":"pytest","exit_code":0}]'
    assert told_as('[{"command":"pytest","exit_code":0,"verdict":null}]', was) == was
    for other in ('[{"command":"pytest","exit_code":1,"verdict":null}]', '[{"command":"pytest"}]', "[]", "pytest"):
        assert told_as(other, was) == other


def test_every_event_that_was_ever_released_is_in_a_golden_log_with_every_field_it_got() -> None:
    covered = {pair for golden in LOGS for pair in fields_in(golden.log())}
    released = {(event, field) for event, shape in docs.released_schemas().items() for field in ("", *shape["fields"])}
    assert released - covered == set(), "record a scenario that brings them about: see tests/golden/README.md"


def test_every_scenario_has_a_golden_log() -> None:
    assert SCENARIOS.keys() <= {golden.folder.name for golden in LOGS}, "python -m tests.golden.record missing"


@pytest.mark.parametrize("golden", [pytest.param(each, id=each.name) for each in LOGS])
def test_a_golden_log_does_not_say_where_it_was_made(golden: Golden) -> None:
    assert traces(map(text_of, golden.files), of_this_place()) == []


@pytest.mark.parametrize("golden", [pytest.param(each, id=each.name) for each in LOGS])
def test_the_hash_of_every_state_is_that_of_the_state_beside_it(golden: Golden) -> None:
    assert {name: sha256_of(actor.state) for name, actor in golden.told().actors.items()} == {
        name: actor.state_sha256 for name, actor in golden.told().actors.items()
    }


def test_all_golden_logs_together_stay_small() -> None:
    assert sum(file.stat().st_size for golden in LOGS for file in golden.files) < LIMIT_BYTES


async def test_a_golden_log_that_is_there_is_never_recorded_again() -> None:
    with pytest.raises(FileExistsError, match="never edited"):
        await record(SCENARIOS["plain"], _log("plain"))


@pytest.mark.parametrize("said", ["at /home/ada/work/x.py line 3", "in '/tmp/x'", "by /opt/journeyman/agents"])
def test_a_path_of_a_machine_is_noticed(said: str) -> None:
    assert traces([said, "octo/tmp and https://github.example/home/ada"], ["/none"]) == [said.split()[1].strip("'")]


def _log(scenario: str) -> Golden:
    return next(golden for golden in LOGS if golden.folder.name == scenario)
