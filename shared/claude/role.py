"""A role is a folder: its CLAUDE.md is Claude Code's own subagent format, its skills make it a plugin.

::

    agents/<name>/CLAUDE.md                    front matter (flags) + body (the appended system prompt)
    agents/<name>/skills/<skill>/SKILL.md      skills, loaded by the CLI as plugin skills "<name>:<skill>"
    agents/<name>/.claude-plugin/plugin.json   makes the folder a --plugin-dir
    agents/<name>/mcp.json                     optional MCP servers
"""

from __future__ import annotations

import json
import re
from enum import StrEnum
from pathlib import Path

import msgspec
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

READ_ONLY_TOOLS = ("Read", "Glob", "Grep")
WRITE_TOOLS = frozenset({"Bash", "Edit", "MultiEdit", "NotebookEdit", "Write"})
"""A role with none of these is read-only."""
_FRONT_MATTER = re.compile(r"\A---\r?\n(.*?)\r?\n---[ \t]*(?:\r?\n(.*))?\Z", re.DOTALL)
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,63}\Z")


class RoleInvalid(Exception):
    """A role folder that cannot be used; the message is one line: file, key, what to change."""


class PermissionMode(StrEnum):
    """The modes that work without a person at a terminal.

    ``plan`` and ``auto`` need Anthropic's own server for their checks, so a read-only role names read-only tools
    instead.
    """

    DEFAULT = "default"
    ACCEPT_EDITS = "acceptEdits"
    DONT_ASK = "dontAsk"
    BYPASS = "bypassPermissions"


class AgentRole(msgspec.Struct, frozen=True, kw_only=True):
    """One role, checked.

    ``tools`` is the complete list the model is offered; ``model`` None means the CLI's default.
    """

    name: str
    description: str
    folder: Path
    instructions: str
    tools: tuple[str, ...] = READ_ONLY_TOOLS
    disallowed_tools: tuple[str, ...] = ()
    model: str | None = None
    permission_mode: PermissionMode = PermissionMode.DONT_ASK
    max_turns: int | None = None
    skills: tuple[str, ...] = ()
    mcp_config: Path | None = None
    warnings: tuple[str, ...] = ()

    @property
    def asks_people(self) -> bool:
        """Whether the role may ask the user a question."""
        return "AskUserQuestion" in self.tools

    @property
    def read_only(self) -> bool:
        """Whether the role has no tool that writes, so that the CLI confines its file tools to the working directory.

        A read-only role works before any approval, on strangers' text: nothing else on the machine is its business.
        """
        return not any(tool.partition("(")[0] in WRITE_TOOLS for tool in self.tools)


class _FrontMatter(BaseModel):
    model_config = ConfigDict(extra="allow", populate_by_name=True)

    name: str
    description: str = Field(min_length=1)
    tools: tuple[str, ...] | None = None
    disallowed_tools: tuple[str, ...] = Field(default=(), alias="disallowedTools")
    model: str | None = None
    permission_mode: PermissionMode = Field(default=PermissionMode.DONT_ASK, alias="permissionMode")
    max_turns: int | None = Field(default=None, alias="maxTurns", ge=1, le=1000)
    skills: tuple[str, ...] = ()

    @field_validator("tools", "disallowed_tools", "skills", mode="before")
    @classmethod
    def _comma_separated(cls, value: object) -> object:
        # Claude Code takes "Read, Bash(git diff *)" as well as a YAML list; commas inside brackets belong to the rule.
        if isinstance(value, str):
            return tuple(part.strip() for part in re.split(r",(?![^(]*\))", value) if part.strip())
        return value


class _SkillFrontMatter(BaseModel):
    model_config = ConfigDict(extra="allow")

    name: str
    description: str = Field(min_length=1)


def load_role(folder: Path) -> AgentRole:
    """One role. Raises `RoleInvalid`."""
    folder = folder.absolute()
    file = folder / "CLAUDE.md"
    front, body = _read(file)
    try:
        matter = _FrontMatter.model_validate(front)
    except ValidationError as error:
        raise RoleInvalid(_sentence(file, error)) from None
    if not _NAME.match(matter.name):
        raise RoleInvalid(f"{file}: name {matter.name!r}: use lower-case letters, digits and hyphens.")
    if matter.name != folder.name:
        raise RoleInvalid(f"{file}: name is {matter.name!r} but the folder is {folder.name!r}; make them the same.")
    if not body.strip():
        raise RoleInvalid(f"{file}: the instructions below the front matter are empty; write them.")
    warnings = [f"{file}: unknown key {key!r} is ignored." for key in sorted(matter.model_extra or {})]
    if matter.tools is None:
        warnings.append(f"{file}: no tools named, so the agent can only read; name them with the key 'tools'.")
    skills = _skills(folder)
    for skill in matter.skills:
        if skill not in skills:
            raise RoleInvalid(f"{file}: skills: {skill!r} has no skills/{skill}/SKILL.md; add it or drop the name.")
    if skills:
        _check_manifest(folder, matter.name)
    tools = READ_ONLY_TOOLS if matter.tools is None else matter.tools
    mcp = folder / "mcp.json"
    agent = AgentRole(
        name=matter.name,
        description=matter.description.strip(),
        folder=folder,
        instructions=body.strip() + "\n",
        tools=tuple(dict.fromkeys((*tools, *(("Skill",) if skills else ())))),
        disallowed_tools=matter.disallowed_tools,
        model=None if matter.model in (None, "inherit") else matter.model,
        permission_mode=matter.permission_mode,
        max_turns=matter.max_turns,
        skills=skills,
        mcp_config=mcp if mcp.is_file() else None,
        warnings=tuple(warnings),
    )
    if agent.read_only and agent.permission_mode is PermissionMode.BYPASS:
        raise RoleInvalid(
            f"{file}: permissionMode: bypassPermissions is refused to a role without a tool that writes; "
            "write dontAsk, or name such a tool with the key 'tools'."
        )
    return agent


def _read(file: Path) -> tuple[dict[str, object], str]:
    try:
        text = file.read_text("utf-8")
    except OSError as error:
        raise RoleInvalid(f"{file}: cannot be read ({error.strerror}).") from None
    except UnicodeDecodeError:
        raise RoleInvalid(f"{file}: is not UTF-8 text; save it as UTF-8.") from None
    found = _FRONT_MATTER.match(text)
    if found is None:
        raise RoleInvalid(f"{file}: starts with no front matter; begin with '---', the keys, '---'.")
    try:
        front = yaml.safe_load(found[1])
    except yaml.YAMLError as error:
        place = getattr(error, "problem_mark", None)
        line = f" in line {place.line + 2}" if place is not None else ""
        raise RoleInvalid(f"{file}: the front matter is no valid YAML{line}; quote values that hold ': '.") from None
    if not isinstance(front, dict):
        raise RoleInvalid(f"{file}: the front matter holds no keys; name and description are needed.")
    return {str(key): value for key, value in front.items()}, found[2] or ""


def _skills(folder: Path) -> tuple[str, ...]:
    names = []
    for file in sorted(folder.glob("skills/*/SKILL.md")):
        front, _ = _read(file)
        try:
            skill = _SkillFrontMatter.model_validate(front)
        except ValidationError as error:
            raise RoleInvalid(_sentence(file, error)) from None
        if skill.name != file.parent.name:
            raise RoleInvalid(
                f"{file}: name is {skill.name!r} but its folder is {file.parent.name!r}; make them the same."
            )
        names.append(skill.name)
    return tuple(names)


def _check_manifest(folder: Path, name: str) -> None:
    file = folder / ".claude-plugin" / "plugin.json"
    try:
        manifest = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError):
        raise RoleInvalid(
            f'{file}: missing or no valid JSON; write {{"name": "{name}"}} so that skills load.'
        ) from None
    if not isinstance(manifest, dict) or manifest.get("name") != name:
        raise RoleInvalid(f'{file}: name must be "{name}", the name of the agent.')


def _sentence(file: Path, error: ValidationError) -> str:
    first = error.errors()[0]
    key = ".".join(str(part) for part in first["loc"]) or "front matter"
    return f"{file}: {key}: {first['msg']}."
