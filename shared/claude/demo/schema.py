"""Fills a JSON schema with a plausible answer, whatever the schema: the demo must not break when a contract grows."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_Schema = Mapping[str, Any]
_DEEPEST = 8


def fill(schema: _Schema, *, title: str, text: str, prompt: str) -> dict[str, Any]:
    """An object that satisfies ``schema`` (with enums, $ref, anyOf, bounds), guided by its property names."""
    value = _Filler(schema, title, text, prompt).value(schema, "", _DEEPEST)
    return value if isinstance(value, dict) else {}


class _Filler:
    def __init__(self, root: _Schema, title: str, text: str, prompt: str) -> None:
        self._root = root
        self._title = title
        self._text = text
        self._prompt = prompt

    def value(self, schema: _Schema, name: str, depth: int) -> Any:
        schema = self._resolved(schema)
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return self._choice(list(schema["enum"]), name)
        match _kind(schema):
            case "object":
                return self._object(schema, depth)
            case "array":
                return self._array(schema, name, depth)
            case "boolean":
                return not name.startswith(("needs_", "is_question", "skip", "decline"))
            case "integer" | "number":
                return max(schema.get("minimum", 0), min(schema.get("maximum", 1), 1))
            case "null":
                return None
            case _:
                return self._string(schema, name)

    def _resolved(self, schema: _Schema) -> _Schema:
        reference = schema.get("$ref")
        if isinstance(reference, str):
            found: Any = self._root
            for part in reference.removeprefix("#/").split("/"):
                found = found[part]
            return self._resolved(found)
        for key in ("anyOf", "oneOf", "allOf"):
            options = [self._resolved(option) for option in schema.get(key, ())]
            if options:
                return next((option for option in options if _kind(option) != "null"), options[0])
        return schema

    def _object(self, schema: _Schema, depth: int) -> dict[str, Any]:
        required = set(schema.get("required", ()))
        wanted = schema.get("properties", {}).items()
        return {name: self.value(each, name, depth - 1) for name, each in wanted if depth > 1 or name in required}

    def _array(self, schema: _Schema, name: str, depth: int) -> list[Any]:
        items = schema.get("items", {"type": "string"})
        least = schema.get("minItems", 0)
        if re.search(r"files?|paths?", name) and _kind(self._resolved(items)) == "string":
            return _paths(self._text) or ["README.md"]
        return [self.value(items, name, depth - 1) for _ in range(least)]

    def _choice(self, options: list[Any], name: str) -> Any:
        asks = self._title.rstrip().endswith("?")
        wishes = ["question", "answer"] if asks else []
        if re.search(r"risk|severity|priority|size|effort", name):
            wishes += ["low", "small", "minor", "normal"]
        if re.search(r"\b(bug|fix|fails?|loses?|wrong|broken|crash|error)", self._prompt, re.IGNORECASE):
            wishes += ["bug", "bugfix", "fix", "defect"]
        wishes += ["feature", "enhancement", "chore", "task", "implement", "plan", "low", "yes"]
        lower = {str(option).lower(): option for option in options}
        return next((lower[wish] for wish in wishes if wish in lower), options[0])

    def _string(self, schema: _Schema, name: str) -> str:
        if re.search(r"markdown|plan|body|text|details", name):
            value = self._text
        elif re.search(r"reason|why|rationale", name):
            value = "The scripted demo model takes every task that reads like work."
        else:
            value = self._title
        shortest, longest = schema.get("minLength", 0), schema.get("maxLength", len(value))
        return value[:longest].ljust(shortest, ".")


def _kind(schema: _Schema) -> str:
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = next((each for each in kind if each != "null"), "null")
    if kind is None:
        return "object" if "properties" in schema else "string"
    return str(kind)


def _paths(text: str) -> list[str]:
    section = re.search(r"^## Files to touch\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    return re.findall(r"`([\w./-]+)`", re.sub(r": .*", "", section[1])) if section else []
