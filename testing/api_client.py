"""Somebody at a running system: a sender at its webhook, a person at its API, an operator at its log."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime
from typing import Any, Final

import httpx
import msgspec

from cli.audit import Audit, audit
from cli.demo.webhook import Issue
from shared.contracts.subjects import Actor
from shared.contracts.usage import ModelUsage
from shared.event_store.envelope import RecordedEvent
from shared.nats.bus import Bus
from shared.nats.journal import NatsJournal
from testing.door import BEARER
from testing.eventually import eventually
from testing.slow_timings import connect_patiently
from testing.system import REPO, System

END: Final = frozenset({"completed", "failed", "cancelled", "declined", "answered", "rejected", "approval-expired"})
"""The task's events after which nothing more comes by itself."""
WITHIN: Final = 75.0
"""Seconds for a step with an agent in it, on a busy machine."""


class ApiClient:
    """The doors of one system, for one test."""

    def __init__(self, system: System, http: httpx.AsyncClient, bus: Bus) -> None:
        self.system = system
        self.http = http
        self.bus = bus
        self.journal = NatsJournal(bus)

    @classmethod
    @contextlib.asynccontextmanager
    async def at(cls, system: System) -> AsyncIterator[ApiClient]:
        """Connect; leaves when the context ends."""
        bus = await connect_patiently(system.nats, name="test")
        try:
            async with httpx.AsyncClient(
                base_url=system.http, timeout=60, trust_env=False, headers={"X-Journeyman": "1", **BEARER}
            ) as http:
                yield cls(system, http, bus)
        finally:
            await bus.close()

    # ---- bringing work ---------------------------------------------------------------------------------------------

    async def deliver(self, payload: dict[str, Any], *, delivery: str = "", event: str = "issues") -> httpx.Response:
        """A webhook of GitHub, signed with the system's secret; sent again for as long as there is no room for it.

        One that was stored although its sender heard otherwise is answered with 200.
        """
        body = msgspec.json.encode(payload)
        headers = {
            "Content-Type": "application/json",
            "X-GitHub-Event": event,
            "X-GitHub-Delivery": delivery or str(uuid.uuid4()),
            "X-Hub-Signature-256": "sha256=" + hmac.digest(self.system.webhook_secret.encode(), body, "sha256").hex(),
        }

        async def taken() -> httpx.Response | None:
            answer = await self.http.post("/webhooks/github", content=body, headers=headers)
            return answer if answer.status_code != 503 else None

        return await eventually(taken, every=0.2)

    async def submit(self, text: str, **more: str) -> str:
        """A task by the API; returns its id."""
        answer = await self.http.post("/api/tasks", json={"text": text, **more})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    async def ask(self, task_id: str, verb: str, **body: Any) -> httpx.Response:
        """Approve, reject, stop, retry, input; the answer as it is."""
        return await self.http.post(f"/api/tasks/{task_id}/{verb}", json=body)

    async def say(self, task_id: str, verb: str, **body: Any) -> dict[str, Any]:
        """The same, when it must work; where the service takes its time, it is in its mailbox now."""
        answer = await self.ask(task_id, verb, **body)
        found: dict[str, Any] = answer.json()
        waits = answer.status_code == 504 and found["code"] == "no-answer"
        assert answer.status_code == 200 or waits, f"{verb}: {answer.status_code} {answer.text}"
        return found

    async def approve(self, task_id: str, *, version: int = 1) -> None:
        """Wait for a version of the plan, and approve exactly that one."""
        plan = (await self.until(task_id, "plan.proposed", nth=version)).data
        ready = await self.until(task_id, "task.plan-ready", nth=version)
        await self.say(
            task_id, "approve", version=ready.data.version, digest=ready.data.digest, base_commit=plan.base_commit
        )

    # ---- looking ---------------------------------------------------------------------------------------------------

    async def task(self, task_id: str, *, seq: int = 0) -> dict[str, Any]:
        """The task as the dashboard shows it, from a state that includes the event at ``seq``."""

        async def look() -> dict[str, Any] | None:
            answer = await self.http.get(f"/api/tasks/{task_id}", params={"min_seq": seq})
            # A projector that has not caught up yet says so.
            assert answer.status_code in (200, 503), answer.text
            found: dict[str, Any] | None = answer.json()["task"] if answer.status_code == 200 else None
            return found

        return await eventually(look, every=0.2)

    async def story(self, task_id: str) -> list[RecordedEvent]:
        """Every event of the task, its plan, its run and its reply, in the order of the log. Checks their chains."""
        kinds = ("task", "plan", "run", "reply")
        loaded = [await self.journal.load(Actor(kind, task_id)) for kind in kinds]
        return sorted((each for events in loaded for each in events), key=lambda each: each.position)

    async def until(
        self, task_id: str, what: str, *, nth: int = 1, after: int = 0, within: float = WITHIN
    ) -> RecordedEvent:
        """The ``nth`` event of this name (``run.started``) behind a position; waits for it.

        Fails at once when the task ends otherwise, and tells the story when it does not come in time.
        """
        seen: list[str] = []
        try:
            async with (
                asyncio.timeout(within),
                contextlib.aclosing(self.journal.follow(f"evt.*.{task_id}.>", after=after)) as events,  # type: ignore[type-var]  # an async generator behind the protocol
            ):
                async for event in events:
                    seen.append(f"{event.position} {event.kind}.{event.name}")
                    if seen[-1].endswith(f" {what}"):
                        nth -= 1
                        if nth == 0:
                            return event
                    elif event.kind == "task" and event.name in END:
                        raise AssertionError(f"the task ended without {what}: {event.data}; {seen}")
        except TimeoutError:
            raise AssertionError(f"no {what} within {within:g} s: {seen}") from None
        raise AssertionError("the log ended")

    async def completed(self, task_id: str, *, within: float = WITHIN) -> dict[str, Any]:
        """Wait until the task is completed, in the log and in the read model; returns it."""
        done = await self.until(task_id, "task.completed", within=within)
        task = await self.task(task_id, seq=done.position)
        assert task["status"] == "completed"
        return task

    async def audit(self) -> Audit:
        """`journeyman verify`, from here."""
        return await audit(self.bus)

    async def lines(self, task_id: str) -> list[dict[str, Any]]:
        """What the agents of the task have put out so far."""
        answer = await self.http.get(f"/api/tasks/{task_id}/transcript", params={"limit": 5000})
        assert answer.status_code == 200, answer.text
        return [each["line"] for each in answer.json()["items"]]

    async def heard(self, task_id: str, words: str, *, within: float = WITHIN) -> None:
        """Wait until an agent's output has these words."""

        async def look() -> bool:
            return any(words in msgspec.json.encode(line).decode() for line in await self.lines(task_id))

        await eventually(look, within=within, every=0.2)


def issue(title: str, body: str, *, number: int, repo: str = REPO) -> tuple[dict[str, Any], str]:
    """An issue that was opened just now: GitHub's payload, and the id of the task that it becomes."""
    opened = Issue(repo=repo, number=number, opened=datetime.now(UTC).replace(microsecond=0))
    payload = opened.payload()
    payload["issue"] |= {"title": title, "body": body}
    return payload, opened.task_id


def usage_of(events: Iterable[RecordedEvent]) -> list[ModelUsage]:
    """What the events say was used, item by item."""
    return [item for event in events for item in getattr(event.data, "usage", ())]


def tokens_in(usage: Iterable[ModelUsage]) -> Counter[str]:
    """Tokens by sort, as `CountingModel.tokens` counts them."""
    total: Counter[str] = Counter()
    for each in usage:
        total["input_tokens"] += each.input_tokens
        total["output_tokens"] += each.output_tokens
        total["cache_read_tokens"] += each.cache_read_tokens
        total["cache_write_tokens"] += each.cache_write_tokens
    return total


def names_of(events: Iterable[RecordedEvent]) -> list[str]:
    """``task.submitted`` and so on."""
    return [f"{each.kind}.{each.name}" for each in events]
