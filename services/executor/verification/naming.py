"""Names of tests in sentences and events: the first of them, none too long."""

from __future__ import annotations

from typing import Final

MOST_NAMED: Final = 20
"""Tests that one event names."""
NAME_CHARS: Final = 300
_LISTED: Final = 5


def listed(names: tuple[str, ...]) -> str:
    """The first names, and how many more there are."""
    shown = ", ".join(bounded(names)[:_LISTED])
    return f"{shown} and {len(names) - _LISTED} more" if len(names) > _LISTED else shown


def bounded(names: tuple[str, ...]) -> tuple[str, ...]:
    """As many names as an event takes."""
    return tuple(name[:NAME_CHARS] for name in names[:MOST_NAMED])
