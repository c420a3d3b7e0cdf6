"""What the brain does about what happens in a conversation."""

from __future__ import annotations

from typing import assert_never

from shared.contracts import session, task
from shared.contracts.messages import Command
from shared.event_store.envelope import RecordedEvent


def about_a_conversation(event: RecordedEvent) -> list[Command]:
    """The commands that an event of a session leads to."""
    id = event.actor.id
    match event.data:
        case session.Said() as said:
            return [_opened(id, said)]
        case session.Asked() | session.Answered() | session.Failed() | session.Interrupted():
            return [session.StartAnswer(id=id)]
        case session.Confirmed(proposal=proposal, approval=approval):
            return [_confirmed(id, proposal, approval, event.principal)]
        case _:
            return []


def _opened(session_id: str, said: session.Said) -> task.Submit:
    return task.Submit(
        id=said.task_id,
        title=task.title_of(said.message),
        text=said.message,
        source=task.Source(kind="chat", reference=session_id, author=said.author),
        repo=said.repo,
        directive=said.directive,
        approval=said.approval,
        session_id=session_id,
    )


def _confirmed(session_id: str, proposal: session.Proposal, approval: task.Approval, who: str) -> Command:
    """What is done once a person wants it: the reactor sends it in that person's name."""
    match proposal.action:
        case session.Action.SUBMIT:
            return task.Submit(
                id=proposal.task_id,
                title=proposal.title,
                text=proposal.text,
                source=task.Source(kind="chat", reference=session_id, author=who),
                repo=proposal.repo,
                approval=approval,
                session_id=session_id,
            )
        case session.Action.STOP:
            return task.Stop(id=proposal.task_id, reason=proposal.text)
        case session.Action.RETRY:
            return task.Retry(id=proposal.task_id)
        case session.Action.MESSAGE:
            return task.FollowUp(id=proposal.task_id, text=proposal.text, author=who)
        case _:
            assert_never(proposal.action)
