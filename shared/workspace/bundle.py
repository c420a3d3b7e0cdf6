"""Bundles: commits in a file, the only form in which work leaves an executor."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

import msgspec

from shared.ops.crash_points import crash_point
from shared.ops.files import sha256_of
from shared.workspace.git import GitFailed, ask, commit_id, failed, git

MAX_HEADER = 1024 * 1024
"""Bytes of a bundle's header: its refs and the commits it builds on."""


class Bundle(msgspec.Struct, frozen=True):
    """A written bundle: lower-case hex sha256 of the file and its size in bytes."""

    sha256: str
    size: int


class Header(msgspec.Struct, frozen=True):
    """What a bundle says of itself: commits it needs, commits it holds, and where its pack begins (bytes)."""

    needs: tuple[str, ...]
    heads: tuple[str, ...]
    pack_offset: int


async def write_bundle(repository: Path, ref: str, base: str, out: Path, commit: str = "") -> Bundle:
    """Write ``ref`` without ``base`` and its history to ``out``, whole or not at all.

    Who knows the commit that ``ref`` is at, or that is to go by that name, says so, and git is not asked.
    """
    where = f"--git-dir={repository}"
    head = commit_id(commit or (await git(where, "rev-parse", "--verify", f"{ref}^{{commit}}")).strip())
    # A name of its own: what a killed one has left must be in nobody's way.
    part = out.with_name(f"{out.name}.{secrets.token_hex(4)}")
    try:
        with part.open("xb") as file:
            # `git bundle create` would start a second process for the same. Source: gitformat-bundle(5).
            file.write(f"# v2 git bundle\n-{commit_id(base)} \n{head} {ref}\n\n".encode())
            file.flush()
            pack = ("pack-objects", "--stdout", "--revs", "--thin", "--delta-base-offset", "--quiet")
            await git(where, *pack, input=f"{head}\n^{base}\n".encode(), output=file.fileno())
        crash_point("bundle.written")
        written = Bundle(sha256=sha256_of(part), size=part.stat().st_size)
        part.replace(out)
    finally:
        part.unlink(missing_ok=True)
    return written


def read_header(bundle: Path) -> Header:
    """Parse the header; ``GitFailed`` when the file is not a bundle. Source: gitformat-bundle(5)."""
    try:
        with bundle.open("rb") as file:
            text = file.read(MAX_HEADER)
    except OSError as error:
        raise GitFailed(f"The bundle {bundle.name} cannot be read: {error.strerror}.") from None
    head, blank, _ = text.partition(b"\n\n")
    signature, *lines = head.split(b"\n")
    if not blank or signature not in (b"# v2 git bundle", b"# v3 git bundle"):
        raise GitFailed(f"{bundle.name} is not a git bundle.")
    words = [line.decode("utf-8", "replace").split(" ")[0] for line in lines if not line.startswith(b"@")]
    try:
        return Header(
            needs=tuple(commit_id(word[1:]) for word in words if word.startswith("-")),
            heads=tuple(commit_id(word) for word in words if not word.startswith("-")),
            pack_offset=len(head) + 2,
        )
    except ValueError as error:
        raise GitFailed(f"{bundle.name} is not a git bundle: {error}") from None


async def load_bundle(repository: Path, bundle: Path, commit: str) -> str:
    """Check a bundle and put its objects into ``repository``, without any ref pointing at them yet; the commit's tree.

    Raises ``GitFailed`` when the bundle does not offer ``commit``, builds on commits that are missing here, is
    damaged, or holds what no repository should (``index-pack --strict``: a path into ``.git``, a bad
    ``.gitmodules``, a link to what is not there; `git fetch` and `git bundle unbundle` of git 2.39 do not look,
    whatever fsckObjects says).
    """
    header = read_header(bundle)
    if commit_id(commit) not in header.heads:
        raise GitFailed(f"{bundle.name} does not hold commit {commit}.")
    where = f"--git-dir={repository}"
    source = os.open(bundle, os.O_RDONLY)
    try:
        os.lseek(source, header.pack_offset, os.SEEK_SET)
        unpacked = await ask(where, "index-pack", "--strict", "--fix-thin", "--stdin", input=source)
    finally:
        os.close(source)
    if unpacked.code != 0:
        for need in header.needs:
            if not await has_commit(repository, need):
                raise GitFailed(f"{bundle.name} builds on commit {need}, which this repository does not have.")
        raise failed(("index-pack",), unpacked, f"{bundle.name} could not be unpacked")
    found = await ask(where, "rev-parse", f"{commit}^{{commit}}", f"{commit}^{{tree}}")
    if found.code != 0:
        raise GitFailed(f"{bundle.name} names commit {commit} without holding it.")
    return found.text.split()[1]


async def has_commit(repository: Path, commit: str) -> bool:
    """Whether the repository has this very commit."""
    return (await ask(f"--git-dir={repository}", "cat-file", "-e", f"{commit_id(commit)}^{{commit}}")).code == 0
