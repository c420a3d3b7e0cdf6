"""What an exit code hides, what a check does to its checkout, and what two checks want at once."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from pathlib import Path

import pytest

from services.executor.verification import checkout
from shared.contracts.evidence import CheckVerdict, Evidence, NoteKind
from shared.contracts.sentences.evidence import observed
from shared.workspace import checks
from shared.workspace.test_results.stopped import has_stopped
from testing.eventually import eventually
from testing.nats import free_port
from tests.integration.verification.trials import Files, MakeTrial

NOTE = {"NOTE.md": "hello\n"}
UNITTEST = {
    "app.py": "def f(): return 1\n",
    "test_app.py": (
        "import unittest\n\nimport app\n\n\nclass T(unittest.TestCase):\n"
        "    def test_red(self): self.assertEqual(app.f(), 2)\n"
        "    def test_ok(self): self.assertEqual(app.f(), 1)\n"
    ),
}
"""One test is red."""
PYTEST = "PYTEST_DISABLE_PLUGIN_AUTOLOAD=1 python3 -m pytest"
BROKEN = {"app.py": "def f(): return 3\n"}
"""Breaks the other one."""


@pytest.fixture(autouse=True)
def python_has_pytest(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the machine's own ``python3`` has installed."""
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")


# ---- what an exit code hides -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "recipe",
    ["python3 -m unittest 2>&1 | tee out.log", "-python3 -m unittest", "python3 -m unittest || true"],
    ids=["a pipe", "a dash of make", "or true"],
)
async def test_a_lost_exit_code_hides_no_failing_test(recipe: str, trial: MakeTrial) -> None:
    place = trial({**UNITTEST, "Makefile": f"test:\n\t{recipe}\n"})
    same = await place.judge(NOTE)
    assert [(check.exit_code, check.verdict) for check in same.checks] == [(0, CheckVerdict.FAILED_BEFORE)]
    assert "test_red" in same.checks[0].reason
    assert same.evidence is Evidence.NO_NEW_FAILURES
    broken = await place.judge(BROKEN)
    assert [(check.exit_code, check.new_failures) for check in broken.checks] == [(0, ("test_app.T.test_ok",))]
    assert any("test_ok" in line for line in broken.checks[0].failing_lines)
    assert broken.evidence is Evidence.FAILING


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        ("OK", "FAILED (failures=1)"),
        ("OK", "FAILED (errors=2)"),
        ("Tests:       5 passed, 5 total", "Tests:       1 failed, 4 passed, 5 total"),
        ("      Tests  5 passed (5)", "      Tests  1 failed | 4 passed (5)"),
        (" Tests  5 passed (5)", " Tests  1 failed | 4 passed (5)"),
        ("# fail 0", "# fail 1"),
        ("PASS", "FAIL"),
    ],
)
async def test_failures_of_which_a_pipe_leaves_only_the_last_line_are_failures(
    good: str, bad: str, trial: MakeTrial
) -> None:
    place = trial({"one": f"{good}\n", "other": f"{bad}\n"})
    judged = await place.judge({"one": f"{bad}\n"}, "cat one | tail -n 1")
    assert judged.evidence is Evidence.FAILING
    judged = await place.judge(NOTE, "cat other || true")
    assert [check.verdict for check in judged.checks] == [CheckVerdict.FAILED_BEFORE]
    assert judged.evidence is Evidence.UNVERIFIED


@pytest.mark.parametrize(
    "bad",
    [
        "make[1]: *** [Makefile:7: docs] Error 1",
        "a.c:3:4: error: unknown type name 'x'",
        "src/a.ts(1,2): error TS2304: Cannot find name 'x'.",
        'Traceback (most recent call last):\n  File "a.py", line 1, in <module>\nValueError: no',
        "ModuleNotFoundError: No module named 'gone'",
    ],
)
async def test_errors_behind_which_a_command_ends_with_0_are_failures(bad: str, trial: MakeTrial) -> None:
    place = trial({"one": "fine\n", "other": f"{bad}\n"})
    judged = await place.judge({"one": f"{bad}\n"}, "cat one | tee log")
    assert judged.evidence is Evidence.FAILING
    same = await place.judge(NOTE, "cat other || true")
    assert [check.verdict for check in same.checks] == [CheckVerdict.FAILED_BEFORE]


async def test_more_failing_tests_do_not_hide_behind_a_step_that_failed_before(trial: MakeTrial) -> None:
    said = "make[1]: *** [Makefile:7: docs] Error 1\n{} in 0.1s\n"
    judged = await trial({"said": said.format("1 failed, 4 passed")}).judge(
        {"said": said.format("3 failed, 2 passed")}, "cat said || true"
    )
    assert judged.evidence is Evidence.FAILING


async def test_what_a_test_expects_to_be_raised_is_no_failure(trial: MakeTrial) -> None:
    said = 'Traceback (most recent call last):\n  File "a.py", line 1\nValueError: no\n5 passed in 0.1s\n'
    judged = await trial({"said": "5 passed in 0.1s\n"}).judge({"said": said}, "cat said")
    assert judged.evidence is Evidence.VERIFIED


async def test_a_run_that_ends_before_its_tests_is_no_pass(trial: MakeTrial) -> None:
    judged = await trial(UNITTEST).judge({"app.py": "import os; os._exit(0)\n"})
    assert judged.evidence is Evidence.FAILING
    assert judged.checks[0].reason == "It ends with 0, but no test ran; at the base commit 2 did."


@pytest.mark.parametrize(
    ("makefile", "told"),
    [
        ("test:\n\tpython3 t.py\n", "it had nothing to do: make: 'test' is up to date"),
        ("all: test\n\tpython3 -c 1\ntest:\n\tpython3 t.py\n", "With test/x as at the base commit, it does not pass"),
    ],
    ids=["the goal", "what the goal needs"],
)
async def test_a_folder_of_the_name_of_a_target_lets_make_test_nothing(
    makefile: str, told: str, trial: MakeTrial
) -> None:
    files = {"Makefile": makefile, "app.py": "def f(): return 1\n", "t.py": "import app\nassert app.f() == 1\n"}
    place = trial(files)
    goal = "make test" if makefile.startswith("test") else "make all"
    judged = await place.judge({**BROKEN, "test/x": "x\n"}, goal)
    assert told in judged.checks[0].reason
    assert judged.evidence is Evidence.UNVERIFIED


@pytest.mark.parametrize("lint", ["echo 'app.py:1:1: E501 line too long'; exit 1", "nosuchlinter"])
async def test_a_red_step_of_make_does_not_hide_the_tests(lint: str, trial: MakeTrial) -> None:
    makefile = f"test: lint unit\nlint:\n\t{lint}\nunit:\n\tpython3 -m unittest\n"
    judged = await trial({**UNITTEST, "Makefile": makefile}).judge(BROKEN)
    assert judged.checks[0].new_failures == ("test_app.T.test_ok",)
    assert judged.evidence is Evidence.FAILING


async def test_a_module_that_could_not_be_imported_before_hides_no_other_test(trial: MakeTrial) -> None:
    tests = {"test_gone.py": "import nosuchmodule\n", "test_it.py": "import app\ndef test_it(): assert app.f() == 1\n"}
    judged = await trial({**tests, "app.py": UNITTEST["app.py"]}).judge(BROKEN, PYTEST)
    assert judged.checks[0].new_failures == ("test_it.test_it",)


async def test_what_stops_at_the_red_test_has_proven_nothing_behind_it(trial: MakeTrial) -> None:
    tests = {"test_a.py": "def test_red(): assert 0\n", "test_b.py": "import app\ndef test_it(): assert app.f() == 1\n"}
    judged = await trial({**tests, "app.py": UNITTEST["app.py"]}).judge(BROKEN, f"{PYTEST} -x")
    assert [check.verdict for check in judged.checks] == [CheckVerdict.FAILED_BEFORE]
    assert "nothing is known of what comes behind" in judged.checks[0].reason
    assert judged.evidence is Evidence.UNVERIFIED


@pytest.mark.parametrize(
    ("check", "files"),
    [
        ("make test", {"Makefile": "test:\n\tpython3 -m unittest\n\ttest ! -e NOTE.md\n"}),
        ("make test", {"Makefile": "test:\n\tpython3 -m unittest && test ! -e NOTE.md\n"}),
        ("make docs", {"Makefile": "docs: unit\n\ttest ! -e NOTE.md\nunit:\n\tpython3 -m unittest\n"}),
        ("make -C sub", {"sub/Makefile": "test:\n\tcd .. && python3 -m unittest\n\ttest ! -e ../NOTE.md\n"}),
        ("python3 -m unittest && test ! -e NOTE.md", {}),
        ("set -e; python3 -m unittest; test ! -e NOTE.md", {}),
        ("python3 -m unittest || exit 1; test ! -e NOTE.md", {}),
        ("python3 -m unittest && test ! -e NOTE.md || true", {}),
        ("timeout 60 make test", {"Makefile": "test:\n\tmake a && make b\na:\n\tpython3 -m unittest\nb:\n\ttrue\n"}),
        ("sh check.sh", {"check.sh": "set -eu\npython3 -m unittest\ntest ! -e NOTE.md\n"}),
        ("npm test", {"package.json": '{"scripts": {"test": "python3 -m unittest && test ! -e NOTE.md"}}\n'}),
    ],
)
async def test_a_red_step_has_proven_nothing_of_the_steps_behind_it(check: str, files: Files, trial: MakeTrial) -> None:
    judged = await trial({**UNITTEST, **files}).judge(NOTE, check)
    assert [check.verdict for check in judged.checks] == [CheckVerdict.FAILED_BEFORE]
    assert "steps behind the one that fails may not have run" in judged.checks[0].reason.lower()
    assert judged.evidence is Evidence.UNVERIFIED


@pytest.mark.parametrize(
    ("check", "files"),
    [
        ("make test", {"Makefile": "PY = python3\ntest: lint\n\t@$(PY) -m \\\n\t  unittest\n\nlint:\n\ttrue\n"}),
        ("make", {"Makefile": "all: lint unit\nlint:\n\ttrue\nunit:\n\ttrue\n\tpython3 -m unittest\n"}),
        ("make test", {"Makefile": "test:\n\tpython3 -m unittest\nrelease: test\n\ttrue\n"}),
        ("make -C sub", {"sub/Makefile": "test:\n\tcd .. && python3 -m unittest\n"}),
        ("cd . && python3 -m unittest", {}),
        ("sh check.sh", {"check.sh": "python3 -m unittest\n"}),
        ("npm test", {"package.json": '{"scripts": {"test": "python3 -m unittest"}}\n'}),
    ],
)
async def test_a_red_step_with_nothing_behind_it_is_compared(check: str, files: Files, trial: MakeTrial) -> None:
    judged = await trial({**UNITTEST, **files}).judge(NOTE, check)
    assert judged.evidence is Evidence.NO_NEW_FAILURES


async def test_a_red_test_does_not_hide_what_else_the_output_tells(trial: MakeTrial) -> None:
    judged = await trial({"docs": "built\n"}).judge(
        {"docs": "ERROR: documentation does not build\n"}, "echo '--- FAIL: TestRed (0.00s)'; cat docs; exit 1"
    )
    assert [check.verdict for check in judged.checks] == [CheckVerdict.FAILED_BEFORE]
    assert judged.evidence is Evidence.UNVERIFIED


async def test_a_red_test_under_another_name_is_new_and_one_that_is_gone_is_told(trial: MakeTrial) -> None:
    place = trial(UNITTEST)
    renamed = await place.judge({"test_app.py": UNITTEST["test_app.py"].replace("test_red", "test_other")})
    assert renamed.checks[0].new_failures == ("test_app.T.test_other",)
    gone = await place.judge({"test_app.py": UNITTEST["test_app.py"].replace("def test_ok", "def no_test")})
    assert gone.evidence is Evidence.NO_NEW_FAILURES
    assert {note.kind for note in gone.notes} == {NoteKind.FEWER_TESTS, NoteKind.JUDGE_CHANGED}


async def test_a_test_that_is_named_in_the_middle_of_a_long_output_is_found(
    trial: MakeTrial, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (checks, checkout):
        monkeypatch.setattr(module, "ENDS_BYTES", 1000)
    new = "test ! -e NOTE.md || echo '--- FAIL: TestNew (0.00s)'"
    named = f"seq 1000; echo '--- FAIL: TestOld (0.00s)'; {new}; seq 1000; exit 1"
    judged = await trial({"a": ""}).judge(NOTE, named)
    assert [check.new_failures for check in judged.checks] == [("TestNew",)]
    assert "TestNew" not in judged.checks[0].output_head + judged.checks[0].output_tail


async def test_a_long_output_without_names_proves_no_sameness(trial: MakeTrial) -> None:
    noise = "seq 100000 110000"
    judged = await trial({"a": ""}).judge(NOTE, f"{noise}; ls; {noise}; exit 1")
    assert [check.verdict for check in judged.checks] == [CheckVerdict.FAILED_BEFORE]
    assert judged.evidence is Evidence.UNVERIFIED


async def test_only_what_passed_counts_as_passed(trial: MakeTrial) -> None:
    judged = await trial({"README.md": "hi\n"}).judge(NOTE, "exit 300", "kill -9 $$", "nosuchtool", "true")
    assert [check.exit_code for check in judged.checks] == [44, 137, 127, 0]
    told = observed(judged.evidence, judged.checks)
    assert told.startswith("Not verified: ")
    assert "1 check passed" in told or "1 passed" in told


# ---- what a check does to its checkout -------------------------------------------------------------------------------


async def test_what_mends_what_it_complains_about_fails_again(trial: MakeTrial) -> None:
    mends = "! grep -q bad code || { sed -i s/bad/good/ code; echo files were modified by this hook; exit 1; }"
    judged = await trial({"code": "good\n"}).judge({"code": "bad\n"}, mends)
    assert judged.evidence is Evidence.FAILING


@pytest.mark.parametrize(
    "first",
    [
        "sed -i s/bad/good/ code",
        "git reset -q --hard HEAD~1",
        "git stash -q -u; git clean -fdxq",
        "rm -rf .git code && mkdir code",
        "ln -sf README.md code",
        "chmod 0 code; git commit -q --amend -m other",
    ],
)
async def test_no_check_decides_what_the_next_one_sees(first: str, trial: MakeTrial) -> None:
    place = trial({"code": "good\n", "README.md": "good\n"})
    judged = await place.judge({"code": "bad\n"}, f"{first}; true", "test -x code || grep -q good code")
    assert [check.verdict for check in judged.checks] == [CheckVerdict.PASSED, CheckVerdict.FAILED]


async def test_what_the_set_up_wrote_is_there_for_every_check(trial: MakeTrial) -> None:
    setup = ("echo made > lock; mkdir deps; touch deps/one",)
    made = "grep -q made lock && test -e deps/one"
    judged = await trial({"lock": "old\n"}).judge(NOTE, f"{made}; echo other > lock", made, setup=setup)
    assert judged.evidence is Evidence.VERIFIED


async def test_checks_that_want_a_clean_tree_find_one_whose_head_is_the_work(trial: MakeTrial) -> None:
    clean = 'test -z "$(git status --porcelain)" && git diff --exit-code HEAD'
    judged = await trial({"README.md": "hi\n"}).judge(NOTE, clean, "git cat-file -e HEAD:NOTE.md")
    assert judged.evidence is Evidence.VERIFIED


async def test_a_check_has_a_home_of_its_own(trial: MakeTrial, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    home = tmp_path / "somebodys"
    home.mkdir()
    (home / ".netrc").write_text("machine example.com password secret\n")
    monkeypatch.setenv("HOME", str(home))
    judged = await trial({"a": ""}).judge(NOTE, f'test "$HOME" != {home} && test ! -e "$HOME/.netrc"')
    assert judged.evidence is Evidence.VERIFIED


# ---- what runs beside it ---------------------------------------------------------------------------------------------


def _serve(port: int, seconds: float) -> str:
    return (
        f'python3 -c \'import socket, time; s = socket.socket(); s.bind(("127.0.0.1", {port})); s.listen(); '
        f"time.sleep({seconds})'"
    )


async def test_a_port_that_two_results_want_is_nobodys_excuse(trial: MakeTrial) -> None:
    place = trial({"Makefile": f"test:\n\t{_serve(free_port(), 0.3)}\n"})
    judged = await asyncio.gather(*(place.judge(NOTE) for _ in range(3)))
    assert {each.evidence for each in judged} == {Evidence.VERIFIED}


async def test_what_a_check_leaves_running_is_gone_before_the_next(trial: MakeTrial) -> None:
    port = free_port()
    leaves = f"(setsid {_serve(port, 300)} >/dev/null 2>&1 &); until {_taken(port)}; do sleep 0.05; done"
    judged = await trial({"a": ""}).judge(NOTE, leaves, f"! {_taken(port)}")
    assert judged.evidence is Evidence.VERIFIED


def _taken(port: int) -> str:
    return f"python3 -c 'import socket; socket.create_connection((\"127.0.0.1\", {port}))' 2>/dev/null"


async def test_a_stop_during_set_up_is_heard_at_once_and_leaves_nothing(trial: MakeTrial) -> None:
    place = trial({"README.md": "hi\n"})
    begun = place.folder / "begun"
    judging = asyncio.create_task(place.judge(NOTE, "true", setup=(f"trap '' TERM; touch {begun}; sleep 300",)))
    await eventually(begun.exists)
    began = time.monotonic()
    judging.cancel()
    await asyncio.gather(judging, return_exceptions=True)
    assert time.monotonic() - began < 5
    assert not list((place.folder / "worktrees").iterdir())


# ---- outputs that differ and mean the same ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("files", "check"),
    [
        ({"a": ""}, 'echo "$PWD/a:3: broken at $(date) in 0.$$ s, pid $$"; exit 1'),
        ({"a": ""}, "mktemp -d; echo 127.0.0.1:$(($$ % 9999 + 20000)) refused; exit 3"),
    ],
    ids=["paths and times", "temporary folders and ports"],
)
async def test_what_differs_from_run_to_run_is_no_difference(files: Files, check: str, trial: MakeTrial) -> None:
    judged = await trial(files).judge(NOTE, check)
    assert judged.evidence is Evidence.NO_NEW_FAILURES


async def test_a_failure_that_mends_itself_by_a_new_file_is_no_flaky_one(trial: MakeTrial) -> None:
    check = "test ! -e NOTE.md || test -e golden.txt || { touch golden.txt; echo 'FAIL: test_golden (t.T)'; exit 1; }"
    judged = await trial({"README.md": "hi\n"}).judge({"NOTE.md": "x\n"}, check)
    assert judged.evidence is Evidence.FAILING


@pytest.mark.parametrize("place", ["$HOME/seen", "${TMPDIR:-/tmp}/seen", "$HOME/.cache/a/b"])
async def test_a_failure_that_knows_its_second_run_is_no_flaky_one(place: str, trial: MakeTrial) -> None:
    fails = f"mkdir -p $(dirname {place}); touch {place}; echo 'FAIL: test_x (t.T)'; exit 1"
    check = f"test ! -e NOTE.md || test -e {place} || {{ {fails}; }}"
    judged = await trial({"README.md": "hi\n"}).judge({"NOTE.md": "x\n"}, "mkdir -p $HOME/.cache", check)
    assert judged.evidence is Evidence.FAILING


async def test_what_an_earlier_check_built_is_there_when_a_later_one_runs_again(trial: MakeTrial) -> None:
    place = trial({"README.md": "hi\n"})
    first = place.folder / "first"
    flaky = f"test -e built && {{ test -e {first} || {{ touch {first}; echo 'FAIL: test_x (t.T)'; exit 1; }}; }}"
    judged = await place.judge({"NOTE.md": "x\n"}, "touch built", flaky)
    assert judged.evidence is Evidence.VERIFIED


async def test_a_failure_that_make_ignores_is_set_beside_the_base(trial: MakeTrial) -> None:
    makefile = "test:\n\t-sh lint.sh\n"
    judged = await trial({"Makefile": makefile, "lint.sh": "true\n"}).judge({"lint.sh": "exit 1\n"})
    assert judged.evidence is Evidence.FAILING


async def test_a_recipe_of_several_lines_in_a_variable_may_hide_what_is_behind_its_red_one(trial: MakeTrial) -> None:
    makefile = "define run-all\nsh red.sh\nsh lint.sh\nendef\ntest:\n\t$(run-all)\n"
    base = {"Makefile": makefile, "red.sh": "echo 'FAIL: test_old (t.T)'; exit 1\n", "lint.sh": "true\n"}
    judged = await trial(base).judge({"lint.sh": "exit 1\n"})
    assert judged.evidence is Evidence.UNVERIFIED


def test_a_go_package_whose_process_ended_behind_a_red_test_has_stopped() -> None:
    whole = ["--- FAIL: TestRed (0.00s)", "FAIL", "FAIL\tm/a\t0.003s", "FAIL"]
    assert not has_stopped("go test ./...", whole)
    assert not has_stopped("go test", [*whole[:2], "exit status 1", *whole[2:]])
    assert has_stopped("go test ./...", [whole[0], "cannot open db", *whole[2:]])
