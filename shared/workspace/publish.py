"""Making a result available in the target repository: the gateway's part, and nobody else's."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

import msgspec

from shared.workspace.branches import HEADS, BranchInTheWay, branch_in_the_way, places_in_the_way
from shared.workspace.bundle import has_commit, load_bundle, read_header
from shared.workspace.git import LOCAL_SERVICE, GitFailed, ask, commit_id, git, make_bare, ref_name
from shared.workspace.mirror import Mirror, source_of
from shared.workspace.remote_access import ANONYMOUS, NO_CREDENTIALS, GitCredentials, RemoteAccess, Right
from shared.workspace.remote_failures import remote_failed


class BranchTaken(GitFailed):
    """The branch is at another commit than expected; ``found`` is where it is, None when it is gone."""

    def __init__(self, branch: str, found: str | None) -> None:
        where = f"is at commit {found}" if found else "does not exist any more"
        super().__init__(f"The branch {branch} {where}, which is not where we left it.")
        self.found = found


class BranchCheckedOut(GitFailed):
    """Somebody works on the branch in the target repository: changing it would pull the ground from under them."""

    def __init__(self, branch: str) -> None:
        super().__init__(f"The branch {branch} is checked out in the target repository.")


class Place(msgspec.Struct, frozen=True):
    """A target on this machine: its shared git directory, and whether nobody works in it."""

    path: Path
    is_bare: bool


class Found(msgspec.Struct, frozen=True):
    """Where a branch is, None when it is not there.

    Git's list of branches says of the default branch of a bare repository too that it is checked out.
    """

    commit: str | None = None
    may_be_checked_out: bool = False


Prepare = Callable[[Path, Callable[[str], Awaitable[str | None]]], Awaitable[str]]
"""Looks at a result before it is published: gets the repository that holds it and its base, and what fetches the tip of
a branch of the target (None where there is none). Answers with the commit to publish, which has the same tree."""


async def publish_branch(
    target: str,
    bundle: Path,
    commit: str,
    branch: str,
    expected: str | None,
    *,
    tree: str | None = None,
    prepare: Prepare | None = None,
    credentials: GitCredentials = NO_CREDENTIALS,
) -> str:
    """Put ``commit`` from ``bundle`` on ``branch`` of ``target``, if the branch is at ``expected`` (None: not there).

    ``target`` is a local repository, bare or not, or an address that `git push` reaches. ``tree`` is what was checked:
    a commit of another tree is refused, because evidence binds to the tree. Doing it twice is fine: a branch already at
    ``commit`` is left alone. Objects are first unpacked and checked in a repository of their own beside the bundle.
    There ``prepare`` may make another commit of the same tree, which is published in its place.
    Returns the id of the commit that is on the branch. Raises what ``prepare`` raises;
    Raises ``BranchTaken``, ``BranchCheckedOut``, ``BranchInTheWay``, or ``GitFailed`` for a bad bundle or an
    unreachable target; ``ValueError`` for what is no commit id, branch name or address.
    """
    source = source_of(target)
    for each in (commit, expected, tree):
        if each is not None:
            commit_id(each)
    if branch.startswith("-"):  # git allows it in a ref, but no command takes it
        raise ValueError(f"{branch!r} is not a branch name.")
    await ref_name(f"{HEADS}{branch}", HEADS)
    place = await _local_repository(source)
    access = await _access(source, credentials)
    with tempfile.TemporaryDirectory(prefix="publish-", dir=bundle.parent) as scratch:
        quarantine = Path(scratch) / "quarantine.git"
        make_bare(quarantine)
        found = await _where_is(source, place, branch, quarantine, access)
        if prepare is None and await _is_there(found, place, commit, branch, expected):
            return commit
        await _provide_bases(quarantine, source, place, bundle, access)
        try:
            found_tree = await load_bundle(quarantine, bundle, commit)
        except GitFailed:
            await _refuse_missing_bases(quarantine, bundle)
            raise
        if tree is not None and found_tree != tree:
            raise _other_tree(commit, found_tree, tree)
        if prepare is not None:
            commit = await prepare(quarantine, partial(_fetch_tip, quarantine, source, access))
            prepared = (await git(f"--git-dir={quarantine}", "rev-parse", "--verify", f"{commit}^{{tree}}")).strip()
            if prepared != found_tree:
                raise _other_tree(commit, prepared, found_tree)
            if await _is_there(found, place, commit, branch, expected):
                return commit
        await _push(quarantine, source, place, commit, branch, expected, access)
    return commit


def _other_tree(commit: str, found: str, checked: str) -> GitFailed:
    return GitFailed(f"Commit {commit} has the files of tree {found}, but what was checked is tree {checked}.")


async def _is_there(found: Found, place: Place | None, commit: str, branch: str, expected: str | None) -> bool:
    """Whether the branch is at ``commit`` already; raises where it may not be put there."""
    match found:
        case Found(commit=there) if there == commit:
            return True
        case Found(commit=there) if there != expected:
            raise BranchTaken(branch, there)
        case Found(may_be_checked_out=True):
            await _refuse_checked_out(place, branch)
    return False


async def _fetch_tip(quarantine: Path, source: str, access: RemoteAccess, branch: str) -> str | None:
    """The commit of a branch of the target, of its default branch where the name is empty; it is here then."""
    service = (f"--upload-pack={LOCAL_SERVICE} upload-pack",) if source.startswith("/") else ()
    ref = f"{HEADS}{branch}" if branch else "HEAD"
    where = f"--git-dir={quarantine}"
    fetch = ("fetch", "--quiet", "--no-tags", "--depth=1", *service, "--", source, f"+{ref}:refs/tip")
    answer = await ask(where, *fetch, access=access)
    if answer.code != 0:
        return None
    return (await git(where, "rev-parse", "--verify", "refs/tip^{commit}")).strip()


async def move_branch(
    target: str,
    branch: str,
    commit: str,
    expected: str,
    mirror: Mirror,
    *,
    credentials: GitCredentials = NO_CREDENTIALS,
) -> None:
    """Put ``branch`` of ``target``, which is at ``expected``, to ``commit`` of the mirror; doing it twice is fine.

    Raises ``BranchTaken``, ``BranchCheckedOut`` or ``GitFailed``; ``ValueError`` for what is no commit id, branch name
    or address.
    """
    source = source_of(target)
    commit_id(expected)
    await ref_name(f"{HEADS}{branch}", HEADS)
    place = await _local_repository(source)
    access = await _access(source, credentials)
    found = await _where_is(source, place, branch, mirror.path, access)
    if not await _is_there(found, place, commit_id(commit), branch, expected):
        await _push(mirror.path, source, place, commit, branch, expected, access)


async def delete_branch(
    target: str, branch: str, expected: str, mirror: Mirror, *, credentials: GitCredentials = NO_CREDENTIALS
) -> None:
    """Remove ``branch`` from ``target``, if it is at ``expected``; one that is gone already stays gone.

    ``mirror`` is where git is run. Raises ``BranchTaken``, ``BranchCheckedOut`` or ``GitFailed``; ``ValueError`` for
    what is no commit id, branch name or address.
    """
    source = source_of(target)
    commit_id(expected)
    await ref_name(f"{HEADS}{branch}", HEADS)
    place = await _local_repository(source)
    access = await _access(source, credentials)
    match await _where_is(source, place, branch, mirror.path, access):
        case Found(commit=None):
            return
        case Found(commit=found) if found != expected:
            raise BranchTaken(branch, found)
        case Found(may_be_checked_out=True):
            await _refuse_checked_out(place, branch)
    await _push(mirror.path, source, place, "", branch, expected, access)


async def _access(source: str, credentials: GitCredentials) -> RemoteAccess:
    return ANONYMOUS if source.startswith("/") else await credentials.access(source, Right.WRITE)


async def _where_is(source: str, place: Place | None, branch: str, repository: Path, access: RemoteAccess) -> Found:
    """Where the branch is in the target. Raises ``BranchInTheWay``.

    ``repository`` is where git is run for an address.
    """
    ref = f"{HEADS}{branch}"
    where = (ref, *places_in_the_way(branch))
    if place is None:
        asked: tuple[str, ...] = (f"--git-dir={repository}", "ls-remote", "--", source, *where)
    else:  # without the processes of a far end
        form = "--format=%(objectname)\t%(refname)%(if)%(worktreepath)%(then)\tchecked out%(end)"
        asked = (f"--git-dir={place.path}", "for-each-ref", form, "--", *where)
    answer = await ask(*asked, access=access)
    if answer.code != 0:
        raise remote_failed((asked[1],), answer, "The target repository cannot be read", source, access)
    rows = [line.split("\t") for line in answer.text.splitlines()]
    if (blocking := branch_in_the_way([row[1] for row in rows], branch)) is not None:
        raise BranchInTheWay(branch, blocking)
    own = next((row for row in rows if row[1] == ref), None)
    return Found() if own is None else Found(own[0], may_be_checked_out=len(own) > 2)


async def _local_repository(source: str) -> Place | None:
    """A local target, None for an address; a directory inside a repository is not one."""
    if not source.startswith("/"):
        return None
    path = Path(source)
    ceiling = {"GIT_CEILING_DIRECTORIES": str(path.parent)}
    asked = ("rev-parse", "--path-format=absolute", "--git-common-dir", "--is-bare-repository")
    if path.is_dir() and (answer := await ask(*asked, cwd=path, env=ceiling)).code == 0:
        common, is_bare = answer.text.removesuffix("\n").rsplit("\n", 1)
        if (path / ".git").is_file():  # a linked worktree, which a bare repository may have too
            is_bare = (await git(f"--git-dir={common}", "rev-parse", "--is-bare-repository")).strip()
        return Place(Path(common), is_bare == "true")
    raise GitFailed(f"{source} is not a git repository.")


async def _refuse_checked_out(place: Place | None, branch: str) -> None:
    """Look at the main worktree and all linked ones; also at a branch that is checked out but has no commit yet."""
    if place is None:
        return
    listed = await git(f"--git-dir={place.path}", "worktree", "list", "--porcelain", "-z")
    if f"branch {HEADS}{branch}" in listed.split("\0"):
        raise BranchCheckedOut(branch)


async def _provide_bases(
    quarantine: Path, source: str, place: Place | None, bundle: Path, access: RemoteAccess
) -> None:
    """Give the quarantine the commits the bundle builds on: borrowed from a local target, fetched from a far one."""
    if place is not None:
        (quarantine / "objects" / "info" / "alternates").write_text(f"{place.path / 'objects'}\n")
        with contextlib.suppress(FileNotFoundError):  # of a shallow clone: which of its commits have no parents here
            shutil.copyfile(place.path / "shallow", quarantine / "shallow")
        return
    if needs := read_header(bundle).needs:
        fetch = (f"--git-dir={quarantine}", "fetch", "--quiet", "--no-tags")
        exact = await ask(*fetch, "--depth=1", "--", source, *needs, access=access)
        if exact.code != 0:  # a server may refuse to give a commit by its id
            await git(*fetch, "--", source, "+refs/heads/*:refs/bases/*", access=access)


async def _refuse_missing_bases(quarantine: Path, bundle: Path) -> None:
    for need in read_header(bundle).needs:
        if not await has_commit(quarantine, need):
            raise GitFailed(f"The result builds on commit {need}, which the target repository does not have.")


async def _push(
    quarantine: Path,
    source: str,
    place: Place | None,
    commit: str,
    branch: str,
    expected: str | None,
    access: RemoteAccess,
) -> None:
    """Put ``commit`` there; the empty one removes the branch."""
    ref = f"{HEADS}{branch}"
    service: tuple[str, ...] = ()
    if place is not None:
        settings = "-c receive.denyCurrentBranch=refuse -c receive.fsckObjects=true -c receive.autoGC=false"
        if not place.is_bare:
            settings += " -c core.hooksPath=/dev/null"  # a person's repository; a bare one is a server with its rules
        service = (f"--receive-pack={LOCAL_SERVICE} {settings} receive-pack",)
    lease = f"--force-with-lease={ref}:{expected or ''}"  # the empty value: must not exist
    push = ("push", "--quiet", "--no-verify", lease, *service, "--", source, f"{commit}:{ref}")
    pushed = await ask(f"--git-dir={quarantine}", *push, access=access)
    if pushed.code == 0:
        return
    match await _where_is(source, place, branch, quarantine, access):
        case Found(commit=found) if (found or "") == commit:
            return
        case Found(commit=found) if found != expected:
            raise BranchTaken(branch, found)
    await _refuse_checked_out(place, branch)
    raise remote_failed(("push",), pushed, "The target repository did not take the branch", source, access)
