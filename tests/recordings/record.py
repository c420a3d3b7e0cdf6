"""Records runs of the installed CLI against the demo model: ``python -m tests.recordings.record``, or with names.

The runs go into the folder of the CLI's version. The README beside this file says which runs cannot be made here.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
import tempfile
import uuid
from asyncio.subprocess import DEVNULL, PIPE
from pathlib import Path
from typing import Final

import msgspec

from shared.claude.demo.model import DemoModel
from shared.claude.process.binary import CliMissing, find_cli
from shared.claude.process.reaper import family, sweep
from shared.ops.proc import MARK
from testing.eventually import eventually
from tests.recordings.recorded_runs import HERE, Entry, keep

LONGEST_S: Final = 120.0
SCHEMA: Final = (
    '{"type":"object","properties":{"name":{"type":"string"},"n":{"type":"integer"}},"required":["name","n"]}'
)
AT_WORK: Final = "demo: sleep 300"
TOOL: Final = b"time.sleep"
"""In the command line of the tool that `AT_WORK` starts."""
BYPASS: Final = ("--permission-mode", "bypassPermissions")


class Scenario(msgspec.Struct, frozen=True, kw_only=True):
    """One run to record.

    ``prompt`` may hold the demo model's directives. ``end`` is the signal that the CLI gets once a tool of its agent
    runs. ``session`` is the key of a session that several scenarios continue, in the order of `SCENARIOS`.
    """

    about: str
    prompt: str = "hello there"
    flags: tuple[str, ...] = ()
    retries: int = 2
    key: bool = True
    end: signal.Signals | None = None
    session: str = ""


SCENARIOS: Final = {
    "plain": Scenario(about="plain answer, partial messages on", flags=("--include-partial-messages",)),
    "api-400": Scenario(about="400", prompt="demo: fail 400"),
    "api-401": Scenario(about="401, one retry", prompt="demo: fail 401", retries=1),
    "api-403": Scenario(about="403", prompt="demo: fail 403"),
    "api-429-forever": Scenario(about="429 every time", prompt="demo: fail 429"),
    "api-529-forever": Scenario(about="529 every time", prompt="demo: fail 529"),
    "api-429-529-then-success": Scenario(
        about="429, 529, 500, then success",
        prompt="demo: fail 429 1\ndemo: fail 529 1\ndemo: fail 500 1",
        retries=4,
    ),
    "api-conn-dropped": Scenario(about="the connection breaks once in an answer", prompt="demo: cut"),
    "auth-none": Scenario(about="no key", key=False),
    "bad-flag": Scenario(about="an option that does not exist", flags=("--nope",)),
    "tool-use": Scenario(
        about="Bash and Write under bypassPermissions", prompt="demo: turns 2\ndemo: write b.txt new file", flags=BYPASS
    ),
    "permission-denied": Scenario(about="default mode denies", prompt="demo: write /srv/elsewhere/b.txt x"),
    "max-turns": Scenario(about="--max-turns 3", prompt="demo: turns 6", flags=(*BYPASS, "--max-turns", "3")),
    "budget-exceeded": Scenario(
        about="--max-budget-usd in a loop", prompt="demo: turns 40", flags=(*BYPASS, "--max-budget-usd", "0.05")
    ),
    "structured-output": Scenario(about="--json-schema", flags=("--json-schema", SCHEMA)),
    "stop-sigint": Scenario(about="SIGINT", prompt=AT_WORK, flags=BYPASS, end=signal.SIGINT),
    "stop-sigterm": Scenario(about="SIGTERM", prompt=AT_WORK, flags=BYPASS, end=signal.SIGTERM),
    "stop-sigkill": Scenario(about="SIGKILL", prompt=AT_WORK, flags=BYPASS, end=signal.SIGKILL),
    "resume-1": Scenario(about="first run of a session", session="resumed"),
    "resume-2": Scenario(about="resumed: total_cost_usd cumulative", session="resumed"),
    "resume-5-unknown": Scenario(about="an unknown session", flags=("--resume", str(uuid.UUID(int=0)))),
}


class Recorder:
    """Runs scenarios in folders of their own below ``scratch``; sessions last as long as the recorder."""

    def __init__(self, cli: Path, scratch: Path, url: str) -> None:
        self._cli = cli
        self._scratch = scratch
        self._url = url
        self._sessions: dict[str, str] = {}

    async def record(self, name: str, scenario: Scenario) -> tuple[bytes, int]:
        """The standard output and the exit code (negative after a signal). Raises TimeoutError after `LONGEST_S`."""
        work = self._scratch / "work" / (scenario.session or name)
        work.mkdir(parents=True, exist_ok=True)
        mark = f"recording-{uuid.uuid4()}"
        process = await asyncio.create_subprocess_exec(
            *self._argv(scenario),
            cwd=work,
            env=self._environment(scenario) | {MARK: mark},
            stdin=DEVNULL,
            stdout=PIPE,
            stderr=DEVNULL,
        )
        try:
            async with asyncio.timeout(LONGEST_S):
                if scenario.end is not None:
                    await eventually(lambda: _tool_runs(mark), every=0.05)
                    process.send_signal(scenario.end)
                output, _ = await process.communicate()
        finally:
            await asyncio.to_thread(sweep, mark)
        assert process.returncode is not None
        return output, process.returncode

    def _argv(self, scenario: Scenario) -> list[str]:
        argv = [str(self._cli), "-p", scenario.prompt, "--output-format", "stream-json", "--verbose"]
        if scenario.session in self._sessions:
            argv += ["--resume", self._sessions[scenario.session]]
        elif scenario.session:
            self._sessions[scenario.session] = str(uuid.uuid4())
            argv += ["--session-id", self._sessions[scenario.session]]
        return [*argv, *scenario.flags]

    def _environment(self, scenario: Scenario) -> dict[str, str]:
        key = {"ANTHROPIC_API_KEY": "demo-key"} if scenario.key else {}
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self._scratch / "home"),
            "CLAUDE_CONFIG_DIR": str(self._scratch / "config"),
            "CLAUDE_CODE_TMPDIR": str(self._scratch / "tmp"),
            "CLAUDE_CODE_MAX_RETRIES": str(scenario.retries),
            "CLAUDE_CODE_STARTUP_FAILURE_RESULTS": "1",
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
            "DISABLE_AUTOUPDATER": "1",
            "IS_SANDBOX": "1",
            "ANTHROPIC_BASE_URL": self._url,
            **key,
        }


def _tool_runs(mark: str) -> bool:
    """Whether the agent's tool is a living process."""
    return any(TOOL in _command_line(pid) for pid, _ in family(mark))


def _command_line(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""  # it has ended in between


async def version_of(cli: Path) -> str:
    """As the program says it, for example ``2.1.330``."""
    process = await asyncio.create_subprocess_exec(str(cli), "--version", stdout=PIPE, stdin=DEVNULL)
    said, _ = await process.communicate()
    return said.decode().split()[0]


async def record_all(cli: Path, names: list[str], target: Path) -> None:
    """Records these scenarios into a folder, in the order of `SCENARIOS`."""
    model = DemoModel()
    url = await model.start()
    try:
        with tempfile.TemporaryDirectory(prefix="recordings-") as scratch:
            recorder = Recorder(cli, Path(scratch), url)
            for name, scenario in SCENARIOS.items():
                if name in names:
                    output, exit_code = await recorder.record(name, scenario)
                    neutral = output.replace(scratch.encode(), b"/srv/agent")
                    keep(target, name, neutral, Entry(exit_code=exit_code, about=scenario.about))
                    print(f"{name}: {len(output.splitlines())} lines, exit code {exit_code}")
    finally:
        await model.stop()


def main() -> None:
    """The command; exit 1 when there is no CLI, or when the version has recordings and nobody said ``--again``."""
    parser = argparse.ArgumentParser(prog="python -m tests.recordings.record", description="Records runs of the CLI.")
    parser.add_argument("name", nargs="*", help="all that can be recorded when left out")
    parser.add_argument("--to", type=Path, help="the folder; else the one of the CLI's version")
    parser.add_argument("--again", action="store_true", help="replace recordings that are there")
    options = parser.parse_args()
    names: list[str] = options.name or list(SCENARIOS)
    if unknown := set(names) - set(SCENARIOS):
        parser.error(f"no scenario is called {', '.join(sorted(unknown))}; there are {', '.join(SCENARIOS)}")
    try:
        cli = find_cli(os.environ.get("CLAUDE_CLI"))
    except CliMissing as error:
        sys.exit(str(error))
    target: Path = options.to or HERE / asyncio.run(version_of(cli))
    there = [name for name in names if (target / f"{name}.jsonl.gz").exists()]
    if there and not options.again:
        sys.exit(f"{target} has {', '.join(there)} already: name another folder with --to, or say --again.")
    asyncio.run(record_all(cli, names, target))


if __name__ == "__main__":
    main()
