"""Tools of ours reach the CLI through a relay, which outlives the service that answers them."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated, Any

import msgspec
import pytest

from shared.claude.tools.server import MAX_ANSWER_CHARS, RELAY, SOCKET, Tool, ToolRefused, configuration, served
from testing.eventually import eventually


class Words(msgspec.Struct, forbid_unknown_fields=True):
    """What is said."""

    words: Annotated[str, msgspec.Meta(max_length=20)]
    times: int = 1


class Relay:
    """The CLI's side of a relay."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self.process, self._in, self._out = process, process.stdin, process.stdout
        self._asked = 0

    async def ask(self, method: str, params: dict[str, Any]) -> int:
        self._asked += 1
        await self.say({"jsonrpc": "2.0", "id": self._asked, "method": method, "params": params})
        return self._asked

    async def say(self, message: dict[str, Any]) -> None:
        self._in.write(json.dumps(message).encode() + b"\n")
        await self._in.drain()

    async def heard(self) -> dict[str, Any]:
        line: dict[str, Any] = json.loads(await asyncio.wait_for(self._out.readline(), 60))
        return line

    async def greet(self) -> None:
        client = {"name": "test", "version": "1"}
        await self.ask("initialize", {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": client})
        await self.heard()
        await self.say({"jsonrpc": "2.0", "method": "notifications/initialized"})

    async def call(self, name: str, **arguments: Any) -> dict[str, Any]:
        meta = {"claudecode/toolUseId": "toolu_1"}
        id = await self.ask("tools/call", {"name": name, "arguments": arguments, "_meta": meta})
        answer = await self.heard()
        assert answer["id"] == id
        result: dict[str, Any] = answer["result"]
        return result


@contextlib.asynccontextmanager
async def relayed(folder: Path) -> AsyncIterator[Relay]:
    """A relay as the CLI starts it."""
    server = json.loads(configuration(folder))["mcpServers"]["journeyman"]
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(server["command"], *server["args"], stdin=pipe, stdout=pipe)
    try:
        yield Relay(process)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def a_tool(calls: list[tuple[Words, str]], *, waits: asyncio.Event | None = None) -> Tool:
    async def call(given: Words, id: str) -> str:
        calls.append((given, id))
        if waits is not None:
            await waits.wait()
        if given.words == "no":
            raise ToolRefused("That cannot be had.")
        if given.words == "break":
            raise RuntimeError("a secret of ours")
        return given.words * given.times

    return Tool("repeat", "Says it again.", Words, call)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    # Longer than the address of a Unix socket can be.
    made = tmp_path / ("a-long-name-" * 10)
    made.mkdir()
    return made


async def test_a_tool_is_offered_with_its_schema_and_called_with_the_calls_own_id(folder: Path) -> None:
    calls: list[tuple[Words, str]] = []
    async with served([a_tool(calls)], folder), relayed(folder) as relay:
        await relay.greet()
        await relay.ask("tools/list", {})
        (tool,) = (await relay.heard())["result"]["tools"]
        assert tool["name"] == "repeat"
        assert tool["inputSchema"]["required"] == ["words"]
        assert tool["inputSchema"]["properties"]["words"]["maxLength"] == 20
        result = await relay.call("repeat", words="Hello. ", times=2)
        assert result["content"][0]["text"] == "Hello. Hello. "
    assert calls == [(Words("Hello. ", 2), "toolu_1")]


async def test_what_a_tool_refuses_or_breaks_over_is_told_in_words_and_in_nothing_else(folder: Path) -> None:
    async with served([a_tool([])], folder), relayed(folder) as relay:
        await relay.greet()
        for given, told in (
            ({"words": "no"}, "That cannot be had."),
            ({"words": "break"}, "The tool failed (RuntimeError): go on without it."),
            ({"words": 7}, "repeat does not take these arguments"),
            ({"words": "x", "more": 1}, "repeat does not take these arguments"),
        ):
            result = await relay.call("repeat", **given)
            assert result["isError"] is True
            assert told in result["content"][0]["text"]
        unknown = await relay.call("approve")
        assert "There is no tool" in unknown["content"][0]["text"]


async def test_a_long_answer_is_cut_and_says_so(folder: Path) -> None:
    async with served([a_tool([])], folder), relayed(folder) as relay:
        await relay.greet()
        text = (await relay.call("repeat", words="0123456789", times=10_000))["content"][0]["text"]
        assert len(text) < MAX_ANSWER_CHARS + 200
        assert f"[cut: {100_000 - MAX_ANSWER_CHARS} more characters" in text


async def test_what_was_asked_when_the_service_ended_is_answered_by_the_next_one(folder: Path) -> None:
    calls: list[tuple[Words, str]] = []
    async with relayed(folder) as relay:
        first = served([a_tool(calls, waits=asyncio.Event())], folder)
        async with first:
            await relay.greet()
            asked = await relay.ask("tools/call", {"name": "repeat", "arguments": {"words": "Still here."}})
            await eventually(lambda: calls)
        async with served([a_tool(calls)], folder):
            answer = await relay.heard()
            assert (answer["id"], answer["result"]["content"][0]["text"]) == (asked, "Still here.")
            assert (await relay.call("repeat", words="And on."))["content"][0]["text"] == "And on."
    assert [given.words for given, _ in calls] == ["Still here.", "Still here.", "And on."]


async def test_a_folder_is_left_without_a_socket_and_nobody_else_may_connect(folder: Path) -> None:
    async with served([a_tool([])], folder):
        assert (folder / SOCKET).stat().st_mode & 0o777 == 0o600
        assert (folder / RELAY).exists()
    assert not (folder / SOCKET).exists()


async def test_the_relay_needs_nothing_but_the_standard_library(folder: Path) -> None:
    async with served([a_tool([])], folder):
        source = (folder / RELAY).read_text()
    imported = {line.split()[1] for line in source.splitlines() if line.startswith(("import ", "from "))}
    assert imported <= sys.stdlib_module_names | {"__future__"}
