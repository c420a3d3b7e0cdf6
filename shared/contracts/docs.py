"""`docs/events.md`, the AsyncAPI document and the record of released schemas, generated from the contracts' Structs;
and the table of limits in `docs/operations.md`.

``python -m shared.contracts.docs`` writes them; a test fails when they are stale or when a released schema has changed.
"""

from __future__ import annotations

import inspect
import sys
from pathlib import Path
from typing import Any, Final

import msgspec

from shared.contracts.kinds import COMMANDS, EVENTS, KINDS
from shared.contracts.messages import Event
from shared.contracts.versions import version_of
from shared.ops.limits import table

ROOT: Final = Path(__file__).resolve().parents[2]

EVENTS_PAGE: Final = ROOT / "docs" / "events.md"
RELEASED: Final = ROOT / "docs" / "released-schemas.json"
OPERATIONS_PAGE: Final = ROOT / "docs" / "operations.md"
LIMITS_BEGIN: Final = "<!-- limits: written by `make docs` -->\n"
LIMITS_END: Final = "<!-- end of limits -->\n"

_INTRO: Final = """\
# Events and commands

Generated from `shared/contracts/` by `make docs`; do not edit. Every message is one CloudEvents 1.0 JSON object
(`application/cloudevents+json`); this page lists the fields of its `data`. An event lies at `evt.<kind>.<id>.<event>`
in the stream EVENTS, a command is sent to `cmd.<kind>.<id>.<command>`
(or, to be answered with the decision, requested at `req.<kind>.<id>.<command>`). Money is integer micro-dollars, times
are UTC, durations end in `_ms`. A field with a default may be left out. Follow one task with
`nats sub 'evt.*.<task id>.>'`.

The fields are those of an event's newest version. The envelope's attribute `dataversion` says which version was stored;
it is left out for version 1, which is the only one of every event without a number here. `docs/released-schemas.json`
has the shape of every version.
"""


def asyncapi() -> dict[str, Any]:
    """The AsyncAPI 3 document of every subject and message."""
    classes = [cls for kinds in (EVENTS, COMMANDS) for by_name in kinds.values() for cls in by_name.values()]
    _, components = msgspec.json.schema_components(classes, ref_template="#/components/schemas/{name}")
    names = _component_names(classes)
    channels: dict[str, Any] = {}
    messages: dict[str, Any] = {}
    operations: dict[str, Any] = {}
    for prefix, action, kinds in (("evt", "send", EVENTS), ("cmd", "receive", COMMANDS)):
        for kind, by_name in kinds.items():
            for name, cls in by_name.items():
                key = f"{prefix}.{kind}.{name}"
                messages[key] = {
                    "name": f"{kind}.{name}",
                    "summary": _summary(cls),
                    "contentType": "application/cloudevents+json",
                    "payload": _envelope(f"{kind}.{name}", names[cls], _version(cls)),
                }
                channels[key] = {
                    "address": f"{prefix}.{kind}.{{id}}.{name}",
                    "messages": {"message": {"$ref": f"#/components/messages/{key}"}},
                    "parameters": {"id": {"description": f"The {kind}'s id"}},
                }
                operations[key] = {
                    "action": action,
                    "channel": {"$ref": f"#/channels/{key}"},
                    "summary": f"{KINDS[kind].owner}: {_summary(cls)}",
                }
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Journeyman",
            "version": "1",
            "description": "Every command and every event of Journeyman, over NATS JetStream.",
        },
        "defaultContentType": "application/cloudevents+json",
        "channels": channels,
        "operations": operations,
        "components": {"messages": messages, "schemas": dict(sorted(components.items()))},
    }


def events_markdown() -> str:
    """docs/events.md."""
    parts = [_INTRO]
    for kind in EVENTS:
        parts.append(f"\n## {kind} (owned by the {KINDS[kind].owner})\n")
        for title, kinds in (("Events", EVENTS), ("Commands", COMMANDS)):
            if not kinds.get(kind):
                continue
            parts.append(f"\n### {title}\n")
            for name, cls in kinds[kind].items():
                number = f" (version {_version(cls)})" if _version(cls) > 1 else ""
                parts.append(f"\n**`{kind}.{name}`**{number} {_first_paragraph(cls)}\n\n")
                parts.extend(_fields(cls))
    return "".join(parts)


def with_limits(page: str) -> str:
    """docs/operations.md with its table of limits as it must be."""
    before, _, rest = page.partition(LIMITS_BEGIN)
    _, _, after = rest.partition(LIMITS_END)
    return f"{before}{LIMITS_BEGIN}\n{table()}\n{LIMITS_END}{after}"


def schemas() -> dict[str, dict[str, Any]]:
    """For every event its fields' JSON Schemas and which of them are required.

    The key of version 1 is ``run.started``, that of a later one ``run.started/2``.
    """
    return {
        schema_name(kind, name, _version(cls)): {"required": shape.get("required", []), "fields": shape["properties"]}
        for kind, by_name in EVENTS.items()
        for name, cls in by_name.items()
        for shape in (_shape(cls),)
    }


def schema_name(kind: str, name: str, version: int) -> str:
    """The key of one version of an event's schema."""
    return f"{kind}.{name}" if version == 1 else f"{kind}.{name}/{version}"


def with_older_versions(
    released: dict[str, dict[str, Any]], now: dict[str, dict[str, Any]]
) -> dict[str, dict[str, Any]]:
    """What is recorded: the schemas of today, and those of older versions, whose events lie in the log for ever."""
    return {event: schema for event, schema in released.items() if _newest(event, now) > _number(event)} | now


def released_schemas() -> dict[str, dict[str, Any]]:
    """The record of what has been released."""
    released: dict[str, dict[str, Any]] = msgspec.json.decode(RELEASED.read_bytes()) if RELEASED.exists() else {}
    return released


def frozen(released: dict[str, dict[str, Any]], now: dict[str, dict[str, Any]]) -> list[str]:
    """What has changed that must not: one line each.

    New events, new optional fields and new versions (which have their upcaster) are free.
    """
    broken = []
    for event, was in released.items():
        if _newest(event, now) > _number(event):
            continue
        if event not in now:
            broken.append(f"{event} is gone: events are never removed")
            continue
        for field, schema in was["fields"].items():
            if field not in now[event]["fields"]:
                broken.append(f"{event}.{field} is gone: make a new version with an upcaster, or a new event")
            elif not _still_reads(schema, now[event]["fields"][field]):
                broken.append(
                    f"{event}.{field} has changed: make a new field, a new version with an upcaster, or a new event"
                )
        for field in now[event]["required"]:
            if field not in was["required"]:
                broken.append(
                    f"{event}.{field} is newly required: old events lack it, give it a default or make a new version"
                )
    return broken


def _number(event: str) -> int:
    """The version in a key of `schemas`."""
    return int(event.partition("/")[2] or 1)


def _newest(event: str, schemas: dict[str, dict[str, Any]]) -> int:
    """The highest version that ``schemas`` has of the event of a key, 0 for none."""
    name = event.partition("/")[0]
    return max((_number(each) for each in schemas if each.partition("/")[0] == name), default=0)


def _version(cls: type[Any]) -> int:
    return version_of(cls) if issubclass(cls, Event) else 1


def _still_reads(was: Any, now: Any) -> bool:
    """Whether everything that fitted ``was`` fits ``now``: equal, but for more optional fields and more names."""
    match was, now:
        case {"enum": old, **old_rest}, {"enum": new, **new_rest}:
            return set(old) <= set(new) and old_rest == new_rest
        case {"properties": old, **old_rest}, {"properties": new, **new_rest}:
            needed: Any = new_rest.pop("required", [])
            had: Any = old_rest.pop("required", [])
            kept = all(name in new and _still_reads(schema, new[name]) for name, schema in old.items())
            return kept and all(name in had for name in needed) and old_rest == new_rest
        case dict(), dict():
            return was.keys() == now.keys() and all(_still_reads(was[key], now[key]) for key in was)
        case list(), list():
            return len(was) == len(now) and all(map(_still_reads, was, now))
        case _:
            return bool(was == now)


def _shape(cls: type[Any]) -> dict[str, Any]:
    """A schema with everything in place and without words: only what is on the wire counts."""
    (reference,), components = msgspec.json.schema_components([cls], ref_template="{name}")

    def resolve(node: Any) -> Any:
        match node:
            case {"$ref": name, **rest}:
                return resolve({**components[name], **rest})
            case dict():
                return {key: resolve(value) for key, value in node.items() if key not in ("title", "description")}
            case list():
                return [resolve(value) for value in node]
            case _:
                return node

    # Through JSON and back: the record it is compared with has been there too.
    shape: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(resolve(reference)))
    return shape


def _component_names(classes: list[type[Any]]) -> dict[type[Any], str]:
    references, _ = msgspec.json.schema_components(classes, ref_template="{name}")
    return {cls: str(reference["$ref"]) for cls, reference in zip(classes, references, strict=True)}


def _envelope(type: str, data: str, version: int) -> dict[str, Any]:
    numbered = {"dataversion": {"const": version}} if version > 1 else {}
    return {
        "type": "object",
        "required": ["specversion", "id", "source", "type", "subject", "time", "data", *numbered],
        "properties": {
            **numbered,
            "specversion": {"const": "1.0"},
            "id": {"type": "string"},
            "source": {"type": "string"},
            "type": {"const": type},
            "subject": {"type": "string"},
            "time": {"type": "string", "format": "date-time"},
            "datacontenttype": {"const": "application/json"},
            "sequence": {"type": "integer"},
            "prevhash": {"type": "string"},
            "causationid": {"type": "string"},
            "correlationid": {"type": "string"},
            "principal": {"type": "string"},
            "traceparent": {"type": "string"},
            "data": {"$ref": f"#/components/schemas/{data}"},
        },
    }


def _fields(cls: type[Any]) -> list[str]:
    rows = ["| field | type | default |\n|---|---|---|\n"]
    for field in msgspec.structs.fields(cls):
        if field.name == "id" and cls in [c for by_name in COMMANDS.values() for c in by_name.values()]:
            continue
        default = "" if field.required else f"`{_default(field)}`"
        rows.append(f"| `{field.name}` | {_type_words(field.type)} | {default} |\n")
    return rows if len(rows) > 1 else ["No fields.\n"]


def _default(field: Any) -> str:
    if field.default is msgspec.NODEFAULT:
        return msgspec.json.encode(field.default_factory()).decode()
    return msgspec.json.encode(field.default).decode()


def _type_words(annotation: Any) -> str:
    text = inspect.formatannotation(annotation)
    for prefix in ("shared.contracts.messages.", "shared.contracts.usage.", "shared.contracts.", "msgspec."):
        text = text.replace(prefix, "")
    return f"`{text}`".replace("|", "\\|")


def _summary(cls: type[Any]) -> str:
    return " ".join((inspect.getdoc(cls) or "").split(". ")[0].split()).rstrip(".") + "."


def _first_paragraph(cls: type[Any]) -> str:
    return " ".join((inspect.getdoc(cls) or "").split("\n\n")[0].split())


def main() -> None:
    """Write the pages, and record new released schemas; exit 1 when a released one has changed."""
    EVENTS_PAGE.parent.mkdir(parents=True, exist_ok=True)
    EVENTS_PAGE.write_text(events_markdown())
    OPERATIONS_PAGE.write_text(with_limits(OPERATIONS_PAGE.read_text()))
    now = schemas()
    if broken := frozen(released_schemas(), now):
        sys.exit("\n".join(broken))
    kept = with_older_versions(released_schemas(), now)
    RELEASED.write_bytes(msgspec.json.format(msgspec.json.encode(kept, order="sorted"), indent=1) + b"\n")


if __name__ == "__main__":
    main()
