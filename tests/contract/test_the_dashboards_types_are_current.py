"""The dashboard's types are generated from what the gateway's routes and messages are, and a stale file is noticed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from services.gateway import document
from shared.contracts.rules import Action


def schemas() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(document.document())["components"]["schemas"]
    return found


def test_the_document_that_the_types_are_generated_from_is_current() -> None:
    assert document.is_current(), document.STALE
    document.main(["--check"])


def test_a_stale_document_fails_the_lint_and_says_how_to_mend_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stale = tmp_path / "openapi.json"
    monkeypatch.setattr(document, "FILE", stale)
    for content in (None, document.document().replace(b"TaskPage", b"TaskList")):
        if content is not None:
            stale.write_bytes(content)
        with pytest.raises(SystemExit, match="make api-types"):
            document.main(["--check"])
    document.main([])
    document.main(["--check"])


def test_the_document_has_every_message_of_the_socket_and_every_action() -> None:
    types = {
        name
        for schema in schemas().values()
        for name in schema.get("properties", {}).get("type", {}).get("enum", ())
        if "." in name or name in ("subscribed", "error", "pong")
    }
    assert types == {
        *("task.created", "task.updated", "task.completed", "task.failed", "task.metrics", "task.output"),
        *("agent.status", "subscribed", "error", "pong", "replay.moment", "command.done", "session.updated"),
        *("task.approve", "task.stop", "task.input", "chat.message"),
    }
    assert set(schemas()["Action"]["enum"]) == set(Action)


def test_every_reference_of_the_document_leads_somewhere() -> None:
    found = schemas()
    for reference in _references(json.loads(document.document())):
        assert reference.removeprefix("#/components/schemas/") in found, reference


def _references(node: object) -> list[str]:
    match node:
        case {"$ref": str(reference)}:
            return [reference]
        case dict():
            return [each for value in node.values() for each in _references(value)]
        case list():
            return [each for value in node for each in _references(value)]
        case _:
            return []
