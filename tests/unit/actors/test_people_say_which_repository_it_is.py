"""What comes from a tracker may not say which repository it is about: people are asked, and an answer there serves."""

from __future__ import annotations

import pytest

from services.brain.actors.task import DECIDER
from services.brain.rules import by_rules
from services.gateway.outbound.task_comment import task_comment
from shared.contracts.task import (
    Declined,
    Directive,
    FollowUp,
    Source,
    Status,
    Submitted,
    Task,
    TriageRequested,
    Verdict,
)
from shared.ops.config import Config, Repo
from testing.given import given
from testing.recorded import A_DAY
from testing.task_details import a_task

CONFIG = Config(repos={name: Repo(url=f"https://git.test/{name}.git") for name in ("octo/app", "octo/lib")})
SUBMITTED = Submitted(
    title="It drops",
    text="As octo/lib does.",
    source=Source(kind="jira", reference="jira:acme#7", url="", author="ada"),
    directive=Directive.PLAN,
)
DECLINED = Declined(attempt=1, reason="Which?", decided_by="rules")


def answered(*texts: str) -> Task:
    story = [SUBMITTED, TriageRequested(attempt=1), DECLINED]
    for number, text in enumerate(texts):
        wish = FollowUp(
            id="t", text=text, author="ada", directive=Directive.PLAN, origin=f"o{number}", recorded=True, at=A_DAY
        )
        state = given(DECIDER, *story).state
        told = DECIDER.decide(state, wish)
        assert told is not None
        story += [told, TriageRequested(attempt=2 + number), DECLINED]
    return given(DECIDER, *story[:-1]).state


def test_the_text_of_a_stranger_names_none_and_people_are_asked() -> None:
    verdict = by_rules(given(DECIDER, SUBMITTED, TriageRequested(attempt=1)).state, CONFIG)
    assert verdict is not None and verdict.verdict is Verdict.DECLINE
    assert verdict.reason.startswith("Which repository is it about: octo/app, octo/lib?")
    assert "sources.jira in journeyman.toml" in verdict.reason


@pytest.mark.parametrize(
    ("said", "repo"),
    [
        (["@agent plan octo/lib"], "octo/lib"),
        (["@agent plan in Octo/App, please"], "octo/app"),
        (["@agent plan octo/lib", "@agent plan octo/app."], "octo/app"),
    ],
)
def test_an_answer_by_comment_says_it(said: list[str], repo: str) -> None:
    verdict = by_rules(answered(*said), CONFIG)
    assert verdict is not None and (verdict.verdict, verdict.repo) == (Verdict.PLAN, repo)


@pytest.mark.parametrize("said", ["@agent plan octo/library", "@agent plan octo/app or octo/lib", "@agent plan it now"])
def test_an_answer_that_names_none_or_two_is_asked_again(said: str) -> None:
    verdict = by_rules(answered(said), CONFIG)
    assert verdict is not None and verdict.verdict is Verdict.DECLINE


def test_the_comment_says_which_words_serve() -> None:
    text = task_comment(a_task(Status.DECLINED, decided_by="rules", repo="", triage_reason="Which?"))
    assert "`@agent plan owner/name`" in text and "retry" not in text
