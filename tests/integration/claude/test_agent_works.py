"""The three roles do their work with the real CLI."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from shared.claude.conversation.converse import AgentLimits, Prompt, Step, TurnEnd, converse
from shared.claude.conversation.stream import Init, read_line, trim
from shared.claude.demo.model import DemoModel
from shared.claude.demo.repo import DEMO_ISSUE_BODY, DEMO_ISSUE_TITLE
from shared.claude.process.process import AgentProcess, Line
from shared.contracts.usage import ModelUsage, add_usage
from tests.integration.claude.agent_runs import Runs

ISSUE = f"Title: {DEMO_ISSUE_TITLE}\n\n{DEMO_ISSUE_BODY}"


def _run(folder: Path, *command: str) -> tuple[int, bytes]:
    done = subprocess.run(command, cwd=folder, capture_output=True, check=False)
    return done.returncode, done.stdout


async def test_the_executor_mends_the_demo_bug_and_every_line_turn_and_token_is_told_once(
    runs: Runs, model: DemoModel, repository: Path
) -> None:
    lines: list[Line] = []
    told: list[tuple[ModelUsage, ...]] = []

    async def on_line(line: Line) -> None:
        lines.append(line)

    async def on_turn(turn: TurnEnd) -> None:
        told.append(turn.usage)

    async def on_step(step: Step) -> bool:
        told.append(step.usage)
        return True

    process = await AgentProcess.start(runs.invocation())
    outcome = await converse(process, prompt=Prompt("mend", ISSUE), on_line=on_line, on_turn=on_turn, on_step=on_step)

    assert outcome.ok, outcome
    assert "Verified" in outcome.text
    assert _run(repository, "python3", "-m", "unittest")[0] == 0
    assert b"".join(line.raw + b"\n" for line in lines) == process.stdout.read_bytes()
    assert add_usage(*told, outcome.unreported) == outcome.usage
    (usage,) = outcome.usage
    assert usage.input_tokens == sum(each.input_tokens for each in model.requests)
    assert usage.output_tokens == sum(each.output_tokens for each in model.requests)
    assert usage.cache_read_tokens == sum(each.cache_read_tokens for each in model.requests)
    assert usage.cache_write_tokens == sum(each.cache_write_tokens for each in model.requests)


async def test_the_planner_plans_with_its_skills_and_changes_nothing(runs: Runs, repository: Path) -> None:
    process = await AgentProcess.start(runs.invocation("planner"))
    outcome = await converse(process, prompt=Prompt("plan", ISSUE))

    assert outcome.ok, outcome
    headings = [line[3:] for line in outcome.text.splitlines() if line.startswith("## ")]
    assert headings == ["Goal", "Files to touch", "Steps", "Verification", "Risk"]
    assert "ledger/money.py" in outcome.text
    first = next(event for event in map(read_line, process.stdout.read_bytes().splitlines()) if isinstance(event, Init))
    assert {"planner:discovery", "planner:plan-creation"} <= set(first.skills)
    assert set(first.tools) == {"Read", "Glob", "Grep", "Skill"}
    assert _run(repository, "git", "status", "--short") == (0, b"")


async def test_the_brain_answers_in_the_form_that_was_asked_for(runs: Runs) -> None:
    schema: dict[str, object] = {
        "type": "object",
        "properties": {
            "act": {"type": "boolean"},
            "kind": {"enum": ["feature", "bug", "question"]},
            "title": {"type": "string", "maxLength": 80},
            "risk": {"enum": ["high", "medium", "low"]},
        },
        "required": ["act", "kind", "title", "risk"],
        "additionalProperties": False,
    }
    process = await AgentProcess.start(runs.invocation("brain", schema=schema))
    outcome = await converse(process, prompt=Prompt("triage", ISSUE), schema_asked=True)

    assert outcome.ok, outcome
    assert outcome.structured == {"act": True, "kind": "bug", "title": DEMO_ISSUE_TITLE, "risk": "low"}


async def test_a_line_of_megabytes_is_read_whole_and_published_small(runs: Runs) -> None:
    lines: list[Line] = []

    async def on_line(line: Line) -> None:
        lines.append(line)

    process = await AgentProcess.start(runs.invocation())
    outcome = await converse(process, prompt=Prompt("huge", "demo: huge 2000000\ndemo: write a.txt b"), on_line=on_line)

    assert outcome.ok, outcome
    assert max(len(line.raw) for line in lines) > 2_000_000
    published = [trim(line.raw) for line in lines]
    assert max(map(len, published)) <= 65536
    assert [json.loads(each)["type"] for each in published] == [json.loads(line.raw)["type"] for line in lines]


async def test_an_overloaded_api_is_tried_again_and_a_cut_connection_too(runs: Runs, model: DemoModel) -> None:
    process = await AgentProcess.start(runs.invocation(max_retries=3))
    outcome = await converse(process, prompt=Prompt("faults", "demo: fail 529 1\ndemo: cut\ndemo: write a.txt b"))

    assert outcome.ok, outcome
    assert [request.outcome for request in model.requests][:2] == ["fail 529", "cut"]


async def test_a_rate_limit_that_stays_ends_the_run_with_its_own_code(runs: Runs) -> None:
    process = await AgentProcess.start(runs.invocation())
    outcome = await converse(process, prompt=Prompt("limit", "demo: fail 429"), limits=AgentLimits(silence_s=90))

    assert (outcome.ok, outcome.code) == (False, "agent-rate-limited")
    assert "429" in outcome.message
