"""The peer of a whole run's beginning: the CLI alone, with the executor's own flags, environment and prompt."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
import uuid
from pathlib import Path
from typing import Final

from bench.world import CannotMeasure
from shared.claude.process.invocation import Invocation, argv, environment

PATIENCE_S: Final = 60.0
LINE_BYTES: Final = 1 << 20


async def first_line_after(invocation: Invocation, prompt: str, log: Path) -> float:
    """Seconds from the spawn to the first line on standard output; the process is ended then."""
    for folder in (invocation.run_dir, invocation.home, invocation.scratch, invocation.config_dir):
        folder.mkdir(parents=True, exist_ok=True)
    invocation.instructions_file.write_text(invocation.agent.instructions)
    message = {"role": "user", "content": prompt}
    line = {"type": "user", "uuid": str(uuid.uuid4()), "session_id": "", "parent_tool_use_id": None, "message": message}
    with log.open("ab") as errors:
        begun = time.perf_counter()
        child = await asyncio.create_subprocess_exec(
            *argv(invocation),
            cwd=invocation.cwd,
            env=environment(invocation),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=errors,
            start_new_session=True,
            limit=LINE_BYTES,
        )
    try:
        assert child.stdin is not None and child.stdout is not None
        child.stdin.write(json.dumps(line).encode() + b"\n")
        first = await asyncio.wait_for(child.stdout.readline(), PATIENCE_S)
        elapsed = time.perf_counter() - begun
    finally:
        if child.returncode is None:
            os.killpg(child.pid, signal.SIGKILL)
        await child.wait()
    if not first:
        said = log.read_text(errors="replace").strip().splitlines()
        raise CannotMeasure(f"The bare CLI ends without a line: {said[-1] if said else 'it says nothing'}")
    return elapsed
