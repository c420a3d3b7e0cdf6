"""What a run has cost, from its output alone.

The sum of ``model_usage_since_last_result`` over the result lines is exact, also across resumes; the totals on those
lines are cumulative over the whole session and are never summed. What streamed after the last result is counted from
the stream, so that a killed run is priced too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from shared.claude.conversation.stream import (
    ModelCount,
    ResponseBegan,
    ResponseCounted,
    Result,
    Said,
    StreamLine,
    Tokens,
    read_line,
)
from shared.claude.cost.prices import list_price
from shared.contracts.usage import ModelUsage, add_usage, less_usage, number_by_number

_SYNTHETIC = "<synthetic>"
Counted = ResponseBegan | ResponseCounted | Said | Result
COUNTED: Final = (ResponseBegan, ResponseCounted, Said, Result)
"""The lines that a meter looks at."""


class _Response(msgspec.Struct):
    """One API response after the last result."""

    model: str
    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write: int = 0

    def count(self, tokens: Tokens) -> None:
        self.input = self.input if tokens.input is None else tokens.input
        self.output = self.output if tokens.output is None else tokens.output
        self.cache_read = self.cache_read if tokens.cache_read is None else tokens.cache_read
        self.cache_write = self.cache_write if tokens.cache_write is None else tokens.cache_write


class Meter:
    """A fold over the output lines of one process.

    ``resumed`` says that the session had results before this process.
    """

    def __init__(self, resumed: bool = False) -> None:
        self._folded: tuple[ModelUsage, ...] = ()
        self._taken: tuple[ModelUsage, ...] = ()
        self._tail: dict[str, _Response] = {}
        self._latest: str | None = None
        self._session: Mapping[str, ModelCount] | None = None if resumed else {}
        self._scale: dict[str, tuple[float, float]] = {}

    def feed(self, raw: bytes) -> None:
        """Takes one output line; what is no usage is ignored."""
        self.note(read_line(raw))

    def note(self, line: StreamLine | None) -> None:
        """The same for a line that was read already."""
        match line:
            case ResponseBegan(message_id=message_id, model=model, tokens=tokens):
                self._latest = message_id
                self._response(message_id, model).count(tokens)
            case ResponseCounted(message_id=message_id, tokens=tokens):
                response = self._tail.get(message_id or self._latest or "")
                if response is not None:
                    response.count(tokens)
            case Said(message_id=message_id, model=model, tokens=tokens) if message_id not in self._tail:
                self._response(message_id, model).count(tokens)
            case Result():
                self._fold_result(line)
            case _:
                pass

    @property
    def since_last_result(self) -> tuple[ModelUsage, ...]:
        """What streamed after the last result, at list prices corrected by what the result lines charged per model."""
        return add_usage(
            tuple(self._priced(each) for each in self._tail.values() if each.model != _SYNTHETIC),
        )

    @property
    def total(self) -> tuple[ModelUsage, ...]:
        """Everything this process has used so far; never less than what was taken."""
        return number_by_number(max, add_usage(self._folded, self.since_last_result), self._taken)

    @property
    def untaken(self) -> tuple[ModelUsage, ...]:
        """What was used since the last `take_delta`."""
        return less_usage(self.total, self._taken)

    def take_delta(self) -> tuple[ModelUsage, ...]:
        """What was used since the last call. The sum of all deltas is the total; no delta is negative."""
        delta = self.untaken
        self._taken = self.total
        return delta

    def _response(self, message_id: str, model: str) -> _Response:
        return self._tail.setdefault(message_id, _Response(model))

    def _fold_result(self, result: Result) -> None:
        if result.usage is not None:
            stretch = tuple(_usage(model, count) for model, count in result.usage.items())
        elif self._session is not None:
            stretch = tuple(_usage(model, count) for model, count in _grown(result.session_usage, self._session))
        else:
            stretch = self.since_last_result
        for usage in stretch:
            estimate, charged = self._scale.get(usage.model, (0.0, 0.0))
            self._scale[usage.model] = (estimate + _at_list_price(usage), charged + usage.cost_microusd)
        self._folded = add_usage(self._folded, stretch)
        self._session = result.session_usage
        self._tail.clear()

    def _priced(self, response: _Response) -> ModelUsage:
        usage = ModelUsage(
            model=response.model,
            input_tokens=response.input,
            output_tokens=response.output,
            cache_read_tokens=response.cache_read,
            cache_write_tokens=response.cache_write,
            priced=list_price(response.model)[1],
        )
        estimate, charged = self._scale.get(response.model, (0.0, 0.0))
        factor = charged / estimate if estimate else 1.0
        return msgspec.structs.replace(usage, cost_microusd=round(_at_list_price(usage) * factor))


def _usage(model: str, count: ModelCount) -> ModelUsage:
    return ModelUsage(
        model=model,
        input_tokens=count.input,
        output_tokens=count.output,
        cache_read_tokens=count.cache_read,
        cache_write_tokens=count.cache_write,
        cost_microusd=round(count.cost_usd * 1_000_000),
        priced=count.priced,
    )


def _grown(now: Mapping[str, ModelCount], before: Mapping[str, ModelCount]) -> Iterable[tuple[str, ModelCount]]:
    for model, count in now.items():
        old = before.get(model)
        if old is None:
            yield model, count
        elif count != old:
            yield (
                model,
                ModelCount(
                    input=count.input - old.input,
                    output=count.output - old.output,
                    cache_read=count.cache_read - old.cache_read,
                    cache_write=count.cache_write - old.cache_write,
                    cost_usd=count.cost_usd - old.cost_usd,
                    priced=count.priced,
                ),
            )


def _at_list_price(usage: ModelUsage) -> float:
    price, _ = list_price(usage.model)
    return (
        usage.input_tokens * price.input
        + usage.output_tokens * price.output
        + usage.cache_read_tokens * price.cache_read
        + usage.cache_write_tokens * price.cache_write
    )
