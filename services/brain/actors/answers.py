"""The rules of a session's answers: one at a time, in the order of the messages, told by the newest attempt only."""

from __future__ import annotations

from typing import Final, assert_never

from msgspec.structs import replace

from shared.contracts.decider import Rejected
from shared.contracts.session import (
    Answer,
    Answered,
    AnswerStarted,
    Asked,
    Claim,
    Claimed,
    Fail,
    Failed,
    Interrupt,
    Interrupted,
    InterruptRequested,
    Propose,
    Proposed,
    RecordInterrupted,
    RecordSpend,
    Session,
    SpendRecorded,
    StartAnswer,
)
from shared.contracts.usage import account_of, booked, unbooked

MOST_OPEN_PROPOSALS: Final = 20

AnswerCommand = StartAnswer | Claim | Answer | Fail | Interrupt | RecordInterrupted | RecordSpend | Propose
AnswerEvent = AnswerStarted | Claimed | Answered | Failed | InterruptRequested | Interrupted | SpendRecorded | Proposed


def decide(session: Session, command: AnswerCommand) -> AnswerEvent | None:
    """What comes of a command. Raises `Rejected`; what was told twice or came late gives None."""
    match command:
        case StartAnswer() if session.answering is not None or not session.waiting:
            return None
        case StartAnswer():
            return AnswerStarted(answer=session.answer + 1, message_id=session.waiting[0].message_id)
        case Claim():
            return _claimed(session, command)
        case Interrupt():
            return _interrupting(session, command)
        case RecordSpend():
            return _spent(session, command)
        case Answer() | Fail() | RecordInterrupted() | Propose():
            return _reported(session, command)


def _claimed(session: Session, command: Claim) -> Claimed:
    """An answer may be claimed again, also while it is being broken off: its worker may be gone."""
    if session.answering is None or command.answer != session.answer:
        raise Rejected("attempt-stale", f"Answer {command.answer} needs no worker: it has ended.")
    return Claimed(answer=session.answer, attempt=session.attempt + 1, worker=command.worker, session=command.session)


def _interrupting(session: Session, command: Interrupt) -> InterruptRequested | Interrupted | None:
    current = session.answering
    if current is not None and current.message_id == command.message_id:
        if not _is_claimed(session):
            return Interrupted(answer=session.answer, message_id=current.message_id, attempt=session.attempt)
        if session.interrupting:
            return None
        return InterruptRequested(answer=session.answer, message_id=current.message_id)
    if any(each.message_id == command.message_id for each in session.waiting):
        return Interrupted(answer=0, message_id=command.message_id, attempt=0)
    if command.message_id in session.heard:
        return None
    raise Rejected("message-unknown", "There is no such message in this conversation.")


def _reported(
    session: Session, command: Answer | Fail | RecordInterrupted | Propose
) -> Answered | Failed | Interrupted | Proposed | None:
    current = session.answering
    if command.attempt != session.attempt or (current is not None and not _is_claimed(session)):
        raise Rejected(
            "attempt-stale", f"Attempt {command.attempt} at the answer is over, {session.attempt} is the newest."
        )
    if current is None:
        if isinstance(command, Propose):
            raise Rejected("answer-over", "The answer is over: nothing can be proposed in it any more.")
        return None
    number, id = session.answer, current.message_id
    match command:
        case Answer() if session.interrupting:
            raise Rejected("answer-stopping", "The answer is being broken off: end the agent and report that.")
        case Answer():
            return Answered(
                answer=number,
                message_id=id,
                attempt=command.attempt,
                text=command.text,
                usage=command.usage,
                asked_by=session.asked_by,
                duration_ms=command.duration_ms,
                session=command.session,
                transcript=command.transcript,
            )
        case Fail():
            return Failed(
                answer=number,
                message_id=id,
                attempt=command.attempt,
                code=command.code,
                message=command.message,
                usage=command.usage,
                asked_by=session.asked_by,
            )
        case RecordInterrupted():
            return Interrupted(
                answer=number,
                message_id=id,
                attempt=command.attempt,
                text=command.text,
                usage=command.usage,
                asked_by=session.asked_by,
            )
        case Propose(proposal=proposal):
            known = (*(each.proposal_id for each in session.open), *session.decided)
            if proposal.proposal_id in known:
                return None
            if len(session.open) >= MOST_OPEN_PROPOSALS:
                raise Rejected("too-many-proposals", "Too much is proposed already: let the person decide first.")
            return Proposed(answer=number, message_id=id, proposal=proposal)


def _spent(session: Session, command: RecordSpend) -> SpendRecorded | None:
    late = unbooked(session.accounts, account_of(command.answer, command.place), command.usage)
    if not late or not 0 < command.answer <= session.answer:
        return None
    asked_by = session.asked_by if command.answer == session.answer else ""
    return SpendRecorded(answer=command.answer, place=command.place, usage=late, asked_by=asked_by)


def _is_claimed(session: Session) -> bool:
    return session.claimed_answer == session.answer > 0


def said(event: object) -> str:
    """What the brain says by an event, empty where it says nothing."""
    match event:
        case Answered(text=text) | Interrupted(text=text):
            return text
        case _:
            return ""


def evolve(session: Session, event: AnswerEvent) -> Session:
    """The session after a fact about an answer."""
    match event:
        case AnswerStarted():
            (current,) = (each for each in session.waiting if each.message_id == event.message_id)
            return replace(
                session,
                answer=event.answer,
                answering=current,
                asked_by=current.author,
                interrupting=False,
                waiting=_without(session.waiting, event.message_id),
            )
        case Claimed():
            return replace(session, attempt=event.attempt, claimed_answer=event.answer, worker=event.worker)
        case Answered():
            ended = _ended(session, event)
            if not event.session:
                return ended
            return replace(ended, resumes=event.session, transcript=event.transcript)
        case Failed():
            return _ended(session, event)
        case InterruptRequested():
            return replace(session, interrupting=True)
        case Interrupted(answer=0, message_id=id):
            return replace(session, waiting=_without(session.waiting, id))
        case Interrupted():
            return _ended(session, event)
        case SpendRecorded():
            account = account_of(event.answer, event.place)
            return replace(session, accounts=booked(session.accounts, account, event.usage))
        case Proposed(proposal=proposal):
            return replace(session, open=(*session.open, proposal))
        case _:
            assert_never(event)


def _ended(session: Session, event: Answered | Failed | Interrupted) -> Session:
    account = account_of(session.answer, session.worker)
    return replace(
        session,
        answering=None,
        interrupting=False,
        accounts=booked(session.accounts, account, event.usage),
    )


def _without(waiting: tuple[Asked, ...], id: str) -> tuple[Asked, ...]:
    return tuple(each for each in waiting if each.message_id != id)
