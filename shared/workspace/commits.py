"""Commits of a mirror: made of a tree that is there, always with the same id, or brought by a bundle."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec

from shared.workspace.bundle import has_commit, load_bundle
from shared.workspace.git import GitFailed
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


async def bring(mirror: Mirror, commit: str, bundle: Path) -> None:
    """Have the mirror hold a commit out of a bundle whose base may have to be fetched first. Raises ``GitFailed``."""
    if (mirror.path / "HEAD").exists() and await has_commit(mirror.path, commit):
        return
    try:
        await load_bundle(mirror.path, bundle, commit)
    except GitFailed:
        await mirror.fetch()
        await load_bundle(mirror.path, bundle, commit)
