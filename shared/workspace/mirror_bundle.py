"""A whole mirror in one file, less what the reader already has: how objects come to services without credentials.

It is a bundle of git's (gitformat-bundle(5)), but `git bundle create` leaves out each branch that has nothing new, and
who reads it would delete that branch. So the list of refs is written here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import msgspec

from shared.ops.files import sha256_of
from shared.workspace.bundle import has_commit
from shared.workspace.git import GitFailed, git
from shared.workspace.mirror import HEAD_REF, Mirror

WANTED: Final = "refs/journeyman/wanted"
"""Under which name the file has a commit that no branch may reach."""
PACK_TIMEOUT_S: Final = 1800.0
_SIGNATURE: Final = "# v2 git bundle\n"


class MirrorBundle(msgspec.Struct, frozen=True, kw_only=True):
    """A written file: bytes and lower-case hex SHA-256 of it, whether it has a default branch and a wanted commit."""

    path: Path
    size: int
    sha256: str
    has_head: bool
    wanted: str | None


async def write_mirror_bundle(mirror: Mirror, have: Iterable[str], commit: str | None, folder: Path) -> MirrorBundle:
    """Write branches, tags, the default branch and ``commit``, without what the commits in ``have`` reach.

    ``have`` may name commits that are not here. Raises ``GitFailed``.
    """
    listed = await mirror.git("for-each-ref", "--format=%(objectname) %(refname)", "refs/heads", "refs/tags", HEAD_REF)
    refs = [line.replace(f" {HEAD_REF}", " HEAD") for line in listed.splitlines()]
    has_head = any(line.endswith(" HEAD") for line in refs)
    if commit is not None:
        if not await has_commit(mirror.path, commit):
            raise GitFailed(f"There is no commit {commit} in the repository.")
        refs.append(f"{commit} {WANTED}")
    known = await _known(mirror, have)
    revisions = "".join(f"{each}\n" for each in [*(line.partition(" ")[0] for line in refs), *(f"^{c}" for c in known)])
    path = folder / "whole.bundle"
    # --window=0: deltas that are there go along, and none is looked for: that would cost more time than it saves.
    pack = ("pack-objects", "--revs", "--thin", "--stdout", "--quiet", "--delta-base-offset", "--window=0")
    head = _SIGNATURE + "".join(f"{line}\n" for line in refs) + "\n"
    with path.open("wb", buffering=0) as out:
        out.write(head.encode("utf-8", "surrogateescape"))
        where = f"--git-dir={mirror.path}"
        await git(where, *pack, input=revisions.encode(), output=out.fileno(), timeout=PACK_TIMEOUT_S)
    digest = await asyncio.to_thread(sha256_of, path)
    wanted = WANTED if commit is not None else None
    return MirrorBundle(path=path, size=path.stat().st_size, sha256=digest, has_head=has_head, wanted=wanted)


async def _known(mirror: Mirror, have: Iterable[str]) -> list[str]:
    """Those of the commits that are here; a tag of one counts as well."""
    asked = "".join(f"{each}\n" for each in have).encode()
    if not asked:
        return []
    told = await mirror.git("cat-file", "--batch-check=%(objectname) %(objecttype)", input=asked)
    return [line.split(" ")[0] for line in told.splitlines() if line.endswith((" commit", " tag"))]
