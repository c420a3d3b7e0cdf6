"""One run of the CLI as data: its flags and its whole environment (pure, but for a look at which toolchains are there).

The environment is built from nothing, never inherited: whatever the agent's shell can read, the agent can send away.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from shared.claude.conversation.transcript import session_folder
from shared.claude.role import AgentRole, PermissionMode
from shared.ops import own_home
from shared.ops.environment import BASICS, NETWORK, inherited
from shared.ops.proc import MARK
from shared.sandbox.confinement import HOME, TEMP, Bind, Confinement, seen
from shared.sandbox.sandbox import Sandbox
from shared.workspace.git_folders import GitFolders

_DEFAULT_PATH = "/usr/local/bin:/usr/bin:/bin"
_CONFIG: Final = HOME / ".claude"
_INSTRUCTIONS: Final = Path("/run/instructions.md")
_MODEL: Final = Path("/run/model")
"""Where a confined CLI finds what is its own."""


def _running_as_root() -> bool:
    return os.geteuid() == 0


class Invocation(msgspec.Struct, frozen=True, kw_only=True):
    """Everything one process needs.

    ``resume`` continues the session ``session_id``, else it is created under that id (a UUID), as a branch of the
    session ``forks`` where that is named. ``tools`` is an ``--mcp-config`` for this run. ``mark`` is unique per
    run and non-secret. ``inherited`` may be ``os.environ``: only allowed names are taken. ``max_budget_usd``
    counts this process only; the CLI checks it after each response, so one response may overshoot it. ``git`` is the
    repository of the files in ``cwd``. Of ``config_dir``, a confined process has the conversations in ``cwd`` only.
    """

    cli: Path
    agent: AgentRole
    run_dir: Path
    cwd: Path
    config_dir: Path
    session_id: str
    mark: str
    sandbox: Sandbox
    git: GitFolders | None = None
    resume: bool = False
    forks: str = ""
    tools: str = ""
    model: str | None = None
    schema: dict[str, object] | None = None
    max_turns: int | None = None
    max_budget_usd: float | None = None
    api_key: str | None = None
    base_url: str | None = None
    max_retries: int = 4
    inherited: Mapping[str, str] = {}
    as_root: bool = msgspec.field(default_factory=_running_as_root)

    @property
    def instructions_file(self) -> Path:
        """The role's body without its front matter; written when the process starts."""
        return self.run_dir / "instructions.md"

    @property
    def home(self) -> Path:
        """An empty home, so that no tool reads the account's own configuration or keys."""
        return self.run_dir / "home"

    @property
    def scratch(self) -> Path:
        return self.run_dir / "tmp"

    @property
    def conversations(self) -> Path:
        """Where the CLI keeps its records of what was said in ``cwd``."""
        return session_folder(self.config_dir, self.cwd)

    @property
    def model_socket(self) -> Path:
        """How a confined process reaches its model, and nothing else."""
        return self.run_dir / "model.sock"


def argv(invocation: Invocation) -> list[str]:
    """The command line. Holds no secret: other users of the machine can read it."""
    agent = invocation.agent
    instructions = _INSTRUCTIONS if invocation.sandbox.is_on else invocation.instructions_file
    model = invocation.model or agent.model
    max_turns = invocation.max_turns or agent.max_turns
    flags = [
        str(invocation.cli),
        "--print",
        *("--output-format", "stream-json", "--input-format", "stream-json", "--verbose", "--include-partial-messages"),
        *_session(invocation),
        # Else the role's text of the first run would be reused on every resume.
        *("--system-prompt-snapshot", "off"),
        # Nothing of the repository or the account configures the agent: its hooks would be executed.
        *("--setting-sources", "", "--strict-mcp-config"),
        *("--settings", json.dumps({"includeCoAuthoredBy": False, "attribution": {"commit": "", "pr": ""}})),
        *("--append-system-prompt-file", str(instructions)),
        *("--permission-mode", agent.permission_mode.value),
        # Tools of servers are offered by their servers; the CLI knows none of their names here.
        *("--tools", ",".join(dict.fromkeys(tool.partition("(")[0] for tool in agent.tools if not is_served(tool)))),
    ]
    if agent.permission_mode is not PermissionMode.BYPASS:
        flags += ["--allowedTools", ",".join(agent.tools)]
    if agent.read_only:
        flags.append("--restricted")
    if agent.disallowed_tools:
        flags += ["--disallowedTools", ",".join(agent.disallowed_tools)]
    if agent.skills:
        flags += ["--plugin-dir", str(agent.folder)]
    configs = [str(each) for each in (agent.mcp_config, invocation.tools) if each]
    if configs:
        flags += ["--mcp-config", *configs]
    if agent.asks_people:
        flags += ["--permission-prompt-tool", "stdio"]
    if model is not None:
        flags += ["--model", model]
    if invocation.schema is not None:
        flags += ["--json-schema", json.dumps(invocation.schema)]
    if max_turns is not None:
        flags += ["--max-turns", str(max_turns)]
    if invocation.max_budget_usd is not None:
        flags += ["--max-budget-usd", f"{invocation.max_budget_usd:.6f}"]
    return flags


def is_served(tool: str) -> bool:
    """Whether a role's tool is one of an MCP server."""
    return tool.startswith("mcp__")


def interpreter() -> tuple[Path, ...]:
    """What a program of ours needs that is run inside: this Python, where it is none of the system's."""
    python = Path(sys.base_prefix).resolve()
    return () if python.is_relative_to("/usr") else (python,)


def _session(invocation: Invocation) -> tuple[str, ...]:
    match invocation:
        case Invocation(resume=True):
            return ("--resume", invocation.session_id)
        case Invocation(forks=""):
            return ("--session-id", invocation.session_id)
        case _:
            return ("--resume", invocation.forks, "--fork-session", "--session-id", invocation.session_id)


def environment(invocation: Invocation) -> dict[str, str]:
    """The whole environment of the process; the model key is the only secret in it."""
    confined = invocation.sandbox.is_on
    network = (name for name in NETWORK if not (confined and name.lower().endswith("_proxy")))
    env = {"PATH": _DEFAULT_PATH}
    env |= inherited(invocation.inherited, (*BASICS, *network))
    env |= own_home.variables(HOME if confined else invocation.home, invocation.inherited)
    env |= {
        MARK: invocation.mark,
        "CLAUDE_CONFIG_DIR": str(_CONFIG if confined else invocation.config_dir),
        "CLAUDE_CODE_TMPDIR": str(TEMP if confined else invocation.scratch),
        "CLAUDE_CODE_MAX_RETRIES": str(invocation.max_retries),
        "CLAUDE_CODE_STARTUP_FAILURE_RESULTS": "1",
        # One result per turn and no work that outlives it; no notes shared between the worktrees of a repository.
        "CLAUDE_CODE_DISABLE_BACKGROUND_TASKS": "1",
        "CLAUDE_CODE_DISABLE_AUTO_MEMORY": "1",
        # The role's own skills only: the bundled ones cost about 2,000 tokens in every request.
        "CLAUDE_CODE_DISABLE_BUNDLED_SKILLS": "1",
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        "DISABLE_TELEMETRY": "1",
        "DISABLE_AUTOUPDATER": "1",
    }
    if invocation.api_key is not None:
        env["ANTHROPIC_API_KEY"] = invocation.api_key
    if invocation.base_url is not None:
        env["ANTHROPIC_BASE_URL"] = invocation.base_url
    if confined:
        # Undocumented: TLS and HTTP to the model's address go through this socket (tried with 2.1.330).
        env["ANTHROPIC_UNIX_SOCKET"] = str(_MODEL)
    elif invocation.as_root and invocation.agent.permission_mode is PermissionMode.BYPASS:
        # The CLI refuses this mode to root unless it is told that the machine is a throw-away one.
        env["IS_SANDBOX"] = "1"
    return env


def confinement(invocation: Invocation) -> Confinement:
    """What the process is given: its own files, those of its work, the role's folder, and a way to its model."""
    agent, cwd = invocation.agent, invocation.cwd
    cli = invocation.cli.resolve()
    program = [cli.parent] if cli.suffix in (".js", ".mjs", ".cjs") else [invocation.cli]
    writable = not agent.read_only
    return Confinement(
        cwd=cwd,
        environment=environment(invocation),
        temp=invocation.scratch,
        binds=(
            *map(
                seen,
                (
                    *program,
                    *(interpreter() if invocation.tools else ()),
                    agent.folder,
                    *own_home.installed_packages(invocation.inherited),
                ),
            ),
            *(invocation.git.binds(writable=writable) if invocation.git else ()),
            Bind(cwd, cwd, writable=writable),
            Bind(invocation.home, HOME, writable=True),
            Bind(invocation.conversations, _CONFIG / "projects" / invocation.conversations.name, writable=True),
            Bind(invocation.instructions_file, _INSTRUCTIONS),
        ),
        sockets=(Bind(invocation.model_socket, _MODEL),),
    )
