from __future__ import annotations

import pytest
from msgspec.structs import replace

from services.gateway.outbound.defused import units
from services.gateway.outbound.parts import MAX_TEXT
from services.gateway.outbound.review_text import MAX_AT_LINES, MAX_COMMENT, ReviewText, review_text
from shared.contracts.review import MAX_FINDING, MAX_FINDINGS, MAX_SUMMARY, Finding, ReviewTarget, Severity, Side
from shared.contracts.task import ReviewWritten
from shared.contracts.usage import ModelUsage
from testing.recorded import TASK_ID

HEAD = "a1" * 20
FINDING = Finding(severity=Severity.HIGH, text="The sum is wrong.", path="src/a.py", line=12, in_diff=True)
WRITTEN = ReviewWritten(
    attempt=2,
    repo="octo/app",
    thread="github:1#7",
    review=ReviewTarget(number=7, head=HEAD, base="main"),
    summary="It adds shares.",
    findings=(FINDING,),
    usage=(ModelUsage(model="m", input_tokens=1, cost_microusd=120_000),),
)


def text(*findings: Finding, **changes: object) -> ReviewText:
    written = replace(WRITTEN, findings=findings or WRITTEN.findings, **changes)
    return review_text(TASK_ID, written, public_url="https://j.test/")


def test_a_review_names_its_commit_and_says_that_it_decides_nothing() -> None:
    body = text().body
    assert body.startswith(f"<!-- journeyman:{TASK_ID}:review/2 -->")
    assert f"**Review of `{HEAD[:12]}`** against `main`: 1 finding. It neither approves nor asks for changes." in body
    assert "It adds shares." in body and HEAD in body and "$0.12" in body
    assert f"https://j.test/tasks/{TASK_ID}" in body


def test_a_finding_stands_at_its_line() -> None:
    (comment,) = text().comments
    assert (comment.path, comment.line, comment.side) == ("src/a.py", 12, "RIGHT")
    assert comment.body == "**High:** The sum is wrong."
    removed = text(replace(FINDING, side=Side.LEFT)).comments[0]
    assert removed.side == "LEFT"


@pytest.mark.parametrize(
    ("finding", "where"),
    [
        (replace(FINDING, in_diff=False), "**High** at `src/a.py:12`: The sum is wrong."),
        (replace(FINDING, in_diff=False, side=Side.LEFT), "`src/a.py:12` (before the change): The sum is wrong."),
        (replace(FINDING, line=0, severity=Severity.LOW), "**Low** at `src/a.py`: The sum is wrong."),
        (replace(FINDING, path="", line=0), "**High**: The sum is wrong."),
    ],
)
def test_what_is_at_no_line_of_the_diff_stands_in_the_body(finding: Finding, where: str) -> None:
    said = text(finding)
    assert said.comments == () and where in said.body


def test_at_most_twenty_stand_at_lines_and_none_is_lost() -> None:
    many = tuple(replace(FINDING, text=f"Finding {n}.", line=n) for n in range(1, MAX_FINDINGS + 1))
    said = text(*many, left_out=4)
    assert [each.line for each in said.comments] == list(range(1, MAX_AT_LINES + 1))
    assert all(f"Finding {n}." in said.body for n in range(MAX_AT_LINES + 1, MAX_FINDINGS + 1))
    assert f"{MAX_FINDINGS} findings, {MAX_AT_LINES} of them at their lines" in said.body
    assert "4 further findings were less important" in said.body


def test_where_no_line_is_taken_everything_is_in_the_body() -> None:
    said = review_text(TASK_ID, WRITTEN, at_lines=False, newer="b2" * 20)
    assert said.comments == () and "The sum is wrong." in said.body
    assert f"moved on to `{'b2' * 6}` since, which is not reviewed" in said.body


def test_nothing_to_object_to_is_said() -> None:
    said = review_text(TASK_ID, replace(WRITTEN, findings=()))
    assert "nothing to object to" in said.body and "Findings" not in said.body


HOSTILE = "Ask @octo/admins, fixes #3, see ![x](https://evil.test/p) <img src=x> and <!-- hidden -->\u202e."


def test_words_of_an_agent_that_has_read_a_strangers_text_do_nothing_but_tell() -> None:
    said = text(replace(FINDING, text=HOSTILE), replace(FINDING, text=HOSTILE, in_diff=False), summary=HOSTILE)
    for shown in (said.body.split("-->", 1)[1], said.comments[0].body):
        assert "`@octo/admins`" in shown and "`#3`" in shown
        assert "![x]" not in shown and "<img" not in shown and "<!--" not in shown and "\u202e" not in shown
    named = text(replace(FINDING, path="a`<b>@x.py", in_diff=False)).body
    assert "``a`<b>@x.py:12``" in named


def test_a_suggestion_is_offered_only_where_it_is_exactly_what_was_written() -> None:
    assert "```suggestion\n    return 1\n```" in text(replace(FINDING, suggestion="    return 1")).comments[0].body
    for given in (
        replace(FINDING, suggestion="return 1\u200b"),
        replace(FINDING, suggestion="return 1", side=Side.LEFT),
        replace(FINDING, suggestion="return 1", in_diff=False),
    ):
        said = text(given)
        assert "```suggestion" not in said.body + "".join(each.body for each in said.comments)
        assert "return 1" in said.body + "".join(each.body for each in said.comments)


def test_the_longest_review_stays_within_the_bounds() -> None:
    long = replace(FINDING, text="word " * (MAX_FINDING // 5), suggestion="x" * 4_000, in_diff=False, path="p" * 400)
    said = text(*(long,) * MAX_FINDINGS, summary="w " * (MAX_SUMMARY // 2))
    assert units(said.body) <= MAX_TEXT and HEAD in said.body and "cut here" in said.body
    at_lines = text(*(replace(long, in_diff=True, suggestion="`" * 4_000),) * MAX_AT_LINES)
    assert all(units(each.body) <= MAX_COMMENT + 4_100 for each in at_lines.comments)
