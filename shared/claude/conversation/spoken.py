"""What an agent has said to its person in one process, from its output: also of a message that broke off."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import msgspec

from shared.ops.limits import DEFAULTS

_TEXTS: Final = (b'"content_block_delta"', b'"type":"assistant"', b'"message_start"')


def spoken(run_dir: Path) -> str:
    """The texts of the agent's messages, one paragraph each."""
    with contextlib.suppress(FileNotFoundError), (run_dir / "stdout.jsonl").open("rb") as file:
        return spoken_in(iter(lambda: file.readline(DEFAULTS.max_agent_line_bytes), b""))
    return ""


def spoken_in(lines: Iterable[bytes]) -> str:
    """The same for output lines (pure). A whole message takes the place of the pieces that came before it."""
    whole: list[str] = []
    pieces: list[str] = []
    for raw in lines:
        if not any(each in raw[:400] for each in _TEXTS):
            continue
        match _decoded(raw):
            case {"type": "stream_event", "event": {"type": "message_start"}, "parent_tool_use_id": None}:
                whole.append("".join(pieces))
                pieces.clear()
            case {
                "type": "stream_event",
                "event": {"delta": {"type": "text_delta", "text": str(text)}},
                "parent_tool_use_id": None,
            }:
                pieces.append(text)
            case {"type": "assistant", "message": {"content": list(blocks)}, "parent_tool_use_id": None} if not any(
                pieces
            ):
                # Without its pieces, as after a restart of the CLI's stream.
                whole.extend(block["text"] for block in blocks if block.get("type") == "text")
    whole.append("".join(pieces))
    return "\n\n".join(text for text in map(str.strip, whole) if text)


def _decoded(raw: bytes) -> Any:
    try:
        return msgspec.json.decode(raw)
    except (msgspec.DecodeError, RecursionError):
        return None
