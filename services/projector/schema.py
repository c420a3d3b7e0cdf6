"""The tables, and the hash of everything that decides what is in them."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

HERE = Path(__file__).parent


def ddl() -> str:
    """The statements that make an empty database."""
    return (HERE / "schema.sql").read_text()


@cache
def projection_hash() -> str:
    """Twelve hex digits over the schema and the projection's code: another hash means another file of read models."""
    digest = hashlib.sha256()
    for path in [HERE / "schema.sql", *sorted((HERE / "projection").glob("*.py"))]:
        digest.update(path.name.encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]
