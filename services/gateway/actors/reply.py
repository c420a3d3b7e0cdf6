"""The reply's rules: an effect is wanted, claimed, and then visible once."""

from __future__ import annotations

from typing import assert_never

from msgspec.structs import replace

from shared.contracts.decider import Decider, Rejected
from shared.contracts.reply import (
    Claim,
    Claimed,
    Effect,
    EffectStatus,
    Fail,
    Failed,
    Post,
    Posted,
    Reply,
    ReplyCommand,
    ReplyEvent,
    Request,
    Requested,
    Withdraw,
    Withdrawn,
)


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


def evolve(reply: Reply, event: ReplyEvent) -> Reply:
    """The reply after a fact."""
    match event:
        case Requested():
            effect = Effect(status=EffectStatus.REQUESTED, request=event)
            return Reply(effects={**reply.effects, event.effect: effect}, cause=max(reply.cause, event.cause))
        case Claimed():
            return _with(reply, event.effect, status=EffectStatus.CLAIMED, attempt=event.attempt)
        case Posted():
            return _with(reply, event.effect, status=EffectStatus.POSTED, url=event.url, commit=event.commit)
        case Failed():
            return _with(reply, event.effect, status=EffectStatus.FAILED)
        case Withdrawn():
            withdrawn = {name: replace(reply.effects[name], status=EffectStatus.WITHDRAWN) for name in event.effects}
            return Reply(effects={**reply.effects, **withdrawn}, cause=max(reply.cause, event.cause))
        case _:
            assert_never(event)


def _with(reply: Reply, name: str, **changes: EffectStatus | int | str) -> Reply:
    return replace(reply, effects={**reply.effects, name: replace(reply.effects[name], **changes)})


DECIDER = Decider("reply", Reply(), decide, evolve)
