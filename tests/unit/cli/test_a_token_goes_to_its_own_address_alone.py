"""What lets us in at one dashboard is shown to no other one, and is found for the address that a command is given."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli import contexts
from cli.contexts import Context, Contexts
from cli.endpoint import Endpoint
from cli.gateway_api import token_at
from testing.door import TOKEN, lay_token


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Endpoint:
    """The system of this folder, with the token of its machine, beside a context that we have logged in at."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    contexts.write(
        Contexts(named={"team": Context(http="https://jm.example", token="jm_bo_team", person="bo"), "old": Context()})
    )
    lay_token(tmp_path / "data")
    return Endpoint(nats="nats://127.0.0.1:4222", http="http://127.0.0.1:8080", data=tmp_path / "data")


def test_the_machines_token_is_for_the_machines_own_dashboard(here: Endpoint) -> None:
    assert token_at("http://localhost:8080/", here) == TOKEN


def test_a_saved_login_is_for_the_address_that_it_was_made_at(here: Endpoint) -> None:
    assert token_at("https://jm.example/", here) == "jm_bo_team"


@pytest.mark.parametrize(
    "other", ["http://jm.example", "https://jm.example.evil", "https://jm.example:444", "http://127.0.0.1:8081"]
)
def test_every_other_address_is_shown_none(here: Endpoint, other: str) -> None:
    assert token_at(other, here) == ""
