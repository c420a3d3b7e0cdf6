"""What set-up has made in a checkout, and the checkout's own modules, come before what the machine has installed."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from shared.workspace.detect.folder import Folder
from shared.workspace.detect.python import source_roots


def checkout_environment(tree: Path, place: Path, env: Mapping[str, str]) -> dict[str, str]:
    """The environment for a command in the checkout at ``tree``, from the one that is the same for all checkouts.

    ``place`` is where the command finds the checkout.

    A ``.venv`` at the top is activated, gems in ``vendor/bundle`` are found, and Python imports the project's packages
    from the checkout, also where a Makefile says only ``pytest``: else tests would import what the machine has
    installed under the same name.
    """
    found = dict(env)
    # A link may lead to a Python that only the command sees.
    if os.path.lexists(tree / ".venv" / "bin" / "python"):
        programs = place / ".venv" / "bin"
        found["VIRTUAL_ENV"] = str(programs.parent)
        found["PATH"] = f"{programs}{os.pathsep}{env.get('PATH', os.defpath)}"
    gems = Path("vendor", "bundle")
    if (tree / gems).is_dir():
        found.setdefault("BUNDLE_PATH", str(place / gems))
    if roots := source_roots(Folder(tree)):
        own = [str(place / root) for root in roots]
        found["PYTHONPATH"] = os.pathsep.join([*own, *filter(None, [env.get("PYTHONPATH")])])
    return found
