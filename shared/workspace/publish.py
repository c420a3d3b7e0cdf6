"""Making a result available in the target repository: the gateway's part, and nobody else's."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import tempfile
from pathlib import Path

from shared.workspace.branches import HEADS, BranchInTheWay, branch_in_the_way, places_in_the_way
from shared.workspace.bundle import has_commit, load_bundle, read_header
from shared.workspace.git import LOCAL_SERVICE, GitFailed, ask, commit_id, failed, git, make_bare, ref_name
from shared.workspace.mirror import Mirror, source_of


class BranchTaken(GitFailed):
    """The branch is at another commit than expected; ``found`` is where it is, None when it is gone."""

    def __init__(self, branch: str, found: str | None) -> None:
        where = f"is at commit {found}" if found else "does not exist any more"
        super().__init__(f"The branch {branch} {where}, which is not where we left it.")
        self.found = found


class BranchCheckedOut(GitFailed):
    """Somebody works on the branch in the target repository: changing it would pull the ground from under them."""


async def publish_branch(
    target: str, bundle: Path, commit: str, branch: str, expected: str | None, *, tree: str | None = None
) -> str:
    """Put ``commit`` from ``bundle`` on ``branch`` of ``target``, if the branch is at ``expected`` (None: not there).

    ``target`` is a local repository, bare or not, or an address that `git push` reaches. ``tree`` is what was checked:
    a commit of another tree is refused, because evidence binds to the tree. Doing it twice is fine: a branch already at
    ``commit`` is left alone. Objects are first unpacked and checked in a repository of their own beside the bundle.
    Returns the id of the commit that is on the branch.
    Raises ``BranchTaken``, ``BranchCheckedOut``, ``BranchInTheWay``, or ``GitFailed`` for a bad bundle or an
    unreachable target; ``ValueError`` for what is no commit id, branch name or address.
    """
    source = source_of(target)
    for each in (commit, expected, tree):
        if each is not None:
            commit_id(each)
    if branch.startswith("-"):  # git allows it in a ref, but no command takes it
        raise ValueError(f"{branch!r} is not a branch name.")
    ref = await ref_name(f"{HEADS}{branch}", HEADS)
    place = await _local_repository(source)
    with tempfile.TemporaryDirectory(prefix="publish-", dir=bundle.parent) as scratch:
        quarantine = Path(scratch) / "quarantine.git"
        make_bare(quarantine)
        match await _where_is(source, branch, quarantine):
            case found if found == commit:
                return commit
            case found if found != expected:
                raise BranchTaken(branch, found)
        if place is not None:
            await _refuse_checked_out(place, ref)
        await _provide_bases(quarantine, source, place, bundle)
        await load_bundle(quarantine, bundle, commit)
        if tree is not None:
            await _refuse_other_tree(quarantine, commit, tree)
        await _push(quarantine, source, place, commit, branch, expected)
    return commit


async def delete_branch(target: str, branch: str, expected: str, mirror: Mirror) -> None:
    """Remove ``branch`` from ``target``, if it is at ``expected``; one that is gone already stays gone.

    ``mirror`` is where git is run. Raises ``BranchTaken``, ``BranchCheckedOut`` or ``GitFailed``; ``ValueError`` for
    what is no commit id, branch name or address.
    """
    source = source_of(target)
    commit_id(expected)
    ref = await ref_name(f"{HEADS}{branch}", HEADS)
    place = await _local_repository(source)
    match await _where_is(source, branch, mirror.path):
        case None:
            return
        case found if found != expected:
            raise BranchTaken(branch, found)
    if place is not None:
        await _refuse_checked_out(place, ref)
    await _push(mirror.path, source, place, "", branch, expected)


async def _where_is(source: str, branch: str, quarantine: Path) -> str | None:
    """The commit that the branch is at, None when it is not there. Raises ``BranchInTheWay``."""
    service = (f"--upload-pack={LOCAL_SERVICE} upload-pack",) if source.startswith("/") else ()
    where = (f"{HEADS}{branch}", *places_in_the_way(branch))
    answer = await ask(f"--git-dir={quarantine}", "ls-remote", *service, "--", source, *where)
    if answer.code != 0:
        raise failed(("ls-remote",), answer, "The target repository cannot be read")
    rows = [line.split("\t") for line in answer.text.splitlines()]
    refs = {name: found for found, name in rows}
    if (blocking := branch_in_the_way(refs, branch)) is not None:
        raise BranchInTheWay(branch, blocking)
    return refs.get(f"{HEADS}{branch}")


async def _refuse_other_tree(quarantine: Path, commit: str, tree: str) -> None:
    found = (await git(f"--git-dir={quarantine}", "rev-parse", "--verify", f"{commit}^{{tree}}")).strip()
    if found != tree:
        raise GitFailed(f"Commit {commit} has the files of tree {found}, but what was checked is tree {tree}.")


async def _local_repository(source: str) -> Path | None:
    """The shared git directory of a local target, None for an address; a directory inside a repository is not one."""
    if not source.startswith("/"):
        return None
    path = Path(source)
    ceiling = {"GIT_CEILING_DIRECTORIES": str(path.parent)}
    asked = ("rev-parse", "--path-format=absolute", "--git-common-dir")
    if path.is_dir() and (answer := await ask(*asked, cwd=path, env=ceiling)).code == 0:
        return Path(answer.text.removesuffix("\n"))
    raise GitFailed(f"{source} is not a git repository.")


async def _refuse_checked_out(place: Path, ref: str) -> None:
    """Look at the main worktree and all linked ones; also at a branch that is checked out but has no commit yet."""
    listed = await git(f"--git-dir={place}", "worktree", "list", "--porcelain", "-z")
    if f"branch {ref}" in listed.split("\0"):
        raise BranchCheckedOut(f"The branch {ref.removeprefix('refs/heads/')} is checked out in the target repository.")


async def _provide_bases(quarantine: Path, source: str, place: Path | None, bundle: Path) -> None:
    """Give the quarantine the commits the bundle builds on: borrowed from a local target, fetched from a far one."""
    needs = (await asyncio.to_thread(read_header, bundle)).needs
    if place is not None:
        (quarantine / "objects" / "info" / "alternates").write_text(f"{place / 'objects'}\n")
        with contextlib.suppress(FileNotFoundError):  # of a shallow clone: which of its commits have no parents here
            shutil.copyfile(place / "shallow", quarantine / "shallow")
    else:
        where = f"--git-dir={quarantine}"
        exact = await ask(where, "fetch", "--quiet", "--no-tags", "--depth=1", "--", source, *needs) if needs else None
        if exact is not None and exact.code != 0:  # a server may refuse to give a commit by its id
            await git(where, "fetch", "--quiet", "--no-tags", "--", source, "+refs/heads/*:refs/bases/*")
    for number, need in enumerate(needs):
        if not await has_commit(quarantine, need):
            raise GitFailed(f"The result builds on commit {need}, which the target repository does not have.")
        await git(f"--git-dir={quarantine}", "update-ref", "--", f"refs/needs/{number}", need)


async def _push(
    quarantine: Path, source: str, place: Path | None, commit: str, branch: str, expected: str | None
) -> None:
    """Put ``commit`` there; the empty one removes the branch."""
    ref = f"{HEADS}{branch}"
    service: tuple[str, ...] = ()
    if place is not None:
        settings = "-c receive.denyCurrentBranch=refuse -c receive.fsckObjects=true -c receive.autoGC=false"
        if not await _is_bare(place):
            settings += " -c core.hooksPath=/dev/null"  # a person's repository; a bare one is a server with its rules
        service = (f"--receive-pack={LOCAL_SERVICE} {settings} receive-pack",)
    lease = f"--force-with-lease={ref}:{expected or ''}"  # the empty value: must not exist
    pushed = await ask(
        f"--git-dir={quarantine}", "push", "--quiet", "--no-verify", lease, *service, "--", source, f"{commit}:{ref}"
    )
    if pushed.code == 0:
        return
    match await _where_is(source, branch, quarantine):
        case found if (found or "") == commit:
            return
        case found if found != expected:
            raise BranchTaken(branch, found)
    raise failed(("push",), pushed, "The target repository did not take the branch")


async def _is_bare(place: Path) -> bool:
    return (await git(f"--git-dir={place}", "rev-parse", "--is-bare-repository")).strip() == "true"
