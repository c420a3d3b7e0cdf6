"""The command line and the environment of a run, as data."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from shared.claude.process.invocation import Invocation, argv, environment
from shared.claude.role import AgentRole, PermissionMode
from shared.ops.proc import MARK
from shared.sandbox.sandbox import Unconfined

AGENT = AgentRole(
    name="reader",
    description="reads",
    folder=Path("agents/reader"),
    instructions="Read.",
    tools=("Read", "Bash(git diff *)"),
    skills=("look",),
)
RUN = Invocation(
    cli=Path("claude"),
    agent=AGENT,
    run_dir=Path("run"),
    cwd=Path("work"),
    config_dir=Path("config"),
    session_id="0b7a1c9e-3b0f-4f57-9a53-1c1c5b0e4a11",
    mark="run-1",
    sandbox=Unconfined(),
    api_key="key",
    as_root=False,
)
WRITER = msgspec.structs.replace(AGENT, permission_mode=PermissionMode.BYPASS, tools=("Write", "AskUserQuestion"))


def _value(flags: list[str], name: str) -> str:
    return flags[flags.index(name) + 1]


def test_nothing_of_the_repository_or_the_account_configures_the_agent() -> None:
    flags = argv(RUN)
    assert _value(flags, "--setting-sources") == ""
    assert "--strict-mcp-config" in flags
    assert _value(flags, "--system-prompt-snapshot") == "off"
    assert environment(RUN)["HOME"] == "run/home"
    assert environment(RUN)["CLAUDE_CONFIG_DIR"] == "config"


def test_only_the_tools_of_the_role_are_offered_and_its_rules_allowed() -> None:
    flags = argv(RUN)
    assert _value(flags, "--tools") == "Read,Bash"
    assert _value(flags, "--allowedTools") == "Read,Bash(git diff *)"
    assert _value(flags, "--permission-mode") == "dontAsk"
    assert _value(flags, "--plugin-dir") == "agents/reader"


@pytest.mark.parametrize(
    ("tools", "confined"),
    [
        (("Read", "Glob", "Grep", "Skill"), True),
        (("Read", "WebFetch", "AskUserQuestion"), True),
        (("Read", "Bash(git diff *)"), False),
        (("Read", "Edit"), False),
        (("Write",), False),
    ],
)
def test_a_role_is_confined_to_its_working_directory_unless_it_has_a_tool_that_writes(
    tools: tuple[str, ...], confined: bool
) -> None:
    flags = argv(msgspec.structs.replace(RUN, agent=msgspec.structs.replace(AGENT, tools=tools)))
    assert ("--restricted" in flags) == confined


def test_a_role_that_may_ask_people_gets_the_way_to_ask() -> None:
    assert "--permission-prompt-tool" not in argv(RUN)
    assert _value(argv(msgspec.structs.replace(RUN, agent=WRITER)), "--permission-prompt-tool") == "stdio"


def test_a_session_is_created_under_its_id_and_resumed_by_it() -> None:
    assert _value(argv(RUN), "--session-id") == RUN.session_id
    resumed = argv(msgspec.structs.replace(RUN, resume=True))
    assert _value(resumed, "--resume") == RUN.session_id
    assert "--session-id" not in resumed


def test_limits_model_and_schema_of_the_run_win_over_the_role() -> None:
    run = msgspec.structs.replace(
        RUN,
        agent=msgspec.structs.replace(AGENT, model="haiku", max_turns=5),
        max_turns=9,
        max_budget_usd=0.25,
        schema={"type": "object"},
    )
    flags = argv(run)
    assert (_value(flags, "--model"), _value(flags, "--max-turns")) == ("haiku", "9")
    assert float(_value(flags, "--max-budget-usd")) == 0.25
    assert json.loads(_value(flags, "--json-schema")) == {"type": "object"}
    assert _value(argv(msgspec.structs.replace(run, model="opus")), "--model") == "opus"


def test_the_environment_is_made_from_nothing() -> None:
    outside = {
        "PATH": "/opt/bin",
        "LANG": "C.UTF-8",
        "GITHUB_TOKEN": "t",
        "ANTHROPIC_API_KEY": "another",
        "CLAUDE_CODE_X": "1",
        "NODE_OPTIONS": "--require x",
        "BASH_ENV": "x",
        "HTTPS_PROXY": "http://proxy:3128",
        "HTTP_PROXY": "http://ada:secret@proxy:3128",
    }
    env = environment(msgspec.structs.replace(RUN, inherited=outside))
    assert env["PATH"] == "/opt/bin"
    assert env["HTTPS_PROXY"] == "http://proxy:3128"
    assert env["ANTHROPIC_API_KEY"] == "key"
    assert not set(env) & {"GITHUB_TOKEN", "CLAUDE_CODE_X", "NODE_OPTIONS", "BASH_ENV", "HTTP_PROXY"}


def test_the_command_line_holds_no_secret() -> None:
    assert not [flag for flag in argv(msgspec.structs.replace(RUN, api_key="sk-very-secret")) if "secret" in flag]


def test_every_process_of_the_run_carries_its_mark_and_works_in_the_foreground() -> None:
    env = environment(RUN)
    assert env[MARK] == "run-1"
    assert env["CLAUDE_CODE_DISABLE_BACKGROUND_TASKS"] == "1"


@pytest.mark.parametrize(
    ("agent", "as_root", "told"), [(WRITER, True, True), (WRITER, False, False), (AGENT, True, False)]
)
def test_root_is_told_to_be_in_a_sandbox_only_where_the_mode_needs_it(
    agent: AgentRole, as_root: bool, told: bool
) -> None:
    assert ("IS_SANDBOX" in environment(msgspec.structs.replace(RUN, agent=agent, as_root=as_root))) == told
