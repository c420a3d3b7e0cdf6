from __future__ import annotations

import pytest

from tests.unit.test_results.recorded import read


@pytest.mark.parametrize(
    "line",
    [
        "adds FAIL",
        "FAILED: adds",
        "✗ adds",
        "add ❌",
        "Tests: 2, failed: 1",
        "2 checks failed",
        "1 error in a.x",
        "errors = 3, warnings = 0",
        "Error: no such table",
    ],
)
def test_where_nobody_counts_tests_a_line_that_speaks_of_failures_is_a_complaint(line: str) -> None:
    assert read(f"all fine\n{line}\n", exit_code=0).complaints == (line,)


@pytest.mark.parametrize(
    "output",
    [
        "0 errors, 0 failures\n",
        "failed: 0\n",
        "no ERRORS\n",
        "error handling: ok\ntest_fail_path ... ok\n",
        "cc -c src/error.c -o error.o\n",
        "writing docs/ERRORS.md\n",
        "ERRORS.md: fine\n",
    ],
)
def test_other_words_are_no_complaints(output: str) -> None:
    assert read(output, exit_code=0).complaints == ()


def test_what_a_test_runner_counts_needs_no_complaints() -> None:
    output = "test_app.py::test_add PASSED\nERROR: retrying\n===== 1 passed in 0.01s =====\n"
    assert read(output, exit_code=0).complaints == ()
