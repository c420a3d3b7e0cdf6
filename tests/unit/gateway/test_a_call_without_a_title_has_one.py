from __future__ import annotations

import pytest

from services.gateway.custom.registry import _read
from shared.contracts.delivery import Signal
from shared.contracts.webhook import Definition, Paths, Scheme, Verification
from shared.ops.config import Config


@pytest.mark.parametrize(
    ("body", "title"),
    [(b'{"name": "Nightly", "id": 7}', "Nightly"), (b'{"id": 7}', "builds 7"), (b"{}", "builds")],
)
def test_a_call_without_a_title_is_called_by_its_webhook_and_thing(body: bytes, title: str) -> None:
    definition = Definition(verification=Verification(scheme=Scheme.NONE), paths=Paths(title="name", id="id"))
    found = _read("builds", definition, "call", body, Config()).meaning
    assert isinstance(found, Signal) and found.title == title
