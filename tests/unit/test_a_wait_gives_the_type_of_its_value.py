"""What a test has waited for has the type of the probe's value, so that the type checker reads the rest of the test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import assert_type

from testing.eventually import eventually


def counting() -> Callable[[], int | None]:
    """None when it is asked first, 7 then."""
    answers: Iterator[int | None] = iter((None, 7))
    return lambda: next(answers)


async def test_a_plain_probe_gives_its_value_without_none() -> None:
    assert assert_type(await eventually(counting()), int) == 7


async def test_an_asynchronous_probe_gives_what_it_returns_and_not_its_coroutine() -> None:
    probe = counting()

    async def later() -> int | None:
        return probe()

    assert assert_type(await eventually(later), int) == 7
    assert assert_type(await eventually(lambda: _whole(2)), bool) is True


async def _whole(number: float) -> bool:
    return number == int(number)
