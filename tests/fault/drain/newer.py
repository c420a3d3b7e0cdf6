"""The next version of Journeyman: a copy of this checkout with another version, whose runs say one thing more."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

from testing.service_group import ROOT

VERSION: Final = "99.0.0"
ADDED: Final = b'"host":"here"'
"""In the body of every ``run.claimed`` of the newer version, and in none of this one."""
_PARTS: Final = ("agents", "cli", "services", "shared")
_CHANGES: Final = {
    "shared/ops/version.py": ("VERSION = _version()", f'VERSION = "{VERSION}"'),
    "shared/contracts/run.py": (
        "    round: int\n    attempt: int\n    worker: str\n    session: str\n\n\nclass Started",
        '    round: int\n    attempt: int\n    worker: str\n    session: str\n    host: str = ""\n\n\nclass Started',
    ),
    "services/executor/actors/run.py": ("return Claimed(round=", 'return Claimed(host="here", round='),
}


def newer_version(folder: Path) -> Path:
    """Make the tree below ``folder``; a service started there is the newer one."""
    for part in _PARTS:
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    for name, (old, new) in _CHANGES.items():
        source = (folder / name).read_text()
        assert source.count(old) == 1, f"{name} has changed: change what the newer version does to it as well"
        (folder / name).write_text(source.replace(old, new))
    return folder
