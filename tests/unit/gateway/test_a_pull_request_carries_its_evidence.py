from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from services.gateway.outbound import pull_request_text as words
from shared.contracts.queries import TaskSource
from shared.event_store.receipt import Last, Range, Receipt, read_receipt
from shared.workspace.result_inspection import Signature
from testing.recorded import TASK_ID
from testing.rendered import assert_harmless, read
from testing.task_details import STORIES, a_plan

AT = datetime(2026, 11, 26, tzinfo=UTC)
RECEIPT = Receipt(
    task=TASK_ID,
    repo="octo/app",
    commit="c1" * 20,
    tree="d2" * 20,
    base="c0ffee00" * 5,
    evidence="verified",
    events={"task": Last(sequence=9, hash="a" * 64)},
    range=Range(first=3, last=40, count=20, hash="b" * 64),
)
TASK = STORIES["in review"]


def test_the_text_has_summary_evidence_plan_cost_and_a_receipt_that_can_be_read_again() -> None:
    text = words.body(TASK, RECEIPT, closes=7, public_url="https://jm.example.org", duration_ms=700_000)
    assert text.startswith(f"<!-- journeyman:{TASK_ID}:branch -->")
    assert "\nFixes #7\n" in text
    assert "| check | `pytest -q` | passed | 0 | 12.3 s | `ab12cd34ab12` |" in text
    assert "approved by grace" in text
    assert "$0.12 at list price · 11 min 40 s" in text
    assert read_receipt(text) == RECEIPT
    assert [each.strip() for each in read(text).references] == ["#7"]


def test_what_the_agent_says_of_its_work_is_said_to_be_the_agents() -> None:
    text = words.body(replace(TASK, summary="Verified: 6 tests, OK."), RECEIPT)
    assert "\n\n**The agent says:**\n\nVerified: 6 tests, OK.\n\n" in text
    assert "The agent says" not in words.body(replace(TASK, summary="", run=None), RECEIPT)


def test_only_our_own_words_close_an_issue() -> None:
    task = replace(TASK, summary="Fixes #1, closes octo/app#2. @ada", plans=(a_plan("Fixes #3 @bob"),))
    assert_harmless(words.body(task, RECEIPT))


@pytest.mark.parametrize("letter", ["x", "a line\n", "```\ncode\n```\n", "😀\n"])
def test_it_fits(letter: str) -> None:
    long = letter * (70_000 // len(letter))
    task = replace(TASK, summary=long, plans=(a_plan(long),))
    text = words.body(task, RECEIPT, closes=0)
    assert_harmless(text)
    assert read_receipt(text) == RECEIPT
    assert text.endswith("</sub>")


@pytest.mark.parametrize(
    ("url", "kind", "on_github", "number"),
    [
        ("https://github.com/octo/app/issues/7", "github", "octo/app", 7),
        ("https://github.com/Octo/App/issues/7", "github", "octo/app", 7),
        ("https://github.com/octo/other/issues/7", "github", "octo/app", 0),
        ("https://github.com/octo/app/pull/7", "github", "octo/app", 0),
        ("https://github.com/octo/app/issues/7", "cli", "octo/app", 0),
        ("", "github", "octo/app", 0),
    ],
)
def test_a_merge_closes_the_issue_of_the_same_repository(url: str, kind: str, on_github: str, number: int) -> None:
    task = replace(TASK, source=TaskSource(kind=kind, reference="github:1#7", url=url, author="ada"))
    assert words.issue_closed_by(task, on_github) == number


def test_a_commits_message_calls_nobody_and_names_who_asked() -> None:
    said = (
        "Fix the sum\n\nFixes #7 and octo/app#8, GH-9, https://github.com/o/r/issues/1; cc @ada\n\nJourneyman-Task: T\n"
    )
    ada = Signature("ada", "17+ada@users.noreply.github.com")
    made = words.commit_message(said, ada)
    assert made.endswith("Journeyman-Task: T\nCo-authored-by: ada <17+ada@users.noreply.github.com>")
    ours = made.partition("Co-authored-by")[0]
    assert not re.search(r"(^|\W)@\w|#\d|GH-\d|https://\S*/issues/", ours)
    assert words.commit_message("Fix it", ada).endswith(
        "Fix it\n\nCo-authored-by: ada <17+ada@users.noreply.github.com>"
    )
    assert words.commit_message("Fix it", None) == "Fix it"


def test_a_title_is_one_short_line_that_refers_to_nothing() -> None:
    task = replace(TASK, title="Fix\n #7 for @ada\u202e " + "x" * 300)
    made = words.title(task)
    assert "\n" not in made and len(made) <= words.MAX_TITLE
    assert "#7" not in made and "@ada" not in made and "\u202e" not in made
    assert words.title(replace(TASK, title=" ")) == "Work of an agent"
