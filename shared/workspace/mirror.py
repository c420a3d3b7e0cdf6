"""One private bare mirror per target repository, shared by all tasks of a service on this machine."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import re
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path
from typing import Final

from shared.ops.crash_points import crash_point
from shared.ops.environment import without_userinfo
from shared.ops.files import lock_file, write_atomically
from shared.workspace.bundle import has_commit
from shared.workspace.git import LOCAL_SERVICE, GitFailed, ask, git
from shared.workspace.remote_access import NO_CREDENTIALS, GitCredentials, Right
from shared.workspace.remote_failures import remote_failed

LOCK_TIMEOUT: Final = 600.0
"""Seconds to wait for another process that works on the same mirror."""

LOOSE_OBJECTS: Final = 6700
PACKS: Final = 50
"""More of the one or the other than this are packed anew."""

HEAD_REF: Final = "refs/journeyman/remote-head"
"""Where the remote's default branch stood at the last fetch."""

BRANCHES_AND_TAGS: Final = ("+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*")
# --update-shallow: a shallow clone is a legitimate source, and the mirror is then as shallow.
_FETCH: Final = ("--quiet", "--no-tags", "--force", "--update-shallow", "--no-write-fetch-head")
_CONFIG: Final = "[core]\n\trepositoryformatversion = 0\n\tbare = true\n\tlogallrefupdates = false\n"
# No filter driver is configured, and none shall be looked for: a large-file pointer stays a pointer.
_ATTRIBUTES: Final = "* -filter\n"
_NAME: Final = re.compile(r"(?!-)[^\s\x00-\x1f\x7f~^:?*\[\\]{1,250}")
_HEX: Final = re.compile(r"[0-9a-f]{7,64}")
_REMOTE: Final = re.compile(r"(?:https?|ssh)://\S+|(?:[\w.-]+@)?[\w.-]+:(?!//)[^\s:]\S*")


ID_FILE: Final = "journeyman-id"
"""Holds a name that no other mirror has, by which two services know that theirs is one and the same directory."""


class UnknownRef(GitFailed):
    """The target repository has no such branch, tag or commit."""


class Mirror:
    """A bare mirror of ``url_or_path`` in a directory below ``root`` named after it.

    Nobody but this package writes to it; agents may read its objects. Safe for any number of tasks and processes
    at once: what changes shared refs or files happens under a lock file beside the directory. A remote repository is
    reached with ``credentials``, or not at all: then ``supply`` brings what is missing.
    """

    def __init__(
        self,
        root: Path,
        url_or_path: str,
        *,
        credentials: GitCredentials = NO_CREDENTIALS,
        supply: Supply | None = None,
    ) -> None:
        self.source = source_of(url_or_path)
        self._credentials = credentials
        self._supply = supply
        name = re.sub(r"[^A-Za-z0-9._-]+", "-", self.source.rstrip("/").rpartition("/")[2].removesuffix(".git"))
        digest = hashlib.sha256(self.source.encode("utf-8", "surrogateescape")).hexdigest()[:12]
        self._names: str | None = None
        self.path = root.absolute() / f"{name.strip('.-')[:40] or 'repository'}-{digest}.git"

    @property
    def is_local(self) -> bool:
        """Whether the target repository is a directory on this machine."""
        return self.source.startswith("/")

    async def git(self, *args: str, env: Mapping[str, str] | None = None, input: bytes | None = None) -> str:
        """Run git with this mirror as its git directory."""
        return await git(f"--git-dir={self.path}", *args, env=env, input=input)

    async def fetch(self) -> None:
        """Bring branches, tags and the default branch up to date; makes the mirror if there is none.

        Branches deleted at the source go, commits stay. Raises ``GitFailed`` when the source cannot be read.
        """
        self._names = None
        if self._supply is not None:
            await self._supply(self, None)
            return
        async with self.locked():
            await self._prepare()
            crash_point("mirror.prepared")
            refspecs = list(BRANCHES_AND_TAGS)
            if await self._source_has_head():
                refspecs.append(f"+HEAD:{HEAD_REF}")
            await self._fetch("--prune", refspecs)

    async def names(self) -> str:
        """The branches and tags, a line ``<object id> <full name>`` for each, as this object saw them first.

        A fetch by another one is not seen.
        """
        if self._names is None:
            self._names = await self.git("for-each-ref", "--format=%(objectname) %(refname)", "refs/heads", "refs/tags")
        return self._names

    async def take(self, bundle: Path, *, has_head: bool, wanted: str | None) -> None:
        """Become what a bundle of a whole mirror says. ``wanted`` is a ref in it whose commit is needed as well."""
        self._names = None
        refspecs = [*BRANCHES_AND_TAGS, *([f"+HEAD:{HEAD_REF}"] if has_head else []), *([wanted] if wanted else [])]
        async with self.locked():
            await self._prepare()
            await self.git("fetch", *_FETCH, "--prune", "--", str(bundle), *refspecs)

    async def prepare(self) -> str:
        """Make the mirror if there is none, without asking the source; returns its own name (`ID_FILE`)."""
        async with self.locked():
            await self._prepare()
        return (self.path / ID_FILE).read_text()

    async def ensure(self, commit: str) -> None:
        """Have this commit here. Asks the source only when it is missing. Raises ``GitFailed``."""
        if not ((self.path / "HEAD").exists() and await has_commit(self.path, commit)):
            if self._supply is not None:
                self._names = None
                await self._supply(self, commit)
            else:
                await self.fetch()

    async def resolve(self, ref: str | None = None) -> str:
        """The commit id of a branch, tag or commit as of the last fetch; None is the remote's default branch.

        A full commit id that no branch reaches is asked of the source by id. Raises ``UnknownRef``.
        """
        if ref is None or ref == "HEAD":
            if (found := await self._commit_at(HEAD_REF)) is None:
                raise UnknownRef(f"{_short(self.source)} has no commit on its default branch yet.")
            return found
        for name in _candidates(ref):
            if (found := await self._commit_at(name)) is not None:
                return found
        if len(ref) in (40, 64) and _HEX.fullmatch(ref):
            with contextlib.suppress(GitFailed):
                if self._supply is not None:
                    await self._supply(self, ref)
                else:
                    async with self.locked():
                        await self._fetch("--no-prune", [ref])
                if await has_commit(self.path, ref):
                    return ref
        raise UnknownRef(f"{_short(self.source)} has no branch, tag or commit {ref[:200]!r}.")

    async def tidy(self) -> None:
        """Pack loose objects when there are many; what nothing has pointed at for two weeks goes."""
        if not self._is_untidy():
            return
        async with self.locked():
            limits = ("-c", f"gc.auto={LOOSE_OBJECTS}", "-c", f"gc.autoPackLimit={PACKS}", "-c", "gc.autoDetach=false")
            await self.git(*limits, "gc", "--auto", "--quiet")

    @contextlib.asynccontextmanager
    async def locked(self) -> AsyncIterator[None]:
        """Hold the mirror's lock file; raises ``GitFailed`` after ``LOCK_TIMEOUT`` seconds of waiting."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        deadline = time.monotonic() + LOCK_TIMEOUT
        with contextlib.ExitStack() as held:
            while True:
                try:
                    held.enter_context(lock_file(Path(f"{self.path}.lock")))
                    break
                except BlockingIOError:
                    if time.monotonic() > deadline:
                        raise GitFailed(f"The mirror {self.path.name} was busy for {LOCK_TIMEOUT:g} s.") from None
                await asyncio.sleep(0.02)
            yield

    async def _prepare(self) -> None:
        """Make the mirror or mend a half-made one; its configuration is written anew each time."""
        self.path.mkdir(mode=0o700, exist_ok=True)
        _write(self.path / "config", _CONFIG)
        await git("init", "--quiet", "--bare", "--initial-branch=main", str(self.path))
        _write(self.path / "info" / "attributes", _ATTRIBUTES)
        if not (self.path / ID_FILE).exists():
            _write(self.path / ID_FILE, secrets.token_hex(16))

    def _is_untidy(self) -> bool:
        """Whether `git gc --auto` would do anything. Source: git-config(1), gc.auto and gc.autoPackLimit."""
        objects = self.path / "objects"
        sample = objects / "17"
        loose = len(list(sample.iterdir())) if sample.exists() else 0
        return loose > LOOSE_OBJECTS / 256 or len(list((objects / "pack").glob("*.pack"))) > PACKS

    async def _source_has_head(self) -> bool:
        access = await self._credentials.access(self.source, Right.READ)
        where = f"--git-dir={self.path}"
        answer = await ask(where, "ls-remote", *self._service(), "--", self.source, "HEAD", access=access)
        if answer.code != 0:
            raise remote_failed(("ls-remote",), answer, f"{_short(self.source)} cannot be read", self.source, access)
        return bool(answer.text.strip())

    async def _fetch(self, prune: str, refspecs: list[str]) -> None:
        access = await self._credentials.access(self.source, Right.READ)
        asked = ("fetch", *_FETCH, prune, *self._service(), "--", self.source, *refspecs)
        answer = await ask(f"--git-dir={self.path}", *asked, access=access)
        if answer.code != 0:
            raise remote_failed(("fetch",), answer, f"{_short(self.source)} cannot be fetched", self.source, access)

    def _service(self) -> tuple[str, ...]:
        return (f"--upload-pack={LOCAL_SERVICE} upload-pack",) if self.is_local else ()

    async def _commit_at(self, name: str) -> str | None:
        answer = await ask(
            f"--git-dir={self.path}", "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}"
        )
        return answer.text.strip() if answer.code == 0 else None


Supply = Callable[[Mirror, str | None], Awaitable[None]]
"""Brings a mirror up to date, and a commit that no branch reaches as well; raises ``GitFailed``."""


def source_of(url_or_path: str) -> str:
    """The address in the form git is given: an absolute path, or an https, http or ssh address; else ``ValueError``."""
    text = url_or_path.removeprefix("file://")
    if text and not any(ord(letter) < 32 for letter in text):
        if text.startswith(("/", "./", "../", "~/")) or text in (".", "..") or Path(text).is_dir():
            return str(Path(text).expanduser().resolve())
        if not text.startswith("-") and _REMOTE.fullmatch(text) and "::" not in text:
            return text
    raise ValueError(f"{url_or_path[:200]!r} is neither a directory nor an https, http or ssh address of a repository.")


def is_remote(url_or_path: str) -> bool:
    """Whether git speaks with a server there; also of what is no address at all, about which somebody will say so."""
    try:
        return not source_of(url_or_path).startswith("/")
    except ValueError:
        return True


def _candidates(ref: str) -> list[str]:
    """Full names a short one may stand for, branches first; none for what is not a name (options, ranges, reflogs)."""
    if (
        not re.fullmatch(r"[^\s\x00-\x1f\x7f~^:?*\[\\]{1,250}", ref)
        or ref.startswith("-")
        or ".." in ref
        or "@{" in ref
    ):
        return []
    names = [f"refs/heads/{ref}", f"refs/tags/{ref}"]
    if ref.startswith(("refs/heads/", "refs/tags/")):
        names.append(ref)
    if _HEX.fullmatch(ref):
        names.append(ref)
    return names


def _write(path: Path, text: str) -> None:
    """Replace a small file whole, so that no reader sees half of it."""
    path.parent.mkdir(exist_ok=True)
    write_atomically(path, text.encode())


def _short(source: str) -> str:
    """The address for a person: without a password."""
    return without_userinfo(source)
