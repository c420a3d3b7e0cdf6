"""What the scripted model fills into the form of a webhook: what the words say in so many words (pure)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_PATHS = ("id", "thing", "title", "text", "repository", "author", "url")
_AT = r"`?([A-Za-z_]\w*(?:\.\w+)+)`?"
_SCHEMES = {
    "standard-webhooks": r"standard webhooks",
    "jwt": r"\bjwt\b",
    "basic": r"\bbasic\b",
    "bearer": r"\b(?:bearer|token)\b",
}


def is_webhook_form(schema: Mapping[str, Any]) -> bool:
    """Whether a schema asks for the form."""
    return {"scheme", "filters", "unsure"} <= set(schema.get("properties", {}))


def webhook_form(prompt: str) -> dict[str, Any]:
    """``the title is build.name``, ``only when status is failed``, ``signed in X-Build-Signature``."""
    found = re.search(r"<untrusted[^>]*>\n(.*?)\n</untrusted>", prompt, re.DOTALL)
    words = (found[1] if found else prompt).partition("\n\nA body that it sends:")[0]
    scheme = next((name for name, sign in _SCHEMES.items() if re.search(sign, words, re.IGNORECASE)), "hmac")
    form: dict[str, Any] = {"scheme": scheme, "description": words.strip().partition("\n")[0][:300], "unsure": ""}
    named = re.search(r"\b(?:called|named) `?([a-z][a-z0-9-]+)", words)
    form["name"] = named[1] if named else "drafted"
    header = re.search(r"\bX-[A-Za-z0-9-]+", words)
    if scheme in ("hmac", "bearer") and header:
        form["header"] = header[0]
    elif scheme == "hmac":
        form |= {"header": "X-Signature", "unsure": "The words do not say which header has the signature."}
    if scheme == "hmac" and "sha256=" in words:
        form["prefix"] = "sha256="
    paths = {name: re.search(rf"\b{name} (?:is|in|from|at) {_AT}", words, re.IGNORECASE) for name in _PATHS}
    form["paths"] = {name: at[1] for name, at in paths.items() if at}
    only = re.findall(r"\bonly (?:when|if) `?(\w+(?:\.\w+)*)`? is `?(\w+)", words)
    form["filters"] = [f"{field} == '{value}'" for field, value in only]
    return form
