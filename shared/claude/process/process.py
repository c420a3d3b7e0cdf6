"""One run of the CLI that does not depend on the service that started it.

stdout and stderr go to files, stdin is a FIFO that the run itself holds open for reading and writing (so no
end-of-file ever arrives), the exit code goes to a file. A restarted service attaches to the run directory and goes on
reading, talking, ending::

    stdin.fifo  stdout.jsonl  stderr.log  run.json  wrapper  cli  exit  instructions.md  model.sock  home/  tmp/

In a sandbox ``cli`` is bwrap, which ends with the wrapper; the CLI is the process that bwrap's own child has started.
Of the run directory it has only what is its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import math
import os
import signal
import struct
import subprocess
import termios
import time
import uuid
from collections.abc import AsyncIterator, Sequence
from enum import StrEnum
from pathlib import Path

import msgspec

from shared.claude.process.binary import CliMissing
from shared.claude.process.invocation import Invocation, argv, confinement
from shared.claude.process.model_route import listening, relay_words
from shared.claude.process.reaper import family, marked, sweep
from shared.ops import own_home
from shared.ops.crash_points import crash_point
from shared.ops.files import write_atomically
from shared.ops.limits import DEFAULTS
from shared.ops.proc import arguments_of, boot_id, is_alive, parse_stat, pids, stat_of

MAX_MESSAGE_BYTES = 960 * 1024
"""A message is one write into an empty pipe, and no account may have a larger pipe than this one."""
_PIPE_BYTES = 1024 * 1024
_CHUNK = 1024 * 1024
_POLL_S = 0.01
_SEND_DEADLINE_S = 10.0
_MESSAGE_NAMESPACE = uuid.UUID("5d1ad3c2-92ab-4c57-93b2-3f0f2f6c2f5e")

# The wrapper records who it and the CLI are before anything else can go wrong, and the exit code after everything went.
# A background command of sh gets /dev/null as its stdin, hence descriptors 3 and 4. The latter, our own stdin, is the
# socket on which a confined CLI finds its model: $2 to $5 are the relay behind it, and empty where there is none.
_WRAPPER = """
run=$1 python=$2 relay=$3 model=$4 proxy=$5; shift 5
exec 3<>"$run/stdin.fifo" 4<&0 </dev/null >>"$run/stdout.jsonl" 2>>"$run/stderr.log"
note() { read -r boot </proc/sys/kernel/random/boot_id; read -r stat <"/proc/$1/stat"
         printf '%s\\n%s\\n' "$boot" "$stat" >"$run/$2.tmp" && mv "$run/$2.tmp" "$run/$2"; }
note $$ wrapper
route=
if [ -n "$python" ]; then
  "$python" -I -S "$relay" $$ "$model" "$proxy" <&4 3<&- 4<&- >/dev/null &
  route=$!
fi
"$@" <&3 3<&- 4<&- &
child=$!
note $child cli
wait $child
code=$?
[ -z "$route" ] || kill "$route"
printf '%s' $code >"$run/exit.tmp" && mv "$run/exit.tmp" "$run/exit"
"""


class AgentGone(Exception):
    """The process has ended, so it takes no more input."""


class Rung(StrEnum):
    """How far down the stop ladder it took."""

    ALREADY_ENDED = "already-ended"
    ASKED = "asked"
    TERMINATED = "terminated"
    KILLED = "killed"


class StopReport(msgspec.Struct, frozen=True):
    """What stopping took; ``swept`` counts the processes that the CLI left behind and the sweep ended."""

    exit_code: int | None
    rung: Rung
    swept: int
    duration_ms: int


class Line(msgspec.Struct, frozen=True):
    """One complete output line at byte ``offset`` of the stdout file; the next one starts at ``end``.

    ``raw`` is without its newline; ``cut`` says that it was longer than the limit and only its beginning is here.
    """

    offset: int
    end: int
    raw: bytes
    cut: bool = False


class _Run(msgspec.Struct, frozen=True):
    """What the run directory knows of itself (no secret)."""

    mark: str
    session_id: str
    resumed: bool
    started_at: float
    confined: bool = False


class _Identity(msgspec.Struct, frozen=True):
    """A process that cannot be mistaken for a later one with its pid: boot, pid and start time."""

    boot: str
    pid: int
    started: int

    @property
    def alive(self) -> bool:
        return self.boot == boot_id() and is_alive(self.pid, self.started)


class AgentProcess:
    """A running or ended CLI process in its run directory. Made by `start` or `attach`."""

    def __init__(self, run_dir: Path, run: _Run, child: subprocess.Popen[bytes] | None) -> None:
        self.run_dir = run_dir
        self.mark = run.mark
        self.session_id = run.session_id
        self.resumed = run.resumed
        self._confined = run.confined
        self.started_at = run.started_at
        """Seconds since the epoch."""
        self._child = child
        self._stdin: int | None = None
        self._identities: dict[str, _Identity] = {}
        self._dead = False

    # ---- beginning -------------------------------------------------------------------------------------------------

    @classmethod
    async def start(cls, invocation: Invocation) -> AgentProcess:
        """Starts the CLI. Raises `CliMissing`; FileExistsError when this run directory already had its process.

        An OSError otherwise: nothing was started then, and the same run directory may be tried again.
        """
        if not os.access(invocation.cli, os.X_OK):
            raise CliMissing(
                f"There is no Claude Code CLI at {invocation.cli}: correct CLAUDE_CLI or run `make install`."
            )
        run = _Run(
            mark=invocation.mark,
            session_id=invocation.session_id,
            resumed=invocation.resume,
            started_at=time.time(),
            confined=invocation.sandbox.is_on,
        )
        _prepare(invocation, run)
        crash_point("agent.prepared")
        try:
            child = _spawn(invocation)
        except OSError:
            # What is left here would be taken for an agent that was killed.
            own_home.remove_tree(invocation.run_dir)
            raise
        return cls(invocation.run_dir, run, child)

    @classmethod
    def attach(cls, run_dir: Path) -> AgentProcess:
        """Takes over a run that an earlier service started. Raises FileNotFoundError when none was started there."""
        return cls(run_dir, msgspec.json.decode((run_dir / "run.json").read_bytes(), type=_Run), None)

    @staticmethod
    def exists(run_dir: Path) -> bool:
        """Whether a process was started in this run directory, so that it is to be attached to."""
        return (run_dir / "run.json").exists()

    # ---- looking ---------------------------------------------------------------------------------------------------

    @property
    def stdout(self) -> Path:
        """The complete output so far."""
        return self.run_dir / "stdout.jsonl"

    @property
    def alive(self) -> bool:
        """Whether the process still runs. Once false it stays false."""
        if not self._dead:
            self._dead = not self._is_alive()
        return not self._dead

    def output_size(self) -> int:
        """Bytes written to stdout so far."""
        try:
            return self.stdout.stat().st_size
        except FileNotFoundError:
            return 0

    def written(self) -> int:
        """Bytes written to stdout and stderr so far."""
        with contextlib.suppress(FileNotFoundError):
            return self.output_size() + (self.run_dir / "stderr.log").stat().st_size
        return self.output_size()

    def exit_code(self) -> int | None:
        """128 + n after signal n; None while running, or when it was killed together with its wrapper."""
        try:
            return int((self.run_dir / "exit").read_text())
        except (FileNotFoundError, ValueError):
            return None

    def stderr_tail(self, limit: int = 4096) -> str:
        """The last ``limit`` bytes of stderr."""
        try:
            with (self.run_dir / "stderr.log").open("rb") as file:
                file.seek(max(0, file.seek(0, os.SEEK_END) - limit))
                return file.read(limit).decode("utf-8", "replace")
        except FileNotFoundError:
            return ""

    async def lines(self, offset: int = 0, limit: int = DEFAULTS.max_agent_line_bytes) -> AsyncIterator[Line]:
        """Complete lines from byte ``offset`` on; ends when the process has ended and the file is read to its end.

        An unfinished last line of a killed process is not a line.
        """
        kept = bytearray()
        begin = position = offset
        with self.stdout.open("rb", buffering=0) as file:
            while True:
                running = self.alive  # asked before reading: what a process wrote before it ended is read after
                chunk = os.pread(file.fileno(), _CHUNK, position)
                if not chunk:
                    if not running:
                        return
                    await asyncio.sleep(_POLL_S)
                    continue
                start = 0
                while (newline := chunk.find(b"\n", start)) >= 0:
                    kept += chunk[start : min(newline, start + limit - len(kept))]
                    end = position + newline + 1
                    yield Line(offset=begin, end=end, raw=bytes(kept), cut=end - 1 - begin > limit)
                    kept.clear()
                    begin, start = end, newline + 1
                kept += chunk[start : start + limit - len(kept)]
                position += len(chunk)

    # ---- talking ---------------------------------------------------------------------------------------------------

    async def send(self, text: str, message_id: str) -> str:
        """Gives the agent a user message; returns the UUID under which the output acknowledges it.

        The same ``message_id`` sent again to the same process is dropped by the CLI, so sending is safe to repeat.
        Raises `AgentGone`; ValueError when the message is over `MAX_MESSAGE_BYTES`.
        """
        wire_id = message_uuid(message_id)
        message = {"role": "user", "content": text}
        await self._write(
            {"type": "user", "uuid": wire_id, "session_id": "", "parent_tool_use_id": None, "message": message}
        )
        return wire_id

    async def answer(self, request_id: str, response: dict[str, object]) -> None:
        """Answers a ``can_use_tool`` request.

        ``{"behavior": "allow", "updatedInput": …}`` or ``{"behavior": "deny", "message": …}``.
        """
        body = {"subtype": "success", "request_id": request_id, "response": response}
        await self._write({"type": "control_response", "response": body})

    async def interrupt(self) -> None:
        """Asks the agent to stop what it is doing; the process stays."""
        await self._control("interrupt")

    async def end(self) -> None:
        """Asks the process to leave. Idle it does so at once; use `stop` when it is working."""
        await self._control("end_session")

    async def _control(self, subtype: str) -> None:
        request_id = f"journeyman-{subtype}-{uuid.uuid4()}"
        await self._write({"type": "control_request", "request_id": request_id, "request": {"subtype": subtype}})

    async def _write(self, message: dict[str, object]) -> None:
        # One write into a pipe with room enough is whole even if this process is killed; half a line would end the CLI.
        data = json.dumps(message, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n"
        if len(data) > MAX_MESSAGE_BYTES:
            raise ValueError(f"A message to the agent may have {MAX_MESSAGE_BYTES} bytes, this one has {len(data)}.")
        if self._stdin is None:
            self._stdin = _open_fifo(self.run_dir / "stdin.fifo")
        deadline = time.monotonic() + _SEND_DEADLINE_S
        while self.alive and time.monotonic() < deadline:
            if _room(self._stdin, len(data)):
                written = 0
                while written < len(data):
                    with contextlib.suppress(BlockingIOError):
                        written += os.write(self._stdin, data[written:])
                return
            await asyncio.sleep(_POLL_S)
        raise AgentGone("The agent's process takes no more input.")

    # ---- ending ----------------------------------------------------------------------------------------------------

    async def wait(self) -> int | None:
        """Waits for the end; the exit code as in `exit_code`."""
        await self._ended_within(math.inf)
        self._close()
        return self.exit_code()

    async def stop(self) -> StopReport:
        """Ends the run and everything it started within about 4 seconds: interrupt, end, SIGTERM, SIGKILL, sweep.

        Afterwards no process with the run's mark is left, and none that descended from one when the stop began.
        """
        began = time.monotonic()
        relatives = family(self.mark)
        rung = Rung.ALREADY_ENDED
        if self.alive:
            rung = await self._descend()
        swept = await asyncio.to_thread(sweep, self.mark, also=relatives)
        # A wrapper that was swept is a child of ours or of init: give it the moment to be gone.
        exit_code = await self.wait()
        return StopReport(exit_code, rung, swept, round((time.monotonic() - began) * 1000))

    async def sweep(self) -> int:
        """Ends what the CLI left behind after its own end; returns how many processes that were."""
        return await asyncio.to_thread(sweep, self.mark)

    async def _descend(self) -> Rung:
        with contextlib.suppress(AgentGone):
            await asyncio.wait_for(self._ask_to_leave(), 0.5)
        if await self._ended_within(1.9):
            return Rung.ASKED
        self._signal_cli(signal.SIGTERM)
        if await self._ended_within(0.8):
            return Rung.TERMINATED
        self._signal_cli(signal.SIGKILL)
        await self._ended_within(0.3)
        return Rung.KILLED

    async def _ask_to_leave(self) -> None:
        await self.interrupt()
        await self.end()

    async def _ended_within(self, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while True:
            if not self.alive:
                return True
            if time.monotonic() >= deadline:
                return False
            await asyncio.sleep(_POLL_S)

    def _signal_cli(self, number: signal.Signals) -> None:
        # Only the CLI: its wrapper stays to write down the exit code.
        cli = self._known("cli")
        if cli is None or not cli.alive:
            return
        for pid in _started_by(_started_by([cli.pid])) if self._confined else [cli.pid]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def _is_alive(self) -> bool:
        if self._child is not None and self._child.poll() is None:  # also reaps it
            return True
        wrapper, cli = self._known("wrapper"), self._known("cli")
        if wrapper is None:
            # Attached within the moment before the wrapper wrote its name, or nothing was ever spawned. The mark alone
            # does not tell: a later process of the same work has it, too.
            return any(os.fsencode(self.run_dir) in arguments_of(pid) for pid in marked(self.mark))
        # The CLI lives on when only its wrapper was killed.
        return wrapper.alive or (cli is not None and cli.alive)

    def _known(self, name: str) -> _Identity | None:
        if name not in self._identities:
            identity = _identity(self.run_dir / name)
            if identity is None:
                return None
            self._identities[name] = identity
        return self._identities[name]

    def _close(self) -> None:
        if self._stdin is not None:
            os.close(self._stdin)
            self._stdin = None


def message_uuid(message_id: str) -> str:
    """The UUID under which a message is known to the CLI: the id itself when it is one, else derived from it."""
    try:
        return str(uuid.UUID(message_id))
    except ValueError:
        return str(uuid.uuid5(_MESSAGE_NAMESPACE, message_id))


def _prepare(invocation: Invocation, run: _Run) -> None:
    run_dir = invocation.run_dir
    run_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.mkfifo(run_dir / "stdin.fifo", 0o600)  # refuses a second start in the same directory
    crash_point("agent.half-prepared")
    own_home.furnish(invocation.home, invocation.inherited)
    for folder in (invocation.scratch, invocation.config_dir, invocation.conversations):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    invocation.instructions_file.write_text(invocation.agent.instructions, "utf-8")
    (run_dir / "stdout.jsonl").touch(0o600)
    (run_dir / "stderr.log").touch(0o600)
    write_atomically(run_dir / "run.json", msgspec.json.encode(run))


def _spawn(invocation: Invocation) -> subprocess.Popen[bytes]:
    invocation.cwd.stat()  # the sandbox says only later that there is none
    with contextlib.ExitStack() as opened:
        route, stdin = ["", "", "", ""], subprocess.DEVNULL
        if invocation.sandbox.is_on:
            route = relay_words(invocation.base_url, invocation.inherited)
            stdin = opened.enter_context(listening(invocation.model_socket)).fileno()
        command = opened.enter_context(invocation.sandbox.command(argv(invocation), confinement(invocation)))
        return subprocess.Popen(
            ["/bin/sh", "-c", _WRAPPER, "journeyman-agent", str(invocation.run_dir), *route, *command.argv],
            cwd=command.cwd,
            env=command.environment,
            stdin=stdin,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=command.descriptors,
            start_new_session=True,  # a signal to the service's group is not for the agent
        )


def _started_by(parents: Sequence[int]) -> list[int]:
    """The living children of these processes."""
    return [pid for pid in pids() if (stat := stat_of(pid)) is not None and stat.parent in parents]


def _identity(file: Path) -> _Identity | None:
    try:
        boot, stat, *_ = file.read_text("utf-8", "replace").split("\n")
        return _Identity(boot=boot, pid=int(stat.split(" ", 1)[0]), started=parse_stat(stat).started)
    except (FileNotFoundError, ValueError):
        return None


def _open_fifo(path: Path) -> int:
    # For reading too, so that opening never waits and what is written before the CLI opens its end is kept.
    descriptor = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    with contextlib.suppress(OSError):  # beyond the account's pipe quota the default size serves
        fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
    return descriptor


def _room(descriptor: int, size: int) -> bool:
    (unread,) = struct.unpack("i", fcntl.ioctl(descriptor, termios.FIONREAD, struct.pack("i", 0)))
    return size <= 4096 or unread == 0
