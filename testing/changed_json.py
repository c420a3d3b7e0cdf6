"""JSON that somebody has changed: a part is gone, null, of another type, far too long or doubled (hypothesis)."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

from hypothesis import strategies as st

Json = Any
Path = tuple[str | int, ...]

TEXTS = st.text(max_size=30) | st.sampled_from(
    [
        "",
        "0",
        "@agent plan",
        "@agent approve",
        "a\n\nb",
        "\u202e",
        "\x00",
        "<!-- ",
        "x" * 3_000,
        "https://[",
        "-1",
        "9" * 40,
    ]
)
VALUES: st.SearchStrategy[Json] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64) | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
REMOVED = object()


def paths(value: Json, at: Path = ()) -> Iterator[Path]:
    """Of everything in it, and of itself."""
    yield at
    match value:
        case dict():
            for key, inner in value.items():
                yield from paths(inner, (*at, key))
        case list():
            for index, inner in enumerate(value):
                yield from paths(inner, (*at, index))


@st.composite
def changed(draw: st.DrawFn, examples: list[Json], most: int = 4) -> Json:
    """One of the examples, changed at up to ``most`` places."""
    value = [deepcopy(draw(st.sampled_from(examples)))]
    for _ in range(draw(st.integers(0, most))):
        *way, last = draw(st.sampled_from(list(paths(value[0], (0,)))))
        place: Json = value
        for step in way:
            place = place[step]
        new = draw(st.just(REMOVED) | VALUES)
        if new is not REMOVED:
            place[last] = new
        elif way:
            del place[last]
    return value[0]
