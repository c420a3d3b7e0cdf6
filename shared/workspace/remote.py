"""What a target repository has, and whether it may be written, asked without a copy of it."""

from __future__ import annotations

import secrets
import tempfile
from pathlib import Path
from typing import Final

from shared.ops.environment import without_userinfo
from shared.workspace.branches import DEFAULT_PREFIX, HEADS
from shared.workspace.git import LOCAL_SERVICE, GitFailed, ask, git, make_bare
from shared.workspace.mirror import source_of
from shared.workspace.remote_access import ANONYMOUS, NO_CREDENTIALS, GitCredentials, Right
from shared.workspace.remote_failures import remote_failed

_TRIAL: Final = "Journeyman asks whether it may write here"


async def commit_at(target: str, branch: str | None, credentials: GitCredentials = NO_CREDENTIALS) -> str:
    """The commit id of a branch of ``target``, or of its default branch. Raises `GitFailed`."""
    ref = "HEAD" if branch is None else f"refs/heads/{branch}"
    source = source_of(target)
    is_local = source.startswith("/")
    # git refuses a local repository of another user (a mounted one) unless told in its own process.
    service = (f"--upload-pack={LOCAL_SERVICE} upload-pack",) if is_local else ()
    access = ANONYMOUS if is_local else await credentials.access(source, Right.READ)
    answer = await ask("ls-remote", *service, "--", source, ref, access=access)
    shown = without_userinfo(source)
    if answer.code != 0:
        raise remote_failed(("ls-remote",), answer, f"{shown} cannot be read", source, access)
    for line in answer.text.splitlines():
        commit, _, name = line.partition("\t")
        if name == ref:
            return commit
    raise GitFailed(
        f"{shown} has no {'commit' if branch is None else f'branch {branch!r}'} to start from: "
        "push one, or set another base in journeyman.toml."
    )


async def try_to_write(target: str, credentials: GitCredentials, prefix: str = DEFAULT_PREFIX) -> None:
    """Ask a remote repository whether a new branch could be pushed there, without pushing it. Raises `GitFailed`.

    A rule that the server looks at only when a push comes (a protected branch, a hook) shows only then.
    """
    source = source_of(target)
    access = await credentials.access(source, Right.WRITE)
    with tempfile.TemporaryDirectory(prefix="write-access-") as scratch:
        empty = Path(scratch) / "empty.git"
        make_bare(empty)
        where = f"--git-dir={empty}"
        tree = (await git(where, "hash-object", "-t", "tree", "-w", "--stdin", input=b"")).strip()
        commit = (await git(where, "commit-tree", tree, "-m", _TRIAL)).strip()
        ref = f"{HEADS}{prefix}/access-check-{secrets.token_hex(4)}"
        push = ("push", "--dry-run", "--quiet", "--no-verify", "--", source, f"{commit}:{ref}")
        answer = await ask(where, *push, access=access)
    if answer.code != 0:
        raise remote_failed(("push",), answer, f"{without_userinfo(source)} cannot be written", source, access)
