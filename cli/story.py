"""An event as people read it in a terminal (pure)."""

from __future__ import annotations

from shared.contracts.kinds import KINDS
from shared.contracts.usage import ModelUsage, cost_of, tokens_of
from shared.event_store.envelope import RecordedEvent


def sentence(event: RecordedEvent) -> str:
    """What happened, and what it cost, in one line."""
    return KINDS[event.kind].sentence(event.data) + _spent(getattr(event.data, "usage", ()))


def money(microusd: int) -> str:
    """Micro-dollars as dollars: at least four digits, because agents are cheap by the turn."""
    return f"${microusd / 1_000_000:.4f}"


def _spent(usage: tuple[ModelUsage, ...]) -> str:
    return f" · {tokens_of(usage):,} tokens, {money(cost_of(usage))}" if usage else ""
