"""The reply's rules: an effect is wanted, claimed, and then visible once.

A publication is over when it was visible once. What people are shown is written anew when a newer revision is wanted.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final, assert_never

from msgspec.structs import replace

from shared.contracts.decider import Decider, Rejected
from shared.contracts.reply import (
    COMMENT,
    STATE,
    Claim,
    Claimed,
    Conclude,
    Concluded,
    Display,
    Effect,
    EffectKind,
    EffectStatus,
    Fail,
    Failed,
    Mark,
    Post,
    Posted,
    Reply,
    ReplyCommand,
    ReplyEvent,
    Request,
    Requested,
    Show,
    Shown,
    Want,
    Wanted,
    Withdraw,
    Withdrawn,
    effect_at,
    kind_of_effect,
    sender_of,
)

MARKS_A_MINUTE: Final = 20
"""Messages about one thing that get a reaction; in a storm of them the first ones do."""
LINES_A_MINUTE: Final = 5
"""Refusals and answers on one thing: so many lines are read, more are noise."""
MINUTE: Final = timedelta(minutes=1)
MAX_DISPLAYS: Final = 500
"""Things shown for one task that are remembered; what is older is found again where it is shown."""
_UNDER_WAY: Final = frozenset({Mark.AT_WORK, Mark.DONE, Mark.NOT_DONE})
"""Marks at words that asked for work: a later round may end otherwise."""


def decide(reply: Reply, command: ReplyCommand) -> ReplyEvent | None:
    """What comes of a command. Raises `Rejected`; what was told twice or came late gives None."""
    match command:
        case Request() | Withdraw() if 0 < command.cause <= reply.cause:
            return None
        case Request():
            return None if command.effect in reply.effects else _requested(command)
        case Withdraw():
            unclaimed = tuple(name for name, effect in reply.effects.items() if effect.status is EffectStatus.REQUESTED)
            return Withdrawn(effects=unclaimed, cause=command.cause) if unclaimed else None
        case Want():
            return _wanted(reply, command)
        case Conclude():
            return _concluded(reply, command)
        case Show():
            return _shown(_display(reply, command.effect), command)
        case Claim() | Fail() if command.effect in reply.displays:
            return _about_a_display(reply.displays[command.effect], command)
        case Claim():
            return _claimed(_effect(reply, command.effect), command)
        case Post() | Fail():
            return _reported(_effect(reply, command.effect), command)


def _requested(command: Request) -> Requested:
    return Requested(
        effect=command.effect,
        repo=command.repo,
        base_commit=command.base_commit,
        commit=command.commit,
        branch=command.branch,
        bundle=command.bundle,
        tree=command.tree,
        cause=command.cause,
    )


def _effect(reply: Reply, name: str) -> Effect:
    effect = reply.effects.get(name)
    if effect is None:
        raise Rejected("effect-unknown", f"Nobody asked for the effect {name!r}: request it first.")
    return effect


def _claimed(effect: Effect, command: Claim) -> Claimed:
    """A claimed effect may be claimed again: its gateway may be gone."""
    match effect.status:
        case EffectStatus.REQUESTED | EffectStatus.CLAIMED:
            return Claimed(effect=command.effect, attempt=effect.attempt + 1, worker=command.worker)
        case _:
            raise Rejected(
                "attempt-stale", f"The effect {command.effect!r} is already {effect.status}: leave it as it is."
            )


def _reported(effect: Effect, command: Post | Fail) -> Posted | Failed | None:
    if command.attempt != effect.attempt:
        raise Rejected(
            "attempt-stale",
            f"Attempt {command.attempt} at {command.effect!r} is over, {effect.attempt} is the newest: leave it.",
        )
    match command, effect.status:
        case Post(), EffectStatus.CLAIMED:
            return Posted(
                effect=command.effect,
                attempt=command.attempt,
                commit=command.commit or effect.request.commit,
                branch=effect.request.branch,
                url=command.url,
                pull_request=command.pull_request,
            )
        case Fail(), EffectStatus.CLAIMED:
            return Failed(effect=command.effect, attempt=command.attempt, code=command.code, message=command.message)
        case (Post(), EffectStatus.POSTED) | (Fail(), EffectStatus.FAILED):
            return None
        case _:
            raise Rejected(
                "effect-wrong-state", f"The effect {command.effect!r} is {effect.status}: nothing is left to report."
            )


def _with_who_said_it(reply: Reply, command: Want) -> Want:
    """Who has said what the effect is about, and where: of a message that was marked, its mark knows."""
    marked = reply.displays.get(effect_at(EffectKind.REACTION, command.target)) if command.target else None
    if marked is None or (command.author and command.url):
        return command
    author, url = command.author or marked.wanted.author, command.url or marked.wanted.url
    return replace(command, author=author, url=url)


def _wanted(reply: Reply, command: Want) -> Wanted | None:
    command = _with_who_said_it(reply, command)
    known = reply.displays.get(command.effect)
    thread = command.thread or (known.wanted.thread if known else _place_of(reply, command))
    if known is not None and command.revision <= max(known.wanted.revision, known.shown):
        return None
    if not thread or (known is None and (command.anew or _is_noise(reply, command))):
        return None
    if command.only and sender_of(thread) not in command.only:
        return None
    if known is not None and known.wanted.effect == STATE and known.wanted.text == command.text:
        # People may have moved it on since.
        return None
    return Wanted(
        effect=command.effect,
        thread=thread,
        repo=command.repo or (known.wanted.repo if known else reply.repo),
        target=command.target or (known.wanted.target if known else ""),
        text=command.text,
        author=command.author,
        url=command.url,
        revision=command.revision,
        at=command.at,
    )


def _place_of(reply: Reply, command: Want) -> str:
    """Where people speak about the task, for what happened since that is known."""
    is_later = reply.since is None or command.at is None or reply.since <= command.at
    return reply.thread if is_later else ""


def _is_noise(reply: Reply, command: Want) -> bool:
    """Whether so much was shown just now, or the same was said to the same person before."""
    match kind_of_effect(command.effect):
        case EffectKind.REACTION:
            return _within_a_minute(reply.marked_at, command.at) >= MARKS_A_MINUTE
        case EffectKind.REFUSAL if any(
            kind_of_effect(name) is EffectKind.REFUSAL
            and (each.wanted.text, each.wanted.author) == (command.text, command.author)
            for name, each in reply.displays.items()
        ):
            return True
        case EffectKind.REFUSAL | EffectKind.ANSWER:
            return _within_a_minute(reply.told_at, command.at) >= LINES_A_MINUTE
        case _:
            return False


def _within_a_minute(moments: tuple[datetime, ...], now: datetime | None) -> int:
    return sum(now - MINUTE < at <= now for at in moments) if now is not None else 0


def _concluded(reply: Reply, command: Conclude) -> Concluded | None:
    effects = tuple(
        name
        for name, each in reply.displays.items()
        if kind_of_effect(name) is EffectKind.REACTION
        and each.wanted.text in _giving_way_to(command.text)
        and each.wanted.revision < command.revision
        and (each.wanted.at is None or command.at is None or each.wanted.at <= command.at)
    )
    return Concluded(effects=effects, text=command.text, revision=command.revision) if effects else None


def _giving_way_to(mark: Mark) -> Collection[Mark]:
    """What was done stays done when work begins again."""
    return (Mark.NOT_DONE,) if mark is Mark.AT_WORK else _UNDER_WAY - {mark}


def _display(reply: Reply, name: str) -> Display:
    display = reply.displays.get(name)
    if display is None:
        raise Rejected("effect-unknown", f"Nobody wants {name!r} to be shown: want it first.")
    return display


def _shown(display: Display, command: Show) -> Shown | None:
    _refuse_stale(display, command)
    if display.status is not EffectStatus.CLAIMED:
        return None
    return Shown(
        effect=command.effect,
        attempt=command.attempt,
        revision=command.revision,
        url=command.url,
        external=command.external,
    )


def _about_a_display(display: Display, command: Claim | Fail) -> Claimed | Failed | None:
    match command:
        case Claim() if display.status in (EffectStatus.REQUESTED, EffectStatus.CLAIMED):
            return Claimed(effect=command.effect, attempt=display.attempt + 1, worker=command.worker)
        case Claim():
            raise Rejected(
                "attempt-stale", f"The effect {command.effect!r} is already {display.status}: leave it as it is."
            )
        case Fail():
            _refuse_stale(display, command)
            if display.status is not EffectStatus.CLAIMED:
                return None
            return Failed(effect=command.effect, attempt=command.attempt, code=command.code, message=command.message)


def _refuse_stale(display: Display, command: Show | Fail) -> None:
    if command.attempt != display.attempt:
        raise Rejected(
            "attempt-stale",
            f"Attempt {command.attempt} at {command.effect!r} is over, {display.attempt} is the newest: leave it.",
        )


def evolve(reply: Reply, event: ReplyEvent) -> Reply:
    """The reply after a fact."""
    match event:
        case Wanted() | Shown():
            return _evolve_display(reply, event)
        case Claimed() | Failed() if event.effect in reply.displays:
            return _evolve_display(reply, event)
        case Concluded():
            return reply
        case Requested():
            effect = Effect(status=EffectStatus.REQUESTED, request=event)
            effects = {**reply.effects, event.effect: effect}
            return replace(reply, effects=effects, cause=max(reply.cause, event.cause))
        case Claimed():
            return _with(reply, event.effect, status=EffectStatus.CLAIMED, attempt=event.attempt)
        case Posted():
            return _with(reply, event.effect, status=EffectStatus.POSTED, url=event.url, commit=event.commit)
        case Failed():
            return _with(reply, event.effect, status=EffectStatus.FAILED)
        case Withdrawn():
            withdrawn = {name: replace(reply.effects[name], status=EffectStatus.WITHDRAWN) for name in event.effects}
            return replace(reply, effects={**reply.effects, **withdrawn}, cause=max(reply.cause, event.cause))
        case _:
            assert_never(event)


def _evolve_display(reply: Reply, event: Wanted | Shown | Claimed | Failed) -> Reply:
    display = reply.displays.get(event.effect)
    match event:
        case Wanted() if display is None:
            return _first_wanted(reply, event)
        case _ if display is None:
            # It was shown so long ago that it is forgotten.
            return reply
        case Wanted():
            # Who works at it stays the one who does: another claim waits for what is shown.
            working = display.status is EffectStatus.CLAIMED
            after = replace(display, wanted=event, status=display.status if working else EffectStatus.REQUESTED)
        case Claimed():
            after = replace(
                display,
                status=EffectStatus.CLAIMED,
                attempt=event.attempt,
                claimed=display.wanted.revision,
                worker=event.worker,
            )
        case Shown():
            behind = event.revision < display.wanted.revision
            after = replace(
                display,
                status=EffectStatus.REQUESTED if behind else EffectStatus.POSTED,
                shown=event.revision,
                url=event.url,
                external=event.external,
            )
        case Failed():
            behind = display.claimed < display.wanted.revision
            after = replace(display, status=EffectStatus.REQUESTED if behind else EffectStatus.FAILED)
    return replace(reply, displays={**reply.displays, event.effect: after})


def _first_wanted(reply: Reply, event: Wanted) -> Reply:
    displays = {**reply.displays, event.effect: Display(wanted=event)}
    for name in [each for each in displays if each != COMMENT][: max(0, len(displays) - MAX_DISPLAYS)]:
        del displays[name]
    kind = kind_of_effect(event.effect)
    # A commit is no place where people talk.
    is_the_tasks = kind is not EffectKind.CHECK and not reply.thread
    return replace(
        reply,
        displays=displays,
        thread=event.thread if is_the_tasks else reply.thread,
        repo=event.repo if is_the_tasks else reply.repo,
        since=event.at if is_the_tasks else reply.since,
        marked_at=_newest(reply.marked_at, event.at, MARKS_A_MINUTE)
        if kind is EffectKind.REACTION
        else reply.marked_at,
        told_at=_newest(reply.told_at, event.at, LINES_A_MINUTE) if kind in _LINES else reply.told_at,
    )


_LINES: Final = frozenset({EffectKind.REFUSAL, EffectKind.ANSWER})


def _newest(moments: tuple[datetime, ...], at: datetime | None, most: int) -> tuple[datetime, ...]:
    return (*moments, at)[-most:] if at is not None else moments


def _with(reply: Reply, name: str, **changes: EffectStatus | int | str) -> Reply:
    return replace(reply, effects={**reply.effects, name: replace(reply.effects[name], **changes)})


DECIDER = Decider("reply", Reply(), decide, evolve)
