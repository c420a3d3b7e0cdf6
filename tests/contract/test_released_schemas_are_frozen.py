"""The log is kept for ever, so what has been released is never changed."""

from __future__ import annotations

import copy

import pytest

from shared.contracts import docs


def test_no_released_event_has_changed() -> None:
    assert docs.frozen(docs.released_schemas(), docs.schemas()) == []


def test_every_event_and_field_is_in_the_record_of_released_schemas() -> None:
    released = docs.released_schemas()
    assert released == docs.with_older_versions(released, docs.schemas()), "run `make docs`"


def test_the_page_of_events_is_not_stale() -> None:
    assert docs.EVENTS_PAGE.read_text() == docs.events_markdown(), "run `make docs`"


def test_a_new_optional_field_and_a_new_event_are_free() -> None:
    now = copy.deepcopy(docs.schemas())
    now["task.approved"]["fields"]["note"] = {"type": "string", "default": ""}
    now["task.applauded"] = {"required": [], "fields": {}}
    assert docs.frozen(docs.schemas(), now) == []


@pytest.mark.parametrize("change", ["gone", "field", "type", "required"])
def test_a_change_that_old_events_do_not_fit_is_found(change: str) -> None:
    now = copy.deepcopy(docs.schemas())
    match change:
        case "gone":
            del now["task.approved"]
        case "field":
            del now["task.failed"]["fields"]["code"]
        case "type":
            now["task.failed"]["fields"]["code"] = {"type": "integer"}
        case _:
            now["task.approved"]["fields"]["note"] = {"type": "string"}
            now["task.approved"]["required"].append("note")
    assert docs.frozen(docs.schemas(), now) != []


def test_the_asyncapi_document_names_every_message_and_resolves_every_reference() -> None:
    document = docs.asyncapi()
    messages = document["components"]["messages"]
    assert {"evt.task.approved", "cmd.task.approve", "evt.run.checkpointed"} <= set(messages)
    schemas = document["components"]["schemas"]
    for reference in _references(document):
        group, _, name = reference.removeprefix("#/").rpartition("/")
        assert name in (schemas if group == "components/schemas" else {**messages, **document["channels"]}), reference


def _references(node: object) -> list[str]:
    match node:
        case {"$ref": str(reference)}:
            return [reference]
        case dict():
            return [found for value in node.values() for found in _references(value)]
        case list():
            return [found for value in node for found in _references(value)]
        case _:
            return []
