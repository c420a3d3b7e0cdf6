"""The whole content of a database, in an order that does not depend on how it was written."""

from __future__ import annotations

from typing import Any

import duckdb

from services.projector.projection.rows import TABLES

Dump = dict[str, list[tuple[Any, ...]]]
"""Every table's rows, sorted."""


def dump(connection: duckdb.DuckDBPyConnection) -> Dump:
    """All rows of all tables with the checkpoint: equal for two databases built from the same events."""
    return {
        table: connection.execute(f"SELECT * FROM {table} ORDER BY ALL").fetchall() for table in ("checkpoint", *TABLES)
    }


def read_everything(connection: duckdb.DuckDBPyConnection) -> None:
    """Read every value of every table, and keep none; raises DuckDB's error where one cannot be read."""
    for table in TABLES:
        connection.execute(f"SELECT max(hash(row)) FROM {table} AS row").fetchall()
