"""`docs/journeyman-toml.md`: every key of `journeyman.toml`, out of the model that reads it.

``python -m shared.ops.config_page`` writes it; a test fails when it is stale.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from shared.ops.config import Config

PAGE: Final = Path(__file__).resolve().parents[2] / "docs" / "journeyman-toml.md"

EXAMPLE: Final = """\
[repos."acme/web-app"]
url = "https://github.com/acme/web-app.git"
base = "main"
setup = ["npm ci"]
checks = ["npm test", "npm run lint"]
evidence = "verified"

[repos."acme/tools"]
path = "/srv/git/tools.git"
people = ["ada", "grace"]

[policy]
label = "journeyman"
bots = ["renovate[bot]"]
"""
_INTRO: Final = """\
# journeyman.toml

Generated from `shared/ops/config.py` by `make docs`; do not edit. The file is in the data directory
(`.journeyman/journeyman.toml`), or where `JOURNEYMAN_CONFIG` names one. It is read again for every task: no restart is
needed. A key that is not here is refused; `journeyman doctor` and the start say what is wrong. Everything else is a
setting: [.env.example](../.env.example).

```toml
"""
_HEAD: Final = "| key | value | default | what |\n|---|---|---|---|\n"
_KEYS: Final = {"repos": '[repos."owner/name"]', "policy": "[policy]", "senders": "[senders.jira]"}
"""How a table's heading is written; another one by its name."""


def markdown() -> str:
    """The whole page."""
    schema = Config.model_json_schema()
    tables = "".join(_table(name, field, schema["$defs"]) for name, field in schema["properties"].items())
    return f"{_INTRO}{EXAMPLE}```\n{tables}"


def _table(name: str, field: dict[str, Any], models: dict[str, Any]) -> str:
    model, many = _model_of(field)
    heading = _KEYS.get(name, f'[{name}."…"]' if many else f"[{name}]")
    lines = [f"\n## {heading}\n\n{_words(field.get('description', ''))}\n\n", _HEAD]
    for key, its in models[model]["properties"].items():
        default = "" if its.get("default") in (None, "", [], {}) else f"`{_toml(its['default'])}`"
        lines.append(f"| `{key}` | {_kind(its, models)} | {default} | {_words(its.get('description', ''))} |\n")
    return "".join(lines)


def _model_of(field: dict[str, Any]) -> tuple[str, bool]:
    """The name of a table's model, and whether there is one for each of several names."""
    many = "additionalProperties" in field
    reference = field["additionalProperties"]["$ref"] if many else field["$ref"]
    return str(reference).rpartition("/")[2], many


def _kind(field: dict[str, Any], models: dict[str, Any]) -> str:
    """A word for what stands behind the key."""
    if "$ref" in field:
        return _kind(models[str(field["$ref"]).rpartition("/")[2]], models)
    if choices := [each for each in field.get("anyOf", ()) if each.get("type") != "null"]:
        return " or ".join(dict.fromkeys(_kind(each, models) for each in choices))
    if "enum" in field:
        return ", ".join(f"`{_toml(each)}`" for each in field["enum"])
    match field.get("type"):
        case "integer":
            low, high = field.get("minimum"), field.get("maximum")
            return "number" if low is None else f"{low} to {high}" if high is not None else f"number from {low}"
        case "array":
            return f"list: {_kind(field.get('items', {}), models)}"
        case "object":
            return f"table, each a {_kind(field.get('additionalProperties', {}), models)}"
        case "boolean":
            return "true, false"
        case _:
            return "path" if field.get("format") == "path" else "text"


def _toml(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _words(description: str) -> str:
    text = " ".join(description.replace("``", "`").replace("|", "\\|").split())
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith('.') or not text else '.'}"


def main() -> None:
    """Write it."""
    PAGE.write_text(markdown())


if __name__ == "__main__":
    main()
