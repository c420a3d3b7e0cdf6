"""What one confined program is given (pure). Everything else of the machine is not there for it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Final

import msgspec

HOME: Final = Path("/home/journeyman")
"""The home of whoever runs inside, also in the user database there."""
TEMP: Final = Path("/tmp")
PROCESSES: Final = 4096
"""Processes and threads that one program may have at a time, with everything below it. The kernel counts none of a
service that runs as root."""


class Network(StrEnum):
    """What a confined program reaches. Without a network it has a loopback interface of its own, and nothing else."""

    NONE = "none"
    HOST = "host"


class Bind(msgspec.Struct, frozen=True):
    """A file, folder or socket of the machine, and the place where the program finds it.

    With ``discarded``, a folder on the same file system, the program can write to its ``source`` as far as it sees:
    what it writes goes to that folder. Where the machine cannot do that, the source is for reading.
    """

    source: Path
    place: Path
    writable: bool = False
    discarded: Path | None = None


def seen(path: Path) -> Bind:
    """The path at its own place, for reading."""
    return Bind(path, path)


def written(path: Path) -> Bind:
    """The path at its own place, for reading and writing."""
    return Bind(path, path, writable=True)


class Confinement(msgspec.Struct, frozen=True, kw_only=True):
    """One program's surroundings.

    ``cwd`` and the paths in ``environment`` are those inside; what the environment names and nothing gives, such as
    the programs on its PATH, is seen for reading. ``temp`` is the folder behind ``/tmp``; memory where it is None.
    A later bind lies over an earlier one. ``sockets`` are how a program without a network reaches one thing: the
    proxy of its model, or of its downloads.

    The program ends with the process that started it.
    """

    cwd: Path
    environment: Mapping[str, str]
    temp: Path | None = None
    binds: tuple[Bind, ...] = ()
    sockets: tuple[Bind, ...] = ()
    network: Network = Network.NONE
    processes: int = PROCESSES
