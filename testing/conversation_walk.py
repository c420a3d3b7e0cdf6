"""Random moves in a conversation: what people say and decide there, and what the answering agent reports."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Final

from shared.contracts import session
from shared.contracts.messages import Command
from shared.contracts.usage import ModelUsage
from testing.in_memory_system import InMemorySystem
from testing.recorded import TASK_ID

MOST_AT_ONCE: Final = 6
USAGES: Final = ((), (ModelUsage(model="small", input_tokens=7, cost_microusd=70),))


def converse(world: InMemorySystem, dice: Random) -> None:
    """Some steps of a conversation, each of which may come twice or late."""
    for _ in range(1 + dice.randrange(MOST_AT_ONCE)):
        if dice.random() < 0.8:
            world.deliver("brain")
        if dice.random() < 0.5:
            world.deliver_all()
        command = _chosen(world.session, dice)
        world.tell_or_refuse(command)
        if dice.random() < 0.1:
            world.tell_or_refuse(command)


def _chosen(now: session.Session, dice: Random) -> Command:
    """Mostly what comes at this moment, else anything that can come at all."""
    likely: tuple[Move, ...] = PEOPLE
    if now.answering is not None and now.claimed_answer != now.answer:
        likely = (_claim, _claim, _claim, _interrupt)
    elif now.interrupting:
        likely = (_record_interrupted, _record_interrupted, _claim, _fail)
    elif now.answering is not None:
        likely = ANSWERING
    if dice.random() < 0.3:
        likely = (*PEOPLE, *ANSWERING, _record_interrupted)
    return dice.choice(likely)(now, dice)


# ---- people -------------------------------------------------------------------------------------------------


def _ask(now: session.Session, dice: Random) -> Command:
    id = f"m{len(now.heard) + dice.choice((0, 0, 0, -1))}"
    return session.Ask(message_id=id, message=dice.choice(("What is this?", "")), author="user:ada")


def _interrupt(now: session.Session, dice: Random) -> Command:
    known = [*now.heard[-3:], *(each.message_id for each in now.waiting), "unknown"]
    current = [now.answering.message_id] * 3 if now.answering else []
    return session.Interrupt(message_id=dice.choice([*known, *current]))


def _confirm(now: session.Session, dice: Random) -> Command:
    return session.Confirm(proposal_id=_a_proposal(now, dice))


def _dismiss(now: session.Session, dice: Random) -> Command:
    return session.Dismiss(proposal_id=_a_proposal(now, dice))


def _a_proposal(now: session.Session, dice: Random) -> str:
    return dice.choice([*(each.proposal_id for each in now.open), *now.decided[-2:], "unknown"])


def _rename(now: session.Session, dice: Random) -> Command:
    return session.Rename(title=dice.choice(("", "The sum")))


def _put_away_or_take_out(now: session.Session, dice: Random) -> Command:
    return dice.choice((session.Archive(), session.Unarchive()))


# ---- the agent ----------------------------------------------------------------------------------------------


def _claim(now: session.Session, dice: Random) -> Command:
    return session.Claim(answer=_near(now.answer, dice), worker="w", session="s")


def _answer(now: session.Session, dice: Random) -> Command:
    return session.Answer(attempt=_near(now.attempt, dice), text="A calculator.", usage=dice.choice(USAGES))


def _fail(now: session.Session, dice: Random) -> Command:
    return session.Fail(attempt=_near(now.attempt, dice), code="x", message="X.", usage=dice.choice(USAGES))


def _record_interrupted(now: session.Session, dice: Random) -> Command:
    return session.RecordInterrupted(attempt=_near(now.attempt, dice), text=dice.choice(("A cal", "")))


def _record_spend(now: session.Session, dice: Random) -> Command:
    return session.RecordSpend(answer=_near(now.answer, dice), place="here", usage=dice.choice(USAGES))


def _propose(now: session.Session, dice: Random) -> Command:
    proposal = session.Proposal(
        proposal_id=f"p{len(now.open) + len(now.decided) + dice.choice((0, 0, -1))}",
        action=dice.choice(tuple(session.Action)),
        task_id=TASK_ID,
        title="Fix the sum",
        text=dice.choice(("1 + 1 gives 3.", "And mind the spaces.")),
    )
    return session.Propose(attempt=_near(now.attempt, dice), proposal=proposal)


def _near(number: int, dice: Random) -> int:
    return max(0, number + dice.choice((0, 0, 0, 0, 0, 0, -1, 1)))


Move = Callable[[session.Session, Random], Command]
PEOPLE: Final[tuple[Move, ...]] = (
    _ask, _ask, _ask, _interrupt, _confirm, _confirm, _dismiss, _rename, _put_away_or_take_out,
)  # fmt: skip
ANSWERING: Final[tuple[Move, ...]] = (
    _answer, _answer, _fail, _propose, _propose, _interrupt, _ask, _record_spend,
)  # fmt: skip
