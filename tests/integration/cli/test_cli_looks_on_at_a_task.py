"""`task wait`, `logs`, `diff`, `open` and short ids, by the log alone: a NATS server, and no service."""

from __future__ import annotations

import asyncio
import json
import shlex
from pathlib import Path

import msgspec
import pytest
from nats.aio.msg import Msg

from cli.failures import Failure
from cli.short_ids import whole_id
from shared.contracts import run, task
from shared.contracts.queries import TaskPage
from shared.contracts.subjects import Actor, output_subject
from shared.event_store.envelope import MessageMetadata, utc_now
from shared.event_store.journal import head_of
from shared.nats.bus import Bus
from shared.nats.journal import NatsJournal
from shared.nats.objects import Artifacts
from testing.command_line import COMMAND, Ended, Run, clean_environment
from testing.nats import Nats
from tests.integration.gateway.gateway_process import happen
from tests.unit.projector.projector_support import answered, planned, projected

DONE, OPEN, UNKNOWN = "01JXAAAAAAAAAAAAAAAAAAAAA1", "01JXAAAAAAAAAAAAAAAAAAAAB2", "01JXNOBODYNOBODYNOBODYNOBO"
DIFF = b"diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-\x1b[2J\n+b\n"


@pytest.fixture
async def say(journeyman: Run, nats_server: Nats, bus: Bus) -> Run:
    """Runs a command on a log with a task that is done and one that is not."""
    made = await Artifacts(bus).put("diff", DIFF)
    for id in (DONE, OPEN):
        await happen(bus, id, task.Submitted(title=f"Task {id}", text="x", source=task.Source(kind="cli")))
    await happen(bus, DONE, run.Succeeded(round=1, attempt=1, summary="", diff=made))
    journal = NatsJournal(bus)
    (submitted,) = await journal.load(Actor("task", DONE))
    about = MessageMetadata(id="done", source="test", time=utc_now(), principal="user:ada")
    await journal.append(submitted.actor, task.Completed(summary=""), expected=head_of(submitted), metadata=about)
    for text in ("first", "second"):
        line = {"type": "assistant", "message": {"content": [{"type": "text", "text": text}]}}
        await bus.publish(output_subject(Actor("run", DONE)), msgspec.json.format(msgspec.json.encode(line)), {})

    async def one(*arguments: str) -> Ended:
        return await journeyman(*arguments, JOURNEYMAN_NATS_URL=nats_server.url)

    return one


async def test_what_a_task_came_to_is_read_by_a_part_of_its_id(say: Run) -> None:
    waited, quiet, logs, raw, diff, page, named = await asyncio.gather(
        say("task", "wait", "AAAAA1"),
        say("task", "wait", DONE.lower(), "--json"),
        say("task", "logs", "aaaaa1", "-f"),
        say("task", "logs", DONE, "--json"),
        say("task", "diff", DONE),
        say("task", "open", "AAAAB2"),
        say("task", "open", "AAAAB2", "--json"),
    )
    assert (waited.code, waited.out) == (0, "completed\n")
    assert (quiet.json["id"], quiet.json["status"]) == (DONE, "completed")
    assert [line.split()[1] for line in logs.out.splitlines()] == ["“first”", "“second”"]
    assert [json.loads(line)["line"]["type"] for line in raw.out.splitlines()] == ["assistant", "assistant"]
    assert diff.out.encode() == DIFF, "what is piped is what git applies"
    assert page.out.strip().endswith(f"/tasks/{OPEN}")
    assert named.json == {"id": OPEN, "url": page.out.strip()}


async def test_a_reader_that_has_seen_enough_ends_what_would_go_on(say: Run, nats_server: Nats, tmp_path: Path) -> None:
    async def unread(command: str) -> bytes:
        process = await asyncio.create_subprocess_shell(
            f"{shlex.quote(str(COMMAND))} {command} | true",
            cwd=tmp_path,
            env=clean_environment(JOURNEYMAN_NATS_URL=nats_server.url),
            stderr=asyncio.subprocess.PIPE,
        )
        return (await asyncio.wait_for(process.communicate(), 60))[1]

    said = await asyncio.gather(unread(f"task logs {DONE} -f"), unread("events -f"), unread("events -f --json"))
    assert b"".join(said) == b""


async def test_a_task_that_goes_on_is_waited_for_and_one_that_writes_nothing_says_so(say: Run, bus: Bus) -> None:
    none, nothing = await asyncio.gather(say("task", "logs", OPEN), say("task", "diff", OPEN))
    assert (none.code, none.out, "keeps a week" in none.err) == (0, "", True)
    assert (nothing.code, nothing.out) == (0, "")
    before = {"type": "assistant", "message": {"content": [{"type": "text", "text": "said before"}]}}
    await bus.publish(output_subject(Actor("run", OPEN)), msgspec.json.encode(before), {})
    late = await say("task", "wait", OPEN, "--timeout", "1")
    assert (late.code, "It goes on." in late.err) == (1, True)
    assert "said before" not in late.err, "whoever comes back has seen it, and `task logs` has it"


async def test_an_id_that_nobody_has_is_an_error_everywhere_and_one_that_several_have_lists_them(
    say: Run, bus: Bus
) -> None:
    for unknown in (UNKNOWN, "NOBODY"):
        with pytest.raises(Failure, match=f"The log has no task {unknown}: look it up"):
            await whole_id(bus, unknown)
    with pytest.raises(Failure, match=f"'01jxaa' fits 2 of them: {DONE}, {OPEN}"):
        await whole_id(bus, "01jxaa")
    with pytest.raises(Failure, match="too short"):
        await whole_id(bus, "AAAB2")
    assert await whole_id(bus, "aaaaa1", kind="run") == DONE
    silent, state, events = await asyncio.gather(
        say("events", "--task", "zzzzzz"),
        say("state", "task", "aaaaa1", "--json"),
        say("events", "--task", "aaaab2", "--json"),
    )
    assert (silent.code, silent.out) == (1, "")
    assert state.json["actor"] == f"task/{DONE}"
    assert [json.loads(line)["event"]["subject"] for line in events.out.splitlines()] == [f"task/{OPEN}"]


async def test_all_pages_of_tasks_are_one_list_or_one_after_the_other_and_a_shell_completes_their_ids(
    say: Run, journeyman: Run, nats_server: Nats, bus: Bus
) -> None:
    whole: TaskPage = answered(projected(planned()), "tasks.list")

    async def respond(message: Msg) -> None:
        asked = msgspec.json.decode(message.data)
        follows = "" if asked.get("cursor") else "second"
        await message.respond(msgspec.json.encode(msgspec.structs.replace(whole, next_cursor=follows)))

    await bus.nc.subscribe("qry.tasks.list", cb=respond)
    await bus.nc.flush()
    first, second, everything = await asyncio.gather(
        say("task", "list"), say("task", "list", "--cursor", "second"), say("task", "list", "--all", "--json")
    )
    assert "--cursor second" in first.err and second.err == ""
    assert len(everything.json["items"]) == 2 * len(whole.items) > 0

    id, title = whole.items[0].id, whole.items[0].title
    words = {"COMP_WORDS": f"journeyman task show {id[:3].lower()}", "COMP_CWORD": "3"}
    completed = await journeyman(JOURNEYMAN_NATS_URL=nats_server.url, _JOURNEYMAN_COMPLETE="zsh_complete", **words)
    assert completed.out.splitlines()[:2] == ["plain", id] and title in completed.out
