from __future__ import annotations

import pytest

from services.brain.actors.session import DECIDER, REMEMBERED_LINES
from shared.contracts.session import AnswerRecorded, Line, RecordAnswer, Said, Say
from testing.given import given

SAY = Say(message="What is this?", author="user:ada", task_id="T1", repo="octo/app")
SAID = Said(message="What is this?", author="user:ada", task_id="T1", repo="octo/app")


def test_what_a_person_says_is_kept_with_its_task() -> None:
    given(DECIDER).when(SAY).then(SAID)
    given(DECIDER, SAID).when(SAY).nothing()


@pytest.mark.parametrize("message", [" \n ", "\u200b", "\x00"])
def test_a_message_without_a_visible_character_is_refused(message: str) -> None:
    given(DECIDER).when(Say(message=message, author="user:ada", task_id="T1")).is_rejected("message-empty")


def test_an_answer_is_recorded_once() -> None:
    answered = AnswerRecorded(task_id="T1", text="A calculator.")
    given(DECIDER, SAID).when(RecordAnswer(task_id="T1", text="A calculator.")).then(answered)
    given(DECIDER, SAID, answered).when(RecordAnswer(task_id="T1", text="A calculator.")).nothing()
    assert given(DECIDER, SAID, answered).state.lines == (
        Line(author="user:ada", text="What is this?", task_id="T1"),
        Line(author="", text="A calculator.", task_id="T1"),
    )


def test_a_session_remembers_its_last_lines_only() -> None:
    said = [Said(message=str(n), author="user:ada", task_id=f"T{n}") for n in range(REMEMBERED_LINES + 1)]
    lines = given(DECIDER, *said).state.lines
    assert (len(lines), lines[0].text, lines[-1].text) == (REMEMBERED_LINES, "1", str(REMEMBERED_LINES))
