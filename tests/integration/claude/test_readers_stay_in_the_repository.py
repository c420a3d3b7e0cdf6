"""What works before any approval reads the repository and nothing else of the machine, asked by the real CLI."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from shared.claude.conversation.converse import Prompt, converse
from shared.claude.conversation.stream import Init, read_line
from shared.claude.process.process import AgentProcess
from tests.integration.claude.agent_runs import Runs

CANARY = "canary-5b1c"


def _uses(outside: Path) -> list[tuple[str, dict[str, str]]]:
    return [
        ("Read", {"file_path": str(outside / "secret.txt")}),
        ("Read", {"file_path": "link.txt"}),
        ("Read", {"file_path": "folder/secret.txt"}),
        ("Grep", {"pattern": "canary-", "path": str(outside), "output_mode": "content"}),
        ("Grep", {"pattern": "canary-", "path": "folder", "output_mode": "content"}),
        ("Glob", {"pattern": "*.txt", "path": str(outside)}),
        ("Glob", {"pattern": "*.txt", "path": "folder"}),
    ]


@pytest.mark.parametrize("role", ["planner", "brain"])
async def test_a_reader_is_refused_what_is_outside_its_repository_also_through_a_link_in_it(
    runs: Runs, repository: Path, tmp_path: Path, role: str
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.txt").write_text(CANARY)
    (repository / "link.txt").symlink_to(outside / "secret.txt")
    (repository / "folder").symlink_to(outside)
    uses = [*_uses(outside), ("Read", {"file_path": "ledger/money.py"})]
    lines = [f"demo: use {tool} {json.dumps(given)}" for tool, given in uses]

    process = await AgentProcess.start(runs.invocation(role, max_turns=30))
    outcome = await converse(process, prompt=Prompt("look", "\n".join(["Look around.", *lines])))

    assert outcome.ok, outcome
    results = _tool_results(process.stdout)
    assert len(results) >= len(uses)
    for (tool, given), (failed, text) in zip(uses[:-1], results, strict=False):
        assert failed, f"{tool} {given} answered: {text}"
        assert "--restricted confines the file tools to the working directory" in text
    failed, text = results[len(uses) - 1]
    assert not failed, text
    assert "split_evenly" in text
    assert CANARY not in process.stdout.read_text()


@pytest.mark.parametrize(("role", "skill"), [("planner", "planner:discovery"), ("brain", "brain:triage")])
async def test_a_reader_still_has_its_own_skills(runs: Runs, role: str, skill: str) -> None:
    process = await AgentProcess.start(runs.invocation(role))
    use = f"demo: use Skill {json.dumps({'skill': skill})}"
    outcome = await converse(process, prompt=Prompt("skill", f"Look around.\n{use}"))

    assert outcome.ok, outcome
    first = next(event for event in map(read_line, process.stdout.read_bytes().splitlines()) if isinstance(event, Init))
    assert skill in first.skills
    failed, text = _tool_results(process.stdout)[0]
    assert not failed, text


def _tool_results(stdout: Path) -> list[tuple[bool, str]]:
    """Of every tool call, in order: whether it was refused or failed, and what the model was told."""
    found = []
    for line in map(json.loads, stdout.read_text().splitlines()):
        content = line["message"]["content"] if line["type"] == "user" else []
        for part in content if isinstance(content, list) else []:
            if part.get("type") == "tool_result":
                found.append((bool(part.get("is_error")), json.dumps(part["content"])))
    return found
