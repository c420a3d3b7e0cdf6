"""What a driver has not run, a runner has not told, and a pipe has hidden: nothing of it is proven, and none blamed."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import Final

import pytest

from shared.contracts.evidence import CheckVerdict, Evidence, NoteKind
from shared.contracts.sentences.evidence import observed
from tests.integration.verification.projects import go_cache
from tests.integration.verification.trials import Files, MakeTrial

NOTE: Final = {"NOTE.md": "hello\n"}
GO_CACHE: Final = go_cache()
GO_TEST: Final = f"{GO_CACHE} go test ./..."
PYTEST: Final = "PYTEST_DISABLE_PLUGIN_AUTOLOAD=1 python3 -m pytest -v -p no:cacheprovider"
TESTS: Final = {"test_it.py": "def test_a_red(): assert 0\ndef test_b(): pass\ndef test_c(): pass\n"}
ENDS_EARLY: Final = (
    "import os\n\n\ndef pytest_runtest_logreport(report):\n"
    "    report.nodeid.endswith('test_b') and report.when == 'call' and os._exit(1)\n"
)
UNITTEST: Final = (
    "import unittest\n\nimport app\n\n\nclass T(unittest.TestCase):\n    def test_it(self): self.assertTrue(app)\n"
)
UNITTEST_RED: Final = "import unittest\n\n\nclass T(unittest.TestCase):\n    def test_o(self): self.fail()\n"
DRIVER: Final = (
    "import subprocess\nfor step in ('sh red.sh', 'sh lint.sh'):\n    subprocess.check_call(step, shell=True)\n"
)
COUNTS: Final = "echo 'a.x has no title'; echo Found 1 error in $(ls | wc -l) files checked; exit 1"


@pytest.fixture(autouse=True)
def python_has_pytest(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the machine's own ``python3`` has installed."""
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")


async def test_a_driver_that_stops_at_its_old_red_step_proves_nothing_of_the_next_one(trial: MakeTrial) -> None:
    place = trial({"drive.py": DRIVER, "red.sh": "echo --- FAIL: TestOld; exit 1\n", "lint.sh": "true\n"})
    judged = await place.judge({"lint.sh": "exit 1\n"}, "python3 drive.py")
    assert [check.verdict for check in judged.checks] == [CheckVerdict.FAILED_BEFORE]
    assert judged.evidence is Evidence.UNVERIFIED


@pytest.mark.parametrize(
    ("change", "evidence"),
    [
        ({"test_it.py": TESTS["test_it.py"] + "def test_d(): pass\n"}, Evidence.NO_NEW_FAILURES),
        ({"test_it.py": TESTS["test_it.py"].replace("def test_c(): pass\n", "")}, Evidence.NO_NEW_FAILURES),
        ({"conftest.py": ENDS_EARLY}, Evidence.UNVERIFIED),
        ({"conftest.py": "def pytest_collection_modifyitems(items): del items[2:]\n"}, Evidence.UNVERIFIED),
    ],
    ids=["one more", "one deleted", "the process ends early", "one left out"],
)
async def test_tests_that_did_not_run_behind_an_old_red_one_prove_nothing(
    change: Files, evidence: Evidence, trial: MakeTrial
) -> None:
    judged = await trial(TESTS).judge(change, PYTEST)
    assert [check.verdict for check in judged.checks] == [CheckVerdict.FAILED_BEFORE]
    assert judged.evidence is evidence


async def test_an_exit_code_behind_a_pipe_proves_nothing_of_a_compiler_that_nobody_knows(trial: MakeTrial) -> None:
    place = trial({"Makefile": "test:\n\t@sh -c 'python3 cc.py | tee log'\n", "cc.py": "print('all fine')\n"})
    judged = await place.judge({"cc.py": "print('kaputt in Zeile 3')\nraise SystemExit(1)\n"})
    (check,) = judged.checks
    assert (check.exit_code, check.verdict) == (0, CheckVerdict.COULD_NOT_RUN)
    assert check.reason == (
        "It ends with 0, which says nothing of what judges: exit code hidden by a pipe: python3 cc.py."
    )
    assert [note.kind for note in judged.notes][:1] == [NoteKind.EXIT_CODE_HIDDEN]
    assert judged.evidence is Evidence.UNVERIFIED


async def test_a_test_runner_behind_a_pipe_has_told_what_it_ran(trial: MakeTrial) -> None:
    judged = await trial({"test_it.py": "def test_b(): pass\n"}).judge(NOTE, f"{PYTEST} | tee log")
    assert judged.evidence is Evidence.VERIFIED


async def test_a_linter_that_counts_files_blames_no_new_one(trial: MakeTrial) -> None:
    judged = await trial({"a.x": ""}).judge(NOTE, COUNTS)
    assert [check.verdict for check in judged.checks] == [CheckVerdict.FAILED_BEFORE]
    assert judged.evidence is Evidence.UNVERIFIED


async def test_a_check_that_names_its_home_or_its_checkout_is_the_same_everywhere(trial: MakeTrial) -> None:
    named = 'echo "$HOME/.cache of $PWD/a has ${#PWD} and ${#HOME} letters"; exit 1'
    judged = await trial({"a": ""}).judge(NOTE, named)
    assert judged.evidence is Evidence.NO_NEW_FAILURES


async def test_tests_that_end_before_they_say_a_word_are_no_pass(trial: MakeTrial) -> None:
    files = {"Makefile": "test:\n\t@python3 -m unittest\n", "app.py": "", "test_app.py": UNITTEST}
    judged = await trial(files).judge({"app.py": "import os; os._exit(0)\n"})
    assert judged.checks[0].reason == "It ends with 0, but no test ran; at the base commit 1 did."
    assert judged.evidence is Evidence.FAILING


async def test_tests_that_are_all_expected_to_fail_are_said_to_be_and_fail(trial: MakeTrial) -> None:
    files = {"test_a.py": "def test_a(): pass\ndef test_b(): pass\n"}
    marks = (
        "import pytest\n\n\ndef pytest_collection_modifyitems(items):\n"
        "    for item in items:\n        item.add_marker(pytest.mark.xfail(run=False))\n"
    )
    judged = await trial(files).judge({"conftest.py": marks}, PYTEST)
    assert [each.reason for each in judged.checks] == [
        "It ends with 0, but no test passed or failed (2 xfailed); at the base commit 2 did."
    ]
    assert judged.evidence is Evidence.FAILING


async def test_a_pipe_hides_no_test_that_did_not_run_behind_an_old_red_one(trial: MakeTrial) -> None:
    judged = await trial(TESTS).judge({"conftest.py": ENDS_EARLY}, f"{PYTEST} | tee log")
    assert [check.verdict for check in judged.checks] == [CheckVerdict.FAILED_BEFORE]
    assert judged.evidence is Evidence.UNVERIFIED


@pytest.mark.parametrize("check", ["echo no server; exit 1", "no-such-server", "echo '--- FAIL: TestDay (0.00s)'"])
async def test_what_has_gone_from_the_machine_since_the_base_was_judged_is_not_blamed(
    check: str, trial: MakeTrial
) -> None:
    place = trial({"README.md": "hi\n"})
    command = f"if [ -e '{place.folder}/there' ]; then test ! -e broken; else {check}; fi"
    (place.folder / "there").touch()
    assert (await place.judge({"broken": "x\n"}, command)).evidence is Evidence.FAILING, "now the base has a record"
    (place.folder / "there").unlink()
    judged = await place.judge(NOTE, command)
    assert judged.blamed == ()
    assert judged.evidence in {Evidence.NO_NEW_FAILURES, Evidence.UNVERIFIED}


async def test_a_step_of_the_set_up_that_fails_once_is_flaky(trial: MakeTrial) -> None:
    place = trial({"README.md": "hi\n"})
    once = f"test -e {place.folder}/tried || {{ touch {place.folder}/tried; echo no network; exit 1; }}"
    judged = await place.judge(NOTE, "true", setup=(once,))
    assert judged.evidence is Evidence.VERIFIED
    assert [note.kind for note in judged.notes] == [NoteKind.FLAKY]


async def test_a_failure_of_which_the_second_run_says_nothing_is_not_flaky(trial: MakeTrial) -> None:
    place = trial({"said": "5 passed in 0.1s\n"})
    twice = (
        f"test -e {place.folder}/ran && exit 1; test ! -e NOTE.md || {{ touch {place.folder}/ran; cat NOTE.md; }}; true"
    )
    judged = await place.judge({"NOTE.md": "--- FAIL: TestNew (0.00s)\n"}, twice)
    assert judged.evidence is Evidence.FAILING


CLASS: Final = {"test_it.py": "class TestIt:\n    def test_a(self): pass\n", "test_o.py": "def test_o(): pass\n"}
MORE: Final = "def test_new(): pass\n"
LEAVES_OUT: Final = (
    "def pytest_collection_modifyitems(items): items[:] = [i for i in items if 'test_o' not in i.nodeid]\n"
)


@pytest.mark.parametrize(
    ("change", "evidence", "told"),
    [
        (
            {"test_it.py": CLASS["test_it.py"].replace("TestIt", "CheckIt")},
            Evidence.UNVERIFIED,
            ["1 test is no longer run: test_it.TestIt.test_a",
             "the result does not say why these tests no longer run: test_it.TestIt.test_a"],
        ),
        (
            {"conftest.py": LEAVES_OUT, "test_n.py": MORE},
            Evidence.UNVERIFIED,
            ["1 test is no longer run: test_o.test_o; new: test_n.test_new",
             "the result does not say why these tests no longer run: test_o.test_o"],
        ),
        ({"test_it.py": None}, Evidence.VERIFIED, ["1 test is no longer run: test_it.TestIt.test_a"]),
        (
            {"test_o.py": MORE}, Evidence.VERIFIED, ["1 test is no longer run: test_o.test_o; new: test_o.test_new"]
        ),
        ({"test_o.py": None, "test_p.py": CLASS["test_o.py"]}, Evidence.VERIFIED, []),
    ],
    ids=["a class that is none any more", "one left out, and as many new", "deleted", "renamed", "moved"],
)  # fmt: skip
async def test_tests_that_no_longer_run_are_named_and_prove_nothing_where_the_result_does_not_say_why(
    change: Files, evidence: Evidence, told: list[str], trial: MakeTrial
) -> None:
    judged = await trial(CLASS).judge(change, PYTEST)
    assert [check.verdict for check in judged.checks] == [CheckVerdict.PASSED]
    assert judged.evidence is evidence
    notes = [note.sentence for note in judged.notes if note.kind is NoteKind.FEWER_TESTS]
    assert notes == [f"{PYTEST}: {sentence}" for sentence in told]


@pytest.mark.parametrize(
    ("tests", "green", "check", "gone"),
    [
        (TESTS, {"test_it.py": TESTS["test_it.py"].replace("a_red(): assert 0", "d(): 0")}, PYTEST,
         "test_it.test_a_red"),
        ({"app.py": "", "test_app.py": UNITTEST, "test_o.py": UNITTEST_RED}, {"test_o.py": None}, "python3 -m unittest",
         "test_o.T.test_o"),
    ],
    ids=["renamed, in a report", "deleted, where the runner does not name what passes"],
)  # fmt: skip
async def test_a_red_test_that_is_deleted_leaves_no_green_result(
    tests: Files, green: Files, check: str, gone: str, trial: MakeTrial
) -> None:
    judged = await trial(tests).judge(green, check)
    assert judged.checks[0].reason == f"It ends with 0, but what failed at the base commit no longer runs: {gone}."
    assert judged.evidence is Evidence.UNVERIFIED


@pytest.mark.parametrize(
    ("files", "check", "why"),
    [
        ({"test_o.py": "import pytest\npytestmark = pytest.mark.skip\ndef test_o(): pass\n"}, PYTEST,
         "no test ran, here or at the base commit"),
        ({"Makefile": "test:\n\t@echo nothing to test\n"}, "make test", "it runs nothing that could fail"),
        pytest.param({"go.mod": "module x.y/m\n\ngo 1.20\n", "a.go": "package a\n"}, GO_TEST,
                     "no test ran, here or at the base commit",
                     marks=pytest.mark.skipif(shutil.which("go") is None, reason="needs go")),
    ],
    ids=["all skipped", "nothing to test", "no tests of go"],
)  # fmt: skip
async def test_a_check_that_tests_nothing_proves_nothing(files: Files, check: str, why: str, trial: MakeTrial) -> None:
    judged = await trial(files).judge(NOTE, check)
    assert [(each.verdict, each.reason, each.doubted) for each in judged.checks] == [
        (CheckVerdict.PASSED, f"It ends with 0, but {why}.", True)
    ]
    assert judged.evidence is Evidence.UNVERIFIED


OWN_SCRIPT: Final = {
    "app.py": "ok = True\n",
    "check.py": "import app\nprint('old thing FAIL')\nprint('add', 'ok' if app.ok else 'FAIL')\n",
}


@pytest.mark.parametrize(
    ("change", "evidence"), [(NOTE, Evidence.VERIFIED), ({"app.py": "ok = False\n"}, Evidence.UNVERIFIED)]
)
async def test_a_script_that_speaks_of_a_new_failure_and_ends_with_0_proves_nothing(
    change: Files, evidence: Evidence, trial: MakeTrial
) -> None:
    judged = await trial(OWN_SCRIPT).judge(change, "python3 check.py")
    assert judged.evidence is evidence
    if evidence is Evidence.UNVERIFIED:
        assert judged.checks[0].reason == (
            "It ends with 0, but it speaks of what it does not at the base commit: add FAIL."
        )


async def test_a_command_that_runs_no_test_any_more_proves_nothing(trial: MakeTrial) -> None:
    files = {"Makefile": "test:\n\tpython3 -m unittest\n", "app.py": "", "test_app.py": UNITTEST}
    judged = await trial(files).judge({"Makefile": "test:\n\t@true\n"})
    assert judged.checks[0].reason == (
        "It ends with 0, but 1 test less ran than at the base commit, and the result deletes or skips 0."
    )
    assert judged.evidence is Evidence.UNVERIFIED


GO_TESTS: Final = {
    "go.mod": "module example.com/m\n\ngo 1.20\n",
    "a/a.go": "package a\n\nfunc F() int { return 1 }\n",
    "a/a_test.go": (
        'package a\n\nimport (\n\t"fmt"\n\t"testing"\n)\n\n'
        'func TestF(t *testing.T) { fmt.Println("a.go:1:2: error: expected"); F() }\n\nfunc TestG(t *testing.T) {}\n'
    ),
    "b/b.go": "package b\n",
}


GO_MAIN: Final = 'package a\n\nimport (\n\t"os"\n\t"testing"\n)\n\nfunc TestMain(m *testing.M) { os.Exit(0) }\n'


@pytest.mark.skipif(shutil.which("go") is None, reason="needs go")
@pytest.mark.parametrize(
    ("change", "evidence"),
    [
        (NOTE, Evidence.VERIFIED),
        ({"a/go.mod": "module example.com/m/a\n\ngo 1.20\n"}, Evidence.UNVERIFIED),
        ({"a/a_test.go": GO_TESTS["a/a_test.go"].replace("func TestG", "func testG")}, Evidence.VERIFIED),
        ({"a/main_test.go": GO_MAIN}, Evidence.UNVERIFIED),
        ({"a/a_test.go": "//go:build never\n\n" + GO_TESTS["a/a_test.go"]}, Evidence.UNVERIFIED),
        ({"a/a_test.go": "package a\n"}, Evidence.UNVERIFIED),
    ],
    ids=[
        "nothing of it",
        "hidden by a nested module",
        "deleted by its name",
        "a main that ends",
        "a constraint that leaves out two",
        "none any more",
    ],
)
async def test_tests_of_go_are_counted_without_a_change_to_the_command(
    change: Files, evidence: Evidence, trial: MakeTrial
) -> None:
    judged = await trial(GO_TESTS).judge(change, GO_TEST)
    assert [(check.verdict, check.reason != "") for check in judged.checks] == [
        (CheckVerdict.PASSED, evidence is Evidence.UNVERIFIED)
    ]
    assert judged.evidence is evidence


@pytest.mark.skipif(shutil.which("go") is None, reason="needs go")
async def test_a_makefile_that_gives_flags_of_its_own_to_every_command_of_go_is_left_alone(trial: MakeTrial) -> None:
    makefile = {"Makefile": "GOFLAGS ?= -tags=mine\ntest:\n\tgo build $(GOFLAGS) ./... && go test $(GOFLAGS) ./...\n"}
    script = {"run.sh": "go build $GOFLAGS ./... && go test $GOFLAGS ./...\n"}
    judged = await trial({**GO_TESTS, **makefile, **script}).judge(
        NOTE, f"{GO_CACHE} make test", f"{GO_CACHE} sh run.sh"
    )
    assert judged.evidence is Evidence.VERIFIED


async def test_a_script_that_falls_silent_proves_nothing(trial: MakeTrial) -> None:
    files = {"app.py": "def f(): return 1\n", "t.py": "import app\nassert app.f()\nprint('ok')\n"}
    place = trial({**files, "Makefile": "test:\n\tpython3 t.py\n"})
    assert (await place.judge({"app.py": "def f(): return 2\n"}, "make test")).evidence is Evidence.VERIFIED
    judged = await place.judge({"app.py": "import os\nos._exit(0)\n"}, "make test")
    assert "it says nothing, and at the base commit it does" in judged.checks[0].reason
    assert judged.evidence is Evidence.UNVERIFIED


GO_EXITS: Final = 'package a\n\nimport "os"\n\nfunc init() { os.Exit(0) }\n\nfunc F() int { return 2 }\n'


@pytest.mark.skipif(shutil.which("go") is None, reason="needs go")
@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({}, "no test ran; at the base commit 2 did"),
        ({"c/c_test.go": 'package c\n\nimport "testing"\n\nfunc TestC(t *testing.T) {}\n'},
         "a process of its tests ended before they had told how they ended"),
    ],
    ids=["the only package", "one of two"],
)  # fmt: skip
async def test_a_package_of_go_that_ends_before_its_tests_proves_nothing(
    more: dict[str, str], told: str, trial: MakeTrial
) -> None:
    judged = await trial(GO_TESTS | more).judge({"a/a.go": GO_EXITS}, GO_TEST)
    assert told in judged.checks[0].reason
    assert judged.evidence is Evidence.UNVERIFIED


async def test_a_file_of_node_that_ends_before_its_tests_proves_nothing(trial: MakeTrial) -> None:
    test = "const { test } = require('node:test')\nrequire('./index.js')\ntest('good', () => {})\n"
    place = trial({"index.js": "module.exports = 1\n", "it.test.js": test})
    assert (await place.judge({"index.js": "module.exports = 2\n"}, "node --test")).evidence is Evidence.VERIFIED
    judged = await place.judge({"index.js": "process.exit(0)\n"}, "node --test")
    assert "a process of its tests ended before" in judged.checks[0].reason
    assert judged.evidence is Evidence.UNVERIFIED


CALC: Final = {
    "calc.py": "def add(a, b): return a + b\n",
    "test_calc.py": (
        "import calc\n\n\ndef test_a(): assert calc.add(1, 2) == 3\ndef test_b(): assert calc.add(0, 2) == 2\n"
    ),
    "pyproject.toml": "[tool.pytest.ini_options]\npythonpath = ['.']\n",
}
BROKEN_CALC: Final = {"calc.py": "def add(a, b): return a - b\n"}
SAYS_PASSED: Final = 'import sys\nprint("2 passed in 0.01s")\nsys.exit(0)\n'


@pytest.mark.parametrize(
    ("fake", "check"),
    [
        ({"pytest.py": SAYS_PASSED}, "python3 -m pytest"),
        ({"sitecustomize.py": "import os\nprint('2 passed in 0.01s', flush=True)\nos._exit(0)\n"},
         "PYTHONPATH=. python3 -m pytest"),
        ({"tools/python3": "#!/bin/sh\necho 2 passed in 0.01s\n"}, 'PATH="$PWD/tools:$PATH" sh tools/run.sh'),
    ],
    ids=["module", "what Python begins with", "program"],
)  # fmt: skip
async def test_what_a_result_puts_in_the_place_of_the_judge_proves_nothing(
    fake: dict[str, str], check: str, trial: MakeTrial
) -> None:
    place = trial(CALC | {"tools/run.sh": "chmod +x tools/python3 2>/dev/null; python3 -m pytest\n"})
    judged = await place.judge(BROKEN_CALC | fake, check)
    assert [each.exit_code for each in judged.checks] == [0], "it says so"
    assert judged.evidence is Evidence.UNVERIFIED
    assert [each.doubted for each in judged.checks] == [True]
    told = observed(judged.evidence, judged.checks, judged.setup)
    assert told.startswith("Not verified: 1 check passed.")
    assert f"What judges was replaced, so that this proves nothing: {next(iter(fake))} (" in told


PATCHES: Final = "import calc\ncalc.add = lambda a, b: a + b\n"


@pytest.mark.parametrize(
    ("judge", "check"),
    [
        ({"conftest.py": PATCHES}, "python3 -m pytest"),
        ({"test_a.py": f"{PATCHES}\n\ndef test_new(): pass\n"}, "python3 -m pytest"),
        ({"fakes/calc.py": CALC["calc.py"],
          "pyproject.toml": "[tool.pytest.ini_options]\npythonpath = ['fakes', '.']\n"},
         "pytest --import-mode=importlib"),
        ({"local.mk": "PYTHON = python3 -c 'print(\"2 passed in 0.01s\")' #\n"}, "make test"),
    ],
    ids=["patch", "test", "path", "included"],
)  # fmt: skip
async def test_what_passes_by_a_changed_judge_alone_proves_nothing(
    judge: dict[str, str], check: str, trial: MakeTrial
) -> None:
    makefile = "PYTHON = python3\n-include local.mk\ntest:\n\t$(PYTHON) -m pytest\n"
    judged = await trial(CALC | {"Makefile": makefile}).judge(BROKEN_CALC | judge, check)
    assert [each.exit_code for each in judged.checks] == [0], "it says so"
    assert judged.evidence is Evidence.UNVERIFIED
    (reason,) = (each.reason for each in judged.checks)
    assert "as at the base commit" in reason or "names the tests" in reason


SCRIPT: Final = "import calc\nassert calc.add(1, 2) == 3\nprint('fine')\n"


@pytest.mark.parametrize(
    ("judge", "check"),
    [
        ({"test_calc.py": "def test_x(): pass\n"}, "python3 -m pytest"),
        ({"test_calc.py": "def test_x(): pass\ndef test_y(): assert 1\n"}, "python3 -m pytest"),
        ({"test_calc.py": "def test_a(): pass\ndef test_b(): pass\n"}, "python3 -m pytest"),
        ({"test_calc.py": None, "test_other.py": "def test_a(): pass\ndef test_b(): pass\n"}, "python3 -m pytest"),
        ({"test_calc.py": None, "test_new.py": "def test_x(): pass\n"}, "python3 -m pytest"),
        ({"t.py": "print('fine')\n"}, "make t"),
        (
            {"test_calc.py": CALC["test_calc.py"].replace("== 3", "or True").replace("== 2", "or True")},
            "python3 -m pytest",
        ),
    ],
    ids=["others", "as many others", "emptied", "emptied and moved", "deleted", "a script", "always true"],
)
async def test_tests_that_say_less_are_no_proof_where_the_old_ones_do_not_pass(
    judge: Files, check: str, trial: MakeTrial
) -> None:
    place = trial(CALC | {"t.py": SCRIPT, "Makefile": "-include local.mk\nt:\n\tpython3 t.py\n"})
    judged = await place.judge(BROKEN_CALC | dict(judge), check)
    assert [each.exit_code for each in judged.checks] == [0], "it says so"
    assert judged.evidence is Evidence.UNVERIFIED
    (reason,) = (each.reason for each in judged.checks)
    assert "as at the base commit" in reason
    assert "pass" in reason
    assert (await place.judge(judge, check)).evidence is Evidence.VERIFIED, "the work does what the old ones ask for"


async def test_a_link_to_other_tests_in_the_place_of_the_folder_of_tests_is_no_proof(trial: MakeTrial) -> None:
    files = {"calc.py": CALC["calc.py"], "tests/test_calc.py": CALC["test_calc.py"]}
    settings = {"pyproject.toml": "[tool.pytest.ini_options]\npythonpath = ['.']\ntestpaths = ['tests']\n"}
    place = trial(files | settings)
    judged = await place.judge(
        {**BROKEN_CALC, "tests/test_calc.py": None, "real/test_calc.py": "def test_a(): 0\ndef test_b(): 0\n"},
        "python3 -m pytest",
        links={"tests": "real"},
    )
    assert judged.evidence is Evidence.UNVERIFIED
    assert "these tests do not pass: tests.test_calc.test_a, tests.test_calc.test_b" in judged.checks[0].reason
    told = [note.sentence for note in judged.notes if note.kind is NoteKind.JUDGE_CHANGED]
    assert "tests: put in the place of a folder with tests" in told


@pytest.mark.parametrize(
    "judge",
    [
        {"conftest.py": "import pytest\n\n\n@pytest.fixture\ndef two(): return 2\n",
         "test_new.py": "import calc\n\n\ndef test_two(two): assert calc.add(1, 1) == two\n"},
        {"Makefile": "test:\n\tpython3 -m pytest -v\n", "scripts/lint.sh": "true\n"},
    ],
    ids=["a fixture for a new test", "a flag"],
)  # fmt: skip
async def test_a_changed_judge_that_the_old_one_agrees_with_is_told_and_no_doubt(
    judge: dict[str, str], trial: MakeTrial
) -> None:
    place = trial(CALC | {"Makefile": "test:\n\tpython3 -m pytest\n"})
    judged = await place.judge({"calc.py": "def add(a, b): return b + a\n"} | judge, "make test")
    assert [each.reason for each in judged.checks] == [""]
    assert judged.evidence is Evidence.VERIFIED
    assert NoteKind.JUDGE_CHANGED in [note.kind for note in judged.notes]
