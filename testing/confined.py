"""Programs in the sandbox, for tests."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import msgspec

from shared.sandbox.binary import find_bwrap
from shared.sandbox.confinement import HOME, Confinement, written
from shared.sandbox.machine import Machine
from shared.sandbox.sandbox import Command, Confined

NOBODY: Final = 65534


def sandbox(*hidden: Path) -> Confined:
    """The real one, in which nothing of ``hidden`` is seen."""
    return Confined(find_bwrap(), Machine(hidden, Path.home()), overlays=True)


class Sharing:
    """The real sandbox, in which programs see and write ``folders`` too: a test hears there what they have done."""

    is_on = True

    def __init__(self, *folders: Path) -> None:
        self._folders = folders
        self._box = sandbox()

    @contextlib.contextmanager
    def command(self, argv: Sequence[str], confinement: Confinement) -> Iterator[Command]:
        binds = (*map(written, self._folders), *confinement.binds)
        with self._box.command(argv, msgspec.structs.replace(confinement, binds=binds)) as command:
            yield command


def run_confined(
    script: str,
    confinement: Confinement | None = None,
    *,
    box: Confined | None = None,
    account: int | None = None,
    argv: Sequence[str] = ("/bin/sh", "-c"),
) -> subprocess.CompletedProcess[str]:
    """Run a shell script inside; ``account`` is the one that bwrap runs as, by default our own."""
    given = confinement or Confinement(cwd=Path("/"), environment={"PATH": os.environ["PATH"], "HOME": str(HOME)})
    with (box or sandbox()).command((*argv, script), given) as command:
        return subprocess.run(
            command.argv,
            env=command.environment,
            cwd=command.cwd,
            pass_fds=command.descriptors,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            user=account,
            group=account,
            extra_groups=None if account is None else [],
        )
