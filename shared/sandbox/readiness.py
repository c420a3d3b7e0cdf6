"""The sandbox of a service, as its settings want it and this machine lets it be."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import structlog

from shared.ops.private import private_directory
from shared.ops.settings import Settings
from shared.sandbox.binary import BwrapMissing, find_bwrap
from shared.sandbox.confinement import Confinement
from shared.sandbox.machine import Machine
from shared.sandbox.sandbox import Command, Confined, Sandbox, Unconfined
from shared.sandbox.self_test import OTHERWISE, can_overlay, confinement_problem

OFF = "off: agents, set-up and checks run as the service's own account and reach what it reaches"

log = structlog.get_logger(__name__)


class Readiness(NamedTuple):
    """The sandbox, and why nothing can be run in it; an empty problem where it holds, or is switched off."""

    sandbox: Sandbox
    problem: str = ""

    @property
    def word(self) -> str:
        """``on``, ``off``, or the problem."""
        return self.problem or ("on" if self.sandbox.is_on else "off")


class Closed:
    """The sandbox of a machine that cannot confine anything: it starts nothing."""

    is_on = True

    def __init__(self, problem: str) -> None:
        self._problem = problem

    @contextlib.contextmanager
    def command(self, argv: Sequence[str], confinement: Confinement) -> Iterator[Command]:
        """Raises OSError."""
        raise OSError(self._problem)
        yield  # a context manager is made of a generator


def look(settings: Settings) -> Readiness:
    """What the setting says, tried out. Blocks for some 50 ms: once, when a service starts."""
    if settings.sandbox == "off":
        log.warning("the sandbox is off", means=OFF)
        return Readiness(Unconfined())
    try:
        bwrap = find_bwrap()
    except BwrapMissing as error:
        problem = f"{error} {OTHERWISE}"
        return Readiness(Closed(problem), problem)
    machine = Machine(hidden_of(settings), _home())
    sandbox = Confined(bwrap, machine)
    private_directory(settings.data_dir)
    problem = confinement_problem(sandbox, settings.data_dir) or ""
    if problem:
        log.error("nothing can be confined here: no agent is started", problem=problem)
        return Readiness(Closed(problem), problem)
    overlays = can_overlay(bwrap, machine, settings.data_dir)
    if not overlays:
        log.warning("checks cannot write to the download caches here, for this machine stacks no folders")
    return Readiness(Confined(bwrap, machine, overlays=overlays))


def hidden_of(settings: Settings) -> list[Path]:
    """What is ours alone: the data directory, and every file that a setting names or was read from."""
    named = (getattr(settings, name) for name in type(settings).model_fields if name not in ("agents_dir",))
    secrets = [path for path in named if isinstance(path, Path)]
    from_variables = [
        Path(value) for name, value in os.environ.items() if name.startswith("JOURNEYMAN_") and name.endswith("_FILE")
    ]
    return [settings.data_dir, *settings.env_files, *(path for path in (*secrets, *from_variables) if path.exists())]


def _home() -> Path | None:
    try:
        return Path.home()
    except RuntimeError:  # an account that no user database knows
        return None
