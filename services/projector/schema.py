"""The tables, and the hash of everything that decides what is in them."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from shared.ops.code_hash import code_hash

HERE = Path(__file__).parent


def ddl() -> str:
    """The statements that make an empty database."""
    return (HERE / "schema.sql").read_text()


@cache
def projection_hash() -> str:
    """Twelve hex digits over the schema and all code that makes rows of events, with the modules it imports.

    Another hash means another file of read models. `writer.py` is not in it: it stores rows as they are.
    """
    return code_hash(["services.projector.projection"], files=[HERE / "schema.sql"])[:12]
