"""The server of an agent's tools: one Unix socket for one run, which speaks the Model Context Protocol."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import anyio
import mcp_types as types
import msgspec
import structlog
from mcp.server.lowlevel import Server
from mcp.shared._context_streams import create_context_streams
from mcp.shared.message import SessionMessage

from shared.claude.tools import relay

NAME: Final = "journeyman"
"""Of the server, so that the CLI calls its tools ``mcp__journeyman__…``."""
SOCKET: Final = "tools.sock"
RELAY: Final = "relay.py"
MAX_LINE_BYTES: Final = 4 * 1024 * 1024
MAX_ANSWER_CHARS: Final = 48_000

log = structlog.get_logger(__name__)


class ToolRefused(Exception):
    """What was asked of a tool cannot be had; the text tells the agent why."""


@dataclass(frozen=True)
class Tool:
    """One tool. ``arguments`` is a struct; ``call`` gets one, and the call's own id, and gives a text.

    A call may come twice, with the same id: it must not do anything twice then.
    """

    name: str
    description: str
    arguments: type[msgspec.Struct]
    call: Callable[[Any, str], Awaitable[str]]


def configuration(folder: Path) -> str:
    """The CLI's ``--mcp-config`` for the tools that are served in a folder."""
    program = os.path.realpath(sys.executable)
    server = {"command": program, "args": ["-I", str(folder / RELAY), str(folder), SOCKET]}
    return json.dumps({"mcpServers": {NAME: server}})


@contextlib.asynccontextmanager
async def served(tools: Sequence[Tool], folder: Path) -> AsyncIterator[None]:
    """Serve the tools in a folder, which only the agent's run has, for as long as the context is."""
    shutil.copyfile(relay.__file__, folder / RELAY)
    listening = _bind(folder)
    offered = {tool.name: tool for tool in tools}
    connections: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        connections[task] = writer
        try:
            await _speak(_protocol(offered), reader, writer)
        except (OSError, ValueError, asyncio.CancelledError) as error:
            log.info("a connection of an agent's tools ended", reason=str(error) or type(error).__name__)
        finally:
            connections.pop(task, None)
            writer.close()

    server = await asyncio.start_unix_server(connected, sock=listening, limit=MAX_LINE_BYTES)
    try:
        yield
    finally:
        server.close()
        for task, writer in list(connections.items()):
            # Cut before anything says so: what is not answered yet, the relay asks of the next one.
            writer.transport.abort()
            task.cancel()
        await asyncio.gather(*connections, return_exceptions=True)
        (folder / SOCKET).unlink(missing_ok=True)


def _bind(folder: Path) -> socket.socket:
    """The listening socket; by way of a descriptor, for the folder's path may be longer than a socket's address."""
    (folder / SOCKET).unlink(missing_ok=True)
    directory = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    listening = socket.socket(socket.AF_UNIX)
    try:
        listening.bind(f"/proc/self/fd/{directory}/{SOCKET}")
        (folder / SOCKET).chmod(0o600)
    except OSError:
        listening.close()
        raise
    finally:
        os.close(directory)
    return listening


def _protocol(tools: dict[str, Tool]) -> Server[Any]:
    async def list_tools(_: Any, __: Any) -> types.ListToolsResult:
        return types.ListToolsResult(
            tools=[
                types.Tool(name=tool.name, description=tool.description, input_schema=schema_of(tool.arguments))
                for tool in tools.values()
            ]
        )

    async def call_tool(_: Any, params: types.CallToolRequestParams) -> types.CallToolResult:
        meta: dict[str, Any] = dict(params.meta or {})
        id = str(meta.get("claudecode/toolUseId") or "")
        try:
            return _result(await _called(tools, params.name, params.arguments or {}, id))
        except ToolRefused as refusal:
            return _result(str(refusal), failed=True)
        except Exception as error:  # the agent goes on without it
            log.exception("a tool failed", tool=params.name)
            return _result(f"The tool failed ({type(error).__name__}): go on without it.", failed=True)

    return Server(NAME, on_list_tools=list_tools, on_call_tool=call_tool)


async def _called(tools: dict[str, Tool], name: str, arguments: dict[str, Any], id: str) -> str:
    tool = tools.get(name)
    if tool is None:
        raise ToolRefused(f"There is no tool {name[:60]!r}.")
    try:
        given = msgspec.convert(arguments, tool.arguments)
    except msgspec.ValidationError as error:
        raise ToolRefused(f"{name} does not take these arguments: {error}.") from None
    return await tool.call(given, id)


def schema_of(arguments: type[msgspec.Struct]) -> dict[str, Any]:
    """The JSON Schema of a tool's arguments."""
    schema = msgspec.json.schema(arguments)
    named = schema["$defs"][arguments.__name__]
    # Nothing else is defined: the arguments are plain values.
    return {key: value for key, value in named.items() if key not in ("title", "description")}


def _result(text: str, *, failed: bool = False) -> types.CallToolResult:
    if len(text) > MAX_ANSWER_CHARS:
        text = f"{text[:MAX_ANSWER_CHARS]}\n[cut: {len(text) - MAX_ANSWER_CHARS} more characters; ask for less at once]"
    return types.CallToolResult(content=[types.TextContent(type="text", text=text)], is_error=failed)


async def _speak(protocol: Server[Any], reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Speak with one relay to its end."""
    heard_in, heard = create_context_streams[SessionMessage | Exception](0)
    said, said_out = create_context_streams[SessionMessage](0)

    async def hear() -> None:
        async with heard_in:
            while line := await reader.readline():
                message = types.jsonrpc_message_adapter.validate_json(line, by_name=False)
                await heard_in.send(SessionMessage(message))

    async def say() -> None:
        async with said_out:
            async for each in said_out:
                writer.write(each.message.model_dump_json(by_alias=True, exclude_unset=True).encode() + b"\n")
                await writer.drain()

    async with anyio.create_task_group() as group:
        group.start_soon(hear)
        group.start_soon(say)
        await protocol.run(heard, said, protocol.create_initialization_options())
