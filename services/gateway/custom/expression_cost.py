"""How much work an expression of JMESPath can be on a body of a size, told before it is evaluated (pure).

`[@,@]|[@,@]|…` doubles what it is given with every step, and no evaluation can be interrupted: so it is weighed first.
What is counted is the size of values as trees, in bytes of JSON, and the steps of the interpreter over them; both are
upper bounds. The names of the nodes are those of jmespath's parser.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

MAX_STEPS: Final = 5_000_000
"""Below a second of one core (measured: 0.15 µs a step)."""
MAX_DEPTH: Final = 60
"""Nodes in nodes: a chain of so many names is none that a body has."""
LEAST_BYTES: Final = 2
"""An element of a list takes at least a character and a comma."""
SMALL: Final = 32
"""Bytes of a number, a truth value or the name of a type."""
ESCAPED: Final = 12
"""What a character becomes at most when a text is written as JSON: a pair of surrogates."""
SORTING: Final = 20
"""The logarithm of the longest list."""

_CHAINS: Final = ("subexpression", "pipe", "index_expression")
_BY: Final = ("sort_by", "max_by", "min_by")
_WHOLE: Final = ("keys", "values", "to_array", "merge", "not_null", "reverse", "sort", "max", "min")


class TooCostly(ValueError):
    """The expression may take too long on a body of this size, or is nested too deeply; the text says which."""


def weigh(parsed: Mapping[str, Any], size: int) -> float:
    """The steps that an expression takes at most on a body of ``size`` bytes; raises `TooCostly`."""
    scale = _Scale()
    scale.spend(scale.of(parsed, float(size), 1.0, 0) / 64)
    return scale.steps


class _Scale:
    """``size`` is what all ``count`` evaluations of a node are given together; a method answers with what they give."""

    def __init__(self) -> None:
        self.steps = 0.0

    def spend(self, steps: float) -> None:
        self.steps += steps
        if self.steps > MAX_STEPS:
            raise TooCostly("it may take too long on a body of this size")

    def of(self, node: Mapping[str, Any], size: float, count: float, depth: int) -> float:
        if depth > MAX_DEPTH:
            raise TooCostly("it is nested too deeply")
        self.spend(count)
        kind, children, depth = node["type"], node["children"], depth + 1
        if kind in _CHAINS:
            for child in children:
                size = self.of(child, size, count, depth)
            return size
        match kind:
            case "literal":
                return count * len(msgspec.json.encode(node["value"]))
            case "slice":
                self.spend(size / 16)
                return size
            case "flatten":
                base = self.of(children[0], size, count, depth)
                self.spend(base / 8)
                return base
            case "projection" | "value_projection" | "filter_projection":
                base = self.of(children[0], size, count, depth)
                elements = base / LEAST_BYTES
                for condition in children[2:]:
                    self.of(condition, base, elements, depth)
                return self.of(children[1], base, elements, depth)
            case "multi_select_list":
                return sum(self.of(child, size, count, depth) for child in children) + count * SMALL
            case "multi_select_dict":
                named = sum(len(child["value"]) + SMALL for child in children) * count
                return named + sum(self.of(child["children"][0], size, count, depth) for child in children)
            case "or_expression" | "and_expression":
                return max(self.of(child, size, count, depth) for child in children)
            case "comparator" | "not_expression":
                self.spend(sum(self.of(child, size, count, depth) for child in children) / 64)
                return count * SMALL
            case "function_expression":
                return self._called(node["value"], children, size, count, depth)
            case _:
                return size

    def _called(
        self, name: str, arguments: Sequence[Mapping[str, Any]], size: float, count: float, depth: int
    ) -> float:
        given = [0.0 if each["type"] == "expref" else self.of(each, size, count, depth) for each in arguments]
        whole = sum(given)
        self.spend(whole / 64)
        if name == "map" or name in _BY:
            (listed,) = [each for each in given if each] or [size]
            inner = [each["children"][0] for each in arguments if each["type"] == "expref"]
            made = sum(self.of(each, listed, listed / LEAST_BYTES, depth) for each in inner)
            self.spend(0 if name == "map" else made / 64 * SORTING)
            return made if name == "map" else listed
        if name == "join":
            # The glue stands between all elements: one that the body gives may be as long as the body.
            glue = len(str(arguments[0].get("value", ""))) if arguments[0]["type"] == "literal" else given[0]
            made = whole + sum(given[1:]) / LEAST_BYTES * glue
            self.spend(made / 64)
            return made
        if name == "to_string":
            return whole * ESCAPED + count * LEAST_BYTES
        if name in _WHOLE:
            self.spend(whole / 64 * SORTING if name == "sort" else whole / LEAST_BYTES)
            return whole + count * LEAST_BYTES
        return count * SMALL
