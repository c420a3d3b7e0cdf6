"""What happened to a reply."""

from __future__ import annotations

from typing import assert_never

from shared.contracts import reply
from shared.contracts.sentences.words import because, one_line


def sentence(event: reply.ReplyEvent) -> str:
    """One line."""
    match event:
        case reply.Requested(effect=effect, branch=branch):
            return f"To be made visible: {effect} as {branch}."
        case reply.Claimed(effect=effect, worker=worker):
            return f"{worker} makes {effect} visible."
        case reply.Posted(effect=effect, branch=branch, commit=commit, url=url):
            return f"{effect} is visible: {branch} is at {commit[:8]}{f', see {url}' if url else ''}."
        case reply.Failed(effect=effect, message=message):
            return f"{effect} could not be made visible: {one_line(message)}"
        case reply.Withdrawn(effects=effects):
            return f"No longer wanted: {', '.join(effects)}."
        case reply.Wanted(effect=effect, text=text):
            return _wanted(effect, text)
        case reply.Shown(effect=effect, url=url):
            return f"{effect} is shown{f', see {url}' if url else ''}."
        case reply.Concluded(effects=effects, text=text):
            return f"The work has ended ({text}), which is to be seen at {', '.join(effects)}."
        case _:
            assert_never(event)


def _wanted(effect: str, text: str) -> str:
    match reply.kind_of_effect(effect):
        case reply.EffectKind.WORK_LOG:
            return f"To be logged as worked on by attempt {effect.partition('/')[2]}: {text} s."
        case reply.EffectKind.STATE:
            return f"To be shown as the thing's status{because(text)}"
        case reply.EffectKind.LINK:
            return f"To be linked from the thing{because(text)}"
        case reply.EffectKind.COMMENT:
            return "To be told in the task's comment: how it stands now."
        case _:
            return f"To be shown: {effect}{because(text)}"
