from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from shared.workspace.test_results import Kind, Run, compare, read_failures
from tests.unit.test_results.recorded import run, text_of


def pytest_output(*failed: str, passed: int = 10, seconds: float = 0.1) -> str:
    summary = "".join(f"FAILED tests/test_a.py::{name} - assert 0\n" for name in failed)
    return f"=== short test summary info ===\n{summary}=== {len(failed)} failed, {passed} passed in {seconds}s ===\n"


def test_the_same_failing_tests_are_the_same() -> None:
    told = compare(run(pytest_output("a", "b", seconds=0.2)), run(pytest_output("b", "a")))
    assert told.kind is Kind.SAME
    assert told.why == "the same 2 tests fail at the base commit: tests.test_a.a, tests.test_a.b"
    assert (told.new, told.fixed, told.notes) == ((), (), ())


def test_a_newly_failing_test_is_new_though_the_command_was_red_before() -> None:
    told = compare(run(pytest_output("a", "b")), run(pytest_output("a")))
    assert (told.kind, told.new) == (Kind.NEW, ("tests.test_a.b",))
    assert told.why == "1 test fails, not at the base commit: tests.test_a.b"


def test_one_test_repaired_and_another_broken_is_new() -> None:
    told = compare(run(pytest_output("b")), run(pytest_output("a")))
    assert (told.kind, told.new, told.fixed) == (Kind.NEW, ("tests.test_a.b",), ("tests.test_a.a",))


def test_fewer_failures_are_the_same_and_what_was_repaired_is_named() -> None:
    told = compare(run(pytest_output("a", passed=11)), run(pytest_output("a", "b")))
    assert (told.kind, told.fixed, told.notes) == (Kind.SAME, ("tests.test_a.b",), ())


def test_a_failing_test_that_is_gone_is_told_not_to_have_run() -> None:
    told = compare(run(pytest_output("a", passed=10)), run(pytest_output("a", "b", passed=10)))
    assert told.notes == ("Of the tests that no longer fail, some may not have run: tests.test_a.b.",)


def test_a_suite_that_shrank_is_noted() -> None:
    told = compare(run(pytest_output("a", passed=5)), run(pytest_output("a", passed=10)))
    assert (told.kind, told.notes) == (Kind.SAME, ("Fewer tests pass: 5, at the base commit 10.",))


def test_a_command_that_passed_before_is_new() -> None:
    told = compare(run(pytest_output("a")), run("=== 11 passed in 0.1s ===\n", exit_code=0))
    assert (told.kind, told.new) == (Kind.NEW, ("tests.test_a.a",))
    assert told.why == "the command passes at the base commit"


def test_a_build_that_broke_is_new_whatever_failed_before() -> None:
    broken = run("# example.com/a\n./a.go:3:2: undefined: x\nFAIL\texample.com/a [build failed]\nFAIL\n")
    failing = run("--- FAIL: TestA (0.00s)\nFAIL\nFAIL\texample.com/a\t0.1s\nFAIL\n")
    told = compare(broken, failing)
    assert (told.kind, told.new) == (Kind.NEW, ("a.go: undefined: x", "example.com/a [build failed]"))


def test_a_build_that_was_broken_in_the_same_way_is_the_same() -> None:
    before = "# example.com/a\n./a.go:3:2: undefined: x\nFAIL\texample.com/a [build failed]\nFAIL\n"
    assert compare(run(before.replace(":3:2", ":8:2")), run(before)).kind is Kind.SAME
    told = compare(run(before.replace("undefined: x", "undefined: y")), run(before))
    assert (told.kind, told.new) == (Kind.NEW, ("a.go: undefined: y",))


def test_tests_that_could_not_be_collected_before_are_new_with_a_note() -> None:
    told = compare(run(pytest_output("a")), run(text_of("pytest-interrupted.txt"), exit_code=1))
    assert told.kind is Kind.NEW
    assert "whether these tests fail there is not known" in told.notes[0]


def test_another_step_of_make_that_fails_is_new() -> None:
    told = compare(run("make: *** [Makefile:3: lint] Error 1\n", 2), run("make: *** [Makefile:3: test] Error 1\n", 2))
    assert (told.kind, told.new) == (Kind.NEW, ("make lint",))


def test_a_step_is_not_blamed_beside_the_test_that_made_it_fail() -> None:
    told = compare(run(f"{pytest_output('a')}make: *** [Makefile:3: test] Error 1\n", 2), run("", 2))
    assert told.new == ("tests.test_a.a",)


def test_equal_outputs_without_names_are_the_same() -> None:
    told = compare(run("it broke in 3.1s\n", 3), run("it broke in 0.4s\n", 3))
    assert (told.kind, told.why) == (Kind.SAME, "the base commit gives the same output and exit code 3")


@pytest.mark.parametrize(
    ("after", "before", "exit_code"),
    [
        ("it broke badly\n", "it broke\n", 1),
        ("it broke\n", "it broke\n", 2),
        ("Segmentation fault\n", pytest_output("a"), 1),
        (pytest_output("a"), pytest_output("a"), 3),
        (pytest_output("a") + "killed\n", pytest_output("a"), 1),
    ],
    ids=["other words", "other exit code", "no names any more", "names with another exit code", "killed"],
)
def test_what_names_do_not_tell_is_unclear(after: str, before: str, exit_code: int) -> None:
    code = 137 if "killed" in after else 1
    assert compare(run(after, code), run(before, code if code == 137 else exit_code)).kind is Kind.UNCLEAR


def test_more_failures_than_names_are_unclear() -> None:
    named = "=== short test summary info ===\nFAILED tests/test_a.py::a - x\n"
    told = compare(run(named + "=== 3 failed in 0.1s ===\n"), run(named + "=== 1 failed in 0.1s ===\n"))
    assert told.kind is Kind.UNCLEAR


def test_a_flaky_base_differs_from_itself() -> None:
    assert compare(run("the dice say 3\n"), run("the dice say 5\n")).kind is Kind.UNCLEAR


def test_a_run_that_passed_is_not_compared() -> None:
    with pytest.raises(ValueError, match="no failures to compare"):
        compare(run("", exit_code=0), run(""))


@pytest.mark.parametrize("name", ["pytest.txt", "go-test-v.txt", "cargo.txt", "jest.txt", "surefire.txt", "rspec.txt"])
def test_a_recorded_output_is_the_same_as_itself_in_another_folder(name: str) -> None:
    there = run(text_of(name))
    here = run(text_of(name).replace("/srv/checkout", "/var/lib/j/base"), checkout="/var/lib/j/base")
    assert compare(here, there).kind is Kind.SAME


def really_run(folder: Path, *, breaks: str) -> Run:
    folder.mkdir()
    (folder / "test_a.py").write_text(
        "import os, unittest\n"
        "class A(unittest.TestCase):\n"
        "    def test_red(self): self.fail(f'{os.getcwd()} {os.getpid()} {object()}')\n"
        f"    def test_other(self): {breaks}\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "unittest"], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    return run(done.stdout, done.returncode, str(folder))


def test_real_runs_in_two_folders_differ_by_what_the_work_broke(tmp_path: Path) -> None:
    base = really_run(tmp_path / "base", breaks="pass")
    assert compare(really_run(tmp_path / "harmless", breaks="self.assertTrue(1)"), base).kind is Kind.SAME
    told = compare(really_run(tmp_path / "result", breaks="1 / 0"), base)
    assert (told.kind, told.new) == (Kind.NEW, ("test_a.A.test_other",))
    told = compare(really_run(tmp_path / "broken", breaks="("), base)
    assert (told.kind, told.new) == (Kind.NEW, ("test_a (not imported)",))


@pytest.mark.parametrize(
    ("command", "output"),
    [
        ("pytest -x", f"{pytest_output('a')}!!!! stopping after 1 failures !!!!\n"),
        ("cargo test", "test a ... FAILED\nerror: test failed, to rerun pass `--lib`\n"),
        ("pnpm -r test", f"{pytest_output('a')} ERR_PNPM_RECURSIVE_RUN_FIRST_FAIL  b@ test: `pytest`\n"),
        ("mvn test", "[ERROR] A.b:3 not\n[INFO] core .... FAILURE [  1.2 s]\n[INFO] web .... SKIPPED\n"),
        ("npx jest --bail", "  ● a › b\n\nTests:       1 failed, 1 total\n"),
    ],
)
def test_runs_that_stopped_at_a_failure_are_the_same_in_part_only(command: str, output: str) -> None:
    stopped = Run(exit_code=1, output=output, findings=read_failures(command, 1, output, []))
    told = compare(stopped, stopped)
    assert (told.kind, told.partial) == (Kind.SAME, True)
    assert told.why.endswith("nothing is known of what comes behind")


def test_a_run_that_went_on_is_the_same_as_a_whole() -> None:
    counted = "test a ... FAILED\ntest result: FAILED. 2 passed; 1 failed; 0 ignored\n"
    went_on = f"{counted}error: test failed, to rerun pass `--lib`\nerror: 1 target failed:\n    `--lib`\n"
    for output in (went_on, pytest_output("a")):
        assert not compare(run(output), run(output)).partial


@pytest.mark.parametrize(
    ("command", "output", "exit_code"),
    [
        ("pytest", "=== no tests ran in 0.01s ===\n", 5),
        ("make test", "no tests ran in 0.01s\nmake: *** [Makefile:2: test] Error 5\n", 2),
        ("python3 -m unittest", f"{'-' * 70}\nRan 0 tests in 0.000s\n\nNO TESTS RAN\n", 5),
        ("npx jest", "No tests found, exiting with code 1\n", 1),
        ("mvn test", "Non-readable POM\n", 1),
    ],
)
def test_two_runs_without_a_test_prove_nothing(command: str, output: str, exit_code: int) -> None:
    nothing = Run(exit_code=exit_code, output=output, findings=read_failures(command, exit_code, output, []))
    told = compare(nothing, nothing)
    assert (told.kind, told.partial) == (Kind.SAME, True)


@pytest.mark.parametrize(
    "more",
    [
        "ERROR: documentation does not build",
        "Build failed: cannot resolve module foo",
        "make: *** [Makefile:9: docs] Error 1",
        "ModuleNotFoundError: No module named 'foo'",
    ],
)
def test_a_red_test_hides_no_other_failure_that_the_output_tells(more: str) -> None:
    old = f"{pytest_output('a')}make: *** [Makefile:3: test] Error 1\n"
    for output in (f"{old}{more}\n", f"{more}\n{old}"):
        told = compare(run(output, 2), run(old, 2))
        assert (told.kind, told.partial) == (Kind.SAME, True) or told.kind is Kind.NEW
    assert not compare(run(old, 2), run(f"{old}{more}\n", 2)).partial


def test_more_lines_than_are_compared_prove_no_sameness() -> None:
    lines = "".join(f"error: {'x' * length}\n" for length in range(600))
    told = compare(run(f"{pytest_output('a')}{lines}"), run(f"{pytest_output('a')}{lines}"))
    assert (told.kind, told.partial) == (Kind.SAME, True)


def test_other_words_counts_and_times_of_the_runner_itself_are_no_other_failure() -> None:
    details = (
        "=== FAILURES ===\n___ a ___\n>   raise ValueError({0})\nE   ValueError: error {0}\ntest_a.py:{0}: ValueError\n"
    )
    one = f"{details.format(1)}{pytest_output('a', 'b', passed=10)}make: *** [Makefile:3: test] Error 1\n"
    other = f"{details.format('two')}{pytest_output('a', passed=12, seconds=3)}make: *** [Makefile:9: test] Error 1\n"
    told = compare(run(other), run(one))
    assert (told.kind, told.partial) == (Kind.SAME, False)


@pytest.mark.parametrize("output", ["", " \n\n"])
def test_two_failures_that_say_nothing_are_not_the_same(output: str) -> None:
    assert compare(run(output), run(output)).kind is Kind.UNCLEAR


def test_a_part_of_an_output_proves_no_sameness() -> None:
    part = Run(exit_code=1, output="it broke\n", findings=read_failures("make", 1, "it broke\n", []), cut=True)
    assert compare(part, part).kind is Kind.UNCLEAR


CRASHED = "=== test session starts ===\ntests/test_a.py::a FAILED\ntests/test_a.py::b PASSED\n"


@pytest.mark.parametrize(
    ("before", "after", "why"),
    [
        (f"tests/test_a.py::a FAILED\n{pytest_output('a')}", CRASHED, "some may not have run"),
        (CRASHED, CRASHED, "here and at the base commit"),
        (
            f"{pytest_output('a')}!!! _pytest.outcomes.Exit: gone !!!\n",
            f"{pytest_output('a')}!!! _pytest.outcomes.Exit: gone !!!\n",
            "nothing is known of what comes behind",
        ),
        (
            "ERROR tests/test_a.py\nImportError while loading conftest '/srv/checkout/conftest.py'.\n",
            "ERROR tests/test_a.py\nImportError while loading conftest '/srv/checkout/conftest.py'.\n",
            "no test ran",
        ),
    ],
)
def test_a_run_that_ended_before_its_summary_is_the_same_in_part_only(before: str, after: str, why: str) -> None:
    told = compare(run(after), run(before))
    assert (told.kind, told.partial) == (Kind.SAME, True)
    assert why in told.why


@pytest.mark.parametrize(
    ("before", "after", "totals_only"),
    [
        ("Found 3 errors in 7 files checked", "Found 3 errors in 8 files checked", True),
        (
            "Found 3 errors in 2 files (checked 7 source files)",
            "Found 3 errors in 2 files (checked 9 source files)",
            True,
        ),
        ("a.x: no title\nchecked 7, 1 problem", "a.x: no title\nchecked 8, 1 problem", True),
        ("7 files scanned: 1 problem", "8 files scanned: 1 problem", True),
        ("checking a.x\na.x: no title", "checking NOTE.md\nchecking a.x\na.x: no title", True),
        ("a.x: no title\nb.x ... ok", "a.x: no title\nb.x ... ok\nNOTE.md ... ok", True),
        ("a.x: no title\n12 passed", "a.x: no title\n13 passed", True),
        ("Found 3 errors in 7 files checked", "Found 4 errors in 8 files checked", False),
        ("3 errors, 7 files checked", "4 errors, 7 files checked", False),
        ("7 files checked, 3 failed", "7 files checked, 4 failed", False),
        ("2 files would be reformatted", "3 files would be reformatted", False),
        ("2 files with problems", "3 files with problems", False),
        ("All 2 files have errors", "All 3 files have errors", False),
        ("2 files failed", "3 files failed", False),
        ("expected 7 files", "expected 7 files, got 6", False),
        ("a.x: no title", "a.x: no title\nNOTE.md: no title", False),
        ("a.x", "a.x\nNOTE.md", False),
        ("checking a.x", "checking a.x: FAILED", False),
        ("a.x:3 too long", "a.x:4 too long", False),
        ("limit is 7 lines too long", "limit is 8 lines too long", False),
        ("it broke", "it broke twice", False),
    ],
)
def test_a_changed_total_alone_is_no_other_failure_and_no_sameness(before: str, after: str, totals_only: bool) -> None:
    told = compare(run(f"{after}\n"), run(f"{before}\n"))
    assert (told.kind, told.totals_only) == (Kind.UNCLEAR, totals_only)
    assert compare(run(f"{before}\n", exit_code=2), run(f"{after}\n")).totals_only is False


@pytest.mark.parametrize(
    "place", ["a.x:{}: bad", "a.x({}): bad", "a.x line {}: bad", "::bad file=a.x,line={}", "bad at a.x:{}:3"]
)
def test_an_edit_moves_what_an_unknown_linter_complains_about(place: str) -> None:
    before, after, twice = (run("\n".join(map(place.format, lines))) for lines in ([3], [5], [3, 5]))
    assert compare(after, before, ["a.x"]).totals_only
    assert not compare(after, before, ["b.x"]).totals_only, "nothing has moved there"
    assert not compare(twice, before, ["a.x"]).totals_only, "one more"
