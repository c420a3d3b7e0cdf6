"""The one review of a commit: found by its hidden mark, or written, never as an approval or a demand for changes."""

from __future__ import annotations

from typing import Final

import msgspec
import structlog

from services.gateway.github.answers import Review
from services.gateway.github.client import GitHub
from services.gateway.github.errors import Refused
from services.gateway.outbound.displays import CannotShow, Visible
from services.gateway.outbound.parts import marker
from services.gateway.outbound.review_text import review_text
from shared.contracts import task
from shared.contracts.reply import Display, reviewed_in
from shared.contracts.subjects import Actor
from shared.event_store.journal import Journal

log = structlog.get_logger(__name__)

_TRIES: Final = ((True, True), (True, False), (False, False))
"""With its commit and at its lines; what GitHub does not take then is said without the one, or without both."""


class Reviews:
    """Shows what an attempt at a review has written."""

    def __init__(self, github: GitHub, journal: Journal, *, public_url: str = "") -> None:
        self._github = github
        self._journal = journal
        self._public_url = public_url

    async def show(self, repo: str, number: int, id: str, display: Display) -> Visible:
        """Write the review, or find it; raises `CannotShow`, and what the client raises."""
        wanted = display.wanted
        found = await self._find(repo, number, marker(id, wanted.effect))
        if found is None:
            found = await self._write(repo, number, id, await self._written(id, reviewed_in(wanted.effect)))
        return Visible(revision=wanted.revision, url=found.html_url, external=str(found.id))

    async def _write(self, repo: str, number: int, id: str, written: task.ReviewWritten) -> Review:
        """With the findings at their lines; GitHub names no single line that it refuses, so then all are in the body.

        A commit that is none of the pull request any more, because that was rewritten, is named in the body alone.
        """
        head = (await self._github.pull(repo, number)).head.sha
        newer = head if head and head != written.review.head else ""
        refusal: Refused | None = None
        for with_commit, at_lines in _TRIES:
            text = review_text(id, written, at_lines=at_lines, newer=newer, public_url=self._public_url)
            if refusal is not None:
                log.info("a review is written otherwise", pull_request=number, lines=at_lines, why=str(refusal))
            try:
                return await self._github.create_review(
                    repo,
                    number,
                    commit=written.review.head if with_commit else "",
                    body=text.body,
                    comments=[msgspec.structs.asdict(each) for each in text.comments],
                )
            except Refused as error:
                refusal = error
        assert refusal is not None, "what is not refused is written"
        raise refusal

    async def _find(self, repo: str, number: int, mark: str) -> Review | None:
        """Our own review with that mark; of several the oldest."""
        for each in await self._github.reviews(repo, number):
            if (each.body or "").startswith(mark) and await self._github.is_own(each.user):
                return each
        return None

    async def _written(self, id: str, attempt: int) -> task.ReviewWritten:
        is_again = False
        for event in reversed(await self._journal.load(Actor("task", id))):
            match event.data:
                case task.Retried(review=number) if number == attempt:
                    is_again = True
                case task.Cancelled() if not is_again:
                    raise CannotShow("task-stopped", "The task was stopped before its review was shown.")
                case task.ReviewWritten(attempt=number) as written if number == attempt:
                    return written
        raise CannotShow("review-unknown", f"Nothing is known of a review that attempt {attempt} has written.")
