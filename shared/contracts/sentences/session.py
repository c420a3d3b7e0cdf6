"""What happened in a session."""

from __future__ import annotations

from typing import assert_never

from shared.contracts import session
from shared.contracts.sentences.words import one_line


def sentence(event: session.SessionEvent) -> str:
    """One line."""
    match event:
        case session.Said(author=author, message=message):
            return f"{author or 'Somebody'} said: {one_line(message)}"
        case session.AnswerRecorded(text=text):
            return f"Answered: {one_line(text)}"
        case _:
            assert_never(event)
