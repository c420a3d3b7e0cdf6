"""What a stretch of agent work consumed, per model, and what the log knows of each place's spend."""

from __future__ import annotations

import operator
from collections.abc import Callable

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
        totals[usage.model] = usage if seen is None else number_by_number(operator.add, (seen,), (usage,))[0]
    return tuple(totals.values())


def less_usage(total: tuple[ModelUsage, ...], known: tuple[ModelUsage, ...]) -> tuple[ModelUsage, ...]:
    """What a total has beyond what is known of it; no number is negative, and a model without any is left out."""
    more = number_by_number(lambda now, before: max(now - before, 0), total, known)
    return tuple(each for each in more if each.cost_microusd or tokens_of((each,)))


def number_by_number(
    combine: Callable[[int, int], int], left: tuple[ModelUsage, ...], right: tuple[ModelUsage, ...]
) -> tuple[ModelUsage, ...]:
    """Combine two stretches model by model and number by number; a model missing on one side counts zero there."""
    lefts, rights = ({usage.model: usage for usage in side} for side in (left, right))
    combined = []
    for model in dict.fromkeys((*lefts, *rights)):
        a, b = lefts.get(model, ModelUsage(model=model)), rights.get(model, ModelUsage(model=model))
        combined.append(
            ModelUsage(
                model=model,
                input_tokens=combine(a.input_tokens, b.input_tokens),
                output_tokens=combine(a.output_tokens, b.output_tokens),
                cache_read_tokens=combine(a.cache_read_tokens, b.cache_read_tokens),
                cache_write_tokens=combine(a.cache_write_tokens, b.cache_write_tokens),
                cost_microusd=combine(a.cost_microusd, b.cost_microusd),
                priced=a.priced and b.priced,
            )
        )
    return tuple(combined)


def cost_of(usage: tuple[ModelUsage, ...]) -> int:
    """Total cost in micro-dollars."""
    return sum(each.cost_microusd for each in usage)


def tokens_of(usage: tuple[ModelUsage, ...]) -> int:
    """All tokens that went in or came out, cached ones included."""
    return sum(u.input_tokens + u.output_tokens + u.cache_read_tokens + u.cache_write_tokens for u in usage)


# ---- accounts ------------------------------------------------------------------------------------------------------

Accounts = dict[str, tuple[ModelUsage, ...]]
"""What the log knows of the spend of each place on one round, draft or triage, by `account_of`."""


def account_of(number: int, worker: str) -> str:
    """The account of a place's work on round, draft or triage ``number``; a worker is ``<name>@<place>``."""
    return f"{number}@{worker.rpartition('@')[2]}"


def booked(accounts: Accounts, account: str, usage: tuple[ModelUsage, ...]) -> Accounts:
    """The accounts after ``usage`` was added to one of them."""
    return accounts | {account: add_usage(accounts.get(account, ()), usage)} if usage else accounts


def unbooked(accounts: Accounts, account: str, total: tuple[ModelUsage, ...]) -> tuple[ModelUsage, ...]:
    """What a place's ``total`` has beyond its account."""
    return less_usage(total, accounts.get(account, ()))


def spent_on(accounts: Accounts, number: int) -> tuple[ModelUsage, ...]:
    """What all places together have spent on round, draft or triage ``number``."""
    return add_usage(*(usage for account, usage in accounts.items() if account.partition("@")[0] == str(number)))
