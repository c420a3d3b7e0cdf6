"""Filling the submodules of a checkout from the mirrors of repositories that the operator configured.

A submodule becomes plain files: no repository lies inside, so git in the checkout sees its link unchanged and never
goes in, whatever an agent or a check does there. Which other repositories may be read is said by the ``.gitmodules`` of
a commit that is trusted, never by one that an agent has made: it could name any repository of the operator.
"""

from __future__ import annotations

import hashlib
import os
import posixpath
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final
from urllib.parse import urlsplit

import msgspec
import structlog

from shared.workspace.bundle import has_commit
from shared.workspace.git import GitFailed, git, printable
from shared.workspace.held_back import held_back_at
from shared.workspace.mirror import Mirror, source_of

MAX_SUBMODULES: Final = 100
"""Submodules of one repository that are filled, at most."""
MAX_DEPTH: Final = 2
"""Levels that are filled: submodules, and those inside them."""
MAX_EDITED: Final = 500
"""Files in submodules that are named."""
MODULES: Final = ".gitmodules"
log = structlog.get_logger(__name__)
_SCP: Final = re.compile(r"(?:[\w.-]+@)?([\w.-]+):(?!//)(.+)")

Mirrors = Mapping[str, Mirror]
"""Mirrors by the key of their repository's address (``address_key``)."""
NONE: Final[Mirrors] = MappingProxyType({})


class Submodule(msgspec.Struct, frozen=True):
    """A link of a commit: its path, the linked commit, and the key of the address (None for no usable one)."""

    path: str
    commit: str
    key: str | None


class Filled(msgspec.Struct, frozen=True):
    """A submodule whose files are there: its path as bytes, its mirror's directory, and the file with our index of it,
    which knows what each file looked like.
    """

    path: bytes
    mirror: str
    index: str


class Filling(msgspec.Struct, frozen=True):
    """What became of the submodules of a checkout; ``missing`` are printable paths of those that stay empty."""

    missing: tuple[str, ...] = ()
    filled: tuple[Filled, ...] = ()


async def fill_submodules(
    mirror: Mirror, commit: str, directory: Path, mirrors: Mirrors, trusted: str, notes: Path, depth: int = 1
) -> Filling:
    """Fill the submodules of a fresh checkout of ``commit`` in ``directory``.

    Only addresses that ``trusted``, a commit of the same mirror, names are looked up in ``mirrors``. A linked commit
    that no branch or tag of its repository reaches is missing too. Paths are relative to ``directory``. ``notes`` is a
    folder of ours in which indexes are kept.
    """
    if not (directory / MODULES).is_file():
        return Filling()
    links = await _links(mirror, commit)
    allowed = {link.key for link in (links if trusted == commit else await _links(mirror, trusted))}
    missing: list[str] = []
    filled: list[Filled] = []
    for number, link in enumerate(links):
        is_allowed = link.key in allowed and number < MAX_SUBMODULES and depth <= MAX_DEPTH
        inner = mirrors.get(link.key or "") if is_allowed else None
        place = directory / link.path
        index = notes / f"submodule-{hashlib.sha256(os.fsencode(place)).hexdigest()[:16]}"
        if inner is None or not await _fill(inner, link.commit, place, index):
            missing.append(printable(link.path))
            continue
        path = os.fsencode(link.path)
        filled.append(Filled(path, str(inner.path), str(index)))
        nested = await fill_submodules(inner, link.commit, place, mirrors, link.commit, notes, depth + 1)
        missing += [f"{printable(link.path)}/{each}" for each in nested.missing]
        filled += [Filled(path + b"/" + each.path, each.mirror, each.index) for each in nested.filled]
    return Filling(tuple(missing), tuple(filled))


async def edited_in_submodules(directory: Path, filled: Iterable[Filled]) -> tuple[str, ...]:
    """What was changed, added or deleted in filled submodules: printable paths below ``directory``, at most
    ``MAX_EDITED``. No commit of the repository around them can hold that.

    Caches do not count, and a submodule that is gone as a whole does not: its link is gone too. One that git cannot
    look at is named as a whole.
    """
    found: list[str] = []
    for each in filled:
        place = directory / os.fsdecode(each.path)
        if not place.is_dir() or place.resolve() != directory.resolve() / os.fsdecode(each.path):
            continue  # removed, or something else lies there: the commit says so
        env = {"GIT_DIR": each.mirror, "GIT_WORK_TREE": str(place), "GIT_INDEX_FILE": each.index}
        what = ("ls-files", "-z", "--modified", "--deleted", "--others", "--exclude-standard")
        try:
            listed = dict.fromkeys((await git(*what, cwd=place, env=env)).split("\0"))
        except GitFailed as error:
            log.warning("workspace.submodule_unknown", path=printable(str(place)), reason=str(error))
            listed = {"": None, "(nobody knows what)": None}
        names = (path for path in listed if path and held_back_at(path) is None)
        found += [printable(f"{os.fsdecode(each.path)}/{path}") for path in names]
        if len(found) >= MAX_EDITED:
            break
    return tuple(found[:MAX_EDITED])


def address_key(address: str) -> str:
    """The same text for all addresses of one repository: of ssh and https, with and without ``.git``; or ValueError."""
    source = source_of(address)
    if source.startswith("/"):
        return _plain(source)
    if found := _SCP.fullmatch(source):
        return f"{found[1].lower()}/{_plain(found[2]).lstrip('/')}"
    parts = urlsplit(source)
    port = f":{parts.port}" if parts.port not in (None, 22, 80, 443) and parts.scheme != "ssh" else ""
    return f"{(parts.hostname or '').lower()}{port}/{_plain(parts.path).lstrip('/')}"


def resolved_address(url: str, source: str) -> str:
    """The address that a ``.gitmodules`` of the repository at ``source`` means. Source: git-submodule(1), add."""
    if not url.startswith(("./", "../")):
        return url
    # The part that `..` cannot leave: scheme and host, or nothing for a directory.
    root = re.match(r"[a-z]+://[^/]*|(?:[\w.-]+@)?[\w.-]+:(?!//)|", source)
    fixed = root[0] if root else ""
    return fixed + posixpath.normpath(posixpath.join(source[len(fixed) :], url))


async def _links(mirror: Mirror, commit: str) -> list[Submodule]:
    """The links of a commit, sorted by path, with the addresses that its ``.gitmodules`` gives them."""
    # Read as a plain file: `include` does not apply.
    wanted = r"^submodule\..*\.(path|url)$"
    where = f"--git-dir={mirror.path}"
    text = await git(where, "config", "--null", f"--blob={commit}:{MODULES}", "--get-regexp", wanted, check=False)
    told: dict[str, dict[str, str]] = {}
    for line in text.split("\0"):
        name, _, value = line.partition("\n")
        section, _, field = name.rpartition(".")
        told.setdefault(section, {})[field] = value
    urls = {each["path"].rstrip("/"): each.get("url", "") for each in told.values() if "path" in each}
    rows = (await git(where, "ls-tree", "-r", "-z", "--full-tree", commit)).split("\0")
    found = (row.partition("\t") for row in rows if row.startswith("160000 "))
    return [
        Submodule(path=path, commit=entry.split(" ")[2], key=_key(urls.get(path, ""), mirror.source))
        for entry, _, path in found
    ]


def _key(url: str, source: str) -> str | None:
    address = resolved_address(url, source)
    if not (address.startswith(("/", "file:///")) or ":" in address):
        return None  # would be looked up in our own working directory
    try:
        return address_key(address)
    except ValueError:
        return None


async def _fill(mirror: Mirror, commit: str, place: Path, index: Path) -> bool:
    """Write the files of ``commit`` into the empty directory that the checkout has made; whether they are there."""
    if place.is_symlink() or not place.is_dir() or any(place.iterdir()):
        return False
    try:
        await mirror.ensure(commit)
        if not await has_commit(mirror.path, commit):
            return False
        env = {"GIT_DIR": str(mirror.path), "GIT_WORK_TREE": str(place), "GIT_INDEX_FILE": str(index)}
        await git("read-tree", "-u", "--reset", commit, cwd=place, env=env)
    except GitFailed as error:
        log.warning("workspace.submodule_missing", path=printable(str(place)), reason=str(error))
        return False
    return True


def _plain(path: str) -> str:
    return path.rstrip("/").removesuffix("/.git").removesuffix(".git")
