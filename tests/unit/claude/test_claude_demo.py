"""The demo is deterministic, and its model answers from what it has seen."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from shared.claude.demo import repo as demo_repo
from shared.claude.demo.conversation import Role, read_request
from shared.claude.demo.schema import fill
from shared.claude.demo.script import Cut, Fail, Hang, Speak, moves

TOOLS = ("Read", "Edit", "Write", "Bash", "Glob", "Grep", "AskUserQuestion")


def _request(
    prompt: str, *turns: tuple[dict[str, Any], str], role: str = "executor", tools: tuple[str, ...] = TOOLS
) -> dict[str, Any]:
    messages: list[dict[str, Any]] = [{"role": "user", "content": [{"type": "text", "text": prompt}]}]
    for number, (call, result) in enumerate(turns):
        messages += [
            {"role": "assistant", "content": [{"type": "tool_use", "id": f"t{number}", **call}]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": f"t{number}", "content": result}]},
        ]
    return {
        "model": "m",
        "system": [{"type": "text", "text": f"# Journeyman {role}\n - Primary working directory: /srv/tree"}],
        "messages": messages,
        "tools": [{"name": tool, "input_schema": {}} for tool in tools],
    }


def _says(body: dict[str, Any]) -> Speak:
    *_, turn = moves(read_request(body))
    assert isinstance(turn, Speak)
    return turn


def _bash(command: str = "x") -> dict[str, Any]:
    return {"name": "Bash", "input": {"command": command}}


def test_the_demo_repository_has_one_failing_test_and_the_same_head_every_time(tmp_path: Path) -> None:
    heads = {demo_repo.create_demo_repository(tmp_path / name) for name in ("one", "two")}
    assert len(heads) == 1
    run = subprocess.run(
        ["python3", "-m", "unittest"], cwd=tmp_path / "one", capture_output=True, text=True, check=False
    )
    assert "FAILED (failures=1)" in run.stderr
    assert "test_the_shares_add_up_to_the_bill" in run.stderr
    source = tmp_path / "one" / demo_repo.SOURCE
    source.write_text(source.read_text().replace(demo_repo.BUGGY, demo_repo.FIXED))
    run = subprocess.run(
        ["python3", "-m", "unittest"], cwd=tmp_path / "one", capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr


def test_a_place_that_is_taken_is_not_overwritten(tmp_path: Path) -> None:
    with pytest.raises(FileExistsError):
        demo_repo.create_demo_repository(tmp_path)


def test_the_mend_is_made_only_where_the_bug_was_read() -> None:
    prompt = demo_repo.DEMO_ISSUE_TITLE
    begin = [(_bash(), demo_repo.SOURCE), ({"name": "Read", "input": {}}, "     1\tnothing here"), (_bash(), "FAILED")]
    assert _says(_request(prompt, *begin)).calls == ()
    numbered = "\n".join(f"{number:>6}\t{line}" for number, line in enumerate(demo_repo.BUGGY.splitlines(), 20))
    begin[1] = ({"name": "Read", "input": {}}, numbered)
    (edit,) = _says(_request(prompt, *begin)).calls
    assert (edit.name, edit.input["new_string"]) == ("Edit", demo_repo.FIXED)


def test_another_task_in_the_same_repository_leaves_a_note_named_after_it() -> None:
    (call,) = _says(_request("Title: Add a changelog!", (_bash(), demo_repo.SOURCE))).calls
    assert (call.name, call.input["file_path"]) == ("Write", "/srv/tree/notes/add-a-changelog.md")


def test_directives_come_in_order_and_before_the_role_s_own_work() -> None:
    prompt = "Do it\ndemo: turns 2\n> demo: write a.txt hello world"
    commands = [_says(_request(prompt, *[(_bash(), "")] * done)).calls[0] for done in range(3)]
    assert ["turn 1" in commands[0].input["command"], "turn 2" in commands[1].input["command"]] == [True, True]
    assert commands[2].input == {"file_path": "/srv/tree/a.txt", "content": "hello world\n"}


def test_a_directive_for_another_role_or_for_a_tool_that_is_not_there_is_left_out() -> None:
    planner = _says(_request("demo executor: turns 5\ndemo: sleep 3", role="planner", tools=("Read", "Glob")))
    assert [call.name for call in planner.calls] == ["Glob"]


def test_faults_stand_where_the_prompt_puts_them() -> None:
    prompt = "demo: fail 529 2\ndemo: turns 1\ndemo: cut\ndemo: hang"
    first = list(moves(read_request(_request(prompt))))
    second = list(moves(read_request(_request(prompt, (_bash(), "")))))
    assert first[0] == Fail(529, 2)
    assert isinstance(first[1], Speak)
    assert second[:2] == [Cut(), Hang()]


def test_the_prompt_is_the_last_thing_a_person_said_and_what_the_cli_adds_is_not() -> None:
    body = _request("first", (_bash(), "out"))
    body["messages"][-1]["content"].append({"type": "text", "text": "[Request interrupted by user for tool use]"})
    assert read_request(body).prompt == "first"
    body["messages"][-1]["content"].append({"type": "text", "text": "<system-reminder>x</system-reminder>second"})
    again = read_request(body)
    assert (again.prompt, again.exchanges) == ("second", ())


def test_a_role_is_known_by_its_heading_and_else_by_its_tools() -> None:
    for role in Role:
        assert read_request(_request("x", role=role.value)).role is role
    assert read_request(_request("x", role="stranger", tools=("Read",))).role is Role.PLANNER
    assert read_request(_request("x", role="stranger", tools=("Bash",))).role is Role.EXECUTOR


@pytest.mark.parametrize(
    "schema",
    [
        {
            "type": "object",
            "properties": {"act": {"type": "boolean"}, "kind": {"enum": ["bug", "x"]}},
            "required": ["act"],
        },
        {"type": "object", "properties": {"n": {"type": "integer", "minimum": 3, "maximum": 9}}, "required": ["n"]},
        {
            "$defs": {"Risk": {"enum": ["high", "low"]}},
            "type": "object",
            "properties": {
                "risk": {"$ref": "#/$defs/Risk"},
                "why": {"anyOf": [{"type": "null"}, {"type": "string", "minLength": 90, "maxLength": 100}]},
                "files": {"type": "array", "items": {"type": "string"}, "minItems": 1},
                "steps": {
                    "type": "array",
                    "items": {"type": "object", "properties": {"t": {"type": "string"}}},
                    "minItems": 2,
                },
                "version": {"const": 2},
            },
            "required": ["risk", "why", "files", "steps", "version"],
            "additionalProperties": False,
        },
    ],
)
def test_a_structured_answer_fits_any_schema_asked_for(schema: dict[str, Any]) -> None:
    answer = fill(schema, title="It loses cents", text="# Plan", prompt="It loses cents")
    jsonschema.validate(answer, schema)
    assert answer.get("risk", "low") == "low"
    assert answer.get("kind", "bug") == "bug"
