"""Commits made of a tree that is there: the same tree, parent, words and time always give the same commit id."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import msgspec

from shared.workspace.mirror import Mirror


class Author(msgspec.Struct, frozen=True):
    """Who a commit is by."""

    name: str
    email: str


JOURNEYMAN: Final = Author(name="Journeyman", email="journeyman@localhost")


async def commit_tree(mirror: Mirror, tree: str, parent: str, message: str, author: Author, at: datetime) -> str:
    """The id of a commit of ``tree`` on top of ``parent``, both object ids of the mirror; no ref points at it yet.

    Whole seconds of ``at`` count, and it needs a zone (``ValueError``). Raises ``GitFailed``.
    """
    if at.tzinfo is None:
        raise ValueError("A commit needs a time with a zone.")
    when = f"@{int(at.timestamp())} +0000"
    env = {
        "GIT_AUTHOR_NAME": author.name,
        "GIT_AUTHOR_EMAIL": author.email,
        "GIT_AUTHOR_DATE": when,
        "GIT_COMMITTER_NAME": JOURNEYMAN.name,
        "GIT_COMMITTER_EMAIL": JOURNEYMAN.email,
        "GIT_COMMITTER_DATE": when,
    }
    text = message.replace("\0", "").strip().encode("utf-8", "replace") + b"\n"
    return (await mirror.git("commit-tree", tree, "-p", parent, env=env, input=text)).strip()
