"""`journeyman doctor --clean`: what agents left on a machine goes, and the log knows what they had spent."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from shared.claude.work_dirs import node_id_of
from shared.contracts import plan
from shared.contracts.subjects import Actor
from shared.event_store.envelope import MessageMetadata, utc_now
from shared.event_store.journal import Head, head_of
from shared.nats.bus import Bus
from shared.nats.journal import NatsJournal
from testing.command_line import Run
from testing.nats import Nats
from tests.integration.gateway.gateway_process import ServiceProcess

SPENT = (
    '{"type":"stream_event","event":{"type":"message_start","message":'
    '{"id":"m","model":"claude-haiku-4-5","usage":{"input_tokens":7,"output_tokens":1}}}}\n'
)


async def test_what_ended_work_has_left_is_cleared_and_what_it_had_spent_is_booked(
    journeyman: Run, nats_server: Nats, bus: Bus, tmp_path: Path
) -> None:
    data, ended = tmp_path / "data", Actor("plan", "01JX7Z0000000000000000TASK")
    left = data / "runs" / f"plan-{ended.id}-1-1"
    left.mkdir(parents=True)
    (left / "stdout.jsonl").write_text(SPENT)
    place = node_id_of(data)
    journal, head = NatsJournal(bus), Head()
    for event in (
        plan.DraftingStarted(draft=1, repo="r", base_commit="b", title="t", text="t"),
        plan.Claimed(draft=1, attempt=1, worker=f"m:1@{place}", session="s"),
        plan.Proposed(version=1, digest="d", base_commit="b", markdown="m", summary="s", attempt=1),
    ):
        # Before the grace that its own service has to clear up.
        before = utc_now() - timedelta(hours=1)
        metadata = MessageMetadata(id=f"{event}", source="test", time=before, principal="service:planner")
        head = head_of(await journal.append(ended, event, expected=head, metadata=metadata))
    there = {"JOURNEYMAN_NATS_URL": nats_server.url, "JOURNEYMAN_DATA_DIR": str(data)}
    async with ServiceProcess("planner", nats_server.url, tmp_path / "planner"):
        done = await journeyman("doctor", "--clean", "--json", **there)
    (said,) = [each for each in done.json if each["what"] == "orphans"]
    assert (said["state"], said["detail"]) == ("good", f"cleared away: 0 marked processes and 1 paths of {ended}")
    assert not left.exists()
    told = (await journal.load(ended))[-1]
    assert isinstance(told.data, plan.SpendRecorded)
    assert (told.data.place, told.data.usage[0].input_tokens, told.principal) == (place, 7, "service:doctor")
