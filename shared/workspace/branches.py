"""Names of branches: what a result's branch is called, and which branch makes another one impossible."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import Final

from shared.workspace.git import GitFailed
from shared.workspace.mirror import Mirror

DEFAULT_PREFIX: Final = "journeyman"
MAX_SLUG: Final = 40
HEADS: Final = "refs/heads/"


class BranchInTheWay(GitFailed):
    """``branch`` cannot exist beside ``found``: for the one, git needs a folder where it keeps the other."""

    def __init__(self, branch: str, found: str) -> None:
        super().__init__(
            f"The branch {branch} cannot be made, because a branch {found} is there. Rename or delete {found} in the "
            "target repository, or set another branch_prefix for the repository in journeyman.toml, then retry."
        )
        self.branch = branch
        self.found = found


def branch_name(task_id: str, title: str, prefix: str = DEFAULT_PREFIX) -> str:
    """``<prefix>/<task id>-<slug>``: valid for git, stable for one task, which `ids.task_id_in` finds again."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", plain)[:MAX_SLUG].strip("-")
    id = re.sub(r"[^a-z0-9]", "", task_id.lower())
    return f"{prefix}/{'-'.join(part for part in (id, slug) if part) or 'task'}"


def branch_in_the_way(refs: Iterable[str], branch: str) -> str | None:
    """The branch among ``refs`` (full names) that makes ``branch`` impossible: a part of its path, or one below it."""
    wanted = f"{HEADS}{branch}"
    blocking = (ref for ref in refs if wanted.startswith(f"{ref}/") or ref.startswith(f"{wanted}/"))
    return next((ref.removeprefix(HEADS) for ref in sorted(blocking) if ref.startswith(HEADS)), None)


def places_in_the_way(branch: str) -> list[str]:
    """Patterns of `ls-remote` and `for-each-ref` for every ref that `branch_in_the_way` could name."""
    parts = branch.split("/")
    above = [HEADS + "/".join(parts[:count]) for count in range(1, len(parts))]
    return [*above, f"{HEADS}{branch}/*"]


async def refuse_branch_in_the_way(mirror: Mirror, branch: str) -> None:
    """Ask the mirror, as it was seen last, before any work is paid for. Raises ``BranchInTheWay``."""
    refs = (line.partition(" ")[2] for line in (await mirror.names()).splitlines())
    if (found := branch_in_the_way(refs, branch)) is not None:
        raise BranchInTheWay(branch, found)
