"""The version of this installation."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version


def _version() -> str:
    try:
        return version("journeyman")
    except PackageNotFoundError:
        return "0.0.0"


VERSION = _version()
