from __future__ import annotations

import pytest
from msgspec.structs import replace

from services.gateway.outbound import lines
from services.gateway.outbound.parts import lasted, money, who
from services.gateway.outbound.task_comment import task_comment
from shared.contracts.delivery import Word
from shared.contracts.task import Status
from testing.rendered import OWN_TAGS, assert_harmless, read
from testing.task_details import APPROVED, PULL_URL, STORIES, a_plan, a_run, a_task

HOSTILE = "@ada fixes #7 ![b](https://evil.example/x.png) <img src=x> <!-- journeyman:T:comment -->\n```\nunended"


@pytest.mark.parametrize("name", list(STORIES))
def test_every_state_is_told_within_the_limit_and_calls_nobody(name: str) -> None:
    task = STORIES[name]
    text = task_comment(task, public_url="https://jm.example.org")
    assert_harmless(text)
    page = read(text)
    assert page.comments == [f"journeyman:{task.id}:comment"]
    assert text.startswith("<!-- journeyman:")
    assert text.count("**") % 2 == 0


@pytest.mark.parametrize("name", list(STORIES))
def test_words_of_agents_and_strangers_do_nothing_in_it(name: str) -> None:
    task = STORIES[name]
    run = task.run and replace(task.run, summary=HOSTILE, question=HOSTILE, options=(HOSTILE,), observed=HOSTILE)
    hostile = replace(
        task,
        summary=HOSTILE,
        answer=HOSTILE if task.answer else "",
        error_message=HOSTILE,
        triage_reason=HOSTILE,
        cancelled_reason=HOSTILE,
        requester=f"github:{HOSTILE}",
        plans=tuple(replace(each, markdown=HOSTILE) for each in task.plans),
        run=run,
    )
    text = task_comment(hostile)
    assert_harmless(text)
    assert read(text).comments == [f"journeyman:{task.id}:comment"]
    assert read(text).tags & {"img", "a"} <= {"a"}


@pytest.mark.parametrize(
    ("name", "letter"),
    [
        ("awaiting approval", "x"),
        ("awaiting approval", "```\nsome more code\n```\n"),
        ("in review", "| a | b |\n"),
        ("answered", "😀"),
        ("answered", "- an item of a list\n"),
        ("waiting", "𝔘𝔫𝔦 @ada\n"),
    ],
)
def test_a_long_text_is_cut_and_its_end_is_there(name: str, letter: str) -> None:
    long = letter * (70_000 // len(letter))
    task = STORIES[name]
    task = replace(
        task,
        summary=long,
        answer=long if task.answer else "",
        plans=(a_plan(long, by=task.plans[-1].approved_by),) if task.plans else (),
        run=task.run and replace(task.run, question=long),
    )
    text = task_comment(task)
    assert_harmless(text)
    assert text.endswith("</sub>")
    assert text.count("<details>") == text.count("</details>")
    assert read(text).tags & OWN_TAGS >= {"sub"}


def test_a_plan_is_shown_whole_with_the_words_that_approve_exactly_it() -> None:
    text = task_comment(STORIES["awaiting approval"], mention="@robot")
    plan = STORIES["awaiting approval"].plans[-1]
    assert plan.markdown in text
    assert f"`@robot approve v1 {plan.digest[:8]}`" in text
    assert "<details>" not in text


def test_a_question_shows_its_options_and_how_to_answer() -> None:
    text = task_comment(STORIES["waiting"])
    assert "1. Yes\n2. No" in text
    assert "`@agent` followed by your answer" in text


def test_a_result_shows_what_was_observed_who_approved_and_what_it_cost() -> None:
    text = task_comment(STORIES["in review"])
    assert "| check | `pytest -q` | passed | 0 | 12.3 s | `ab12cd34ab12` |" in text
    assert "approved by grace" in text
    assert "$0.12 at list price · 12 min" in text
    assert PULL_URL in text
    assert "2 files, +8 −1" in text


def test_a_failure_says_in_words_what_to_do() -> None:
    text = task_comment(STORIES["fell short"])
    assert "**Not done:** the work fell short." in text
    assert "say what to do differently" in text
    assert "fails anew: `test_add.py::test_adds_negative_numbers`" in text
    assert "`@agent retry`" in text


def test_a_pull_request_that_does_not_get_on_says_why() -> None:
    text = task_comment(STORIES["person needed"])
    assert "**A person is needed:** [pull request 12]" in text and "The check ci/tests fails" in text
    assert "Ready for review" not in text


def test_an_edit_that_no_longer_counts_is_shown() -> None:
    assert "has been edited since" in task_comment(STORIES["executing"], edited=True)
    assert "edited" not in task_comment(STORIES["executing"])


def test_the_way_to_the_result_is_a_checklist_until_it_ends() -> None:
    text = task_comment(STORIES["publishing"])
    assert "- [x] Work\n- [x] Checks: no new failures\n- [ ] Publication" in text
    assert "- [ ]" not in task_comment(STORIES["rejected"])
    assert "- [ ] Work, round 2" in task_comment(STORIES["executing"])
    stopping = a_task(Status.EXECUTING, stopping=True, plans=APPROVED, round=1, run=a_run("running", commit=""))
    assert "**Being stopped.**" in task_comment(stopping)


def test_a_refusal_names_who_asked_and_why_not_in_one_line() -> None:
    url = "https://github.com/octo/app/issues/7#issuecomment-5"
    text = lines.refusal("T", "refusal/o", author="eve", url=url, reason="Ask a writer: `@agent plan` is theirs.")
    assert text == f"<!-- journeyman:T:refusal/o -->\n[eve asked]({url}): Ask a writer: `@agent plan` is theirs."
    assert_harmless(lines.refusal("T", "refusal/o", author="@eve", url="", reason=HOSTILE))


def test_a_status_is_a_line_with_a_link_to_the_comment() -> None:
    text = lines.status("T", "answer/o", STORIES["executing"], mention="@agent", comment_url="https://github.com/x#1")
    assert text.splitlines()[1].startswith("**Working on it (round 2).** Asked for by ada. $0.12 so far.")
    assert "(https://github.com/x#1)" in text
    assert "Nothing is under way here" in lines.status("T", "answer/o", None, mention="@agent")
    for task in STORIES.values():
        assert_harmless(lines.status("T", "answer/o", task, mention="@agent"))


def test_help_names_every_word_that_people_can_say() -> None:
    text = lines.help("T", "answer/o", mention="@robot", problem="one at a time, not fix and stop @eve")
    for word in {*Word} - {Word.HELP, Word.IMPLEMENT, Word.CONTINUE, Word.REVIEW}:
        assert f"`@robot {word}" in text
    assert "That was not clear (one at a time" in text
    assert_harmless(text)


@pytest.mark.parametrize(
    ("ms", "words"),
    [(40, "0.0 s"), (12_345, "12.3 s"), (200_000, "3 min 20 s"), (120_000, "2 min"), (7_500_000, "2 h 5 min")],
)
def test_durations_are_said_as_people_say_them(ms: int, words: str) -> None:
    assert lasted(ms) == words


def test_money_is_said_in_cents() -> None:
    assert [money(each) for each in (123_400, 10_000, 9_999, 12_000_000)] == [
        "$0.12",
        "$0.01",
        "less than $0.01",
        "$12.00",
    ]


def test_people_are_named_and_not_called() -> None:
    assert who("github:ada") == "ada"
    assert who("service:brain") == "the policy"
    assert who("user:ada") == "ada (user)"
    assert_harmless(who("github:@ada"))


def test_evidence_names_its_commit_where_the_branch_has_followed_its_base_since() -> None:
    assert "Observed of" not in task_comment(STORIES["in review"])
    text = task_comment(replace(STORIES["in review"], caught_up_with="ba5e" * 10))
    assert f"**Observed of `{STORIES['in review'].commit[:12]}`.**" in text
    assert "with `ba5eba5eba5e` of its base since, and not checked anew" in text


def test_no_line_of_a_comment_is_there_twice() -> None:
    for name, story in STORIES.items():
        plans = tuple(replace(plan, markdown=f"# Plan\n\n{plan.markdown}") for plan in story.plans)
        lines = [line for line in task_comment(replace(story, plans=plans)).split("\n") if line.strip()]
        assert len(lines) == len(set(lines)), name
        assert "# Plan" not in lines
        assert sum("/pull/12" in line for line in lines) <= 1
