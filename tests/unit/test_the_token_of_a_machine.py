from __future__ import annotations

import stat
from pathlib import Path

import pytest

from shared.contracts.user import NAME
from shared.ops.account import RESERVED, short_name
from shared.ops.machine_token import FILE, machine_token, read_machine_token
from shared.ops.settings import BadSettings, load_settings


def test_it_is_made_once_and_read_by_its_owner_alone(tmp_path: Path) -> None:
    made = machine_token(tmp_path, "ada")
    assert made.token.startswith("jm_ada_")
    assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600
    assert machine_token(tmp_path, "ada") == made == read_machine_token(tmp_path)


def test_somebody_else_who_runs_the_gateway_has_another_one(tmp_path: Path) -> None:
    before = machine_token(tmp_path, "ada")
    after = machine_token(tmp_path, "bo")
    assert (after.name, after.token != before.token) == ("bo", True)
    assert read_machine_token(tmp_path) == after


@pytest.mark.parametrize("text", ["", "jm_ada", "jm_ada_short", "jm_Ada_" + "x" * 43, "\xff"])
def test_what_is_no_token_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE).write_bytes(text.encode("latin-1"))
    assert read_machine_token(tmp_path) is None


@pytest.mark.parametrize(
    ("account", "name"),
    [
        ("ada", "ada"),
        ("Ada.Lovelace", "ada-lovelace"),
        ("7up", "up"),
        ("_", "admin"),
        ("agent", "admin"),
        ("x" * 99, "x" * 32),
    ],
)
def test_an_accounts_name_becomes_a_persons(account: str, name: str) -> None:
    assert short_name(account) == name
    assert NAME.fullmatch(name)


@pytest.mark.parametrize("name", [*sorted(RESERVED), "Ada", "a b"])
def test_nobody_can_be_called_what_stands_for_nobody(name: str) -> None:
    with pytest.raises(BadSettings, match="JOURNEYMAN_USER"):
        load_settings(user=name)
