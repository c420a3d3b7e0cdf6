"""The way from a sandbox to the model: a socket, and a relay that outlives the service and not its run."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import subprocess
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path

import pytest

from shared.claude.process.model_route import listening, relay_words
from shared.ops.proc import stat_of
from testing.eventually import eventually


class Heard:
    """A server that keeps what it is told and answers in two pieces."""

    def __init__(self) -> None:
        self.words: list[bytes] = []

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.words.append(await reader.readuntil(b"\n"))
        if self.words[-1].startswith(b"CONNECT"):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            self.words.append(await reader.readuntil(b"\n"))
        for piece in (b"one ", b"two\n"):
            writer.write(piece)
            await writer.drain()
        writer.close()


@pytest.fixture
async def heard() -> AsyncIterator[tuple[Heard, int]]:
    heard = Heard()
    server = await asyncio.start_server(heard.answer, "127.0.0.1", 0)
    yield heard, server.sockets[0].getsockname()[1]
    server.close()


@contextlib.contextmanager
def relay(folder: Path, words: Sequence[str]) -> Iterator[tuple[Path, subprocess.Popen[bytes]]]:
    """The relay as a run's wrapper starts it."""
    folder.mkdir(parents=True)
    python, program, *addresses = words
    with listening(folder / "model.sock") as listener:
        process = subprocess.Popen([python, "-I", "-S", program, str(os.getpid()), *addresses], stdin=listener.fileno())
    try:
        yield folder / "model.sock", process
    finally:
        process.kill()
        process.wait()


async def ask(path: Path) -> bytes:
    """What the other end of a socket answers."""
    folder = os.open(path.parent, os.O_PATH)
    try:
        reader, writer = await asyncio.open_unix_connection(f"/proc/self/fd/{folder}/{path.name}")
    finally:
        os.close(folder)
    writer.write(b"question\n")
    answer = await asyncio.wait_for(reader.read(), 30)
    writer.close()
    return answer


async def test_what_is_said_on_the_socket_goes_to_the_model_also_by_a_long_path_and_at_once(
    tmp_path: Path, heard: tuple[Heard, int]
) -> None:
    words = relay_words(f"http://127.0.0.1:{heard[1]}/v1", {})
    with relay(tmp_path / ("a" * 100) / "b", words) as (path, _):
        assert await asyncio.gather(*(ask(path) for _ in range(10))) == [b"one two\n"] * 10
    assert heard[0].words == [b"question\n"] * 10


async def test_it_goes_through_the_proxy_that_the_machine_has(tmp_path: Path, heard: tuple[Heard, int]) -> None:
    words = relay_words("https://models.example:444", {"HTTPS_PROXY": f"http://127.0.0.1:{heard[1]}"})
    with relay(tmp_path / "run", words) as (path, _):
        assert await ask(path) == b"one two\n"
    assert heard[0].words == [b"CONNECT models.example:444 HTTP/1.1\r\n", b"question\n"]


async def test_a_model_that_cannot_be_reached_is_a_closed_connection(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    with relay(tmp_path / "run", relay_words(f"http://127.0.0.1:{port}", {})) as (path, process):
        with contextlib.suppress(ConnectionResetError):  # where it was closed before the question was read
            assert await ask(path) == b""
        assert process.poll() is None


async def test_it_ends_with_who_started_it(tmp_path: Path) -> None:
    python, program, *addresses = relay_words(None, {})
    script = 'exec 4<&0; python=$1; program=$2; shift 2; "$python" -I -S "$program" $$ "$@" <&4 & echo $!; wait'
    with listening(tmp_path / "model.sock") as listener:
        wrapper = subprocess.Popen(  # noqa: ASYNC220 it does not wait
            ["/bin/sh", "-c", script, "wrapper", python, program, *addresses],
            stdin=listener.fileno(),
            stdout=subprocess.PIPE,
        )
    assert wrapper.stdout is not None
    pid = int(wrapper.stdout.readline())
    assert stat_of(pid) is not None
    wrapper.kill()
    wrapper.wait()
    await eventually(lambda: stat_of(pid) is None)


@pytest.mark.parametrize(
    ("base_url", "variables", "way"),
    [
        (None, {}, ["api.anthropic.com:443", ""]),
        ("http://[::1]:8080/x", {}, ["::1:8080", ""]),
        ("https://gw.example", {"https_proxy": "proxy.example:3128"}, ["gw.example:443", "proxy.example:3128"]),
        ("https://gw.example", {"ALL_PROXY": "http://proxy.example"}, ["gw.example:443", "proxy.example:80"]),
        ("https://gw.example", {"HTTPS_PROXY": "http://a:b@proxy.example"}, ["gw.example:443", ""]),
        (
            "https://gw.in.example",
            {"HTTPS_PROXY": "http://p.example", "NO_PROXY": ".in.example"},
            ["gw.in.example:443", ""],
        ),
        ("http://gw.example", {"HTTPS_PROXY": "http://p.example"}, ["gw.example:80", ""]),
    ],
)
def test_the_way_is_that_of_the_configured_address(
    base_url: str | None, variables: dict[str, str], way: list[str]
) -> None:
    assert relay_words(base_url, variables)[2:] == way
