"""Whether the person in whose name a result is published may still ask for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from services.gateway.inbound.authorisation import Authority
from shared.contracts import task
from shared.contracts.messages import Event
from shared.contracts.subjects import Actor
from shared.event_store.envelope import RecordedEvent
from shared.event_store.journal import Journal

DECISIONS: Final[tuple[type[Event], ...]] = (
    task.Submitted,
    task.FollowedUp,
    task.Reviewed,
    task.Approved,
    task.Retried,
    task.GoingOn,
    task.PublicationRequested,
)
"""By which somebody wants the work done."""


class StandingLost(Exception):
    """The person may not ask for it any more; the text says who, and what to do."""


def in_whose_name(story: Sequence[RecordedEvent]) -> str:
    """The principal of the newest decision that a person made, or an empty text."""
    return next(
        (
            event.principal
            for event in reversed(story)
            if isinstance(event.data, DECISIONS) and not event.principal.startswith("service:")
        ),
        "",
    )


class Standing:
    """Asks the authority of the sender by which a person has spoken."""

    def __init__(self, journal: Journal, authorities: Mapping[str, Authority]) -> None:
        self._journal = journal
        self._authorities = authorities

    async def check(self, task_id: str, repo: str) -> None:
        """Raises `StandingLost`, and what the authority raises. Nobody is asked about users of the dashboard or CLI."""
        if not self._authorities:
            return
        sender, _, login = in_whose_name(await self._journal.load(Actor("task", task_id))).partition(":")
        authority = self._authorities.get(sender)
        if authority is not None and not await authority.may_steer(repo, login):
            raise StandingLost(
                f"{login} asked for this and may not tell the agent what to do in {repo} any more: somebody who may "
                "has to retry the task."
            )
