"""Bits that flip in a DuckDB file."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Final

import duckdb

BLOCKS_AT: Final = 12288
"""Where the blocks begin."""
BLOCK: Final = 262144


def flip(path: Path, at: int) -> None:
    """One bit of the byte at ``at``."""
    content = bytearray(path.read_bytes())
    content[at] ^= 0x10
    path.write_bytes(content)


def flip_logged_text(wal: Path) -> None:
    """In the name of who was behind an event that waits in a write-ahead log.

    In the length of an entry the same bit would make it a log cut short.
    """
    content = wal.read_bytes()
    flip(wal, content.index(b"service:", len(content) // 2) + 5)


def flip_an_old_entry(file: Path, random: Random) -> None:
    """In a block that holds nothing but old entries of the timeline: only who reads everything will notice."""
    blocks = {}
    with duckdb.connect(str(file), read_only=True) as connection:
        for table in ("timeline", "checkpoint", "tasks", "plans", "runs", "usage"):
            found = connection.execute(f"SELECT block_id FROM pragma_storage_info('{table}') WHERE block_id >= 0")
            blocks[table] = {block for (block,) in found.fetchall()}
    alone = blocks.pop("timeline").difference(*blocks.values())
    flip(file, BLOCKS_AT + random.choice(sorted(alone)) * BLOCK + BLOCK // 2)
