"""What a check says of a result: passed, failed, failed before, or that it could not run."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Final

import pytest

from shared.contracts.evidence import CheckVerdict, Evidence, NoteKind
from testing.eventually import eventually
from tests.integration.verification.trials import MakeTrial, without_sandbox

UNITTEST = {
    "pkg/__init__.py": "def f(): return 1\ndef g(): return 1\n",
    "tests/__init__.py": "",
    "tests/test_f.py": (
        "import unittest\nfrom pkg import f, g\n\n\nclass T(unittest.TestCase):\n"
        "    def test_ok(self): self.assertEqual(g(), 1)\n"
        "    def test_known(self): self.assertEqual(f(), 2)\n"
    ),
}
"""One test is red."""

NOTE = {"NOTE.md": "hello\n"}


async def test_a_result_whose_checks_pass_is_verified(trial: MakeTrial) -> None:
    judged = await trial({"README.md": "hi\n"}).judge(NOTE, "test -f NOTE.md", "test -f README.md")
    assert [check.verdict for check in judged.checks] == [CheckVerdict.PASSED] * 2
    assert judged.evidence is Evidence.VERIFIED


async def test_a_test_that_was_red_before_is_named_and_excused(trial: MakeTrial) -> None:
    judged = await trial(UNITTEST).judge(NOTE)
    (check,) = judged.checks
    assert (check.verdict, check.failed_before) == (CheckVerdict.FAILED_BEFORE, True)
    assert "test_known" in check.reason
    assert judged.evidence is Evidence.NO_NEW_FAILURES


async def test_a_red_test_excuses_no_other(trial: MakeTrial) -> None:
    judged = await trial(UNITTEST).judge({"pkg/__init__.py": "def f(): return 1\ndef g(): return 0\n"})
    (check,) = judged.checks
    assert check.verdict is CheckVerdict.FAILED
    assert any("test_ok" in name for name in check.new_failures)
    assert not any("test_known" in name for name in check.new_failures)
    assert (judged.evidence, judged.blamed) == (Evidence.FAILING, (check,))


async def test_a_red_test_does_not_excuse_code_that_cannot_be_loaded(trial: MakeTrial) -> None:
    judged = await trial(UNITTEST).judge({"pkg/__init__.py": "def f(: return 1\n"})
    assert judged.evidence is Evidence.FAILING


async def test_outputs_without_names_are_compared_as_they_are(trial: MakeTrial) -> None:
    place = trial({"kind": "old\n"})
    same = await place.judge(NOTE, "echo the $(cat kind) way; exit 3")
    assert [check.verdict for check in same.checks] == [CheckVerdict.FAILED_BEFORE]
    other = await place.judge({"kind": "new\n"}, "echo the $(cat kind) way; exit 3")
    assert [check.verdict for check in other.checks] == [CheckVerdict.FAILED]
    assert other.evidence is Evidence.FAILING


async def test_a_failure_that_differs_from_run_to_run_at_the_base_proves_nothing(trial: MakeTrial) -> None:
    judged = await trial({"a": ""}).judge(NOTE, "head -c 30 /dev/urandom | base64 | tr -d 0-9; exit 3")
    assert [check.verdict for check in judged.checks] == [CheckVerdict.FAILED_BEFORE]
    assert judged.evidence is Evidence.UNVERIFIED


async def test_two_failures_without_a_word_prove_nothing(trial: MakeTrial) -> None:
    judged = await trial({"a": ""}).judge(NOTE, "exit 3")
    assert [check.verdict for check in judged.checks] == [CheckVerdict.FAILED_BEFORE]
    assert judged.evidence is Evidence.UNVERIFIED


async def test_a_failure_that_the_base_could_not_reach_cannot_be_compared(trial: MakeTrial) -> None:
    judged = await trial({"a": ""}).judge(NOTE, "test -e NOTE.md || exec no-such-tool; echo red; exit 1")
    assert [check.verdict for check in judged.checks] == [CheckVerdict.COULD_NOT_RUN]
    assert judged.evidence is Evidence.UNVERIFIED


@pytest.mark.parametrize("check", ["no-such-tool-here", "kill -9 $$", "make test"])
async def test_what_could_not_run_says_nothing(check: str, trial: MakeTrial) -> None:
    judged = await trial({"Makefile": "test:\n\tno-such-tool-here\n"}).judge(NOTE, check)
    assert [each.verdict for each in judged.checks] == [CheckVerdict.COULD_NOT_RUN]
    assert judged.evidence is Evidence.UNVERIFIED


@pytest.mark.parametrize("end", ['rm -rf "$PWD"', 'rm -rf "$PWD"; ln -s "$HOME" "$PWD"'])
async def test_a_check_that_removes_its_checkout_leaves_the_next_one_nothing_to_run_in(
    end: str, trial: MakeTrial
) -> None:
    judged = await without_sandbox(trial({"README.md": "hi\n"})).judge(NOTE, end, "true")
    assert [check.verdict for check in judged.checks] == [CheckVerdict.PASSED, CheckVerdict.COULD_NOT_RUN]
    assert judged.evidence is Evidence.UNVERIFIED


async def test_in_the_sandbox_no_check_removes_its_checkout_from_under_the_next_one(trial: MakeTrial) -> None:
    judged = await trial({"README.md": "hi\n"}).judge(NOTE, 'rm -rf "$PWD"; true', "grep -q hi README.md")
    assert [check.verdict for check in judged.checks] == [CheckVerdict.PASSED, CheckVerdict.PASSED]


async def test_a_set_up_that_removes_its_checkout_leaves_the_checks_nothing_to_run_in(trial: MakeTrial) -> None:
    judged = await without_sandbox(trial({"README.md": "hi\n"})).judge(NOTE, "true", setup=('rm -rf "$PWD"',))
    assert [check.verdict for check in judged.checks] == [CheckVerdict.COULD_NOT_RUN]


BUILT: Final = {"build.sh": "mkdir -p out; cp part out/part\n", "part": "1\n", ".gitignore": "out/\n"}
TESTED: Final = 'for n in 0 1; do grep -qx $n out/part || { echo "FAIL: test_$n (t.T)"; r=1; }; done; exit $r'


async def test_a_check_finds_at_the_base_too_what_the_checks_before_it_have_built(trial: MakeTrial) -> None:
    place = trial(BUILT)
    same = await place.judge(NOTE, "sh build.sh", TESTED)
    assert [check.verdict for check in same.checks] == [CheckVerdict.PASSED, CheckVerdict.FAILED_BEFORE]
    other = await place.judge({"part": "2\n"}, "sh build.sh", TESTED)
    assert [check.verdict for check in other.checks] == [CheckVerdict.PASSED, CheckVerdict.FAILED]


async def test_what_earlier_checks_leave_behind_is_not_blamed_on_the_work(trial: MakeTrial) -> None:
    judged = await trial({"README.md": "hi\n"}).judge(NOTE, "touch left", 'test -z "$(git status | tee /dev/stderr)"')
    assert judged.evidence is Evidence.NO_NEW_FAILURES


@pytest.mark.parametrize(
    ("base", "evidence"), [("5 passed", Evidence.FAILING), ("1 failed, 4 passed", Evidence.UNVERIFIED)]
)
async def test_failures_of_which_a_pipe_leaves_only_a_count_are_failures(
    base: str, evidence: Evidence, trial: MakeTrial
) -> None:
    place = trial({"said": f"{base} in 0.1s\n"})
    judged = await place.judge({"said": "1 failed, 4 passed in 0.2s\n"}, "cat said | tail -n 1")
    assert [check.exit_code for check in judged.checks] == [0]
    assert judged.evidence is evidence


async def test_a_missing_program_that_make_ignores_excuses_nothing(trial: MakeTrial) -> None:
    make = "test:\n\t-no-such-linter\n\tgrep -q hi README.md\n"
    judged = await trial({"Makefile": make, "README.md": "hi\n"}).judge({"README.md": "broken\n"}, "make test")
    assert judged.evidence is Evidence.FAILING


async def test_a_script_that_the_work_removed_is_a_failure(trial: MakeTrial) -> None:
    judged = await trial({"check.sh": "true\n"}).judge({"check.sh": None}, "sh -c '. ./check.sh' || exit 127")
    assert judged.evidence is Evidence.FAILING


async def test_no_checks_are_no_evidence(trial: MakeTrial) -> None:
    judged = await trial({"README.md": "hi\n"}).judge(NOTE)
    assert (judged.checks, judged.evidence) == ((), Evidence.UNVERIFIED)


async def test_a_check_that_takes_too_long_runs_once_only(trial: MakeTrial) -> None:
    place = trial({"README.md": "hi\n"})
    place.verification = place.executor(timeout_s=1)
    judged = await place.judge(NOTE, f"echo run >> {place.folder}/log; sleep 300")
    assert [each.verdict for each in judged.checks] == [CheckVerdict.COULD_NOT_RUN]
    assert (place.folder / "log").read_text() == "run\n"


async def test_a_failure_that_does_not_come_again_is_flaky_and_nobodys(trial: MakeTrial) -> None:
    place = trial({"README.md": "hi\n"})
    marker = place.folder / "first"
    judged = await place.judge(NOTE, f"test -e {marker} || {{ touch {marker}; echo 'FAIL: test_x (t.T)'; exit 1; }}")
    assert judged.evidence is Evidence.VERIFIED
    assert [note.kind for note in judged.notes] == [NoteKind.FLAKY]


async def test_the_checks_are_those_of_the_base(trial: MakeTrial) -> None:
    judged = await trial({"Makefile": "test:\n\ttest ! -e broken\n"}).judge({"broken": "", "Makefile": "all:\n"})
    assert [(each.command, each.verdict) for each in judged.checks] == [("make test", CheckVerdict.FAILED)]


async def test_a_set_up_that_fails_before_too_leaves_the_result_unverified(trial: MakeTrial) -> None:
    judged = await trial({"README.md": "hi\n"}).judge(NOTE, "true", setup=("echo no network; exit 1", "never"))
    assert [(each.command, each.verdict) for each in judged.setup] == [
        ("echo no network; exit 1", CheckVerdict.COULD_NOT_RUN)
    ]
    assert "no network" in judged.setup[0].output_tail
    assert [each.verdict for each in judged.checks] == [CheckVerdict.COULD_NOT_RUN]
    assert judged.evidence is Evidence.UNVERIFIED


async def test_a_set_up_that_the_work_broke_is_a_failure(trial: MakeTrial) -> None:
    judged = await trial({"deps": "ok\n"}).judge({"deps": "bad\n"}, "true", setup=("grep -q ok deps",))
    assert judged.evidence is Evidence.FAILING
    assert [check.command for check in judged.blamed] == ["grep -q ok deps"]


async def test_the_base_is_judged_once_for_all_tasks(trial: MakeTrial) -> None:
    place = trial({"kind": "old\n"})
    check = f"test -e NOTE.md || echo base >> {place.folder}/log; echo red; exit 3"
    for _ in range(3):
        judged = await place.judge(NOTE, check)
        assert judged.evidence is Evidence.NO_NEW_FAILURES
    place.verification = place.executor()
    await place.judge(NOTE, check)
    assert (place.folder / "log").read_text() == "base\n"


@pytest.mark.parametrize(("words", "age_s"), [("no service", 3601), ("connect: connection refused", 0)])
async def test_a_record_excuses_for_an_hour_and_not_at_all_where_it_tells_of_a_service_that_was_away(
    words: str, age_s: int, trial: MakeTrial
) -> None:
    place = trial({"a.txt": "a\n"})
    check = f"test -e {place.folder}/service && test ! -e BROKEN || {{ echo {words}; exit 1; }}"
    assert (await place.judge(NOTE, check)).checks[0].verdict is CheckVerdict.FAILED_BEFORE
    (place.folder / "service").touch()
    place.age_records(age_s)
    judged = await place.judge({"BROKEN": "b\n"}, check)
    assert judged.checks[0].reason == "It passes at the base commit."
    assert judged.evidence is Evidence.FAILING


async def test_checks_of_one_repository_run_one_after_the_other(trial: MakeTrial) -> None:
    place = trial({"README.md": "hi\n"})
    check = f"mkdir {place.folder}/port && sleep 0.2 && rmdir {place.folder}/port"
    judged = await asyncio.gather(*(place.judge(NOTE, check) for _ in range(3)))
    assert {each.evidence for each in judged} == {Evidence.VERIFIED}


async def test_the_whole_output_is_kept_and_the_lines_that_name_failures_are_shown(trial: MakeTrial) -> None:
    place = trial({"README.md": "hi\n"})
    lines = "seq 20000; echo '--- FAIL: TestAdd (0.00s)'; seq 20000; exit 1"
    (check,) = (await place.judge(NOTE, lines, "true")).checks[:1]
    assert check.output is not None
    assert (place.folder / check.output.sha256).stat().st_size == check.output.size
    assert any("TestAdd" in line for line in check.failing_lines)
    assert check.output_head.startswith("1\n2\n")
    assert check.output_tail.endswith("20000\n")


async def test_a_stop_ends_the_checks_and_leaves_nothing(trial: MakeTrial) -> None:
    place = trial({"README.md": "hi\n"})
    judging = asyncio.create_task(place.judge(NOTE, f"touch {place.folder}/begun; sleep 300"))
    await eventually((place.folder / "begun").exists)
    began = time.monotonic()
    judging.cancel()
    await asyncio.gather(judging, return_exceptions=True)
    assert time.monotonic() - began < 5
    assert not list((place.folder / "worktrees").iterdir())


@pytest.mark.parametrize("removal", ['rm -rf "$PWD"', 'rm -rf "$PWD" && ln -s "$HOME" "$PWD"'])
async def test_what_finds_its_checkout_gone_could_not_run_and_says_why(removal: str, trial: MakeTrial) -> None:
    judged = await without_sandbox(trial({"a": ""})).judge(NOTE, removal, "touch here")
    assert [each.verdict for each in judged.checks] == [CheckVerdict.PASSED, CheckVerdict.COULD_NOT_RUN]
    assert judged.checks[1].reason == "The checkout is gone: an earlier command has removed it."
    assert judged.evidence is Evidence.UNVERIFIED


async def test_a_base_that_is_green_again_excuses_nothing_that_it_excused_on_another_day(
    trial: MakeTrial, tmp_path: Path
) -> None:
    service = tmp_path / "service"
    check = f"test -e {service} || {{ echo no service; exit 1; }}; test ! -e BROKEN || {{ echo broken; exit 1; }}"
    place = trial({"a.txt": "a\n"})
    assert (await place.judge({"b.txt": "b\n"}, check)).checks[0].verdict is CheckVerdict.FAILED_BEFORE
    service.touch()
    place.verification = place.executor()
    judged = await place.judge({"BROKEN": "b\n"}, check)
    assert judged.evidence is Evidence.FAILING
    assert judged.checks[0].reason == "It passes at the base commit."
