"""Where set-up and checks of one checkout run: what they see, by which paths, and with which environment.

In the sandbox every checkout is at the same paths, so that what one has set up is right for another, and outputs can be
compared as they are. Without it, the paths are those of the machine.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import tempfile
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec

from shared.ops import own_home
from shared.ops.download_caches import cache_variables, link_caches
from shared.ops.environment import BASICS, NETWORK, inherited
from shared.ops.uninterrupted import uninterrupted
from shared.sandbox.confinement import HOME, TEMP, Bind, Confinement, Network, seen
from shared.sandbox.sandbox import Command, Sandbox
from shared.workspace.git_folders import GitFolders

CHECKOUT: Final = Path("/checkout")
CACHES: Final = Path("/caches")
REPORTS: Final = Path("/reports")


class Access(msgspec.Struct, frozen=True):
    """What a command reaches beside its checkout: the network, and whether later checkouts find what it downloads."""

    network: Network = Network.NONE
    keeps_downloads: bool = False


class CheckSandbox:
    """The commands of one checkout. Made by `opened`."""

    def __init__(
        self,
        sandbox: Sandbox,
        tree: Path,
        environment: Mapping[str, str],
        folders: Mapping[Path, Path],
        more: Sequence[Bind] = (),
        git: GitFolders | None = None,
    ) -> None:
        self._sandbox = sandbox
        self._more = more
        self._git = git
        self._folders = folders
        self.tree = tree
        """The commit's files, as we see them; `inside` says how the commands do."""
        self.environment = environment
        """The whole environment of a command, but for what is in the checkout by then."""

    @classmethod
    @contextlib.asynccontextmanager
    async def opened(
        cls,
        sandbox: Sandbox,
        tree: Path,
        home: Path,
        *,
        extra: Iterable[str] = (),
        source: Mapping[str, str] | None = None,
        caches: Path | None = None,
        git: GitFolders | None = None,
    ) -> AsyncIterator[CheckSandbox]:
        """An empty ``HOME`` at ``home`` and ``TMPDIR``, the allowed names of our own environment, and ``CI=1``.

        Checks run code an agent wrote: no credential may be among the ``extra`` names. ``source`` is our own
        environment by default. Both folders are removed at the end, so that nothing written there is there for the next
        checks; what stays are downloads in ``caches``, a directory for one repository's checkouts.
        """
        have = os.environ if source is None else source
        discarded = _discarded(home)
        # A killed service may have left them.
        await asyncio.to_thread(_remove_trees, home, discarded)
        own_home.furnish(home, have)
        # In the system's own place: below the data directory, the names of sockets would become too long.
        scratch = Path(tempfile.mkdtemp(prefix="journeyman-"))
        folders = {tree: CHECKOUT, home: HOME, scratch: TEMP}
        if caches is not None:
            folders[caches] = CACHES
            link_caches(caches, home, CACHES if sandbox.is_on else caches)
        at = folders if sandbox.is_on else {folder: folder for folder in folders}
        environment = {
            **inherited(have, (*BASICS, *NETWORK, *extra)),
            **own_home.variables(at[home], have),
            "TMPDIR": str(at[scratch]),
            "CI": "1",
        }
        if caches is not None:
            environment |= cache_variables(at[caches], environment)
        try:
            more = [seen(packages) for packages in own_home.installed_packages(have)]
            yield cls(sandbox, tree, environment, folders, more, git)
        finally:
            await uninterrupted(asyncio.to_thread(_remove_trees, home, discarded, scratch))

    @property
    def home(self) -> Path:
        """The ``HOME`` of its commands, as we see it."""
        return next(folder for folder, place in self._folders.items() if place == HOME)

    @property
    def folders(self) -> tuple[Path, ...]:
        """The folders that its commands write to, as we see them."""
        return tuple(self._folders)

    def remembered(self) -> frozenset[str]:
        """What lies in its ``HOME`` and ``TMPDIR`` now, to `keep_only` that."""
        return frozenset(path for folder in self._beside() for path in _below(folder))

    def keep_only(self, known: frozenset[str]) -> None:
        """Remove what commands have left there since, and in the download caches where nothing is kept: what runs once
        more finds no mark of its first time.
        """
        for folder in self._beside():
            # What lies in a new folder goes with it.
            for path in sorted(_below(folder)):
                place = Path(path)
                if path not in known and os.path.lexists(path):
                    own_home.remove_tree(place) if place.is_dir() and not place.is_symlink() else place.unlink()
        own_home.remove_tree(_discarded(self.home))

    def _beside(self) -> Iterator[Path]:
        return (folder for folder, place in self._folders.items() if place in (HOME, TEMP))

    def inside(self, path: Path) -> Path:
        """A path of the machine as the commands see it."""
        if self._sandbox.is_on:
            for folder, place in self._folders.items():
                if path.is_relative_to(folder):
                    return place / path.relative_to(folder)
        return path

    def reports_inside(self, reports: Path) -> Path:
        """Where a command with these ``reports`` finds them."""
        return REPORTS if self._sandbox.is_on else reports

    @contextlib.contextmanager
    def command(
        self, argv: Sequence[str], environment: Mapping[str, str], access: Access, reports: Path | None = None
    ) -> Iterator[Command]:
        """What starts a program in the checkout; ``reports`` is a folder that it may write to as well."""
        binds = [*self._more]
        binds += [self._bind(folder, place, access) for folder, place in self._folders.items() if place != TEMP]
        if reports is not None:
            binds.append(Bind(reports, REPORTS, writable=True))
        if self._git is not None:
            binds += self._git.binds(writable=True)
        confinement = Confinement(
            cwd=self.inside(self.tree),
            environment=environment,
            temp=next(folder for folder, place in self._folders.items() if place == TEMP),
            binds=tuple(binds),
            network=access.network,
        )
        with self._sandbox.command(argv, confinement) as command:
            yield command

    def _bind(self, folder: Path, place: Path, access: Access) -> Bind:
        if place == CACHES and not access.keeps_downloads:
            return Bind(folder, place, discarded=_discarded(self.home))
        return Bind(folder, place, writable=True)


def _below(folder: Path) -> Iterator[str]:
    """Paths below a folder, behind no link."""
    for place, folders, files in os.walk(folder):
        yield from (f"{place}/{name}" for name in (*folders, *files))


def _discarded(home: Path) -> Path:
    """Where what checks write to the download caches goes; removed with their home."""
    return home.with_name(f"{home.name}-discarded")


def _remove_trees(*folders: Path) -> None:
    for folder in folders:
        own_home.remove_tree(folder)
