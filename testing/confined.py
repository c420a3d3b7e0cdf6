"""Programs in the sandbox, for tests."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from shared.sandbox.binary import find_bwrap
from shared.sandbox.confinement import HOME, Confinement
from shared.sandbox.machine import Machine
from shared.sandbox.sandbox import Confined

NOBODY: Final = 65534


def sandbox(*hidden: Path) -> Confined:
    """The real one, in which nothing of ``hidden`` is seen."""
    return Confined(find_bwrap(), Machine(hidden, Path.home()))


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
