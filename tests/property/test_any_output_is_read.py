"""Whatever a command prints or leaves as a report: reading it ends, soon, with bounded and clean names."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.workspace.behind import may_hide_more
from shared.workspace.exit_codes import hidden_exit_codes
from shared.workspace.shell import steps_of
from shared.workspace.test_results import Run, compare, failing_lines, normalise, read_failures
from shared.workspace.test_results.json_reports import read_json
from shared.workspace.test_results.junit import read_junit
from shared.workspace.test_results.totals import same_but_for_totals

FEW = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
OUTPUTS = Path(__file__).parents[1] / "unit" / "test_results" / "outputs"
RECORDED = [path.read_text(encoding="utf-8").splitlines() for path in sorted(OUTPUTS.glob("*.txt"))]
LINES = st.one_of(st.text(max_size=60), st.sampled_from([line for output in RECORDED for line in output]))
TEXTS = st.lists(LINES, max_size=60).map("\n".join)


@FEW
@given(TEXTS, st.integers(-15, 255))
def test_any_mixture_of_lines_is_read_and_is_nothing_new_beside_itself(output: str, exit_code: int) -> None:
    found = read_failures("make test", exit_code, output, [])
    for name in (*found.failed, *found.broken, *found.steps):
        assert 0 < len(name) <= 300
        assert "\n" not in name
        assert "\x1b" not in name
    assert len(found.lines) <= 60
    assert sum(len(line.encode("utf-8", "replace")) for line in found.lines) <= 8192
    assert found.failed == tuple(sorted(set(found.failed)))
    if exit_code != 0:
        run = Run(exit_code=exit_code, output=output, findings=found)
        assert compare(run, run).kind != "new"


@FEW
@given(st.binary(max_size=2000))
def test_any_bytes_are_read(data: bytes) -> None:
    output = data.decode("utf-8", "replace")
    read_failures("", 1, output, [])
    failing_lines(output)
    normalise(output, "/srv/checkout")
    read_junit(data, Path("junit.xml"))
    read_json(data)


@FEW
@given(st.data())
def test_a_report_cut_or_changed_anywhere_is_read_or_refused(data: st.DataObject) -> None:
    reports = sorted((*OUTPUTS.glob("*.xml"), *OUTPUTS.glob("*.json")))
    whole = bytearray(data.draw(st.sampled_from(reports)).read_bytes())
    for _ in range(data.draw(st.integers(0, 3))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    part = bytes(whole[: data.draw(st.integers(0, len(whole)))])
    read_junit(part, Path("junit.xml"))
    read_json(part)


HARD = [
    " ",
    ":",
    "a:1: ",
    "[ERROR] ",
    "::a",
    "/a",
    "(",
    "0",
    "f0",
    "- a ",
    "\x1b[",
    "\x1b]",
    "\r",
    "FAIL ",
    "FAIL > ",
    "ERROR: a (",
    "--- FAIL: ",
    "assert == ",
    "a\n",
    "\n",
    '{"Action":',
    "seed",
    "not ok ",
    "- hook id: a\n",
    "FAILED t::a[ - \n",
    "checking a ",
    "ok" + "." * 99 + "\n",
    "1,1,",
    "1 a ",
    "expected 1 ",
    "7 files ",
    "a.c:1:2: error: x\n",
    "{\n",
    "    # Subtest: a\n    not ok 1 - a\n",
]


@pytest.mark.parametrize("unit", HARD, ids=repr)
def test_a_megabyte_of_anything_is_read_in_seconds(unit: str) -> None:
    """Measured on two shared cores: 0.1 to 1 s. A pattern that goes back and forth would take minutes.

    What comes in lines takes as long for each line: a tenth of it shows as much.
    """
    size = 100_000 if "\n" in unit else 1_000_000
    output = "=== short test summary info ===\n3 failing\nTests: 1\n" + unit * (size // len(unit))
    began = time.process_time()
    read_failures("", 1, output, [])
    said = normalise(output, "/srv/checkout")
    assert same_but_for_totals(said, said)
    assert time.process_time() - began < 10


@FEW
@given(st.text(alphabet="ab |&;()<>'\"\\`$\n{}#!=-.", max_size=80))
def test_any_shell_text_is_read(text: str) -> None:
    for step in steps_of(text) or ():
        assert step.words or step.assigned
    hidden_exit_codes(text, OUTPUTS)
    may_hide_more(text, 1, "", OUTPUTS)


@pytest.mark.parametrize("unit", ["$(a ", "${a ", "$((", "a;", "(", "`", '"', "a|b&&", "\\", "a=$(b) "], ids=repr)
def test_a_long_shell_text_is_read_in_seconds(unit: str) -> None:
    text = unit * (100_000 // len(unit))
    began = time.process_time()
    steps_of(text)
    assert time.process_time() - began < 5


def test_more_failures_than_are_kept_are_counted_and_cut() -> None:
    names = [f"FAILED tests/test_a.py::test_{number} - x" for number in range(5000)]
    random.Random(5).shuffle(names)
    found = read_failures("", 1, "\n".join(["== short test summary info ==", *names, "== 5000 failed in 1.0s =="]), [])
    assert (len(found.failed), found.failed_count) == (2000, 5000)
    assert len(found.lines) <= 60
