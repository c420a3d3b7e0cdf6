"""`journeyman deliveries explain` says what a payload would do, without a running system."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from cli.commands.deliveries import command
from cli.failures import Failure

ADA = {"login": "ada", "type": "User"}
PAYLOAD = {
    "action": "created",
    "issue": {"number": 7, "title": "It drops", "created_at": "2026-01-02T03:04:05Z"},
    "comment": {"id": 1, "body": "@agent fix this", "user": ADA, "author_association": "OWNER"},
    "repository": {"full_name": "octo/app", "id": 99},
    "sender": ADA,
}


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def explained(here: Path, payload: Any, *options: str) -> dict[str, Any]:
    file = here / "payload.json"
    file.write_text(json.dumps(payload))
    ended = CliRunner().invoke(command, ["explain", str(file), "--json", *options])
    if ended.exception is not None:
        raise ended.exception
    told: dict[str, Any] = json.loads(ended.output)
    return told


def test_it_says_what_a_comment_would_lead_to(here: Path) -> None:
    told = explained(here, PAYLOAD)
    assert (told["event"], told["about"], told["word"]) == ("issue_comment created", "github:99#7", "fix this")
    assert told["commands"] == ["task.submit", "task.follow-up"]


def test_it_says_why_a_payload_would_be_ignored(here: Path) -> None:
    assert "newest commit" in explained(here, {"ref": "refs/heads/main"}, "--event", "push")["ignored"]


@pytest.mark.parametrize("payload", [[], {"zen": "Keep it logically awesome."}, {"issue": 5}])
def test_what_it_cannot_read_is_said_in_a_sentence(here: Path, payload: Any) -> None:
    with pytest.raises(Failure) as failure:
        explained(here, payload)
    assert str(failure.value).endswith(".")


def test_an_unknown_sender_is_named(here: Path) -> None:
    with pytest.raises(Failure, match="there are: github"):
        explained(here, PAYLOAD, "--webhook", "acme")
