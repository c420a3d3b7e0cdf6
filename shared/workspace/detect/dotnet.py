""".NET: the tests of a solution, else of the project at the top."""

from __future__ import annotations

import re
import shlex
from typing import Final

from shared.workspace.detect.folder import Folder

_SOLUTION: Final = r".+\.slnx?"
_PROJECT: Final = r".+\.(?:cs|fs|vb)proj"
_TESTS: Final = re.compile(r"Microsoft\.NET\.Test\.Sdk|IsTestProject|MSTest|xunit|NUnit|TUnit")


def checks(folder: Folder) -> list[str]:
    """At most one command."""
    return _of_what_is_built(folder, "dotnet test")


def setup(folder: Folder) -> list[str]:
    """The packages, exactly those of the lock files where there are some."""
    locked = any(folder.search(r"packages\.lock\.json", 3))
    return _of_what_is_built(folder, "dotnet restore --locked-mode" if locked else "dotnet restore")


def _of_what_is_built(folder: Folder, command: str) -> list[str]:
    """The command for the solution or project here. dotnet wants a name where there are several: the first is taken."""
    solutions, projects = folder.files(_SOLUTION), folder.files(_PROJECT)
    found = solutions or [name for name in projects if _TESTS.search(folder.text(name))]
    several = len(solutions + projects) > 1
    return [f"{command} {shlex.quote(found[0])}" if several else command] if found else []
