"""What is done with a result between its bundle and its branch: looked at, refused or signed as ours."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from pathlib import Path

from services.gateway.outbound import pull_request_text as words
from services.gateway.outbound.publish_rules import MAX_NAMED, CannotPublish, Rules, refuse
from shared.contracts import reply
from shared.workspace.publish import Prepare
from shared.workspace.result_inspection import Signature, conflicts, inspect, signed_by, tree_by


class Preparation:
    """For one publication.

    ``base`` is the branch that the result must still fit: empty is the default one, None is none. ``trees`` are those
    of earlier results of the task on the same branch. ``replaceable`` is the commit of one that is there: it was
    published, and nobody lived to record under which id.
    """

    def __init__(
        self,
        rules: Rules,
        *,
        author: Signature | None = None,
        co_author: Signature | None = None,
        base: str | None = None,
        trees: Collection[str] = (),
        signing_key: Path | None = None,
    ) -> None:
        self._rules = rules
        self._author = author
        self._co_author = co_author
        self._base = base
        self._trees = trees
        self._signing_key = signing_key
        self.replaceable = ""

    @property
    def is_needed(self) -> bool:
        """Whether anything has to be looked at or done."""
        return bool(self._rules != Rules() or self._author is not None or self._base is not None)

    def of(self, wanted: reply.Requested) -> Prepare:
        """What looks at this result: raises `CannotPublish`, or answers with the commit to publish."""

        async def prepare(repository: Path, tip_of: Callable[[str], Awaitable[str | None]]) -> str:
            result = await inspect(repository, wanted.base_commit, wanted.commit)
            refuse(result, wanted.branch, self._rules)
            if self._base is not None:
                await self._refuse_moved(repository, wanted, await tip_of(self._base))
            if self._author is None:
                return wanted.commit
            there = await tip_of(wanted.branch) if self._trees else None
            if there is not None and await tree_by(repository, there, self._author) in self._trees:
                self.replaceable = there
            message = words.commit_message(result.message, self._co_author)
            return await signed_by(repository, wanted.commit, self._author, message, signing_key=self._signing_key)

        return prepare

    async def _refuse_moved(self, repository: Path, wanted: reply.Requested, tip: str | None) -> None:
        name = self._base or "The default branch"
        if tip is None:
            raise CannotPublish(
                "base-gone",
                f"{name} is not in the target repository any more: set another base in journeyman.toml, then retry.",
            )
        if tip == wanted.base_commit:
            return
        if paths := await conflicts(repository, wanted.base_commit, tip, wanted.commit):
            more = f" and {len(paths) - MAX_NAMED} more" if len(paths) > MAX_NAMED else ""
            raise CannotPublish(
                "base-moved",
                f"{name} has moved since the work began, and both have changed {', '.join(paths[:MAX_NAMED])}{more}. "
                "Have the work done again on what is there now: retry the task afresh.",
            )
