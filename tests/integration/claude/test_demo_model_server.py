"""The demo model as a program of its own."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import httpx

from shared.claude.demo.model import DemoModel
from testing.eventually import eventually

ROOT = Path(__file__).parents[3]
PROGRAM = (sys.executable, "-m", "shared.claude.demo.model")


async def test_it_says_its_port_in_a_file_answers_and_leaves_on_sigterm(tmp_path: Path) -> None:
    port_file = tmp_path / "port"
    server = await asyncio.create_subprocess_exec(*PROGRAM, "--port-file", str(port_file), cwd=ROOT)
    try:
        await eventually(port_file.exists)
        url = f"http://127.0.0.1:{int(port_file.read_text())}"
        body = {"model": "m", "messages": [{"role": "user", "content": "hello"}], "stream": True}
        async with httpx.AsyncClient(base_url=url, timeout=60, trust_env=False) as client:
            answer = await client.post("/v1/messages?beta=true", json=body, headers={"x-api-key": "any"})
            refused = await client.post("/v1/messages", content=b"[1]")
            elsewhere = await client.get("/v1/models")
        assert answer.headers["content-type"] == "text/event-stream"
        events = [line.removeprefix("event: ") for line in answer.text.splitlines() if line.startswith("event: ")]
        assert (events[0], events[-1]) == ("message_start", "message_stop")
        assert (refused.status_code, elsewhere.status_code) == (400, 404)
    finally:
        server.terminate()
    assert await server.wait() == 0


def test_a_busy_port_is_one_line_and_exit_code_1() -> None:
    async def occupied() -> subprocess.CompletedProcess[str]:
        model = DemoModel()
        url = await model.start()
        command = (*PROGRAM, "--port", url.rpartition(":")[2])
        done = await asyncio.to_thread(
            subprocess.run, command, cwd=ROOT, env=os.environ, capture_output=True, text=True
        )
        await model.stop()
        return done

    done = asyncio.run(occupied())
    assert done.returncode == 1
    assert "--port" in done.stderr
    assert done.stderr.count("\n") == 1
