"""Bringing a branch up to date with its base where git can do it alone: nothing of it runs, no worktree is needed.

What comes of it is the same each time, so that it is found again by whoever does it a second time.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec

from shared.contracts.pull_request import CatchUp
from shared.workspace.git import ask, commit_id, failed, git, printable
from shared.workspace.mirror import Mirror
from shared.workspace.result_inspection import Signature, signed_by

MAX_COMMITS: Final = 100
"""Commits of a branch that are put on top of its base."""
MAX_NAMED: Final = 5


class CannotCatchUp(Exception):
    """A person has to do it. ``code`` is stable; the text says why."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


class Who(msgspec.Struct, frozen=True, kw_only=True):
    """Who new commits are by, when, and with which key they are signed."""

    signature: Signature
    at: datetime
    key: Path | None = None


async def caught_up(mirror: Mirror, head: str, base: str, how: CatchUp, *, message: str, who: Who) -> str:
    """The commit that has ``base`` and what ``head`` brings; ``head`` itself where it has the base already.

    Both are in the mirror with their histories. ``message`` is that of a merge.
    Raises `CannotCatchUp`, and ``GitFailed`` for what git cannot read.
    """
    if await _has(mirror, head, base):
        return head
    if how is CatchUp.MERGE:
        tree = await _merged(mirror, commit_id(base), commit_id(head))
        return await _made(mirror, tree, (head, base), message, who, f"@{round(who.at.timestamp())} +0000")
    return await _rebased(mirror, head, base, who)


async def _has(mirror: Mirror, head: str, base: str) -> bool:
    asked = ("merge-base", "--is-ancestor", commit_id(base), commit_id(head))
    answer = await ask(f"--git-dir={mirror.path}", *asked)
    if answer.code not in (0, 1):
        raise failed(asked, answer)
    return answer.code == 0


async def _rebased(mirror: Mirror, head: str, base: str, who: Who) -> str:
    """Each commit of ours on top of the base, one after the other; those that bring nothing any more are left out."""
    listed = await mirror.git("rev-list", "--reverse", "--topo-order", "--parents", f"{base}..{head}")
    rows = [line.split(" ") for line in listed.splitlines()]
    if len(rows) > MAX_COMMITS:
        raise CannotCatchUp("rebase-too-long", f"Its branch has {len(rows)} commits, too many to be put on the base.")
    tip, tree = base, await _tree(mirror, base)
    for commit, *parents in rows:
        shown = (await mirror.git("show", "--no-patch", "--format=%ae%x00%ad%x00%B", "--date=raw", commit)).strip("\n")
        email, when, message = shown.split("\0", 2)
        if len(parents) != 1 or email != who.signature.email:
            raise CannotCatchUp("rebase-foreign", _FOREIGN)
        picked = await _picked(mirror, tip, commit, parents[0])
        if picked != tree:
            tip, tree = await _made(mirror, picked, (tip,), message, who, f"@{when}"), picked
    if tip == base:
        raise CannotCatchUp("nothing-left", "Its base has all of it by now: close the pull request.")
    return tip


async def _picked(mirror: Mirror, onto: str, commit: str, parent: str) -> str:
    """The tree of what ``commit`` changes of its parent, done to ``onto``."""
    # With roots of their own the two have exactly this parent in common, whatever their histories.
    root = await _bare(mirror, parent)
    return await _merged(mirror, await _bare(mirror, onto, root), await _bare(mirror, commit, root))


async def _bare(mirror: Mirror, commit: str, *parents: str) -> str:
    named = [part for parent in parents for part in ("-p", parent)]
    made = await mirror.git("commit-tree", f"{commit}^{{tree}}", *named, "-m", "x", env=_NOBODY)
    return made.strip()


async def _merged(mirror: Mirror, ours: str, theirs: str) -> str:
    asked = ("merge-tree", "--write-tree", "--name-only", "--no-messages", "-z", ours, theirs)
    answer = await ask(f"--git-dir={mirror.path}", *asked)
    tree, *paths = answer.text.split("\0")
    if answer.code == 0:
        return tree
    if answer.code != 1:
        raise failed(("merge-tree",), answer)
    named = list(dict.fromkeys(printable(path) for path in paths if path))
    more = f" and {len(named) - MAX_NAMED} more" if len(named) > MAX_NAMED else ""
    raise CannotCatchUp(
        "base-conflict",
        f"Its base has moved, and both have changed {', '.join(named[:MAX_NAMED])}{more}: merge or rebase it by hand, "
        "or say `fix` and what is to be kept.",
    )


async def _tree(mirror: Mirror, commit: str) -> str:
    return (await mirror.git("rev-parse", "--verify", f"{commit_id(commit)}^{{tree}}")).strip()


async def _made(mirror: Mirror, tree: str, parents: tuple[str, ...], message: str, who: Who, when: str) -> str:
    named = [part for parent in parents for part in ("-p", parent)]
    dates = {"GIT_AUTHOR_DATE": when, "GIT_COMMITTER_DATE": when}
    made = await git(f"--git-dir={mirror.path}", "commit-tree", tree, *named, "-m", "x", env=_NOBODY | dates)
    return await signed_by(mirror.path, made.strip(), who.signature, message, signing_key=who.key)


_NOBODY: Final = {
    f"GIT_{role}_{what}": value
    for role in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "x"), ("EMAIL", "x"), ("DATE", "@0 +0000"))
}
_FOREIGN: Final = (
    "Its base has moved, and the branch has commits of others, or merges, which are never rewritten: rebase or merge "
    'it by hand, or set base_moved = "merge" for the repository in journeyman.toml.'
)
