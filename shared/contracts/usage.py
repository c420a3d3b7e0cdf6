"""What a stretch of agent work consumed, per model."""

from __future__ import annotations

import msgspec


class ModelUsage(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Tokens and estimated cost of one model over one stretch of work (a delta, never a running total).

    Costs are list-price estimates in integer micro-dollars, as the CLI reports them; ``priced`` is false when
    the CLI knew no price for the model and used a default.
    """

    model: str
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    cost_microusd: int = 0
    priced: bool = True


def add_usage(*stretches: tuple[ModelUsage, ...]) -> tuple[ModelUsage, ...]:
    """Sum several stretches per model, in order of first appearance."""
    totals: dict[str, ModelUsage] = {}
    for usage in (usage for stretch in stretches for usage in stretch):
        seen = totals.get(usage.model)
        totals[usage.model] = usage if seen is None else _plus(seen, usage)
    return tuple(totals.values())


def cost_of(usage: tuple[ModelUsage, ...]) -> int:
    """Total cost in micro-dollars."""
    return sum(each.cost_microusd for each in usage)


def tokens_of(usage: tuple[ModelUsage, ...]) -> int:
    """All tokens that went in or came out, cached ones included."""
    return sum(u.input_tokens + u.output_tokens + u.cache_read_tokens + u.cache_write_tokens for u in usage)


def _plus(a: ModelUsage, b: ModelUsage) -> ModelUsage:
    return ModelUsage(
        model=a.model,
        input_tokens=a.input_tokens + b.input_tokens,
        output_tokens=a.output_tokens + b.output_tokens,
        cache_read_tokens=a.cache_read_tokens + b.cache_read_tokens,
        cache_write_tokens=a.cache_write_tokens + b.cache_write_tokens,
        cost_microusd=a.cost_microusd + b.cost_microusd,
        priced=a.priced and b.priced,
    )
