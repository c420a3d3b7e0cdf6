"""A message that tells somebody to do something is work; what asks, greets or thanks is answered."""

from __future__ import annotations

import pytest

from services.gateway.intent import SLASH, intent_of
from shared.contracts.task import Directive

WORK = """
Fix the login page
please fix the crash in parser.py
Can you add a dark mode?
could you please rename split_evenly to split_fairly?
Implement pagination for /api/tasks
We need to upgrade django to 5.1
The build fails on main since yesterday
Login is broken
TypeError: 'NoneType' object is not subscriptable in app/views.py line 30
Ändere die Farbe des Knopfes
""".strip().splitlines()
ASKED = """
What tasks are there?
Propose a way to test the bills
which task costs most
how does the projector work
Is anything waiting for me?
are all checks green
explain the plan of 01JX7Z0000000000000000TASK
show me what changed today
tell me about the last failure
hello
thanks, that helps
stop 01JX7Z0000000000000000TASK
Und was kostet das?
""".strip().splitlines()


@pytest.mark.parametrize("message", WORK)
def test_work_becomes_a_task(message: str) -> None:
    assert intent_of(message).directive is Directive.AUTO


@pytest.mark.parametrize("message", ASKED)
def test_a_question_is_answered(message: str) -> None:
    assert intent_of(message).directive is None


def test_a_word_behind_a_slash_says_what_is_meant() -> None:
    assert intent_of("/plan what is there to say about it?").directive is Directive.PLAN
    assert intent_of("/plan  tidy up").text == "tidy up"
    assert intent_of("/implement the thing").directive is Directive.IMPLEMENT
    assert intent_of("/ask fix the bug").directive is None
    assert intent_of("/status").directive is None
    assert intent_of("/usr/bin/python is missing in the image").directive is Directive.AUTO


@pytest.mark.parametrize("word", SLASH)
def test_a_word_alone_does_nothing(word: str) -> None:
    assert intent_of(f"/{word}").directive is None
