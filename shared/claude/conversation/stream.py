"""The CLI's output lines as the few things we use.

Unknown types are ignored: the CLI has about eighty and adds more.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

_Json = dict[str, Any]
_DEEPEST_CUTS = (16384, 4096, 1024, 256, 64)


class Init(msgspec.Struct, frozen=True):
    """A turn begins. Repeats at each turn."""

    session_id: str
    model: str
    cli_version: str
    tools: tuple[str, ...]
    skills: tuple[str, ...]


class ToolUse(msgspec.Struct, frozen=True):
    id: str
    name: str


class Tokens(msgspec.Struct, frozen=True):
    """What one API response has used so far; ``None`` where the line does not say."""

    input: int | None = None
    output: int | None = None
    cache_read: int | None = None
    cache_write: int | None = None


class Said(msgspec.Struct, frozen=True):
    """One content block of the model.

    ``tokens`` are those of the response's beginning (the output is not counted yet); ``parent`` is the tool use of the
    subagent that speaks; ``error`` an API failure that the CLI words as a message of the model ``<synthetic>``.
    """

    message_id: str
    model: str
    text: str
    tokens: Tokens
    tool_uses: tuple[ToolUse, ...]
    parent: str | None
    error: str | None


class ToolResults(msgspec.Struct, frozen=True):
    """Tools came back: (tool use id, failed) each."""

    results: tuple[tuple[str, bool], ...]
    parent: str | None


class ResponseBegan(msgspec.Struct, frozen=True):
    message_id: str
    model: str
    tokens: Tokens


class ResponseCounted(msgspec.Struct, frozen=True):
    """The final counts of the response that began last in the same (sub)agent."""

    message_id: str | None
    tokens: Tokens


class Retry(msgspec.Struct, frozen=True):
    """The API call failed and is tried again after ``delay_ms``; ``status`` None means there was no response."""

    attempt: int
    delay_ms: int
    status: int | None
    error: str


class Limit(msgspec.Struct, frozen=True):
    """A subscription's limit: ``resets_at`` in seconds since the epoch."""

    status: str
    resets_at: int | None


class Lifecycle(msgspec.Struct, frozen=True):
    """A user message is ``queued``, ``started``, ``completed`` or ``cancelled``."""

    message_id: str
    state: str


class Asked(msgspec.Struct, frozen=True):
    """The CLI waits for a decision about a tool call; for AskUserQuestion the decision is the person's answer."""

    request_id: str
    tool: str
    tool_use_id: str
    input: dict[str, object]


class ModelCount(msgspec.Struct, frozen=True):
    """One model's share of a result line."""

    input: int
    output: int
    cache_read: int
    cache_write: int
    cost_usd: float
    priced: bool


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """A turn ended. ``usage`` is what was used since the result before, None when the CLI did not say."""

    subtype: str
    is_error: bool
    text: str = ""
    structured: dict[str, object] | None = None
    errors: tuple[str, ...] = ()
    turns: int = 0
    session_id: str = ""
    total_cost_usd: float = 0.0
    usage: dict[str, ModelCount] | None = None
    session_usage: dict[str, ModelCount] = {}
    terminal_reason: str | None = None
    api_error_status: int | None = None
    api_error_type: str | None = None
    startup_failure: str | None = None
    denials: tuple[str, ...] = ()
    queued_turns: int = 0


StreamLine = (
    Init
    | Said
    | ToolResults
    | ResponseBegan
    | ResponseCounted
    | Retry
    | Limit
    | Lifecycle
    | Asked
    | Result
)  # fmt: skip


def read_line(raw: bytes) -> StreamLine | None:
    """What a line says, or None when it is unknown, of no use, or no JSON object. Never raises."""
    if b'"content_block_delta"' in raw[:80]:
        return None  # most lines of a run
    line = _decode(raw)
    if line is None:
        return None
    try:
        return _read(line)
    except (KeyError, TypeError, ValueError, AttributeError):
        return None  # a known type with an unknown shape is as useless as an unknown type


def _decode(raw: bytes) -> _Json | None:
    try:
        line = msgspec.json.decode(raw)
    except (msgspec.DecodeError, RecursionError):
        return None
    return line if isinstance(line, dict) else None


def _read(line: _Json) -> StreamLine | None:
    match line.get("type"), line.get("subtype"):
        case "result", str(subtype):
            return _result(line, subtype)
        case "assistant", _:
            return _said(line)
        case "user", _:
            return _tool_results(line)
        case "stream_event", _:
            return _event(line)
        case "system", "init":
            return Init(
                session_id=line["session_id"],
                model=line["model"],
                cli_version=line["claude_code_version"],
                tools=tuple(line.get("tools", ())),
                skills=tuple(line.get("skills", ())),
            )
        case "system", "api_retry":
            delay = int(line.get("retry_delay_ms") or 0)
            return Retry(line.get("attempt", 0), delay, line.get("error_status"), line.get("error") or "")
        case "rate_limit_event", _:
            info = line["rate_limit_info"]
            return Limit(info["status"], info.get("resetsAt"))
        case "command_lifecycle", _:
            return Lifecycle(line["command_uuid"], line["state"])
        case "control_request", _ if line["request"].get("subtype") == "can_use_tool":
            request = line["request"]
            return Asked(line["request_id"], request["tool_name"], request["tool_use_id"], request["input"])
        case _:
            return None


def _said(line: _Json) -> Said:
    message = line["message"]
    blocks = message["content"]
    return Said(
        message_id=message["id"],
        model=message["model"],
        text="".join(block["text"] for block in blocks if block["type"] == "text"),
        tokens=_tokens(message.get("usage") or {}),
        tool_uses=tuple(ToolUse(block["id"], block["name"]) for block in blocks if block["type"] == "tool_use"),
        parent=line.get("parent_tool_use_id"),
        error=line.get("error"),
    )


def _tool_results(line: _Json) -> ToolResults | None:
    content = line["message"]["content"]
    if isinstance(content, str):
        return None
    results = tuple(
        (block["tool_use_id"], bool(block.get("is_error"))) for block in content if block["type"] == "tool_result"
    )
    return ToolResults(results, line.get("parent_tool_use_id")) if results else None


def _event(line: _Json) -> ResponseBegan | ResponseCounted | None:
    event = line["event"]
    match event.get("type"):
        case "message_start":
            message = event["message"]
            return ResponseBegan(message["id"], message["model"], _tokens(message.get("usage") or {}))
        case "message_delta":
            return ResponseCounted(line.get("api_message_id"), _tokens(event.get("usage") or {}))
        case _:
            return None


def _tokens(usage: Mapping[str, Any]) -> Tokens:
    return Tokens(
        input=usage.get("input_tokens"),
        output=usage.get("output_tokens"),
        cache_read=usage.get("cache_read_input_tokens"),
        cache_write=usage.get("cache_creation_input_tokens"),
    )


def _result(line: _Json, subtype: str) -> Result:
    structured = line.get("structured_output")
    since = line.get("model_usage_since_last_result")
    return Result(
        subtype=subtype,
        is_error=bool(line.get("is_error")),
        text=line.get("result") or "",
        structured=structured if isinstance(structured, dict) else None,
        errors=tuple(str(error) for error in line.get("errors") or ()),
        turns=line.get("num_turns") or 0,
        session_id=line.get("session_id") or "",
        total_cost_usd=float(line.get("total_cost_usd") or 0),
        usage=_counts(since) if isinstance(since, dict) else None,
        session_usage=_counts(line.get("modelUsage") or {}),
        terminal_reason=line.get("terminal_reason"),
        api_error_status=line.get("api_error_status"),
        api_error_type=line.get("api_error_type"),
        startup_failure=line.get("startup_failure_reason"),
        denials=tuple(denial["tool_name"] for denial in line.get("permission_denials") or ()),
        queued_turns=line.get("queued_turn_count") or 0,
    )


def _counts(usage: Mapping[str, Any]) -> dict[str, ModelCount]:
    return {
        model: ModelCount(
            input=count.get("inputTokens", 0),
            output=count.get("outputTokens", 0),
            cache_read=count.get("cacheReadInputTokens", 0),
            cache_write=count.get("cacheCreationInputTokens", 0),
            cost_usd=count.get("costUSD", 0.0),
            priced=count.get("costBasis") != "unknown",
        )
        for model, count in usage.items()
    }


def trim(raw: bytes, limit: int = 65536) -> bytes:
    """The line as one JSON object of at most ``limit`` bytes (``limit`` ≥ 1024), for publication.

    Whole original files are left out and the longest texts are cut and say by how much. A line that is no JSON
    object, or that stays too long, becomes ``{"type": …, "cut_bytes": n}``.
    """
    if len(raw) <= limit and b'"originalFile"' not in raw:
        return raw if _decode(raw) is not None else _stub(raw, None)
    line = _decode(raw)
    if line is None:
        return _stub(raw, None)
    result = line.get("tool_use_result")
    if isinstance(result, dict) and isinstance(result.get("originalFile"), str):
        result["originalFile"] = _cut_text(result["originalFile"], 0)
    for longest in (limit, *_DEEPEST_CUTS):
        try:
            trimmed = msgspec.json.encode(_cut(line, longest))
        except (RecursionError, ValueError):
            break  # too deep, or half a surrogate pair
        if len(trimmed) <= limit:
            return trimmed
    return _stub(raw, line)


def _cut(value: object, longest: int) -> object:
    match value:
        case str() if len(value) > longest:
            return _cut_text(value, longest)
        case dict():
            return {key: _cut(each, longest) for key, each in value.items()}
        case list():
            return [_cut(each, longest) for each in value[: max(4, longest // 64)]]
        case _:
            return value


def _cut_text(text: str, keep: int) -> str:
    return f"{text[:keep]}… ({len(text[keep:].encode('utf-8', 'replace'))} bytes cut)"


def _stub(raw: bytes, line: _Json | None) -> bytes:
    kept = {} if line is None else {key: line.get(key) for key in ("subtype", "uuid", "session_id")}
    kept = {key: value for key, value in kept.items() if isinstance(value, str) and len(value) <= 100}
    kind = "unreadable" if line is None else str(line.get("type"))[:100]
    return msgspec.json.encode({"type": kind, **kept, "cut_bytes": len(raw)})
