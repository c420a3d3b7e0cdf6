"""What the API tells: the projector's answers, and what agents and checks have left."""

from __future__ import annotations

import gzip
from pathlib import Path

import httpx

from shared.contracts import run, task
from shared.contracts.evidence import Check
from shared.contracts.messages import MAX_SEQUENCE
from shared.contracts.usage import ModelUsage
from shared.nats.bus import Bus
from shared.nats.objects import Artifacts
from shared.nats.streams import OUTPUT
from shared.runtime import dead_letters as parked
from testing.eventually import eventually
from testing.nats import Nats
from tests.integration.gateway.api_support import BASE, BUNDLE, history, waiting_plan
from tests.integration.gateway.gateway_process import ServiceProcess, happen, speak


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
    failed = run.Failed(round=1, attempt=1, code="checks-failed", message="Red.", checks=(bare, red), setup=(red,))
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
    answer = await http.get("/api/tasks/T1/setup/1/output")
    assert (answer.text, answer.headers["content-disposition"]) == (said, 'attachment; filename="t1-setup-1.txt"')
    answer = await http.get("/api/tasks/T1/setup/2/output")
    assert (answer.status_code, answer.json()["code"]) == (404, "step-unknown")


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
