"""The common language: commands, events and states of every actor kind, by their wire names."""

from __future__ import annotations

from shared.contracts.kinds import COMMANDS, EVENTS, READERS

__all__ = ["COMMANDS", "EVENTS", "READERS"]
