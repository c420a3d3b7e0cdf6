"""What brain, planner and executor share to put an agent to work: its CLI, its role, its model, and its live output."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Awaitable, Callable
from functools import cached_property
from pathlib import Path
from typing import Final, NamedTuple

import msgspec
import structlog

from shared.claude.conversation.converse import AgentLimits, Input, Prompt, Question, Step, TurnEnd, converse
from shared.claude.conversation.outcome import Outcome
from shared.claude.conversation.stream import Init, read_line, trim
from shared.claude.conversation.transcript import session_file
from shared.claude.cost.from_files import spent_here
from shared.claude.process.binary import CliMissing, find_cli
from shared.claude.process.invocation import Invocation
from shared.claude.process.process import AgentProcess, Line
from shared.claude.role import AgentRole, RoleInvalid, load_role
from shared.claude.work_dirs import node_id_of, remove_run_dirs, work_of_run_dir
from shared.contracts.subjects import Actor, output_subject
from shared.contracts.usage import ModelUsage, add_usage
from shared.nats.bus import Bus
from shared.ops.crash_points import crash_point
from shared.ops.settings import Settings
from shared.sandbox.readiness import Readiness, look
from shared.workspace.git_folders import GitFolders

DEMO_KEY: Final = "demo-key"
READ_ONLY_PROCESSES: Final = 2
PROCESS_HEADER: Final = "Journeyman-Process"
"""Which process said a line of OUTPUT."""

_LETTERS: Final = r"[\W_]{0,8}".join(f"[{letter}{chr(ord(letter) + 0xFEE0)}]" for letter in "untrusted")
_TAG: Final = re.compile(rf"[<\uFF1C\uFE64](?=[\W_]{{0,8}}{_LETTERS})", re.IGNORECASE)
"""What opens or closes the mark, also in full width, with blanks, slashes or invisible characters in it."""
_NOT_IN_ATTRIBUTE: Final = re.compile(r'[\s"<>]+')

log = structlog.get_logger(__name__)


class Begun(NamedTuple):
    """What the process says of itself in its first line; ``resumed`` when the conversation began before it."""

    cli_version: str
    model: str
    resumed: bool


class Job:
    """One agent's work: who it is for, where it runs, what it is told. ``git`` is the repository of its files.

    ``run_dir`` names the process: a job with a run directory in which a process was started attaches to it.
    ``forks`` is a conversation that this one goes on from without changing it; ``tools`` an ``--mcp-config``.
    """

    def __init__(
        self,
        actor: Actor,
        agent: AgentRole,
        *,
        run_dir: Path,
        cwd: Path,
        git: GitFolders | None = None,
        session: str,
        prompt: str,
        resume: bool = False,
        forks: str = "",
        tools: str = "",
        schema: dict[str, object] | None = None,
        budget_usd: float | None = None,
        offset: int = 0,
        stop: asyncio.Event | None = None,
    ) -> None:
        self.actor = actor
        self.agent = agent
        self.run_dir = run_dir
        self.cwd = cwd
        self.git = git
        self.session = session
        self.prompt = prompt
        self.resume = resume
        self.forks = forks
        self.tools = tools
        self.schema = schema
        self.budget_usd = budget_usd
        self.offset = offset
        self.stop = stop or asyncio.Event()
        self.inputs: asyncio.Queue[Input] = asyncio.Queue()


class AgentRunner:
    """Runs agents for one service on one machine."""

    def __init__(self, settings: Settings, bus: Bus) -> None:
        self._settings = settings
        self.bus = bus
        self.config_dir = settings.data_dir / "claude"
        self.data_dir = settings.data_dir

    @cached_property
    def node_id(self) -> str:
        """The name of this machine's data directory; what is marked with another one is not ours to touch."""
        return node_id_of(self._settings.data_dir)

    @property
    def worker(self) -> str:
        """What claims of work with an agent carry: machine, process, and the place where the agent can be found."""
        return f"{self._settings.worker}@{self.node_id}"

    def holds(self, worker: str) -> bool:
        """Whether the claim of ``worker`` was made over this data directory, maybe by an earlier process."""
        return worker.endswith(f"@{self.node_id}")

    def name_of(self, run_dir: Path) -> str:
        """The name of the process in a run directory, which no process on another machine has."""
        return f"{run_dir.name}@{self.node_id}"

    @cached_property
    def confining(self) -> Readiness:
        """The sandbox, tried out when it is first asked for (it blocks for some 50 ms then)."""
        return look(self._settings)

    def problem(self) -> str | None:
        """Why agents cannot run here, with the mend; None when they can."""
        return self.model_problem() or self.confining.problem or None

    def model_problem(self) -> str | None:
        """Why no agent can run, whatever the machine: there is no CLI, or no model for it."""
        try:
            find_cli(self._settings.claude_cli or None)
        except CliMissing as error:
            return str(error)
        if not self._settings.anthropic_api_key.get_secret_value() and not self._settings.demo_model:
            return (
                "No model key: agents cannot run and tasks wait. Set ANTHROPIC_API_KEY in .env and restart, "
                "or try everything without a key with `journeyman up --demo`."
            )
        return None

    def agent(self, name: str) -> AgentRole:
        """The role folder of this name; raises `RoleInvalid`."""
        folder = self._settings.agents_path / name
        if not folder.is_dir():
            raise RoleInvalid(f"{folder}: there is no such agent; make the folder with a CLAUDE.md, or name another.")
        return load_role(folder)

    async def run(
        self,
        job: Job,
        *,
        on_start: Callable[[Begun], Awaitable[None]] | None = None,
        on_turn: Callable[[TurnEnd], Awaitable[None]] | None = None,
        on_step: Callable[[Step], Awaitable[bool]] | None = None,
        on_question: Callable[[Question], Awaitable[None]] | None = None,
    ) -> Outcome:
        """Start the agent, or attach to the one that runs, and stay with it to its end.

        When this is cancelled the agent goes on running. Every line of its output goes to OUTPUT.
        """
        if AgentProcess.exists(job.run_dir):
            process = AgentProcess.attach(job.run_dir)
            log.info("attached to a running agent", run=job.run_dir.name, alive=process.alive)
        else:
            remove_run_dirs(job.run_dir)  # half prepared, when its service died over it
            process = await AgentProcess.start(self._invocation(job))
            crash_point("agent.started")
        subject, name = output_subject(job.actor), self.name_of(job.run_dir)
        begun = on_start is None

        async def publish(line: Line) -> None:
            nonlocal begun
            if not begun and on_start is not None and isinstance(first := read_line(line.raw), Init):
                begun = True
                await on_start(Begun(first.cli_version, first.model, process.resumed or job.offset > 0))
            # The runner's file is the durable copy: a line that NATS does not take is not worth stopping for.
            if self.bus.connected:
                await self.bus.nc.publish(
                    subject,
                    trim(line.raw, self._settings.max_output_line_bytes),
                    headers={
                        "Nats-Msg-Id": f"{name}:{line.offset}",
                        PROCESS_HEADER: name,
                    },
                )

        callbacks = {
            name: callback
            for name, callback in (("on_turn", on_turn), ("on_step", on_step), ("on_question", on_question))
            if callback is not None
        }
        return await converse(
            process,
            prompt=Prompt(f"{name}:prompt", job.prompt),
            offset=job.offset,
            inputs=job.inputs,
            stop=job.stop,
            limits=AgentLimits(
                timeout_s=self._settings.run_timeout_seconds,
                silence_s=self._settings.silence_timeout_seconds,
                line_bytes=self._settings.max_agent_line_bytes,
                output_bytes=self._settings.max_agent_output_bytes,
            ),
            schema_asked=job.schema is not None,
            on_line=publish,
            **callbacks,  # type: ignore[arg-type]  # each key goes with the callback of its own type
        )

    async def run_read_only(self, job_of: Callable[[int], Job]) -> Outcome:
        """Work that changes nothing, so that it is begun anew when its agent was killed from outside.

        ``job_of`` gives the job for the n-th process (1, 2). The outcome is that of the last, with the costs of all.
        """
        spent: tuple[ModelUsage, ...] = ()
        for number in range(1, READ_ONLY_PROCESSES + 1):
            job = job_of(number)
            if number < READ_ONLY_PROCESSES and AgentProcess.exists(job_of(number + 1).run_dir):
                # Taken over from a service that had seen its end: to see it again would end the one that came after it.
                spent = add_usage(spent, await asyncio.to_thread(spent_here, [job.run_dir]))
                continue
            outcome = await self.run(job)
            spent = add_usage(spent, outcome.usage)
            if outcome.code != "agent-killed" or job.stop.is_set():
                break
            log.warning("the agent was killed from outside", run=job.run_dir.name)
        return msgspec.structs.replace(outcome, usage=spent)

    def _invocation(self, job: Job) -> Invocation:
        settings = self._settings
        key = settings.anthropic_api_key.get_secret_value() or (DEMO_KEY if settings.demo_model else "")
        return Invocation(
            cli=find_cli(settings.claude_cli or None),
            agent=job.agent,
            run_dir=job.run_dir,
            cwd=job.cwd,
            config_dir=self.config_dir,
            session_id=job.session,
            sandbox=self.confining.sandbox,
            git=job.git,
            mark=work_of_run_dir(job.run_dir).mark(self.node_id),
            # The CLI begins no conversation under the id of one that is there: an overtaken attempt may have left it.
            resume=job.resume or session_file(self.config_dir, job.session) is not None,
            forks=job.forks,
            tools=job.tools,
            schema=job.schema,
            max_turns=job.agent.max_turns or settings.max_turns,
            max_budget_usd=job.budget_usd or settings.run_budget_usd,
            api_key=key,
            base_url=settings.anthropic_base_url or None,
            inherited=os.environ,
        )


def quoted(origin: str, text: str, *, title: str = "") -> str:
    """Somebody's words for a prompt, and their title, marked as data. No spelling of the tag inside can end it."""
    words = f"Title: {title}\n\n{text}" if title else text
    place = _NOT_IN_ATTRIBUTE.sub(" ", origin)
    return f'<untrusted origin="{place}">\n{_TAG.sub("&lt;", words)}\n</untrusted>'
