"""What build tools say that had nothing to do, and what tells that a result was kept from an earlier run."""

from __future__ import annotations

import pytest

from shared.workspace.nothing_done import kept_results, nothing_done


@pytest.mark.parametrize(
    "output",
    [
        "make: 'test' is up to date.\n",
        "make: Nothing to be done for 'test'.\n",
        "make[1]: Entering directory '/x/sub'\nmake[1]: `test' is up to date.\nmake[1]: Leaving directory '/x/sub'\n",
        "ninja: no work to do.\n",
        'task: Task "test" is up to date\n',
        "> Task :classes UP-TO-DATE\n> Task :test NO-SOURCE\n\nBUILD SUCCESSFUL in 1s\n1 actionable task: 1 old\n",
    ],
)
def test_a_run_that_had_nothing_to_do_is_known(output: str) -> None:
    assert nothing_done(output)
    assert not nothing_done(f"{output}5 passed in 0.1s\n"), "something was done"


@pytest.mark.parametrize("output", ["", "ok\n", "make: Entering directory '/x'\n", "hello, all is up to date, folks\n"])
def test_ordinary_words_are_no_such_word(output: str) -> None:
    assert not nothing_done(output)


@pytest.mark.parametrize(
    "line",
    [
        "> Task :app:test FROM-CACHE",
        "//a:a_test                             (cached) PASSED in 0.1s",
        "web:test: cache hit, replaying logs 0123abcd",
        "> nx run web:test  [local cache]",
    ],
)
def test_results_of_another_run_are_known(line: str) -> None:
    assert kept_results(f"before\n{line}\nafter\n") == (line,)
    assert kept_results("ok  \tm/a\t(cached)\n> Task :app:test\n//a:a_test PASSED in 0.1s\n") == ()
