"""What happened in a session."""

from __future__ import annotations

from typing import assert_never

from shared.contracts import session
from shared.contracts.sentences.words import SPENT, one_line


def sentence(event: session.SessionEvent) -> str:
    """One line."""
    match event:
        case session.Said(author=author, message=message):
            return f"{author or 'Somebody'} said: {one_line(message)}"
        case session.AnswerRecorded(text=text) | session.Answered(text=text):
            return f"Answered: {one_line(text)}"
        case session.Asked(author=author, message=message):
            return f"{author or 'Somebody'} asked: {one_line(message)}"
        case session.AnswerStarted(answer=number):
            return f"The brain began with answer {number}."
        case session.Claimed(worker=worker, answer=number):
            return f"{worker} took answer {number}."
        case session.Failed(message=message):
            return f"There is no answer: {one_line(message)}"
        case session.InterruptRequested():
            return "The answer is to be broken off."
        case session.Interrupted(answer=0):
            return "The message was taken back before it was answered."
        case session.Interrupted():
            return "The answer was broken off."
        case session.SpendRecorded():
            return SPENT
        case session.Proposed(proposal=proposal):
            return f"The brain proposes to {of_proposal(proposal)}."
        case session.Confirmed(proposal=proposal):
            return f"It was confirmed to {of_proposal(proposal)}."
        case session.Dismissed():
            return "A proposal was turned down."
        case session.Renamed(title=title):
            return f"The conversation is now called {one_line(title)}." if title else "The conversation lost its title."
        case session.Archived():
            return "The conversation was put away."
        case session.Unarchived():
            return "The conversation was taken out again."
        case _:
            assert_never(event)


def of_proposal(proposal: session.Proposal) -> str:
    """What is proposed, as the end of a sentence that says who proposes it."""
    match proposal.action:
        case session.Action.SUBMIT:
            where = f" in {proposal.repo}" if proposal.repo else ""
            return f"open a task{where}: {one_line(proposal.title or proposal.text)}"
        case session.Action.STOP:
            return f"stop the task {proposal.task_id}"
        case session.Action.RETRY:
            return f"try the task {proposal.task_id} again"
        case session.Action.MESSAGE:
            return f"tell the task {proposal.task_id}: {one_line(proposal.text)}"
        case _:
            assert_never(proposal.action)
