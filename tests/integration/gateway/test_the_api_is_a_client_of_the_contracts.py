"""What people want of tasks, by HTTP and by socket: each request is one command, and its answer is the brain's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx

from shared.contracts import session, task
from shared.contracts.evidence import Evidence
from shared.contracts.ids import new_task_id
from shared.contracts.messages import digest_of
from shared.contracts.subjects import Actor
from shared.nats.bus import Bus
from shared.nats.journal import NatsJournal
from shared.ops.timings import NatsTimings, Timings
from shared.runtime.client import Client
from testing.nats import Nats
from tests.integration.gateway.api_support import BASE, BUNDLE, DIGEST, history, last_event, waiting_plan
from tests.integration.gateway.gateway_process import Gateway, Heard, ServiceProcess


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
    answer = await http.post("/api/chat", json={"message": "Mend the parser"})
    assert answer.status_code == 202
    said = answer.json()
    event = await last_event(bus, "session", said["session_id"])
    assert isinstance(event.data, session.Said)
    assert (event.data.message, event.data.task_id, event.data.author) == (
        "Mend the parser",
        said["task_id"],
        "user:local",
    )
    again = (await http.post("/api/chat", json={"message": "Add a test", "session_id": said["session_id"]})).json()
    assert again["session_id"] == said["session_id"]
    assert again["task_id"] not in ("", said["task_id"])


async def test_a_question_to_the_brain_is_answered_and_becomes_no_task(
    brain: ServiceProcess, http: httpx.AsyncClient, bus: Bus
) -> None:
    id = new_task_id()
    told = {"message": "What is this?", "message_id": id, "attachments": [{"kind": "repository", "reference": "demo"}]}
    said = (await http.post("/api/chat", json=told)).json()
    assert (said["task_id"], said["message_id"]) == ("", id)
    assert (await http.post("/api/chat", json=told)).json() == said, "said twice, it is said once"
    events = await NatsJournal(bus).load(Actor("session", said["session_id"]))
    (asked,) = [event for event in events if isinstance(event.data, session.Asked)]
    assert asked.data == session.Asked(
        message_id=id,
        message="What is this?",
        author="user:local",
        attachments=(session.Attachment(kind=session.AttachmentKind.REPOSITORY, reference="demo"),),
    )
    assert asked.position == said["seq"]


async def test_a_conversation_is_named_put_away_and_steered_by_its_routes(
    brain: ServiceProcess, http: httpx.AsyncClient, bus: Bus
) -> None:
    said = (await http.post("/api/chat", json={"message": "What is this?"})).json()
    here = f"/api/sessions/{said['session_id']}"
    for path, body, event in (
        (f"{here}/rename", {"title": "Parsers"}, "session.renamed"),
        (f"{here}/archive", {}, "session.archived"),
        (f"{here}/unarchive", {}, "session.unarchived"),
    ):
        told = await http.post(path, json=body)
        assert (told.status_code, told.json()["event"]["type"]) == (200, event)
    for path in (f"{here}/proposals/nothing/confirm", f"{here}/proposals/nothing/dismiss"):
        assert (await http.post(path)).json()["code"] == "proposal-unknown"
    assert (await http.post(f"{here}/messages/nothing/interrupt")).json()["code"] == "message-unknown"
    unknown = await http.post("/api/sessions/nobody/archive")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "session-unknown")


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
