"""`/api/agents` and `/api/skills`: the role folders as they are."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec
from litestar import Controller, get

from shared.claude.role import RoleInvalid, load_role


class AgentShown(msgspec.Struct, frozen=True, kw_only=True):
    """One role. ``problem`` says why it cannot be used, and is empty otherwise."""

    name: str
    description: str = ""
    model: str = ""
    permission_mode: str = ""
    tools: tuple[str, ...] = ()
    skills: tuple[str, ...] = ()
    instructions: str = ""
    warnings: tuple[str, ...] = ()
    problem: str = ""


class SkillShown(msgspec.Struct, frozen=True, kw_only=True):
    """One skill of one agent, by its folder's name."""

    agent: str
    name: str
    text: str


class Agents(msgspec.Struct, frozen=True):
    """All of them by name."""

    items: list[AgentShown]


class Skills(msgspec.Struct, frozen=True):
    """All of them by agent and name."""

    items: list[SkillShown]


class RoleController(Controller):
    """Who works here, and what they know."""

    path = "/api"
    tags = ("agents",)

    @get("/agents", operation_id="listAgents", summary="The agents")
    async def list_agents(self, agents_path: Path) -> Agents:
        """Every folder with a CLAUDE.md."""
        return Agents(await asyncio.to_thread(read_agents, agents_path))

    @get("/skills", operation_id="listSkills", summary="The agents' skills")
    async def list_skills(self, agents_path: Path) -> Skills:
        """Every SKILL.md."""
        return Skills(await asyncio.to_thread(read_skills, agents_path))


def read_agents(folder: Path) -> list[AgentShown]:
    """The roles in a folder; a broken one is shown with its problem."""
    return [_read_agent(claude_md.parent) for claude_md in sorted(folder.glob("*/CLAUDE.md"))]


def read_skills(folder: Path) -> list[SkillShown]:
    """The skills in a folder of roles."""
    found = []
    for path in sorted(folder.glob("*/skills/*/SKILL.md")):
        text = path.read_text(errors="replace")
        found.append(SkillShown(agent=path.parents[2].name, name=path.parent.name, text=text))
    return found


def _read_agent(folder: Path) -> AgentShown:
    try:
        agent = load_role(folder)
    except RoleInvalid as error:
        return AgentShown(name=folder.name, problem=str(error))
    return AgentShown(
        name=agent.name,
        description=agent.description,
        model=agent.model or "",
        permission_mode=agent.permission_mode,
        tools=agent.tools,
        skills=agent.skills,
        instructions=agent.instructions,
        warnings=agent.warnings,
    )
