from __future__ import annotations

import importlib
import re
from operator import attrgetter
from pathlib import Path

import pytest

from shared.contracts.docs import OPERATIONS_PAGE, with_limits
from shared.ops.limits import Limits, table
from shared.ops.settings import BadSettings, load_settings

FIXED = re.findall(
    r"^\| .* \| ([0-9.,]+) \| .* \| `([a-z_.]+)\.([A-Z_]+(?:\.[a-z_]+)?)` \|$",
    OPERATIONS_PAGE.read_text(),
    re.M,
)


def test_the_table_in_the_handbook_is_that_of_the_settings() -> None:
    page = OPERATIONS_PAGE.read_text()
    assert page == with_limits(page), "run `make docs`"


def test_only_bytes_are_shown_in_units_of_bytes() -> None:
    shown = dict(re.findall(r"^\| `JOURNEYMAN_([A-Z_]+)` \| ([^|]+) \|", table(), re.M))
    assert {name.lower() for name in shown} == set(Limits.model_fields)
    assert shown["MAX_KEPT_ACTORS"] == "2,048"
    assert shown["MAX_SOCKET_FRAME_BYTES"] == "64 KiB"
    assert [name for name, value in shown.items() if value.endswith("iB") and not name.endswith("_BYTES")] == []


@pytest.mark.parametrize(("shown", "module", "name"), FIXED, ids=[f"{module}.{name}" for _, module, name in FIXED])
def test_a_fixed_bound_is_what_the_handbook_says(shown: str, module: str, name: str) -> None:
    assert attrgetter(name)(importlib.import_module(module)) == float(shown.replace(",", ""))


def test_the_handbook_lists_fixed_limits() -> None:
    _, _, section = OPERATIONS_PAGE.read_text().partition("These are fixed")
    section, _, _ = section.partition("\n## ")
    rows = [line for line in section.splitlines() if line.startswith("|")][2:]
    assert len(FIXED) == len(rows) > 25


@pytest.mark.parametrize("name", Limits.model_fields)
def test_a_bound_that_makes_no_sense_is_refused_by_its_name(name: str) -> None:
    least, most = (getattr(limit, attribute) for limit, attribute in _limits(name))
    for value in (least, most):
        assert getattr(load_settings({}, **{name: value}), name) == value
    for value in (least - 1, most + 1):
        with pytest.raises(BadSettings, match=f"JOURNEYMAN_{name.upper()}"):
            load_settings({}, **{name: value})


@pytest.mark.parametrize("name", Limits.model_fields)
def test_every_bound_is_tested_at_the_bound_and_past_it(name: str) -> None:
    tests = [path for path in Path(__file__).parent.glob("test_*.py") if path != Path(__file__)]
    assert any(name in path.read_text().lower() for path in tests), (
        f"no test in {Path(__file__).parent.name}/ sets {name}"
    )


def _limits(name: str) -> list[tuple[object, str]]:
    least, most = Limits.model_fields[name].metadata
    return [(least, "ge"), (most, "le")]
