"""What a runner prints whose process ended with 0 before its tests did."""

from __future__ import annotations

import pytest

from shared.workspace.test_results import ended_without_a_word

GO = "=== RUN   TestA\n--- PASS: TestA (0.00s)\nPASS\nok  \tm/a\t0.003s\n"
CARGO = "running 2 tests\ntest a ... ok\ntest b ... ok\n\ntest result: ok. 2 passed; 0 failed\n"
PYTEST = "==== test session starts ====\ncollected 1 item\n\n==== 1 passed in 0.02s ====\n"
TAP = "1..2\nok 1 a\nok 2 b\n"


@pytest.mark.parametrize(
    ("whole", "early"),
    [
        (GO, "ok  \tm/b\t0.001s\n"),
        (GO, "=== RUN   TestB\nok  \tm/b\t0.001s\n"),
        (CARGO, "running 1 test\n"),
        (PYTEST, "==== test session starts ====\ncollected 1 item\n"),
        ("✔ good (1.2ms)\nℹ tests 1\n", "✔ /x/it.test.js (20.1ms)\n"),
        (TAP.replace("1..2", "1..3"), ""),
    ],
    ids=["go", "go, in the middle", "cargo", "pytest", "node", "bats"],
)
def test_a_process_of_tests_that_ended_early_is_known(whole: str, early: str) -> None:
    assert ended_without_a_word(whole + early)


@pytest.mark.parametrize(
    "output",
    [
        GO + "?   \tm/c\t[no test files]\n=== RUN   TestB\n--- PASS: TestB (0.00s)\nPASS\nok  \tm/b\t1s\n",
        "ok  \tm/a\t0.003s\nok  \tm/b\t0.001s\n",
        CARGO + CARGO,
        PYTEST + "==== 1 passed in 62.02s (0:01:02) ====\n",
        TAP + TAP,
        "",
    ],
)
def test_what_came_to_its_end_is_none(output: str) -> None:
    assert not ended_without_a_word(output)
