from __future__ import annotations

import re
from itertools import zip_longest
from pathlib import Path

import pytest

from shared.workspace.test_results import read_failures
from tests.unit.test_results.recorded import CHECKOUT, OUTPUTS, read, text_of

PYTEST = (
    "tests.test_calc.TestThing.test_in_class",
    "tests.test_calc.test_adds",
    "tests.test_calc.test_needs",
    r"tests.test_calc.test_words[\xe9]",
    "tests.test_calc.test_words[x::y]",
)
PYTEST_BROKEN = ("tests.test_broken (not collected)", "tests.test_syntax (not collected)")
UNITTEST = (
    "test_calc.Calc.test_adds",
    "test_calc.Calc.test_error",
    "test_calc.Calc.test_sub (i=0)",
    "test_calc.Calc.test_sub (i=2)",
    "test_calc.Setup.setUpClass",
)
GO = (
    "example.com/calc/good.TestAdd",
    "example.com/calc/good.TestTable",
    "example.com/calc/good.TestTable/three",
    "example.com/calc/good.TestTable/two_words",
    "example.com/calc/panics.TestPanics",
)
GO_BROKEN = (
    "bad/bad.go: undefined: undefinedThing",
    "example.com/calc/bad [build failed]",
    "example.com/calc/setupfail [setup failed]",
    "setupfail/s.go: no required module provides package example.com/nowhere/atall; to add it:",
)
JEST = (
    "calc.test.js > calc > is odd 2",
    "calc.test.js > calc > when adding > gives a sum",
    "calc.test.js > throws at top",
)
VITEST = ("calc.test.js > calc > when adding > gives a sum", "calc.test.js > throws at top")
MOCHA = ("calc when adding gives a sum", 'calc with hooks "before all" hook for "never"', "throws at top")
NODE = ("calc > when adding > gives a sum", "throws at top")
SUREFIRE = (
    "com.example.CalcTest$Inner.inside",
    "com.example.CalcTest.adds",
    "com.example.CalcTest.boom",
    "com.example.CalcTest.odd(int)[2]",
)
PHPUNIT = (
    r"Tests\CalcTest::testAdds",
    r"Tests\CalcTest::testBoom",
    r'Tests\CalcTest::testOdd with data set "two"',
    r"Tests\CalcTest::testOdd with data set #0",
)
CTEST = ("calc_adds", "calc_crash")

NAMED = [
    # file, runner, failed, broken, passed, failures
    ("pytest.txt", "pytest", PYTEST, PYTEST_BROKEN, 3, 7),
    ("pytest-verbose-colour.txt", "pytest", PYTEST, PYTEST_BROKEN, 3, 7),
    ("pytest-xdist.txt", "pytest", PYTEST, PYTEST_BROKEN, 3, 7),
    ("pytest-very-quiet.txt", "pytest", PYTEST, PYTEST_BROKEN, None, None),
    ("pytest-verbose-no-summary.txt", "pytest", PYTEST, (), 3, 7),
    ("pytest-interrupted.txt", "pytest", (), PYTEST_BROKEN, 0, 2),
    ("pytest-junit.xml", "pytest", PYTEST, PYTEST_BROKEN, 3, 5),
    ("unittest.txt", "unittest", UNITTEST, ("test_broken (not imported)",), 0, 6),
    ("unittest-verbose.txt", "unittest", UNITTEST, ("test_broken (not imported)",), 0, 6),
    ("unittest-before-3.11.txt", "unittest", UNITTEST, ("test_broken (not imported)",), 0, 6),
    ("go-test.txt", "go", GO, GO_BROKEN, None, 5),
    ("go-test-v.txt", "go", GO, GO_BROKEN, 3, 5),
    ("go-test-json.txt", "go", GO, GO_BROKEN, 3, 5),
    ("jest.txt", "jest", JEST, ("broken.test.js (not loaded)",), 2, 3),
    ("jest-verbose-colour.txt", "jest", JEST, ("broken.test.js (not loaded)",), 2, 3),
    ("jest.json", "jest", JEST, ("broken.test.js (not loaded)",), 2, 3),
    ("jest-junit.xml", "jest", ("calc is odd 2", "calc when adding gives a sum", "throws at top"), (), 2, 3),
    ("vitest.txt", "vitest", VITEST, ("broken.test.js (not loaded)",), 1, 2),
    ("vitest.json", "vitest", VITEST, ("broken.test.js (not loaded)",), 1, 2),
    ("vitest-junit.xml", "vitest", VITEST, ("broken.test.js (not loaded)",), 1, 2),
    ("mocha.txt", "mocha", MOCHA, (), 1, 3),
    ("mocha.json", "mocha", MOCHA, (), 1, 3),
    ("node-tap.txt", "node", NODE, ("test/broken.test.js (not loaded)",), 1, 3),
    ("node-spec.txt", "node", NODE, ("test/broken.test.js (not loaded)",), 1, 3),
    (
        "cargo.txt",
        "cargo",
        (
            "calc (doc) src/lib.rs - add",
            "calc (src/lib.rs) tests::adds",
            "calc (src/lib.rs) tests::must_panic",
            "outside (tests/outside.rs) from_outside",
        ),
        (),
        2,
        4,
    ),
    (
        "cargo-not-compiled.txt",
        "cargo",
        (),
        (
            "cargo: could not compile `calc` (lib test)",
            "cargo: could not compile `calc` (lib)",
            "src/lib.rs: cannot find value `nothing` in this scope",
        ),
        None,
        None,
    ),
    ("nextest.documented.txt", "nextest", ("calc tests::adds", "calc::outside aborts"), (), 2, 2),
    ("surefire.txt", "surefire", SUREFIRE, (), 2, 4),
    ("surefire-junit.xml", "", SUREFIRE, (), 2, 4),
    (
        "surefire-not-compiled.txt",
        "",
        (),
        ("src/test/java/com/example/CalcTest.java: cannot find symbol (variable nothing)",),
        None,
        None,
    ),
    (
        "gradle.documented.txt",
        "gradle",
        ("CalcTest > Inner > inside()", "CalcTest > adds()", "CalcTest > odd(int) > [2] 2"),
        (),
        3,
        3,
    ),
    (
        "gradle-not-compiled.documented.txt",
        "gradle",
        (),
        ("gradle: :compileJava", "src/main/java/com/example/Calc.java: cannot find symbol (variable nothing)"),
        None,
        None,
    ),
    ("phpunit.txt", "phpunit", PHPUNIT, (), 2, 4),
    ("phpunit-junit.xml", "phpunit", PHPUNIT, (), 2, 4),
    (
        "phpunit-parse-error.txt",
        "phpunit",
        (),
        (
            'Fatal error: Uncaught ParseError: syntax error, unexpected token "{", expecting identifier '
            "in tests/BrokenTest.php",
        ),
        None,
        None,
    ),
    (
        "rspec.txt",
        "rspec",
        (
            "spec/calc_spec.rb: Calc boom",
            "spec/calc_spec.rb: Calc is odd",
            "spec/calc_spec.rb: Calc when adding gives a sum",
            "spec/calc_spec.rb: Calc when adding is expected to eq 2",
        ),
        (),
        2,
        4,
    ),
    ("rspec-not-loaded.txt", "rspec", (), ("spec/broken_spec.rb (not loaded)",), 0, 0),
    ("minitest.txt", "minitest", ("TestCalc#test_adds", "TestCalc#test_boom"), (), 1, 2),
    ("prove.txt", "tap", ("t/a.t: one is two", "t/a.t: test", "t/b.t"), (), None, None),
    ("exunit.documented.txt", "exunit", ("CalcTest: test adds",), (), 1, 1),
    ("bun.documented.txt", "bun", ("calc.test.ts > calc > adds",), (), 1, 1),
    ("ctest.txt", "ctest", CTEST, (), 1, 2),
    ("ctest-junit.xml", "", CTEST, (), 1, 2),
    ("gtest.documented.txt", "gtest", ("Calc.Adds", "Numbers/Odd.IsOdd/1"), (), 1, 2),
    (
        "dotnet.documented.txt",
        "dotnet",
        ("Calc.Tests.CalcTest.Adds", "Calc.Tests.CalcTest.Odd(n: 2)"),
        (),
        2,
        2,
    ),
    (
        "dotnet-not-compiled.documented.txt",
        "",
        (),
        ("Calc.cs: CS0103: The name 'nothing' does not exist in the current context",),
        None,
        None,
    ),
    ("cmake-not-compiled.txt", "", (), ("adds.c: ‘nothing’ undeclared (first use in this function)",), None, None),
    (
        "cmake-not-configured.txt",
        "",
        (),
        ('CMakeLists.txt: find_package: By not providing "FindNoSuch.cmake" in CMAKE_MODULE_PATH this project has',),
        None,
        None,
    ),
]


@pytest.mark.parametrize(("file", "runner", "failed", "broken", "passed", "failures"), NAMED, ids=[n[0] for n in NAMED])
def test_what_a_runner_says_failed_has_a_name(
    file: str, runner: str, failed: tuple[str, ...], broken: tuple[str, ...], passed: int | None, failures: int | None
) -> None:
    found = read("", file) if file.endswith((".xml", ".json")) else read(text_of(file))
    assert found.failed == tuple(sorted(failed))
    assert found.broken == broken
    assert (found.runner, found.passed_count, found.failed_count) == (runner, passed, failures)


def test_every_recorded_output_is_read_by_a_test() -> None:
    files = {path.name for path in OUTPUTS.iterdir()} - {"README.md", "pytest-no-summary.txt"}
    assert files == {named[0] for named in NAMED}


def test_without_a_summary_the_headers_of_pytest_name_the_tests() -> None:
    found = read(text_of("pytest-no-summary.txt"))
    assert found.failed == (
        "TestThing.test_in_class",
        "test_adds",
        "test_needs",
        r"test_words[\xe9]",
        "test_words[x::y]",
    )
    assert found.broken == PYTEST_BROKEN


def test_an_output_of_several_runners_is_read_whole() -> None:
    found = read("\n".join(text_of(name) for name in ("pytest-xdist.txt", "go-test.txt", "jest.txt", "cargo.txt")))
    assert found.runner == "pytest+go+jest+cargo"
    assert set(found.failed) >= {*PYTEST, *GO, *JEST, "calc (src/lib.rs) tests::adds"}
    assert len(found.failed) == len(PYTEST) + len(GO) + len(JEST) + 4
    assert found.passed_count == 3 + 2 + 2


def test_a_second_pytest_whose_report_overwrote_the_first_is_completed_by_the_text() -> None:
    first = (
        "=== short test summary info ===\nFAILED other/test_x.py::test_y[a - b] - assert 0\n=== 1 failed in 0.1s ===\n"
    )
    found = read(first + text_of("pytest.txt"), "pytest-junit.xml")
    assert found.failed == tuple(sorted((*PYTEST, "other.test_x.test_y[a - b]")))
    assert found.failed_count == 8


def test_a_report_counts_before_text_that_has_other_names(tmp_path: Path) -> None:
    report = tmp_path / "build" / "test-results" / "test" / "TEST-a.xml"
    report.parent.mkdir(parents=True)
    report.write_text(text_of("surefire-junit.xml"))
    found = read_failures("gradle test", 1, text_of("gradle.documented.txt"), [report], CHECKOUT)
    assert (found.runner, found.failed, found.failed_count) == ("gradle", SUREFIRE, 3)


def test_jests_xml_names_too_little_and_counts_only_without_text() -> None:
    assert read(text_of("jest.txt"), "jest-junit.xml").failed == JEST


def test_the_json_of_jest_in_the_output_is_read() -> None:
    assert read("> jest --json\n" + text_of("jest.json")).failed == JEST


def test_a_run_that_ended_well_has_no_failures_but_counts() -> None:
    found = read(text_of("pytest.txt"), exit_code=0)
    assert (found.failed, found.broken, found.passed_count) == ((), (), 3)


def test_tests_that_fail_behind_an_exit_code_of_0_are_hidden_failures() -> None:
    found = read(text_of("unittest.txt"), exit_code=0)
    assert set(found.hidden) == {*read(text_of("unittest.txt")).failed, *read(text_of("unittest.txt")).broken}
    assert found.lines


@pytest.mark.parametrize(
    "output",
    [
        "  ● Console\n\n    console.error\n      boom\n\nTests:       3 passed, 3 total\n",
        "TAP version 13\nok 1 - a\nnot ok 2 - b # TODO later\n1..2\n",
        "[ERROR] said by the program\n[INFO] Tests run: 3, Failures: 0, Errors: 0, Skipped: 0\n",
        "   TRY 1 FAIL [   0.1s] a b\n   TRY 2 PASS [   0.1s] a b\n     Summary [   0.1s] 1 test run: 1 passed\n",
        "# x/cgo\n./a.go:3:4: warning: unused\nok  \tx/y\t0.1s\n",
        "=== short test summary info ===\nXFAIL tests/test_a.py::test_x - no\n=== 1 passed, 1 xfailed in 0.1s ===\n",
    ],
    ids=["jest", "tap", "surefire", "nextest", "go", "pytest"],
)
def test_what_a_good_run_prints_is_no_hidden_failure(output: str) -> None:
    assert read(output, exit_code=0).hidden == ()


@pytest.mark.parametrize(("tests", "nothing"), [("0 tests", True), ("1 test", False)])
def test_a_runner_that_counts_is_known_to_have_run_nothing(tests: str, nothing: bool) -> None:
    output = f"----------\nRan {tests} in 0.000s\n\nOK\n"
    assert read(output, exit_code=0).ran_nothing is nothing
    assert read("", command="python3 -m unittest", exit_code=0).ran_nothing
    assert not read("", command="sh check.sh", exit_code=0).ran_nothing


def test_a_silent_command_tells_its_runner_by_its_words() -> None:
    assert read("", command="npx vitest run").runner == "vitest"
    assert read("", command="./check.sh").runner == ""


COMPLAINTS = [
    ("/bin/sh: 1: ruff: not found", "ruff: command not found"),
    ("bash: line 3: mypy: command not found", "mypy: command not found"),
    ("make: pytest: No such file or directory", "pytest: command not found"),
    (
        "make: *** No rule to make target 'a.c', needed by 'a.o'.  Stop.",
        "make: No rule to make target 'a.c', needed by 'a.o'",
    ),
    ("Makefile:3: *** missing separator.  Stop.", "Makefile: missing separator"),
    ("src/a.py:12: error: Incompatible types  [assignment]", "src/a.py: Incompatible types [assignment]"),
    ("src/a.py:1:8: F401 `os` imported but unused", "src/a.py: F401 `os` imported but unused"),
    (
        "F401 [*] `os` imported but unused\n --> src/a.py:1:8\n  |",
        "src/a.py: F401 `os` imported but unused",
    ),
    ("a.ts(1,7): error TS2322: Type 'string' is not.", "a.ts: TS2322: Type 'string' is not."),
    (
        "\x1b[96ma.ts\x1b[0m:\x1b[93m1\x1b[0m:\x1b[93m7\x1b[0m - \x1b[91merror\x1b[0m\x1b[90m TS2322: \x1b[0mNo.",
        "a.ts: TS2322: No.",
    ),
    ("/srv/checkout/a.js\n  1:5  error  'x' is never used  no-unused-vars", "a.js: 'x' is never used no-unused-vars"),
    ("main.go:3:4: unused variable x (unused)", "main.go: unused variable x (unused)"),
    ("would reformat src/a.py", "src/a.py: would be reformatted"),
    ("ImportError while loading conftest '/srv/checkout/tests/conftest.py'.", "tests/conftest.py (not loaded)"),
    ("ERROR: file or directory not found: tests/x", "pytest: file or directory not found: tests/x"),
    ("========= no tests ran in 0.01s =========", "pytest: no tests ran"),
    (
        "go: example.com/x@v1: dial tcp 127.0.0.1:4711: connect: connection refused",
        "go: example.com/x@v1: dial tcp 127.0.0.1:<port>: connect: connection refused",
    ),
    ("[ERROR] The forked VM terminated without properly saying", "maven: The forked VM terminated without a goodbye"),
    ("go: go.mod file not found in current directory", "go: go.mod file not found in current directory"),
    ("npm error Missing script: \"lint\"", 'npm: Missing script: "lint"'),
    (
        'Traceback (most recent call last):\n  File "a.py", line 1\nModuleNotFoundError: No module named \'b\'',
        "ModuleNotFoundError: No module named 'b'",
    ),
    ("Error: Cannot find module './b'\nRequire stack:", "Error: Cannot find module './b'"),
    ("FAIL Required test coverage of 80% not reached. Total coverage: 71.23%", "coverage is below 80%"),
]  # fmt: skip


@pytest.mark.parametrize(("output", "name"), COMPLAINTS, ids=[name for _, name in COMPLAINTS])
def test_what_broke_has_a_name_without_its_line(output: str, name: str) -> None:
    assert read(f"\n{output}\n").broken == (name,)


def test_a_second_mistake_of_a_kind_is_a_new_name_and_one_told_twice_is_not() -> None:
    once = "a.c:3:1: error: no x\n"
    assert read(once + once).broken == ("a.c: no x",)
    assert read(once + "a.c:9:1: error: no x\n").broken == ("a.c: no x", "a.c: no x (2)")


STEPS = [
    ("make: *** [Makefile:3: lint] Error 1", "make lint"),
    ("make[1]: *** [test] Error 2", "make test"),
    ("  py311: FAIL code 1 (0.52=setup[0.03]+cmd[0.49] seconds)", "tox py311"),
    ("npm error Lifecycle script `lint` failed with error:", "npm run lint"),
    ("Execution failed for task ':app:test'.", "gradle :app:test"),
    ("- hook id: ruff", "pre-commit ruff"),
]


@pytest.mark.parametrize(("output", "name"), STEPS, ids=[name for _, name in STEPS])
def test_a_step_that_failed_has_a_name(output: str, name: str) -> None:
    assert read(output).steps == (name,)


def test_names_hold_no_folder_address_or_random_id() -> None:
    found = read(
        "=== short test summary info ===\n"
        "FAILED tests/test_a.py::test_b[<object at 0x7f00deadbeef>] - x\n"
        "FAILED tests/test_a.py::test_c[/srv/checkout/data/x] - x\n"
        "FAILED tests/test_a.py::test_d[/tmp/pytest-of-me/pytest-3/x0] - x\n"
        "FAILED tests/test_a.py::test_e[/usr/share/zoneinfo/Europe/Paris] - x\n"
        "FAILED tests/test_a.py::test_f[7b7cdbf6-2f0c-4d6f-9d06-3f0f0b6f1c11] - x\n"
    )
    assert found.failed == (
        "tests.test_a.test_b[<object at <address>>]",
        "tests.test_a.test_c[data/x]",
        "tests.test_a.test_d[<tmp>]",
        "tests.test_a.test_e[Europe/Paris]",
        "tests.test_a.test_f[<id>]",
    )


def test_the_lines_for_people_name_the_failures_and_their_reasons() -> None:
    go = read(text_of("go-test-json.txt")).lines
    assert "    good_test.go:7: Add(1, 2) = -1, want 3" in go
    assert "--- FAIL: TestAdd (0.00s)" in go
    pytest_ = read(text_of("pytest-verbose-colour.txt")).lines
    assert "FAILED tests/test_calc.py::test_adds - assert -1 == 3" in pytest_
    assert "E   ValueError: broken thing" in pytest_
    assert not any("test_fine" in line or "\x1b" in line for line in pytest_)
    jest = read(text_of("jest.txt")).lines
    assert {"    Expected: 3", "    Received: -1"} <= set(jest)


def test_headers_that_name_too_little_do_not_double_a_report() -> None:
    assert read(text_of("pytest-no-summary.txt"), "pytest-junit.xml").failed == PYTEST


def test_surefire_before_its_third_version_is_read() -> None:
    found = read(
        "Tests run: 2, Failures: 1, Errors: 0, Skipped: 0, Time elapsed: 0.05 sec <<< FAILURE!\n"
        "adds(com.example.CalcTest)  Time elapsed: 0.005 sec  <<< FAILURE!\n"
        "Tests run: 2, Failures: 1, Errors: 0, Skipped: 0\n"
    )
    assert (found.failed, found.passed_count) == (("com.example.CalcTest.adds",), 1)


def test_without_lines_for_each_test_surefires_results_name_them() -> None:
    results = text_of("surefire.txt").partition("[INFO] Results:")[2]
    assert read(results).failed == ("CalcTest$Inner.inside", "CalcTest.adds", "CalcTest.boom", "CalcTest.odd")


@pytest.mark.parametrize("prefixes", [("packages/a test: ", "packages/b test: "), ("@x/a:test: ", "@x/b:test: ")])
def test_packages_that_mix_their_lines_are_told_apart(prefixes: tuple[str, str]) -> None:
    pairs = zip_longest(text_of("vitest.txt").splitlines(), text_of("jest.txt").splitlines(), fillvalue="")
    mixed = [f"{prefix}{line}" for pair in pairs for prefix, line in zip(prefixes, pair, strict=True)]
    found = read("\n".join(mixed))
    a, b = (re.split("[ :]test", prefix)[0] for prefix in prefixes)
    assert found.failed == tuple(sorted((*(f"{a}: {name}" for name in VITEST), *(f"{b}: {name}" for name in JEST))))
    assert found.broken == (f"{a}: broken.test.js (not loaded)", f"{b}: broken.test.js (not loaded)")
    assert f"{prefixes[0]} FAIL  calc.test.js > throws at top" in found.lines


GO_LOGS = """\
=== RUN   TestA
a.go:1:2: error: expected
no line end--- PASS: TestA (0.00s)
=== RUN   TestB
--- SKIP: TestB (0.00s)
PASS
ok  \tx/a\t0.1s
=== RUN   TestC
=== PAUSE TestC
=== RUN   TestD
    d_test.go:1: bad
=== CONT  TestC
    c_test.go:1: want: nothing
printed error
--- FAIL: TestD (0.00s)
--- PASS: TestC (0.00s)
FAIL
FAIL\tx/b\t0.1s
"""


def test_what_passing_tests_of_go_log_is_no_failure_and_no_reason() -> None:
    passing = read(GO_LOGS.partition("ok  ")[0] + "ok  \tx/a\t0.1s\n", exit_code=0)
    assert (passing.passed_count, passing.hidden) == (1, ())
    found = read(GO_LOGS)
    assert (found.failed, found.broken, found.passed_count, found.failed_count) == (("x/b.TestD",), (), 2, 1)
    assert [line.strip() for line in found.lines] == [
        "d_test.go:1: bad", "printed error", "--- FAIL: TestD (0.00s)", "FAIL", "FAIL\tx/b\t0.1s"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("output", "counts"),
    [
        ("1..3\nok 1 adds\nok 2 # skip no net\nnot ok 3 breaks\n", (1, 1)),
        ("t/a.t .. ok\nAll tests successful.\nFiles=1, Tests=12,  0 wallclock secs\nResult: PASS\n", (12, None)),
        ("ok 5 files\n", (None, None)),
    ],
    ids=["bats", "prove", "no runner"],
)
def test_runners_without_a_count_of_what_passed_are_counted(output: str, counts: tuple[int | None, int | None]) -> None:
    found = read(output)
    assert (found.passed_count, found.failed_count) == counts
