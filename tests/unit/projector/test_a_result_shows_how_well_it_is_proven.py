from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from shared.contracts import run, task
from shared.contracts.evidence import Check, CheckVerdict, Evidence, Note, NoteKind, Outcome
from shared.contracts.messages import ArtifactRef
from tests.unit.projector.projector_support import (
    BASE,
    TASK,
    Log,
    approved,
    ask,
    execution,
    planned,
    projected,
    succeeded,
)

BUNDLE = ArtifactRef(name="bundle", sha256="0" * 64, size=1)
DIFF = ArtifactRef(name="diff", sha256="1" * 64, size=1)
FILES = (run.FileChange(path="sum.py", added=1, removed=1),)
RED = Check(command="pytest", exit_code=1, duration_ms=12, verdict=CheckVerdict.FAILED, new_failures=("test_sum",))
NOTE = Note(kind=NoteKind.HELD_BACK, sentence="Left out: __pycache__.", paths=("__pycache__",))
SETUP = Check(command="npm ci", exit_code=0, duration_ms=3, verdict=CheckVerdict.PASSED)
COMMITTED = run.Committed(
    round=1,
    attempt=1,
    commit="c1",
    tree="t1",
    parent=BASE,
    bundle=BUNDLE,
    diff=DIFF,
    files=FILES,
    summary="Added right.",
    turns=3,
    notes=(NOTE,),
)
KEPT = run.KeptResult(
    commit="c2",
    branch="journeyman/x",
    bundle=BUNDLE,
    tree="t1",
    checked_commit="c1",
    summary="Added, but wrong.",
    files=FILES,
    diff=DIFF,
    turns=4,
)
RESULT = task.Result(
    commit="c2",
    branch="journeyman/x",
    bundle=BUNDLE,
    tree="t1",
    evidence=Evidence.FAILING,
    summary="Added, but wrong.",
    attempt=1,
)
FELL_SHORT = (
    run.Failed(
        round=1,
        attempt=1,
        code="checks-failed",
        message="Red.",
        checks=(RED,),
        result=KEPT,
        evidence=Evidence.FAILING,
        setup=(SETUP,),
        notes=(NOTE,),
    ),
    task.Failed(stage="executing", code="checks-failed", message="Red.", result=RESULT),
)


def shown(log: Log) -> Any:
    return ask(projected(log), "tasks.get", id=TASK)["task"]


def working() -> Log:
    return planned().add(approved(), *execution())


def test_a_commit_that_waits_for_its_checks_is_shown_while_the_attempt_goes_on() -> None:
    now = shown(working().add(COMMITTED))
    attempt = now["run"]
    assert (attempt["status"], attempt["commit"], attempt["tree"], attempt["turn"]) == ("running", "c1", "t1", 3)
    assert [file["path"] for file in attempt["files"]] == ["sum.py"]
    assert (attempt["diff"]["name"], attempt["notes"][0]["kind"]) == ("diff", "held-back")
    assert (now["status"], now["evidence"], now["outcome"]) == ("executing", "", "")


def test_checks_that_send_the_agent_back_are_shown_meanwhile() -> None:
    now = shown(working().add(COMMITTED, run.Reopened(round=1, attempt=1, checks=(RED,))))
    (check,) = now["run"]["checks"]
    assert (now["run"]["status"], check["verdict"], check["new_failures"]) == ("running", "failed", ["test_sum"])
    assert now["run"]["tree"] == "", "an agent works again"


def test_an_attempt_that_takes_over_the_checks_shows_the_result_that_is_there() -> None:
    taken = run.Claimed(round=1, attempt=2, worker="other", session="s")
    before, now = (shown(working().add(COMMITTED, *more))["run"] for more in ((), (taken,)))
    assert (now["attempt"], now["worker"]) == (2, "other")
    for name in ("tree", "commit", "files", "diff", "notes", "summary", "turn"):
        assert now[name] == before[name] != ""


def test_a_result_tells_its_evidence_and_its_outcome_once_it_is_there() -> None:
    done = replace(
        succeeded(),
        evidence=Evidence.NO_NEW_FAILURES,
        outcome=Outcome.CHANGED,
        tree="t1",
        checked_commit="c0",
        setup=(SETUP,),
        notes=(NOTE,),
    )
    published = task.RunSucceeded(
        attempt=1,
        repo="octo/app",
        base_commit=BASE,
        commit="c1",
        branch="journeyman/x",
        summary="s",
        bundle=BUNDLE,
        evidence=Evidence.NO_NEW_FAILURES,
        outcome=Outcome.CHANGED,
    )
    log = working().add(done, published)
    now = shown(log)
    assert (now["status"], now["evidence"], now["outcome"], now["has_result"]) == (
        "publishing",
        "no-new-failures",
        "",
        True,
    )
    attempt = now["run"]
    assert (attempt["evidence"], attempt["outcome"], attempt["checked_commit"]) == ("no-new-failures", "changed", "c0")
    assert attempt["setup"][0]["command"] == "npm ci"
    end = task.Completed(
        summary="s", commit="c1", branch="b", evidence=Evidence.NO_NEW_FAILURES, outcome=Outcome.CHANGED
    )
    (row,) = ask(projected(log.add(end)), "tasks.list")["items"]
    assert (row["evidence"], row["outcome"], row["has_result"]) == ("no-new-failures", "changed", False)


def test_a_result_that_fell_short_is_shown_with_what_may_be_done_with_it() -> None:
    now = shown(working().add(*FELL_SHORT))
    assert (now["status"], now["evidence"], now["has_result"], now["commit"]) == ("failed", "failing", True, "")
    attempt = now["run"]
    assert (attempt["commit"], attempt["branch"], attempt["checked_commit"]) == ("c2", "journeyman/x", "c1")
    assert (attempt["summary"], attempt["turn"], attempt["diff"]["name"]) == ("Added, but wrong.", 4, "diff")
    assert now["actions"]["publish"]["allowed"]
    assert "anew" in now["actions"]["retry"]["effect"]


def test_a_result_that_is_published_as_it_is_shows_its_evidence_all_the_way() -> None:
    again = task.PublicationRequested(attempt=1, publication=1, repo="octo/app", base_commit=BASE, result=RESULT)
    log = working().add(*FELL_SHORT, again)
    now = shown(log)
    assert (now["status"], now["evidence"], now["error_code"], now["commit"]) == ("publishing", "failing", "", "c2")
    failed = shown(log.add(task.Failed(stage="publishing", code="branch-taken", message="Taken.")))
    assert "Publishes the commit that is there" in failed["actions"]["retry"]["effect"]


def test_a_retry_from_the_result_keeps_it_and_a_retry_afresh_drops_it() -> None:
    gone_on = shown(working().add(*FELL_SHORT, task.Retried(stage="executing", from_result=True)))
    afresh = shown(working().add(*FELL_SHORT, task.Retried(stage="executing")))
    assert (gone_on["has_result"], afresh["has_result"]) == (True, False)
    assert (gone_on["evidence"], afresh["evidence"]) == ("", "")


def test_another_round_keeps_showing_what_is_published_until_it_has_something_new() -> None:
    end = task.Completed(summary="s", commit="c1", branch="journeyman/x", url="u", outcome=Outcome.CHANGED)
    wish = task.FollowedUp(
        text="And mind the spaces.", author="ada", stage="planning", base_commit="c1", verdict=task.Verdict.PLAN
    )
    log = working().add(end, wish)
    now = shown(log)
    assert (now["status"], now["agent"], now["base_commit"]) == ("triaged", "planner", "c1")
    assert (now["commit"], now["branch"], now["result_url"]) == ("c1", "journeyman/x", "u")
    assert (now["approved_version"], now["outcome"]) == (0, "")
    told = ask(projected(log), "tasks.timeline", id=TASK)["items"][-1]["summary"]
    assert told == "A further wish makes another round, from planning: And mind the spaces."


def test_checks_of_before_there_were_verdicts_have_one_in_answers() -> None:
    checks = (
        Check(command="pytest", exit_code=0, duration_ms=1),
        Check(command="ruff", exit_code=1, duration_ms=1, failed_before=True),
        Check(command="mypy", exit_code=1, duration_ms=1),
    )
    now = shown(working().add(run.Failed(round=1, attempt=1, code="red", message="Red.", checks=checks)))
    assert [check["verdict"] for check in now["run"]["checks"]] == ["passed", "failed-before", "failed"]


def test_a_completion_of_before_there_were_outcomes_is_retryable_where_it_changed_nothing() -> None:
    changed = shown(working().add(task.Completed(summary="s", commit="c1", branch="b")))
    nothing = shown(working().add(task.Completed(summary="s")))
    assert (changed["outcome"], nothing["outcome"]) == ("changed", "nothing-to-change")
    assert (changed["actions"]["retry"]["allowed"], nothing["actions"]["retry"]["allowed"]) == (False, True)


def test_what_was_observed_is_told_once_an_attempt_has_ended() -> None:
    during = shown(working().add(COMMITTED))
    short = shown(working().add(COMMITTED, *FELL_SHORT))
    nothing = shown(working().add(replace(succeeded(), commit="", outcome=Outcome.NOTHING_TO_CHANGE, checks=())))
    broken_off = shown(working().add(run.Failed(round=1, attempt=1, code="agent-silent", message="Silent.")))
    assert [each["run"]["observed"] for each in (during, short, nothing, broken_off)] == [
        "",
        "Failing: the work breaks pytest.",
        "Not observed: nobody but the agent says so.",
        "",
    ]


def test_a_task_that_ended_says_in_which_stage() -> None:
    (row,) = ask(projected(working().add(*FELL_SHORT)), "tasks.list")["items"]
    assert row["ended_in"] == "executing"


def test_a_further_round_that_changes_nothing_leaves_what_was_published_in_sight() -> None:
    end = task.Completed(summary="s", commit="c1", branch="b", url="u", outcome=Outcome.CHANGED)
    further = task.FollowedUp(text="More.", author="user:local", stage="executing", base_commit=BASE)
    nothing = task.Completed(summary="All is there.", outcome=Outcome.NOTHING_TO_CHANGE)
    now = shown(working().add(succeeded(), end, further, nothing))
    assert (now["outcome"], now["commit"], now["branch"], now["result_url"]) == ("nothing-to-change", "c1", "b", "u")
