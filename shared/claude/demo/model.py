"""The scripted model of demo mode: the one endpoint of the Messages API that the CLI needs, on loopback, offline and
free.

The whole rest is real: the CLI, its tools, the repository, the tests. What the CLI prices is fictional.
"""

from __future__ import annotations

import argparse
import asyncio
import collections
import contextlib
import hashlib
import json
import signal
import sys
import uuid
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from shared.claude.demo.conversation import ScriptedConversation, read_request
from shared.claude.demo.script import Cut, Fail, Hang, Move, Speak, moves
from shared.ops.files import write_atomically

_MAX_BODY = 64 * 1024 * 1024
_MAX_HEAD = 64 * 1024
_KEPT_REQUESTS = 1000
_ERRORS = {
    400: ("invalid_request_error", "scripted refusal"),
    401: ("authentication_error", "invalid x-api-key"),
    403: ("permission_error", "scripted refusal"),
    429: ("rate_limit_error", "scripted rate limit"),
    500: ("api_error", "scripted failure"),
    529: ("overloaded_error", "Overloaded"),
}


class Request(msgspec.Struct, frozen=True):
    """What one call was counted as: the numbers that the CLI was told."""

    session: str
    role: str
    model: str
    outcome: str
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int


class DemoModel:
    """The server. ``latency_s`` is waited before every answer; a request's ``x-demo-latency-ms`` header adds to it."""

    def __init__(self, latency_s: float = 0.0) -> None:
        self.requests: collections.deque[Request] = collections.deque(maxlen=_KEPT_REQUESTS)
        """The last requests, oldest first."""
        self.count = 0
        self._latency_s = latency_s
        self._used: collections.Counter[str] = collections.Counter()
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> str:
        """Listens; returns the base URL. OSError when the port is taken."""
        self._server = await asyncio.start_server(self._serve, host, port, limit=_MAX_HEAD)
        return f"http://{host}:{self._server.sockets[0].getsockname()[1]}"

    async def stop(self) -> None:
        """Closes the port and every connection."""
        if self._server is not None:
            self._server.close()
        for connection in list(self._connections):
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
                while await self._exchange(reader, writer):
                    pass
        except asyncio.CancelledError:
            pass  # stopping
        finally:
            self._connections.discard(task)
            writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """One request on a kept connection; False when the connection is to be closed."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, path, *_ = head[0].split(" ")
        headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
        length = int(headers.get("content-length") or 0)
        if length > _MAX_BODY:
            await _send_json(writer, 413, _error("request_too_large", "too large"))
            return False
        raw = await reader.readexactly(length)
        if method != "POST" or path.split("?")[0] != "/v1/messages":
            await _send_json(writer, 200 if method in ("GET", "HEAD") and path == "/" else 404, {})
            return True
        try:
            body = json.loads(raw)
            talk = read_request(body, headers.get("x-claude-code-session-id", ""))
        except (ValueError, KeyError, TypeError, AttributeError):
            await _send_json(writer, 400, _error("invalid_request_error", "no Messages API request"))
            return True
        await asyncio.sleep(self._latency_s + float(headers.get("x-demo-latency-ms") or 0) / 1000)
        return await self._answer(writer, talk, body)

    async def _answer(self, writer: asyncio.StreamWriter, talk: ScriptedConversation, body: Mapping[str, Any]) -> bool:
        self.count += 1
        match self._choose(talk):
            case Fail(status=status):
                self._log(talk, f"fail {status}")
                kind, message = _ERRORS.get(status, ("api_error", "scripted failure"))
                await _send_json(writer, status, _error(kind, message))
                return True
            case Hang():
                self._log(talk, "hang")
                await asyncio.Event().wait()
                return False
            case Cut():
                self._log(talk, "cut")
                await self._stream(writer, talk, body, Speak("This answer breaks off"), cut=True)
                return False
            case Speak() as speak:
                await self._stream(writer, talk, body, speak, cut=False)
                return True

    def _choose(self, talk: ScriptedConversation) -> Move:
        """The first move that is not used up. Counting is the only memory, and only faults with a number need it."""
        place = f"{talk.session} {len(talk.exchanges)} {hashlib.sha256(talk.prompt.encode()).hexdigest()}"
        chosen: Move = Speak("")
        for index, chosen in enumerate(moves(talk)):
            times = chosen.times if isinstance(chosen, Fail) else 1 if isinstance(chosen, Cut) else None
            if times is None:
                break
            key = f"{place} {index}"
            if self._used[key] < times:
                self._used[key] += 1
                break
        return chosen

    async def _stream(
        self,
        writer: asyncio.StreamWriter,
        talk: ScriptedConversation,
        body: Mapping[str, Any],
        speak: Speak,
        *,
        cut: bool,
    ) -> None:
        usage = _usage(body, speak)
        _head(writer, 200, "text/event-stream", None)
        events = _events(talk, speak, usage)
        sent = 0
        async for event in events:
            data = f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode()
            writer.write(b"%x\r\n%s\r\n" % (len(data), data))
            await writer.drain()
            sent += 1
            if cut and sent == 3:
                writer.transport.abort()
                return
        writer.write(b"0\r\n\r\n")
        await writer.drain()
        self._log(talk, "answered", usage)

    def _log(self, talk: ScriptedConversation, outcome: str, usage: Mapping[str, int] | None = None) -> None:
        usage = usage or {}
        self.requests.append(
            Request(
                session=talk.session,
                role=talk.role.value,
                model=talk.model,
                outcome=outcome,
                input_tokens=usage.get("input_tokens", 0),
                output_tokens=usage.get("output_tokens", 0),
                cache_read_tokens=usage.get("cache_read_input_tokens", 0),
                cache_write_tokens=usage.get("cache_creation_input_tokens", 0),
            )
        )


async def _events(talk: ScriptedConversation, speak: Speak, usage: Mapping[str, int]) -> AsyncIterator[dict[str, Any]]:
    """The events of one response in the API's order."""
    message: dict[str, Any] = {
        "id": f"msg_{uuid.uuid4().hex[:24]}",
        "type": "message",
        "role": "assistant",
        "model": talk.model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {**usage, "output_tokens": 1},
    }
    yield {"type": "message_start", "message": message}
    index = 0
    if speak.text or not speak.calls:
        yield {"type": "content_block_start", "index": index, "content_block": {"type": "text", "text": ""}}
        pieces = _pieces(speak.text)
        for piece in pieces:
            await asyncio.sleep(speak.seconds / len(pieces))
            yield {"type": "content_block_delta", "index": index, "delta": {"type": "text_delta", "text": piece}}
        yield {"type": "content_block_stop", "index": index}
        index += 1
    for call in speak.calls:
        block = {"type": "tool_use", "id": f"toolu_{uuid.uuid4().hex[:24]}", "name": call.name, "input": {}}
        yield {"type": "content_block_start", "index": index, "content_block": block}
        for piece in _pieces(json.dumps(call.input)):
            delta = {"type": "input_json_delta", "partial_json": piece}
            yield {"type": "content_block_delta", "index": index, "delta": delta}
        yield {"type": "content_block_stop", "index": index}
        index += 1
    stop = {"stop_reason": "tool_use" if speak.calls else "end_turn", "stop_sequence": None}
    yield {"type": "message_delta", "delta": stop, "usage": dict(usage)}
    yield {"type": "message_stop"}


def _pieces(text: str) -> list[str]:
    size = max(24, len(text) // 100)
    return [text[start : start + size] for start in range(0, len(text), size)] or [""]


def _usage(body: Mapping[str, Any], speak: Speak) -> dict[str, int]:
    """Four characters a token; all but the last message counts as cached, as it would be with the real API."""
    messages = body.get("messages") or [{}]
    before = len(json.dumps([body.get("system"), body.get("tools"), messages[:-1]])) // 4
    fresh = len(json.dumps(messages[-1])) // 4
    said = len(speak.text) + sum(len(json.dumps(call.input)) + len(call.name) for call in speak.calls)
    first = len(messages) <= 2
    return {
        "input_tokens": fresh,
        "cache_creation_input_tokens": before if first else 0,
        "cache_read_input_tokens": 0 if first else before,
        "output_tokens": said // 4 + 1,
    }


def _error(kind: str, message: str) -> dict[str, Any]:
    return {"type": "error", "error": {"type": kind, "message": message}}


async def _send_json(writer: asyncio.StreamWriter, status: int, body: Mapping[str, Any]) -> None:
    data = json.dumps(body).encode()
    _head(writer, status, "application/json", len(data))
    writer.write(data)
    await writer.drain()


def _head(writer: asyncio.StreamWriter, status: int, content_type: str, length: int | None) -> None:
    size = "transfer-encoding: chunked" if length is None else f"content-length: {length}"
    request_id = f"req_demo_{uuid.uuid4().hex[:12]}"
    writer.write(
        f"HTTP/1.1 {status} X\r\ncontent-type: {content_type}\r\n{size}\r\nrequest-id: {request_id}\r\n\r\n".encode()
    )


async def _run(host: str, port: int, port_file: Path | None, latency_s: float) -> None:
    model = DemoModel(latency_s)
    url = await model.start(host, port)
    if port_file is not None:
        write_atomically(port_file, f"{url.rpartition(':')[2]}\n".encode())
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    await stopped.wait()
    await model.stop()


def main() -> None:
    """``python -m shared.claude.demo.model``: serves until SIGTERM; the port goes to ``--port-file``."""
    parser = argparse.ArgumentParser(prog="python -m shared.claude.demo.model", description="The scripted demo model.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--port-file", type=Path, help="where the port is written once it listens")
    parser.add_argument("--latency-ms", type=int, default=0, help="wait before every answer")
    options = parser.parse_args()
    try:
        asyncio.run(_run(options.host, options.port, options.port_file, options.latency_ms / 1000))
    except OSError as error:
        sys.exit(
            f"The demo model cannot listen on {options.host}:{options.port}: {error.strerror}. Choose another --port."
        )


if __name__ == "__main__":
    main()
