"""What a target repository has, asked without a copy of it."""

from __future__ import annotations

from shared.workspace.git import LOCAL_SERVICE, GitFailed, git
from shared.workspace.mirror import source_of


async def commit_at(target: str, branch: str | None) -> str:
    """The commit id of a branch of ``target``, or of its default branch. Raises `GitFailed`."""
    ref = "HEAD" if branch is None else f"refs/heads/{branch}"
    source = source_of(target)
    # git refuses a local repository of another user (a mounted one) unless told in its own process.
    service = (f"--upload-pack={LOCAL_SERVICE} upload-pack",) if source.startswith("/") else ()
    listing = await git("ls-remote", *service, "--", source, ref)
    for line in listing.splitlines():
        commit, _, name = line.partition("\t")
        if name == ref:
            return commit
    raise GitFailed(
        f"{target} has no {'commit' if branch is None else f'branch {branch!r}'} to start from: "
        "push one, or set another base in journeyman.toml."
    )
