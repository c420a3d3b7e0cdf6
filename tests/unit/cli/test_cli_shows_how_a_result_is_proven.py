from __future__ import annotations

from collections.abc import Iterator
from io import StringIO

import pytest
from msgspec.structs import replace
from rich.console import Console

from cli.console import VisibleConsole
from cli.tasks.evidence import MOST_LINES
from cli.tasks.pages import print_task, task_table
from shared.contracts import run, task
from shared.contracts.evidence import Check, CheckVerdict, Evidence, Note, NoteKind, Outcome
from shared.contracts.messages import Event
from shared.contracts.queries import TaskDetail
from tests.unit.projector.projector_support import (
    TASK,
    answered,
    approved,
    execution,
    planned,
    projected,
    succeeded,
)
from tests.unit.projector.test_a_result_shows_how_well_it_is_proven import COMMITTED, FELL_SHORT, KEPT, RED

PASSED = Check(command="ruff check", exit_code=0, duration_ms=300, verdict=CheckVerdict.PASSED)
BEFORE = replace(PASSED, command="mypy", verdict=CheckVerdict.FAILED_BEFORE, reason="Its output is the same.")
ODD = replace(PASSED, command="mvn", verdict=CheckVerdict.COULD_NOT_RUN, reason="There is no mvn.")
BROKEN = replace(
    RED,
    reason="1 test fails anew.",
    flaky=("test_net",),
    failing_lines=tuple(f"E line {number}" for number in range(MOST_LINES + 3)),
    output_tail="first\n" + "\n".join(f"out {number}" for number in range(MOST_LINES)) + "\n\x1b[31m" + "x" * 500,
    output_size=123_456,
)


def a_task(*events: Event) -> TaskDetail:
    shown: TaskDetail = answered(projected(planned().add(approved(), *execution(), *events)), "tasks.get", id=TASK).task
    return shown


def completed(evidence: Evidence | None, *checks: Check, **more: object) -> TaskDetail:
    done = replace(succeeded(), evidence=evidence, outcome=Outcome.CHANGED, checks=checks, **more)
    end = task.Completed(summary="Done.", commit="c1", branch="b", evidence=evidence, outcome=Outcome.CHANGED)
    return a_task(done, end)


def test_work_that_is_being_judged_is_no_work_of_an_agent(console: Console) -> None:
    assert "its work is committed; set-up and checks run on it" in page(console, a_task(COMMITTED))


@pytest.fixture
def console() -> Iterator[Console]:
    yield VisibleConsole(file=StringIO(), width=200, highlight=False, emoji=False)


def page(console: Console, shown: TaskDetail) -> list[str]:
    print_task(console, shown, [])
    assert isinstance(console.file, StringIO)
    return [" ".join(line.split()) for line in console.file.getvalue().splitlines()]


@pytest.mark.parametrize(
    ("evidence", "words"),
    [
        (Evidence.VERIFIED, "completed · verified"),
        (Evidence.NO_NEW_FAILURES, "completed · no new failures"),
        (Evidence.UNVERIFIED, "completed · not verified"),
        (Evidence.FAILING, "completed · failing"),
        (None, "completed"),
    ],
)
def test_the_page_says_how_well_a_completed_task_is_proven(
    console: Console, evidence: Evidence | None, words: str
) -> None:
    assert page(console, completed(evidence, PASSED))[0].endswith(words)


def test_what_the_agent_says_stands_beside_what_was_observed(console: Console) -> None:
    lines = page(console, completed(Evidence.NO_NEW_FAILURES, PASSED, BEFORE))
    at = lines.index("the agent says Done.")
    assert lines[at + 1] == "observed No new failures: 1 check passed, 1 check failed before too, in the same way."


def test_each_check_has_the_mark_and_the_words_of_its_verdict(console: Console) -> None:
    lines = page(console, completed(Evidence.UNVERIFIED, PASSED, BEFORE, ODD, setup=(PASSED,), checked_commit="c0"))
    assert "– mypy 0.3 s failed before too: Its output is the same." in lines
    assert "? mvn 0.3 s could not run: There is no mvn." in lines
    assert lines.count("✓ ruff check 0.3 s passed") == 2, "a step of the set-up, and a check"
    assert "checks, observed by the executor in a clean checkout of c0" in lines


def test_a_pass_that_proves_nothing_has_no_green_mark(console: Console) -> None:
    doubted = replace(PASSED, doubted=True, reason="It ends with 0, but it runs nothing that could fail.")
    lines = page(console, completed(Evidence.UNVERIFIED, doubted))
    assert (
        "? ruff check 0.3 s passed, but proves nothing: It ends with 0, but it runs nothing that could fail." in lines
    )


def test_a_failing_check_shows_what_fails_and_the_end_of_its_output_within_bounds(console: Console) -> None:
    lines = page(console, a_task(replace(FELL_SHORT[0], checks=(BROKEN,)), FELL_SHORT[1]))
    assert lines[0].endswith("failed · failing, kept")
    assert "✗ pytest 0.0 s failed: 1 test fails anew." in lines
    assert lines[lines.index("fails anew") + 1] == "test_sum"
    assert lines[lines.index("flaky, so not blamed") + 1] == "test_net"
    assert "E line 0" in lines
    assert "… and 3 more" in lines
    assert f"E line {MOST_LINES}" not in lines
    assert "the end of 123,456 bytes in all" in lines
    assert f"│ out {MOST_LINES - 1}" in lines
    assert "│ first" not in lines
    assert not any("\x1b" in line for line in lines)
    assert max(len(line) for line in lines) <= 200


def test_notes_are_shown_and_a_binary_file_is_called_so(console: Console) -> None:
    note = Note(kind=NoteKind.JUDGE_CHANGED, sentence="Makefile: another target", paths=("Makefile",))
    file = run.FileChange(path="logo.png", added=-1, removed=-1)
    lines = page(console, completed(Evidence.VERIFIED, PASSED, notes=(note,), files=(file,)))
    assert "! What judges this work was changed: Makefile: another target" in lines
    assert "logo.png binary" in lines


def test_the_list_says_how_well_each_task_is_proven(console: Console) -> None:
    nothing = a_task(task.Completed(summary="It is right.", outcome=Outcome.NOTHING_TO_CHANGE))
    console.print(task_table([completed(Evidence.UNVERIFIED), nothing, a_task(*FELL_SHORT)]))
    assert isinstance(console.file, StringIO)
    shown = console.file.getvalue()
    assert all(words in shown for words in ("not verified", "nothing to change", "failing, kept")), shown


def test_a_result_that_could_not_be_published_is_offered_again_with_what_that_means(console: Console) -> None:
    done = replace(succeeded(), bundle=KEPT.bundle)
    made = task.RunSucceeded(
        attempt=1,
        repo="octo/app",
        base_commit="b",
        commit="c1",
        branch="b",
        summary="s",
        bundle=KEPT.bundle,
        evidence=Evidence.VERIFIED,
    )
    failed = task.Failed(stage="publishing", code="branch-taken", message="Taken.")
    lines = page(console, a_task(done, made, failed))
    assert lines[0].endswith("failed · verified, not published")
    assert f"journeyman task retry {TASK} Publishes the commit that is there; no agent works again." in lines
    assert f"journeyman task retry {TASK} --afresh Has the work done anew." in lines
