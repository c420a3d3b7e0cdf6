"""What of this machine confined programs see: its system directories and toolchains, for reading."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

from shared.sandbox.confinement import Bind, seen

_SYSTEM: Final = tuple(map(Path, ("/usr", "/etc", "/opt", "/nix/store", "/gnu/store")))
_OFTEN_LINKS: Final = tuple(map(Path, ("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")))
"""Parts of /usr by another name, on most machines; on others folders of their own."""
_USERS: Final = Path(__file__).parent / "etc"
_NO_TOOLCHAINS: Final = frozenset({".local", ".cargo"})
"""Folders of a home with a ``bin`` whose other folders hold an account's own things."""
_NOTHING: Final = Path("/dev/null")


class Machine:
    """The same for all programs of one service; looked at once, when the service starts.

    ``hidden`` are files and folders that nothing confined sees, whatever names them. Of ``home``, the account's own, it
    sees only the toolchains that lie in it.
    """

    def __init__(self, hidden: Iterable[Path] = (), home: Path | None = None) -> None:
        self._hidden = tuple(Path(os.path.realpath(path)) for path in hidden)
        self._closed = (*self._hidden, *([Path(os.path.realpath(home))] if home else []))
        self._system = tuple(path for path in _SYSTEM if path.is_dir())
        self._links = tuple(path for path in _OFTEN_LINKS if path.is_symlink())
        self._folders = tuple(path for path in _OFTEN_LINKS if path.is_dir() and not path.is_symlink())
        covered = [*_kept_from_others(Path("/etc")), *(path for path in self._closed if self._is_seen(path))]
        self._covered_files = [path for path in covered if path.is_file()]
        self._covered_folders = [path for path in covered if path.is_dir()]

    def base(self) -> Iterator[str]:
        """What bwrap is told first."""
        for path in (*self._system, *self._folders):
            yield from ("--ro-bind", str(path), str(path))
        for path in self._links:
            yield from ("--symlink", str(path.readlink()), str(path))
        for path in self._covered_files:
            yield from ("--ro-bind", str(_NOTHING), str(path))
        for path in self._covered_folders:
            yield from ("--tmpfs", str(path))
        for name in ("passwd", "group"):
            yield from ("--ro-bind", str(_USERS / name), f"/etc/{name}")

    def closing(self) -> Iterator[str]:
        """What bwrap is told last: nothing is written but where somebody gave a place for it."""
        for path in (*self._covered_folders, Path("/")):
            yield from ("--remount-ro", str(path))

    def resolver(self) -> Bind | None:
        """The file with the name servers, where /etc only has a link to it; for programs with a network."""
        file = Path("/etc/resolv.conf").resolve()
        return seen(file) if file.exists() and not self._is_seen(file) else None

    def toolchains(self, environment: Mapping[str, str], given: Iterable[Path]) -> list[Bind]:
        """What the environment names and neither the system directories nor ``given`` have: folders of programs on
        PATH, roots of version managers, certificates. What has something hidden in it is left out.
        """
        places = tuple(given)
        found: dict[Path, None] = {}
        for name, value in environment.items():
            for part in value.split(os.pathsep):
                if not part.startswith("/") or self._is_seen(path := Path(part)):
                    continue
                if not any(path.is_relative_to(place) for place in places):
                    found |= dict.fromkeys(_with_prefix(path) if name == "PATH" else [path])
        return [seen(path) for path in found if self._may_be_seen(path)]

    def _is_seen(self, path: Path) -> bool:
        return any(path.is_relative_to(each) for each in (*self._system, *self._folders, *self._links))

    def _may_be_seen(self, path: Path) -> bool:
        real = Path(os.path.realpath(path))
        return (
            os.access(path, os.R_OK)
            and len(real.parts) > 2
            and not any(real.is_relative_to(hidden) for hidden in self._hidden)
            and not any(closed.is_relative_to(real) for closed in self._closed)
        )


def _with_prefix(programs: Path) -> list[Path]:
    """A folder of programs, and the toolchain that it belongs to: its libraries lie beside it."""
    prefix = programs.parent
    configuration = prefix / "pyvenv.cfg"
    if configuration.exists():
        return [prefix, *_base_of(configuration)]
    if programs.name == "shims":  # pyenv, asdf, mise: each of them calls what lies beside them
        return [prefix]
    if programs.name == "bin" and prefix.name not in _NO_TOOLCHAINS and (prefix / "lib").is_dir():
        return [prefix]
    return [programs]


def _base_of(configuration: Path) -> list[Path]:
    """The Python that a virtual environment was made from."""
    pairs = (line.partition("=") for line in configuration.read_text("utf-8", "replace").splitlines())
    return [Path(value.strip()).parent for key, _, value in pairs if key.strip() == "home"]


def _kept_from_others(folder: Path) -> list[Path]:
    """What this account may read and not everybody: a confined program has the account's own rights to files.

    What lies in such a folder is covered with it.
    """
    found: list[Path] = []
    for entry in sorted(os.scandir(folder), key=lambda each: each.name):
        path = Path(entry.path)
        if entry.is_symlink():
            continue
        if not entry.stat(follow_symlinks=False).st_mode & stat.S_IROTH:
            if os.access(path, os.R_OK):
                found.append(path)
        elif entry.is_dir() and os.access(path, os.R_OK):
            found += _kept_from_others(path)
    return found
