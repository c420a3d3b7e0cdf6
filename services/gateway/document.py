"""What the dashboard's types are generated from: the OpenAPI document, the messages of ``/ws``, and the actions.

``python -m services.gateway.document`` writes it to ``web/openapi.json`` without a server; with ``--check`` it exits
with 1 when the file is stale. ``make api-types`` goes on from there to ``web/src/api/schema.ts``.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, Final, get_args

import msgspec

from services.gateway.app import openapi
from services.gateway.live.protocol import ClientMessage, ServerMessage
from shared.contracts.rules import Action

FILE: Final = Path(__file__).resolve().parents[2] / "web" / "openapi.json"
STALE: Final = f"{FILE.name} does not fit the gateway's routes and messages any more: run `make api-types`."


def document() -> bytes:
    """The document as JSON. It does not depend on the version, so that a release alone changes nothing."""
    made = openapi()
    made["info"] = {"title": "Journeyman", "version": "1"}
    schemas: dict[str, Any] = made["components"]["schemas"]
    _, messages = msgspec.json.schema_components(
        (*get_args(ServerMessage), *get_args(ClientMessage), Action), ref_template="#/components/schemas/{name}"
    )
    for name, schema in messages.items():
        if schemas.setdefault(name, schema) is not schema:
            raise ValueError(f"{name} is the name of a message of /ws and of another struct: rename one of them.")
    return msgspec.json.format(msgspec.json.encode(made, order="sorted"), indent=1) + b"\n"


def is_current() -> bool:
    """Whether the file says what the routes and messages say."""
    return FILE.exists() and FILE.read_bytes() == document()


def main(arguments: list[str]) -> None:
    """Write the file, or with ``--check`` only compare."""
    if arguments == ["--check"]:
        if not is_current():
            sys.exit(STALE)
        return
    FILE.write_bytes(document())


if __name__ == "__main__":
    main(sys.argv[1:])
