from __future__ import annotations

import pytest

from shared.workspace.test_results import Findings, lost_tests, not_told
from shared.workspace.test_results.findings import MAX_RAN
from tests.unit.test_results.recorded import read, text_of


def ran(*names: str, failed: tuple[str, ...] = ()) -> Findings:
    return Findings(passed_count=len(names), ran=tuple(sorted(names)), failed=failed)


@pytest.mark.parametrize(
    ("before", "after", "lost"),
    [
        (("t.a", "t.b"), ("t.a", "t.c"), ("t.b",)),
        (("old.T.a",), ("new.T.a",), ()),
        (("t.a[17:03]", "t.a[x]"), ("t.a[17:04]", "t.a[x]"), ()),
        (("t.a[1]", "t.a[2]"), ("t.a[1]",), ("t.a[2]",)),
        (("x/y.TestA", "x/y.TestA/one", "x/y.TestA/two"), ("x/y.TestA", "x/y.TestA/eins"), ("x/y.TestA/two",)),
        (("a.js > listens on 41234",), ("a.js > listens on 53121",), ()),
        (("a.js > adds", "a.js > subtracts"), ("b.js > adds",), ("a.js > subtracts",)),
    ],
    ids=["one gone, one new", "moved", "a time in it", "a case", "a case of go", "a port in it", "moved in JavaScript"],
)
def test_a_test_is_lost_that_runs_nowhere_under_its_name(
    before: tuple[str, ...], after: tuple[str, ...], lost: tuple[str, ...]
) -> None:
    assert lost_tests(ran(*after), ran(*before)).names == lost


def test_nothing_is_lost_by_name_where_names_are_not_known() -> None:
    assert lost_tests(Findings(passed_count=1), ran("t.a", "t.b")).names == ()
    assert lost_tests(ran("t.a"), Findings(passed_count=2)).names == ()
    assert lost_tests(Findings(), ran("t.a")).names == ("t.a",), "none ran"


def test_lost_tests_that_had_failed_are_known() -> None:
    assert lost_tests(ran("t.b"), ran("t.a", "t.b", failed=("t.a",))).had_failed == ("t.a",)


def test_the_text_of_a_result_tells_of_what_it_deletes_by_name_and_of_what_it_skips_by_number() -> None:
    lost = ("a.js > Sums > adds 1 to 2", "t.test_a[1]", "t.test_a[2]", "t.test_b")
    assert not_told(lost, ["'adds 1 to 2'", "test_a"], 2) == ["t.test_b"]
    assert not_told(lost, ["'adds 1 to 2'", "test_a"], 3) == []


@pytest.mark.parametrize(
    ("output", "reports", "one"),
    [
        ("", ("pytest-junit.xml",), "."),
        ("go-test-v.txt", (), "example.com/calc/good.TestFine"),
        ("go-test-json.txt", (), "example.com/calc/good.TestFine"),
        ("cargo.txt", (), "::"),
        ("", ("jest.json",), " > "),
    ],
)
def test_runners_name_what_passed(output: str, reports: tuple[str, ...], one: str) -> None:
    found = read(text_of(output) if output else "", *reports)
    assert any(one in name for name in found.ran)
    assert set(found.failed) <= set(found.ran)
    assert len(found.ran) > len(found.failed)


def test_names_of_very_many_tests_are_not_kept() -> None:
    lines = "".join(f"--- PASS: Test{number} (0.00s)\n" for number in range(MAX_RAN + 1))
    found = read(f"{lines}ok  \tx/y\t1s\n", exit_code=0)
    assert (found.passed_count, found.ran) == (MAX_RAN + 1, ())
