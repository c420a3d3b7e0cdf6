from __future__ import annotations

import gzip
import itertools
import json
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, get_type_hints

import httpx
import pytest

from shared.contracts import run, session, task
from shared.contracts.decider import Rejected
from shared.contracts.evidence import Check, Evidence
from shared.contracts.kinds import kind_of
from shared.contracts.messages import MAX_SEQUENCE, ArtifactRef, Event, digest_of
from shared.contracts.queries import ListTasks
from shared.contracts.subjects import Actor
from shared.contracts.usage import ModelUsage
from shared.event_store.envelope import MessageMetadata, utc_now
from shared.event_store.journal import Head, head_of
from shared.nats.bus import Bus
from shared.nats.journal import NatsJournal
from shared.nats.objects import Artifacts
from shared.nats.streams import COMMANDS, OUTPUT
from shared.ops.timings import NatsTimings, Timings
from shared.runtime import dead_letters as parked
from shared.runtime.client import Client
from testing.eventually import eventually
from testing.nats import Nats
from tests.integration.gateway.gateway_process import Gateway, Heard, ServiceProcess, happen, speak

BASE = "a" * 40
BUNDLE = ArtifactRef(name="bundle", sha256="0" * 64, size=1)
STEERING = ("approve", "reject", "stop", "retry", "input", "publish", "follow-up")
DIGEST = digest_of("# the plan")


@pytest.fixture
async def http(gateway: Gateway) -> AsyncIterator[httpx.AsyncClient]:
    async with gateway.http() as client:
        yield client


async def waiting_plan(bus: Bus, task_id: str, *, brain: ServiceProcess | None = None) -> None:
    """A task that waits for the approval of its second plan."""
    story = [
        task.Submitted(title="t", text="x", source=task.Source(kind="api")),
        task.TriageRequested(attempt=1),
        task.Triaged(
            attempt=1,
            verdict=task.Verdict.PLAN,
            decided_by="rules",
            reason="r",
            title="t",
            work_kind="bug",
            risk="low",
            repo="demo",
            base_commit=BASE,
        ),
        task.PlanningRequested(repo="demo", base_commit=BASE, title="t", text="x"),
        task.PlanReady(version=1, digest=digest_of("older"), base_commit=BASE),
        task.RevisionRequested(version=1, feedback="f"),
        task.PlanReady(version=2, digest=DIGEST, base_commit=BASE),
    ]
    await history(bus, task_id, *story, brain=brain)


async def history(bus: Bus, task_id: str, *story: Event, brain: ServiceProcess | None = None) -> None:
    """The events of one actor that a test begins with; its service must not have it in memory yet.

    A running ``brain`` stands still meanwhile: it would take part in the story.
    """
    journal, head = NatsJournal(bus), Head()
    if brain is not None:
        brain.process.send_signal(signal.SIGSTOP)
    for number, event in enumerate(story):
        actor = Actor(kind_of(event), task_id)
        metadata = MessageMetadata(id=f"{actor}-{number}", source="test", time=utc_now(), principal="user:test")
        head = head_of(await journal.append(actor, event, expected=head, metadata=metadata))
    if brain is not None:
        brain.process.send_signal(signal.SIGCONT)


async def last_event(bus: Bus, kind: str, id: str) -> Any:
    return (await eventually(lambda: NatsJournal(bus).load(Actor(kind, id))))[-1]


async def test_a_task_is_opened_and_its_first_event_comes_back(
    brain: ServiceProcess, http: httpx.AsyncClient, bus: Bus
) -> None:
    answer = await http.post("/api/tasks", json={"text": "Mend the parser\nplease", "repo": "demo"})
    assert answer.status_code == 201, answer.text
    opened = answer.json()
    assert opened["event"]["type"] == "task.submitted"
    (first, *_) = await NatsJournal(bus).load(Actor("task", opened["id"]))
    assert (first.position, first.principal) == (opened["seq"], "user:local")
    assert first.data == task.Submitted(
        title="Mend the parser",
        text="Mend the parser\nplease",
        source=task.Source(kind="api", author="user:local"),
        repo="demo",
    )


async def test_a_title_that_nobody_sees_is_replaced_by_the_texts_first_line(
    http: httpx.AsyncClient, brain: ServiceProcess, bus: Bus
) -> None:
    answer = await http.post("/api/tasks", json={"text": "\u200b\nMend the parser", "title": "\u200b"})
    (first, *_) = await NatsJournal(bus).load(Actor("task", answer.json()["id"]))
    assert isinstance(first.data, task.Submitted)
    assert first.data.title == "Mend the parser"


async def test_while_the_brain_is_away_a_new_task_waits_instead_of_failing(nats_server: Nats, tmp_path: Path) -> None:
    hasty = Timings(nats=NatsTimings(command_s=1.0))
    async with Gateway(nats_server.url, tmp_path / "data", hasty) as gateway, gateway.http() as http:
        answer = await http.post("/api/tasks", json={"text": "x"})
        assert answer.status_code == 201
        assert (answer.json()["event"], answer.json()["seq"]) == (None, 0)
        answer = await http.post(f"/api/tasks/{answer.json()['id']}/stop")
        assert (answer.status_code, answer.json()["code"]) == (504, "no-answer")
        assert "within 1 s" in answer.json()["detail"], "the gateway waits as long as its timings say"


async def test_an_approval_names_the_plan_or_means_the_one_that_waits(
    brain: ServiceProcess, http: httpx.AsyncClient, bus: Bus
) -> None:
    for id, body in (
        ("T1", None),
        ("T2", {}),
        ("T3", {"version": 2, "digest": DIGEST, "base_commit": BASE}),
        ("T4", {"version": 2}),
        ("T5", {"digest": DIGEST[:12], "budget_microusd": 5}),
    ):
        await waiting_plan(bus, id, brain=brain)
        answer = (
            await http.post(f"/api/tasks/{id}/approve", json=body)
            if body is not None
            else await http.post(f"/api/tasks/{id}/approve")
        )
        assert answer.status_code == 200, (id, answer.text)
        approved = answer.json()["event"]["data"]["plan"]
        assert (approved["version"], approved["digest"], approved["base_commit"]) == (2, DIGEST, BASE)
        assert answer.json()["event"]["principal"] == "user:local"
        assert answer.json()["seq"] > 0


async def test_an_approval_of_another_plan_is_refused_with_its_code(
    brain: ServiceProcess, http: httpx.AsyncClient, bus: Bus
) -> None:
    await waiting_plan(bus, "T1", brain=brain)
    for body, code in (
        ({"version": 1, "digest": digest_of("older")}, "approval-stale"),
        ({"version": 1}, "approval-stale"),
        ({"version": 2, "digest": digest_of("older")}, "approval-mismatch"),
        ({"version": 2, "digest": DIGEST, "base_commit": "b" * 40}, "approval-mismatch"),
    ):
        answer = await http.post("/api/tasks/T1/approve", json=body)
        assert (answer.status_code, answer.json()["code"]) == (409, code), answer.text
        assert answer.json()["detail"].endswith(".")
    assert (await http.post("/api/tasks/T1/reject", json={"feedback": "smaller"})).status_code == 200
    assert isinstance((await last_event(bus, "task", "T1")).data, task.RevisionRequested | task.PlanReady)


async def test_stop_retry_and_input_are_commands_and_their_refusals_say_why(
    brain: ServiceProcess, http: httpx.AsyncClient, bus: Bus
) -> None:
    await waiting_plan(bus, "T1", brain=brain)
    answer = await http.post("/api/tasks/T1/input", json={"message": "hello"})
    assert (answer.status_code, answer.headers["content-type"]) == (409, "application/problem+json")
    assert (await http.post("/api/tasks/T1/stop", json={"reason": "enough"})).json()["event"][
        "type"
    ] == "task.cancelled"
    assert (await http.post("/api/tasks/T1/retry")).json()["event"]["type"] == "task.retried"
    for action in ("approve", "stop", "retry", "reject", "publish"):
        answer = await http.post(f"/api/tasks/T404/{action}")
        assert (answer.status_code, answer.json()["code"]) == (404, "task-unknown"), action


async def test_a_result_that_fell_short_is_published_gone_on_from_or_made_afresh(
    brain: ServiceProcess, http: httpx.AsyncClient, bus: Bus
) -> None:
    result = task.Result(
        commit=BASE, branch="b", bundle=BUNDLE, tree=BASE, evidence=Evidence.FAILING, summary="s", attempt=1
    )
    wanted = task.ExecutionRequested(round=1, repo="demo", base_commit=BASE, title="t", text="x")
    failed = task.Failed(stage="executing", code="checks-failed", message="Red.", result=result)
    story = (task.Submitted(title="t", text="x", source=task.Source(kind="api")), wanted)
    for id in ("T1", "T2", "T3", "T4"):
        await history(bus, id, *story, *(() if id == "T4" else (failed,)), brain=brain)
    spent = task.Failed(stage="executing", code=task.BUDGET_REACHED, message="Spent.", budget_microusd=1000)
    approved = task.Approved(plan=task.ApprovedPlan(version=2, digest=DIGEST, base_commit=BASE))
    await history(bus, "T5", story[0], approved, wanted, spent, brain=brain)

    async def told(path: str, **body: object) -> Any:
        answer = (await http.post(f"/api/tasks/{path}", json=body)).json()
        return answer["event"]["data"] if "event" in answer else answer["code"]

    assert await told("T1/retry", from_result=True, afresh=True) == "retry-contradictory"
    assert (await told("T1/publish"))["result"]["commit"] == BASE
    assert (await told("T2/retry", from_result=True))["from_result"] is True
    assert (await told("T3/retry", afresh=True))["from_result"] is False
    assert await told("T4/publish") == "task-wrong-state"
    assert await told("T5/retry") == await told("T5/retry", budget_microusd=1000) == "budget-too-small"
    assert (await told("T5/retry", budget_microusd=2000))["budget_microusd"] == 2000


async def test_a_further_wish_is_said_to_the_agent_or_refused_with_the_reason(
    brain: ServiceProcess, http: httpx.AsyncClient, bus: Bus
) -> None:
    opened = task.Submitted(title="t", text="x", source=task.Source(kind="api"))
    planning = task.PlanningRequested(repo="demo", base_commit=BASE, title="t", text="x")
    await history(bus, "T1", opened, planning, brain=brain)
    refused = await http.post("/api/tasks/T1/follow-up", json={"message": "And mind the spaces."})
    assert (refused.status_code, refused.json()["code"]) == (409, "task-wrong-state")
    work = task.ExecutionRequested(round=1, repo="demo", base_commit=BASE, title="t", text="x")
    await history(bus, "T2", opened, work, brain=brain)
    told = (await http.post("/api/tasks/T2/follow-up", json={"message": "And mind the spaces."})).json()
    assert (told["event"]["type"], told["event"]["data"]["message"]) == ("task.input-given", "And mind the spaces.")
    blank = await http.post("/api/tasks/T2/follow-up", json={"message": " "})
    assert (blank.status_code, blank.json()["code"]) == (400, "text-empty")
    unknown = await http.post("/api/tasks/T404/follow-up", json={"message": "x"})
    assert (unknown.status_code, unknown.json()["code"]) == (404, "task-unknown")


async def test_a_message_to_the_brain_becomes_a_line_of_a_session_and_a_task(
    brain: ServiceProcess, http: httpx.AsyncClient, bus: Bus
) -> None:
    answer = await http.post("/api/chat", json={"message": "What is this?"})
    assert answer.status_code == 202
    said = answer.json()
    event = await last_event(bus, "session", said["session_id"])
    assert isinstance(event.data, session.Said)
    assert (event.data.message, event.data.task_id, event.data.author) == (
        "What is this?",
        said["task_id"],
        "user:local",
    )
    again = (await http.post("/api/chat", json={"message": "And?", "session_id": said["session_id"]})).json()
    assert again["session_id"] == said["session_id"]
    assert again["task_id"] != said["task_id"]


async def test_a_socket_may_send_the_same_commands(brain: ServiceProcess, gateway: Gateway, bus: Bus) -> None:
    await waiting_plan(bus, "T1", brain=brain)
    async with gateway.socket() as socket:
        heard = Heard(socket)
        await heard.say(type="subscribe", topics=["task:T1"])
        await heard.until("subscribed")
        await heard.say(type="task.input", task_id="T1", message="hello")
        refusal = await heard.until("error")
        assert refusal["message"].endswith(".")
        await heard.say(type="task.approve", task_id="T1")
        # What came before may still be on its way.
        while (await heard.until("task.updated"))["event"] != "approved":
            pass


async def test_every_answer_to_a_change_tells_the_position_that_shows_it(
    brain: ServiceProcess, http: httpx.AsyncClient, gateway: Gateway, bus: Bus
) -> None:
    for id in ("T1", "T2"):
        await waiting_plan(bus, id, brain=brain)
    stopped = (await http.post("/api/tasks/T1/stop")).json()
    assert stopped["seq"] > 0
    command = task.Submit(title="t", text="x", source=task.Source(kind="api"))
    told_twice = await Client(bus, source="test").send(Actor("task", "T1"), command, principal="user:ada")
    assert told_twice.event is None
    assert told_twice.position >= stopped["seq"], "from there on, what happened before is shown"
    said = (await http.post("/api/chat", json={"message": "What is this?"})).json()
    assert said["seq"] > stopped["seq"]
    async with gateway.socket() as socket:
        heard = Heard(socket)
        await heard.say(type="task.stop", task_id="T2")
        done = await heard.until("command.done")
        assert (done["command"], done["task_id"]) == ("task.stop", "T2")
        assert done["seq"] > said["seq"]
        await heard.say(type="chat.message", message="And?")
        done = await heard.until("command.done")
        assert done["seq"] > said["seq"]
        assert done["session_id"]


async def test_questions_are_the_projectors_to_answer(
    nats_server: Nats, tmp_path: Path, http: httpx.AsyncClient, bus: Bus
) -> None:
    answer = await http.get("/api/tasks")
    assert (answer.status_code, answer.json()["code"]) == (503, "projector-away")
    assert "retry-after" in answer.headers
    await waiting_plan(bus, "T1")
    seq = await happen(bus, "T2", task.Submitted(title="other", text="y", source=task.Source(kind="api")))
    async with ServiceProcess("projector", nats_server.url, tmp_path / "projector"):

        async def listed() -> httpx.Response | None:
            answer = await http.get("/api/tasks", params={"min_seq": seq})
            return answer if answer.status_code == 200 else None

        listing = await eventually(listed, within=90)
        assert listing is not None
        assert [item["id"] for item in listing.json()["items"]] == ["T2", "T1"]
        filtered = await http.get("/api/tasks", params={"status": "awaiting-approval", "q": "", "limit": 1})
        assert [item["id"] for item in filtered.json()["items"]] == ["T1"]
        assert (await http.get("/api/tasks/T1")).json()["task"]["plan_version"] == 2
        assert (await http.get("/api/tasks/T404")).status_code == 404
        timeline = await http.get("/api/tasks/T1/timeline", params={"limit": 2})
        assert [item["event"] for item in timeline.json()["items"]] == ["submitted", "triage-requested"]
        costs = await http.get("/api/costs", params={"group_by": "model", "from": "2026-01-01", "to": "2030-01-01"})
        assert costs.json()["total"]["cost_microusd"] == 0
        status = (await http.get("/api/status")).json()
        assert status["tasks"]["awaiting-approval"] == 1
        assert status["projector_problem"] == ""
        await eventually(lambda: are_listed(http, {"gateway", "projector"}))


async def are_listed(http: httpx.AsyncClient, names: set[str]) -> bool:
    """The services have a moment to answer; one that misses it is there the next time."""
    return names <= {service["name"] for service in (await http.get("/api/status")).json()["services"]}


async def test_the_status_tells_what_is_known_while_the_projector_is_away(http: httpx.AsyncClient) -> None:
    status = (await http.get("/api/status")).json()
    assert status["machine"] == "test"
    assert "projector" in status["projector_problem"]
    assert status["agents_ready"] is False
    assert status["agents_problem"]

    async def waits() -> bool:
        return {"service": "gateway", "pending": 0, "in_progress": 0, "oldest_ms": 0} in (
            await http.get("/api/status")
        ).json()["queues"]

    await eventually(waits)


async def test_the_status_counts_what_no_service_could_handle(
    brain: ServiceProcess, http: httpx.AsyncClient, bus: Bus
) -> None:
    async def count() -> int:
        return int((await http.get("/api/status")).json()["parked"])

    async def becomes(wanted: int) -> bool:
        return await count() == wanted

    assert await count() == 0
    for id in ("T1", "T2"):
        await bus.publish(f"cmd.task.{id}.stop", b"no envelope", {})
    await eventually(lambda: becomes(2))
    numbers = [number async for number, _ in parked.listing(bus)]
    for number in numbers:
        await parked.drop(bus, number)
    await eventually(lambda: becomes(0))


async def test_the_diff_and_the_transcript_are_what_the_agents_left(http: httpx.AsyncClient, bus: Bus) -> None:
    for part in ("diff", "transcript"):
        answer = await http.get(f"/api/tasks/T1/{part}")
        assert (answer.status_code, answer.json()["code"]) == (404, "task-unknown")
    await happen(bus, "T1", task.Submitted(title="t", text="x", source=task.Source(kind="api")))
    assert (await http.get("/api/tasks/T1/diff")).text == ""
    assert (await http.get("/api/tasks/T1/transcript")).json()["items"] == []
    diff = await Artifacts(bus).put("diff", b"--- a\n+++ b\n")
    await happen(bus, "T1", run.Succeeded(round=1, attempt=1, summary="s", diff=diff))
    answer = await http.get("/api/tasks/T1/diff")
    assert (answer.text, answer.headers["content-type"]) == ("--- a\n+++ b\n", "text/x-diff; charset=utf-8")

    seqs = [await speak(bus, "T1", "plan" if number < 3 else "run", number) for number in range(6)]
    await speak(bus, "T2", "run", 0)
    transcript = (await http.get("/api/tasks/T1/transcript")).json()
    assert [item["seq"] for item in transcript["items"]] == seqs
    assert [item["actor"] for item in transcript["items"]] == ["plan"] * 3 + ["run"] * 3
    assert transcript["items"][5]["line"] == {"type": "assistant", "number": 5}
    assert transcript["next_after"] is None
    page = (await http.get("/api/tasks/T1/transcript", params={"limit": 4})).json()
    rest = (await http.get("/api/tasks/T1/transcript", params={"after": page["next_after"]})).json()
    assert [item["seq"] for item in page["items"] + rest["items"]] == seqs


async def test_a_conversation_that_is_not_kept_any_more_is_said_to_be_lost(http: httpx.AsyncClient, bus: Bus) -> None:
    await happen(bus, "T1", task.Submitted(title="t", text="x", source=task.Source(kind="api")))
    await speak(bus, "T1", "run", 0)
    usage = (ModelUsage(model="m", output_tokens=7),)
    await happen(bus, "T1", run.Succeeded(round=1, attempt=1, summary="s", usage=usage))
    assert len((await http.get("/api/tasks/T1/transcript")).json()["items"]) == 1
    await bus.js.purge_stream(OUTPUT)
    answer = await http.get("/api/tasks/T1/transcript")
    assert (answer.status_code, answer.json()["code"]) == (410, "conversation-lost")
    assert "archive" in answer.json()["detail"]


async def test_the_diff_is_that_of_what_was_made_last_whether_or_not_it_is_proven(
    http: httpx.AsyncClient, bus: Bus
) -> None:
    diffs = {name: await Artifacts(bus).put("diff", name.encode()) for name in ("committed", "kept")}
    committed = run.Committed(
        round=1, attempt=1, commit=BASE, tree=BASE, parent=BASE, bundle=BUNDLE, diff=diffs["committed"]
    )
    kept = run.KeptResult(commit=BASE, branch="b", bundle=BUNDLE, tree=BASE, checked_commit=BASE, diff=diffs["kept"])
    failed = run.Failed(round=1, attempt=1, code="checks-failed", message="Red.", result=kept)
    await happen(bus, "T1", task.Submitted(title="t", text="x", source=task.Source(kind="api")))
    await happen(bus, "T1", committed)
    assert (await http.get("/api/tasks/T1/diff")).text == "committed"
    await happen(bus, "T2", task.Submitted(title="t", text="x", source=task.Source(kind="api")))
    await history(bus, "T2", committed, failed)
    assert (await http.get("/api/tasks/T2/diff")).text == "kept"


async def test_the_whole_output_of_a_check_is_a_text_to_download(http: httpx.AsyncClient, bus: Bus) -> None:
    said = "1 failed <script>\n" * 40_000
    output = await Artifacts(bus).put("check.T1", gzip.compress(said.encode()))
    red = Check(command="pytest", exit_code=1, duration_ms=1, output=output)
    bare = Check(command="ruff", exit_code=0, duration_ms=1)
    failed = run.Failed(round=1, attempt=1, code="checks-failed", message="Red.", checks=(bare, red))
    await happen(bus, "T1", task.Submitted(title="t", text="x", source=task.Source(kind="api")))
    answer = await http.get("/api/tasks/T1/checks/1/output")
    assert (answer.status_code, answer.json()["code"]) == (404, "check-unknown")
    await happen(bus, "T1", failed)
    answer = await http.get("/api/tasks/T1/checks/2/output")
    assert answer.text == said
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="t1-check-2.txt"'
    assert answer.headers["x-content-type-options"] == "nosniff"
    for number, code in ((0, "check-unknown"), (1, "check-unknown"), (3, "check-unknown")):
        answer = await http.get(f"/api/tasks/T1/checks/{number}/output")
        assert (answer.status_code, answer.json()["code"]) == (404, code), number
    assert (await http.get("/api/tasks/T404/checks/1/output")).json()["code"] == "task-unknown"


async def test_a_transcript_after_more_than_there_is_ends_where_the_output_ends(
    http: httpx.AsyncClient, bus: Bus
) -> None:
    await happen(bus, "T1", task.Submitted(title="t", text="x", source=task.Source(kind="api")))
    last = await speak(bus, "T1", "run", 0)
    for after in (last, last + 1, MAX_SEQUENCE):
        answer = await http.get("/api/tasks/T1/transcript", params={"after": after})
        assert answer.json() == {"seq": last, "items": [], "next_after": None}


async def test_agents_and_skills_are_the_folders_as_they_are(http: httpx.AsyncClient) -> None:
    agents = (await http.get("/api/agents")).json()["items"]
    assert {"brain", "planner", "executor"} <= {agent["name"] for agent in agents}
    assert all(agent["description"] and not agent["problem"] for agent in agents)
    skills = (await http.get("/api/skills")).json()["items"]
    assert ("brain", "triage") in {(skill["agent"], skill["name"]) for skill in skills}


async def test_a_wrong_request_names_the_field(http: httpx.AsyncClient) -> None:
    for path, body, field in (
        ("/api/tasks", {}, "text"),
        ("/api/tasks", {"text": ""}, "text"),
        ("/api/tasks", {"text": 5}, "text"),
        ("/api/tasks", {"text": "x", "txet": "y"}, "txet"),
        ("/api/tasks", {"text": "x", "directive": "now"}, "directive"),
        ("/api/tasks/T1/approve", {"version": 0}, "version"),
        ("/api/tasks/T1/approve", {"digest": "nothing"}, "digest"),
        ("/api/tasks/T1/approve", {"digest": "0" * 64 + "\n"}, "digest"),
        ("/api/tasks/T1/approve", {"digest": "\n"}, "digest"),
        ("/api/tasks/T1/approve", {"base_commit": BASE + "\n"}, "base_commit"),
        ("/api/tasks/T1/input", {}, "message"),
    ):
        answer = await http.post(path, json=body)
        problem = answer.json()
        assert (answer.status_code, problem["code"]) == (400, "invalid-request"), (path, body)
        assert problem["errors"][0]["field"] == field
        assert field in problem["detail"]
    for path, parameters, field in (
        ("/api/tasks", {"limit": "many"}, "limit"),
        ("/api/tasks", {"limit": 201}, "limit"),
        ("/api/tasks/T1/timeline", {"limit": 501}, "limit"),
        ("/api/tasks", {"status": "odd"}, "status"),
        ("/api/costs", {"group_by": "odd"}, "group_by"),
        ("/api/costs", {"from": "odd"}, "from"),
    ):
        problem = (await http.get(path, params=parameters)).json()
        assert problem["errors"][0]["field"] == field, problem


@pytest.mark.parametrize(
    "body",
    [b'{"text":"\xff"}', b'{"text":' + b"[" * 100_000 + b"]" * 100_000 + b"}", b'{"text":"x","\xc3(":1}', b"[" * 9000],
    ids=["no UTF-8", "deeply nested", "no UTF-8 in a name", "deep and unended"],
)
async def test_a_body_that_nobody_can_read_is_the_senders_mistake(http: httpx.AsyncClient, body: bytes) -> None:
    paths = ["/api/tasks", "/api/chat", *(f"/api/tasks/T1/{verb}" for verb in STEERING)]
    for path in paths:
        answer = await http.post(path, content=body, headers={"Content-Type": "application/json"})
        assert answer.headers["content-type"] == "application/problem+json"
        assert (answer.status_code, answer.json()["code"]) == (400, "body-unreadable"), path


async def test_a_message_that_nobody_can_read_does_not_end_its_socket(gateway: Gateway) -> None:
    async with gateway.socket() as socket:
        heard = Heard(socket)
        deep = '{"type":"ping","x":' + "[" * 20_000 + "]" * 20_000 + "}"
        for text in (deep, '{"type":"subscribe","topics":' + "[" * 30_000, '{"type":"ping","x":"\\ud800"}'):
            await socket.send(text)
            assert (await heard.next())["code"] == "message-unreadable"
        await heard.say(type="ping")
        await heard.until("pong")


async def test_a_sequence_that_no_stream_has_is_refused_by_its_name(gateway: Gateway, http: httpx.AsyncClient) -> None:
    sequences = {
        "min_seq": ["/api/tasks", "/api/tasks/T1", "/api/tasks/T1/timeline", "/api/costs", "/api/sessions/S1"],
        "after": ["/api/tasks/T1/timeline", "/api/tasks/T1/transcript"],
    }
    for name, paths in sequences.items():
        for path, value in itertools.product(paths, (2**63, 2**64 - 1, 10**30, -1)):
            answer = await http.get(path, params={name: value})
            problem = answer.json()
            assert (answer.status_code, problem["code"]) == (400, "invalid-request"), (path, value, problem)
            assert problem["errors"][0]["field"] == name
    last = await http.get("/api/tasks/T1/transcript", params={"after": 2**63 - 1})
    assert (last.status_code, last.json()["items"]) == (200, [])

    async with gateway.socket() as socket:
        heard = Heard(socket)
        for value in (2**63, 2**64, -1):
            await heard.say(type="subscribe", topics=["tasks"], after=value)
            trouble = await heard.until("error")
            assert trouble["code"] == "message-unreadable"
            assert "after" in trouble["message"]
        await heard.say(type="subscribe", topics=["tasks", "output:T1"], after=2**63 - 1)
        await heard.until("subscribed")
        await heard.say(type="subscribe", topics=["output:T2"], after=2**63 - 1)
        await heard.until("subscribed")


async def test_a_parameter_that_an_address_does_not_know_is_refused_by_name(http: httpx.AsyncClient) -> None:
    for path, unknown in (("/api/tasks", "state"), ("/api/tasks/T1", "status"), ("/api/status", "min_sec")):
        answer = await http.get(path, params={unknown: "x"})
        problem = answer.json()
        assert (answer.status_code, problem["code"]) == (400, "invalid-request"), (path, problem)
        assert [each["field"] for each in problem["errors"]] == [unknown]
    assert (await http.get("/api/agents", params={"replay": "r1"})).status_code == 200
    assert "status" in (await http.get("/api/tasks", params={"state": "x"})).json()["detail"]
    assert (await http.post("/api/tasks/T1/stop", params={"reason": "x"})).status_code == 400


async def test_every_error_is_a_problem_of_rfc_9457(http: httpx.AsyncClient) -> None:
    async def ask(method: str, path: str, **options: Any) -> tuple[int, str]:
        answer = await http.request(method, path, **options)
        assert answer.headers["content-type"] == "application/problem+json", path
        problem = answer.json()
        assert problem["status"] == answer.status_code
        assert problem["instance"] == path
        assert problem["type"] == f"urn:journeyman:problem:{problem['code']}"
        assert problem["title"] == httpx.codes.get_reason_phrase(answer.status_code) or answer.status_code == 413
        assert problem["detail"].endswith(".")
        return answer.status_code, problem["code"]

    assert await ask("GET", "/api/nothing") == (404, "not-found")
    assert await ask("GET", "/assets/nothing.js") == (404, "not-found")
    assert await ask("DELETE", "/api/tasks") == (405, "method-not-allowed")
    assert await ask("POST", "/api/tasks", content=b"{") == (400, "bad-request")
    assert await ask("POST", "/api/tasks/a.b/stop") == (404, "not-found")
    assert await ask("GET", "/api/tasks/T1", headers={"Host": "evil.example"}) == (421, "host-unknown")
    large = json.dumps({"text": "x" * 1_100_000}).encode()
    assert await ask("POST", "/api/tasks", content=large) == (413, "too-large")


async def test_the_documents_describe_the_api_and_the_events(http: httpx.AsyncClient) -> None:
    openapi = (await http.get("/schema/openapi.json")).json()
    assert "post" in openapi["paths"]["/webhooks/{name}"]
    for path in ("/api/tasks", "/api/tasks/{id}/approve", "/api/costs", "/api/chat", "/api/status", "/health/ready"):
        assert path in openapi["paths"]
    assert "409" in openapi["paths"]["/api/tasks/{id}/approve"]["post"]["responses"]
    asyncapi = (await http.get("/asyncapi.json")).json()
    assert asyncapi["asyncapi"].startswith("3.")


async def test_the_document_says_which_limits_and_refusals_there_are(http: httpx.AsyncClient) -> None:
    paths = (await http.get("/schema/openapi.json")).json()["paths"]

    def bound(path: str, name: str) -> int:
        (schema,) = [each["schema"] for each in paths[path]["get"]["parameters"] if each["name"] == name]
        return int(schema["maximum"])

    assert (
        bound("/api/tasks", "limit")
        == get_type_hints(ListTasks, include_extras=True)["limit"].__metadata__[0].le
        == 200
    )
    assert bound("/api/tasks/{id}/timeline", "limit") == 500
    in_replays = [
        path for path, item in paths.items() if "replay" in {each["name"] for each in _parameters(item.get("get", {}))}
    ]
    assert len(in_replays) >= 7
    for path in in_replays:
        answer = await http.get(path.replace("{id}", "T1").replace("{number}", "1"), params={"replay": "a.b"})
        assert (answer.status_code, answer.json()["code"]) == (404, "not-found"), path
        assert {"404", "410", "503"} <= paths[path]["get"]["responses"].keys(), path
    answer = await http.post("/api/chat", json={"message": "x", "session_id": "a.b"})
    assert answer.status_code == 404
    assert "404" in paths["/api/chat"]["post"]["responses"]


def _parameters(operation: dict[str, Any]) -> list[dict[str, Any]]:
    parameters: list[dict[str, Any]] = operation.get("parameters", [])
    return parameters


@pytest.mark.parametrize("text", [" ", "\n\t \u00a0", "\u200b\u200b", "\x00"])
async def test_a_task_that_says_nothing_is_refused_with_the_mend(
    http: httpx.AsyncClient, gateway: Gateway, bus: Bus, text: str
) -> None:
    answer = await http.post("/api/tasks", json={"text": text, "title": "has one"})
    assert (answer.status_code, answer.json()["code"]) == (400, "text-empty")
    assert "say what is to be done" in answer.json()["detail"]
    said = await http.post("/api/chat", json={"message": text})
    assert (said.status_code, said.json()["code"]) == (409, "message-empty")
    async with gateway.socket() as socket:
        heard = Heard(socket)
        await heard.say(type="chat.message", message=text)
        assert (await heard.until("error"))["code"] == "message-empty"
    assert (await bus.js.stream_info(COMMANDS)).state.last_seq == 0


async def test_a_task_without_words_is_refused_over_nats_too(brain: ServiceProcess, bus: Bus) -> None:
    blank = task.Submit(title=" ", text="\n", source=task.Source(kind="test"))
    with pytest.raises(Rejected) as refusal:
        await Client(bus, source="test").send(Actor("task", "T1"), blank, principal="user:test", timeout=60)
    assert refusal.value.code == "text-empty"


async def test_health_and_metrics_answer(http: httpx.AsyncClient, nats_server: Nats) -> None:
    async def is_live() -> bool:
        return bool((await http.get("/health/live")).json()["status"] == "live")

    await eventually(is_live)
    assert (await http.get("/health/ready")).status_code == 200
    assert "journeyman_webhooks_total" in (await http.get("/metrics")).text
    await nats_server.stop()

    async def is_unready() -> bool:
        answer = await http.get("/health/ready")
        return answer.status_code == 503 and "nats" in answer.json()["problems"]

    await eventually(is_unready)
    await eventually(is_live)


async def test_pages_come_with_a_strict_policy_and_the_api_is_no_page(http: httpx.AsyncClient) -> None:
    page = await http.get("/tasks/T1")
    assert page.status_code == 200
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "unsafe" not in page.headers["content-security-policy"]
    assert (await http.get("/webhooks")).status_code == 404
    assert (await http.head("/")).status_code == 200
    if "etag" in page.headers:
        again = await http.get("/", headers={"If-None-Match": page.headers["etag"]})
        assert again.status_code == 304
    else:
        assert "make web" in page.text
