"""`events`, `state` and `verify` work on the log alone: a NATS server, and no service."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from pathlib import Path

import msgspec
import pytest

from shared.backup.archive import Archive
from shared.backup.nats_archive import archive
from shared.contracts import task
from shared.contracts.subjects import Actor, event_subject
from shared.event_store.envelope import MessageMetadata, encode_event, utc_now
from shared.event_store.journal import Head, head_of
from shared.event_store.receipt import receipt_of, write_receipt
from shared.nats.bus import Bus
from shared.nats.journal import NatsJournal
from testing.command_line import Run
from testing.nats import Nats

TASK = Actor("task", "01JXTASKTASKTASKTASKTASKTA")
OTHER = Actor("task", "01JXOTHEROTHEROTHEROTHEROT")


def metadata(name: str) -> MessageMetadata:
    return MessageMetadata(
        id=name, source="journeyman/test", time=utc_now(), principal="user:ada", causation_id=f"cause-{name}"
    )


@pytest.fixture
async def log(bus: Bus) -> list[int]:
    """Four events of two tasks; their stream sequences."""
    journal = NatsJournal(bus)
    heads = {TASK: Head(), OTHER: Head()}
    positions = []
    for index, (actor, event) in enumerate(
        [
            (TASK, task.Submitted(title="Fix it", text="please", source=task.Source(kind="cli", author="ada"))),
            (OTHER, task.Submitted(title="Another", text="please", source=task.Source(kind="cli"))),
            (TASK, task.TriageRequested(attempt=1)),
            (TASK, task.Cancelled(reason="no longer wanted")),
        ]
    ):
        recorded = await journal.append(actor, event, expected=heads[actor], metadata=metadata(f"e{index}"))
        heads[actor] = head_of(recorded)
        positions.append(recorded.position)
    return positions


async def test_events_shows_the_log_in_order_with_its_sequences(
    journeyman: Run, nats_server: Nats, log: list[int]
) -> None:
    ended = await journeyman("events", JOURNEYMAN_NATS_URL=nats_server.url)
    assert ended.code == 0
    lines = ended.out.splitlines()
    assert [line.split()[2] for line in lines] == [f"#{position}" for position in log]
    assert "task.submitted" in lines[0]
    assert "Fix it" in lines[0]


async def test_events_of_one_task_from_a_sequence_on_as_json(
    journeyman: Run, nats_server: Nats, log: list[int]
) -> None:
    ended = await journeyman("events", "--task", TASK.id, "--from", "2", "--json", JOURNEYMAN_NATS_URL=nats_server.url)
    found = [json.loads(line) for line in ended.out.splitlines()]
    assert [each["seq"] for each in found] == [log[2], log[3]]
    assert [each["event"]["type"] for each in found] == ["task.triage-requested", "task.cancelled"]


async def test_events_behind_the_end_of_the_log_are_none(journeyman: Run, nats_server: Nats, log: list[int]) -> None:
    ended = await journeyman("events", "--from", "999", JOURNEYMAN_NATS_URL=nats_server.url)
    assert (ended.code, ended.out) == (0, "")


async def test_a_state_is_folded_as_of_any_sequence(journeyman: Run, nats_server: Nats, log: list[int]) -> None:
    async def state(*at: str) -> dict[str, object]:
        ended = await journeyman("state", "task", TASK.id, "--json", *at, JOURNEYMAN_NATS_URL=nats_server.url)
        found: dict[str, object] = ended.json
        return found

    early, late = await state("--at", str(log[0])), await state()
    assert (early["sequence"], early["state"]["status"]) == (1, "received")  # type: ignore[index]  # JSON
    assert (late["sequence"], late["state"]["status"]) == (3, "cancelled")  # type: ignore[index]  # JSON


async def test_the_state_of_nobody_is_one_line(journeyman: Run, nats_server: Nats, log: list[int]) -> None:
    for arguments in (["task", "NOBODY"], ["ghost", TASK.id], ["task", OTHER.id, "--at", "1"]):
        ended = await journeyman("state", *arguments, JOURNEYMAN_NATS_URL=nats_server.url)
        assert ended.code == 1
        assert len(ended.err.splitlines()) == 1


async def test_a_whole_log_is_verified(journeyman: Run, nats_server: Nats, log: list[int]) -> None:
    ended = await journeyman("verify", "--json", JOURNEYMAN_NATS_URL=nats_server.url)
    assert ended.code == 0
    assert (ended.json["events"], ended.json["actors"], ended.json["damage"]) == (4, 2, None)


async def test_an_empty_log_is_whole(journeyman: Run, nats_server: Nats) -> None:
    assert (await journeyman("verify", JOURNEYMAN_NATS_URL=nats_server.url)).code == 0


async def test_verify_names_the_first_event_whose_hash_chain_is_broken(
    journeyman: Run, nats_server: Nats, bus: Bus, log: list[int]
) -> None:
    event = task.Retried(stage=task.Stage.TRIAGE)
    for index in (4, 5):
        body = encode_event(TASK, event, sequence=index, prevhash="0" * 64, metadata=metadata(f"forged-{index}"))
        await bus.publish(event_subject(TASK, "retried"), body, {})
    ended = await journeyman("verify", JOURNEYMAN_NATS_URL=nats_server.url)
    assert ended.code == 1
    assert f"stream sequence {log[-1] + 1} of {TASK}" in ended.err
    assert len(ended.err.splitlines()) == 1


async def test_verify_names_an_event_that_does_not_fit_its_schema(
    journeyman: Run, nats_server: Nats, bus: Bus, log: list[int]
) -> None:
    actor = Actor("task", "FORGED")
    body = encode_event(actor, task.TriageRequested(attempt=1), sequence=1, prevhash="", metadata=metadata("forged"))
    wrong = msgspec.json.decode(body)
    wrong["data"] = {"attempt": "one"}
    await bus.publish(event_subject(actor, "triage-requested"), msgspec.json.encode(wrong), {})
    ended = await journeyman("verify", "--json", JOURNEYMAN_NATS_URL=nats_server.url)
    assert ended.code == 1
    assert ended.json["damage"]["sequence"] == log[-1] + 1
    assert "schema" in ended.json["damage"]["problem"]


async def test_a_command_waits_for_a_nats_that_stands_still_for_a_moment(
    journeyman: Run, nats_server: Nats, log: list[int]
) -> None:
    os.kill(nats_server.pid, signal.SIGSTOP)
    try:
        running = asyncio.create_task(journeyman("verify", JOURNEYMAN_NATS_URL=nats_server.url))
        await asyncio.sleep(5)  # longer than it waits for one that is not there
        assert not running.done()
    finally:
        os.kill(nats_server.pid, signal.SIGCONT)
    assert (await running).code == 0


async def test_a_replay_from_behind_the_end_of_the_log_is_one_line(
    journeyman: Run, nats_server: Nats, log: list[int]
) -> None:
    ended = await journeyman("replay", "--from", "999", JOURNEYMAN_NATS_URL=nats_server.url)
    assert (ended.code, ended.out) == (1, "")
    assert f"The log ends at {log[-1]}" in ended.err
    assert len(ended.err.splitlines()) == 1


async def test_provision_is_safe_to_run_again(journeyman: Run, nats_server: Nats, log: list[int]) -> None:
    ended = await journeyman("provision", "--json", JOURNEYMAN_NATS_URL=nats_server.url)
    assert (ended.code, ended.json) == (0, {"created": []})


async def test_the_doctor_says_who_does_not_answer_and_the_mend(journeyman: Run, nats_server: Nats) -> None:
    ended = await journeyman("doctor", "--json", JOURNEYMAN_NATS_URL=nats_server.url)
    found = {each["what"]: each for each in ended.json}
    assert ended.code == 1
    assert (found["NATS"]["state"], found["log"]["state"]) == ("good", "good")
    assert found["brain"]["state"] == "bad"
    assert "journeyman service brain" in found["brain"]["mend"]
    assert "ANTHROPIC_API_KEY" in found["model"]["mend"]


HOSTILE = "[red]in\x1b[8mnoc\x9b2J\u202eent\u200b\U000e0041[/red]"
MARKED = "[red]in␛[8mnoc<U+009B>2J<U+202E>ent<U+200B><U+E0041>[/red]"


async def test_events_and_state_show_what_is_invisible_as_marks_and_json_escapes_it(
    journeyman: Run, bus: Bus, nats_server: Nats
) -> None:
    journal, source = NatsJournal(bus), task.Source(kind="api", author=HOSTILE)
    await journal.append(
        TASK, task.Submitted(title=HOSTILE, text=HOSTILE, source=source), expected=Head(), metadata=metadata("hostile")
    )
    address = {"JOURNEYMAN_NATS_URL": nats_server.url}
    for command in (("events",), ("state", "task", TASK.id)):
        shown = await journeyman(*command, **address)
        assert MARKED in shown.out
        assert not set(shown.out) & set("\x1b\x9b\u202e\u200b\U000e0041")
        document = await journeyman(*command, "--json", **address)
        assert not set(document.out) & set("\x1b\x9b\u202e\u200b\U000e0041")
        found = document.json
        assert HOSTILE in (found["event"]["data"]["title"] if "event" in found else found["state"]["title"])


async def test_an_error_shows_what_is_invisible_as_marks(journeyman: Run, tmp_path: Path) -> None:
    (tmp_path / "in\x1b[2J\u202ent").mkdir()
    for command in (("demo-repo", "in\x1b[2J\u202ent"), ("state", "task", "x", "in\x1b[2J\u202ent")):
        ended = await journeyman(*command)
        assert ended.code in {1, 2}
        assert "in␛[2J<U+202E>nt" in ended.err


async def test_a_receipt_is_held_against_the_log_and_against_an_archive(
    log: list[int], bus: Bus, nats_server: Nats, journeyman: Run, tmp_path: Path
) -> None:
    story = {"task": (await NatsJournal(bus).load(TASK))[:2]}
    receipt = receipt_of(story, repo="octo/app", commit="c" * 40, tree="d" * 40, base="b" * 40)
    (tmp_path / "body.md").write_text(f"Done.\n\n```json\n{write_receipt(receipt)}\n```\n")
    await archive(bus, Archive(tmp_path / "copy"))
    here = {"JOURNEYMAN_NATS_URL": nats_server.url}
    away = {"JOURNEYMAN_NATS_URL": "nats://127.0.0.1:9"}
    for options, environment in (((), here), (("--archive", str(tmp_path / "copy")), away)):
        ended = await journeyman("verify", "--receipt", "body.md", *options, "--json", **environment)
        assert ended.code == 1
        assert json.loads(ended.out)["problems"] == [f"No run of the task has made the tree {'d' * 40}."]
    ended = await journeyman("verify", "--receipt", "body.md", "--archive", str(tmp_path / "nothing"), **away)
    assert ended.code == 1 and "is no archive" in ended.err
