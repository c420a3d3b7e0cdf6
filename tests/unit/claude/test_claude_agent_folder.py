"""A role folder is checked before it is used, and every complaint says where and what to do."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from shared.claude.role import READ_ONLY_TOOLS, PermissionMode, RoleInvalid, load_role

ROOT = Path(__file__).parents[3]
GOOD = (
    "---\nname: helper\ndescription: Helps.\ntools: Read, Bash(git diff *, git log), Edit\n---\n\n# Helper\n\nHelp.\n"
)


def _folder(tmp_path: Path, text: str = GOOD, skill: str | None = None) -> Path:
    folder = tmp_path / "helper"
    folder.mkdir()
    (folder / "CLAUDE.md").write_text(text, "utf-8")
    if skill is not None:
        (folder / "skills" / "look").mkdir(parents=True)
        (folder / "skills" / "look" / "SKILL.md").write_text(skill, "utf-8")
        (folder / ".claude-plugin").mkdir()
        (folder / ".claude-plugin" / "plugin.json").write_text(json.dumps({"name": "helper"}), "utf-8")
    return folder


def test_the_roles_of_the_product_load_without_a_warning() -> None:
    agents = {each.name: load_role(each) for each in (ROOT / "agents").iterdir()}
    assert {"brain", "planner", "executor"} <= set(agents)
    assert [warning for agent in agents.values() for warning in agent.warnings] == []
    for name in ("brain", "planner"):
        assert set(agents[name].tools) <= {*READ_ONLY_TOOLS, "Skill"}
        assert agents[name].permission_mode is PermissionMode.DONT_ASK
    assert agents["executor"].permission_mode is PermissionMode.BYPASS
    assert set(agents["planner"].skills) == {"discovery", "plan-creation"}
    assert set(agents["executor"].skills) == {"code-implementation", "tdd-workflow"}
    assert agents["brain"].skills == ("triage",)


def test_the_front_matter_becomes_flags_and_the_body_the_instructions(tmp_path: Path) -> None:
    agent = load_role(_folder(tmp_path))
    assert agent.tools == ("Read", "Bash(git diff *, git log)", "Edit")
    assert agent.instructions == "# Helper\n\nHelp.\n"
    assert agent.permission_mode is PermissionMode.DONT_ASK


def test_a_role_without_a_tool_that_writes_may_not_bypass_permissions(tmp_path: Path) -> None:
    text = "---\nname: helper\ndescription: Helps.\ntools: Read\npermissionMode: bypassPermissions\n---\nHelp."
    with pytest.raises(RoleInvalid, match=r"permissionMode: bypassPermissions is refused .* write dontAsk"):
        load_role(_folder(tmp_path, text))


def test_a_role_with_skills_may_use_them(tmp_path: Path) -> None:
    agent = load_role(_folder(tmp_path, skill="---\nname: look\ndescription: Looks.\n---\nLook."))
    assert agent.skills == ("look",)
    assert "Skill" in agent.tools


def test_a_role_that_names_no_tools_can_only_read_and_is_warned_of_it(tmp_path: Path) -> None:
    agent = load_role(_folder(tmp_path, "---\nname: helper\ndescription: Helps.\ncolor: red\n---\nHelp."))
    assert agent.tools == READ_ONLY_TOOLS
    assert len(agent.warnings) == 2
    assert "'color'" in agent.warnings[0]


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("Help.", "front matter"),
        ("---\nname: helper\n---\nHelp.", "description"),
        ("---\nname: other\ndescription: Helps.\n---\nHelp.", "folder is 'helper'"),
        ("---\nname: helper\ndescription: Helps.\npermissionMode: plan\n---\nHelp.", "permissionMode"),
        ("---\nname: helper\ndescription: Helps.\nmaxTurns: many\n---\nHelp.", "maxTurns"),
        ("---\nname: helper\ndescription: Helps: a lot: yes\n---\nHelp.", "YAML in line"),
        ("---\nname: helper\ndescription: Helps.\nskills: look\n---\nHelp.", "skills/look/SKILL.md"),
        ("---\nname: helper\ndescription: Helps.\n---\n \n", "instructions"),
    ],
)
def test_a_broken_role_is_refused_in_one_line_with_file_and_key(tmp_path: Path, text: str, part: str) -> None:
    with pytest.raises(RoleInvalid) as refused:
        load_role(_folder(tmp_path, text))
    message = str(refused.value)
    assert part in message
    assert message.startswith(str(tmp_path / "helper" / "CLAUDE.md"))
    assert "\n" not in message


def test_a_skill_that_is_named_otherwise_than_its_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RoleInvalid, match=r"SKILL\.md.*'look'"):
        load_role(_folder(tmp_path, skill="---\nname: see\ndescription: Sees.\n---\nSee."))


def test_skills_without_a_plugin_manifest_are_refused_because_they_would_not_load(tmp_path: Path) -> None:
    folder = _folder(tmp_path, skill="---\nname: look\ndescription: Looks.\n---\nLook.")
    (folder / ".claude-plugin" / "plugin.json").unlink()
    with pytest.raises(RoleInvalid, match=r"plugin\.json"):
        load_role(folder)
