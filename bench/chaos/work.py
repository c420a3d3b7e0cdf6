"""The work that is brought: signed webhooks of new issues, each delivered twice, so many open at once."""

from __future__ import annotations

import asyncio
import hmac
import time
import uuid
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from random import Random
from typing import Any, Final

import httpx
import msgspec

from bench.chaos.options import Agent, Options
from bench.chaos.target_system import TargetSystem
from bench.chaos.watch import Watch
from cli.demo.webhook import Issue
from testing.door import BEARER

SENDERS: Final = 3
TICK_S: Final = 0.02
IMPATIENT_S: Final = 5.0
"""How long a sender waits for an answer before it sends again."""
LONG: Final = 0.1
"""Of the tasks, whose agents take some seconds, so that faults find agents at work."""
PLANNED: Final = 0.25
"""Of the tasks, which are planned first."""
JUDGED: Final = 0.1
"""Of the tasks, about which a model is asked whether to work on them, and which are planned then."""


class Brought(msgspec.Struct, frozen=True, kw_only=True):
    """One delivery and the task it becomes. A question is answered by one agent; all else ends with a branch."""

    delivery: str
    task_id: str
    repo: str
    body: bytes
    is_question: bool


class Work:
    """Brings tasks while ``wanted`` says so; what GitHub would do, and a GitHub that sends everything twice."""

    def __init__(self, stage: TargetSystem, watch: Watch, terms: Options) -> None:
        self._stage = stage
        self._watch = watch
        self._terms = terms
        self._random = Random(terms.seed)
        self.brought = 0
        self._next = time.monotonic()
        self.accepted: dict[str, Brought] = {}
        """What was answered with 202, by task."""
        self.answers: dict[str, list[int]] = {}
        """Every answer to a delivery, by task."""
        self.strange: Counter[int] = Counter()
        """Answers that say neither that it was taken nor that it is to be sent again, by status."""
        self.failed = 0
        """Sent in vain, because the gateway or NATS was away; sent again each time."""
        self._http: httpx.AsyncClient | None = None
        self._again: set[asyncio.Task[None]] = set()

    @property
    def open(self) -> int:
        """How many tasks are under way."""
        return len(self.answers) - len(self._watch.ended)

    async def run(self, wanted: Callable[[int], bool]) -> None:
        """Bring tasks while ``wanted(brought so far)``, and everything that was begun."""
        async with httpx.AsyncClient(
            base_url=self._stage.group.http, timeout=IMPATIENT_S, trust_env=False, headers=BEARER
        ) as self._http:
            async with asyncio.TaskGroup() as group:
                for _ in range(SENDERS):
                    group.create_task(self._bring_all(wanted))
            while self._again:
                await asyncio.gather(*self._again)

    async def knock(self) -> None:
        """Deliver once more what was accepted before, until it is answered: whether the gateway is at work."""
        brought = self._random.choice(list(self.accepted.values()))
        await self._deliver(brought, every=0.05)

    async def _bring_all(self, wanted: Callable[[int], bool]) -> None:
        while wanted(self.brought):
            if self.open >= self._terms.at_once or time.monotonic() < self._next:
                await asyncio.sleep(TICK_S)
                continue
            self._next = time.monotonic() + 1 / self._terms.per_s
            self.brought += 1
            brought = self._new(self.brought)
            self.answers[brought.task_id] = []
            await self._deliver(brought, every=0.2)
            self.accepted[brought.task_id] = brought
            again = asyncio.create_task(self._once_more(brought, self._random.uniform(0.0, 2.0)))
            self._again.add(again)
            again.add_done_callback(self._again.discard)

    async def _once_more(self, brought: Brought, later_s: float) -> None:
        await asyncio.sleep(later_s)
        await self._deliver(brought, every=0.2)

    async def _deliver(self, brought: Brought, *, every: float) -> None:
        while True:
            status = await self._post(brought)
            if status in (200, 202):
                self.answers[brought.task_id].append(status)
                return
            if status not in (0, 503):
                self.strange[status] += 1
            self.failed += 1
            await asyncio.sleep(every)

    async def _post(self, brought: Brought) -> int:
        assert self._http is not None
        headers = {
            "Content-Type": "application/json",
            "X-GitHub-Event": "issues",
            "X-GitHub-Delivery": brought.delivery,
            "X-Hub-Signature-256": "sha256="
            + hmac.digest(self._stage.group.webhook_secret.encode(), brought.body, "sha256").hex(),
        }
        try:
            return (await self._http.post("/webhooks/github", content=brought.body, headers=headers)).status_code
        except httpx.TransportError:
            return 0

    def _new(self, number: int) -> Brought:
        # All are drawn for each task, so that another share of questions leaves the rest as it was.
        is_question, is_long, kind = (self._random.random() for _ in range(3))
        seconds, delivery = self._random.randint(2, 5), self._random.getrandbits(128)
        repo = f"octo/ledger-{number % len(self._stage.repositories)}"
        opened = Issue(repo=repo, number=number, opened=datetime.now(UTC).replace(microsecond=0))
        payload: dict[str, Any] = opened.payload()
        if question := is_question < self._terms.questions:
            title, directive, wish = f"Question {number}", "", "Is it so?"
        else:
            title, wish = f"Write down number {number}", self._wish(number, seconds if is_long < LONG else 0)
            directive = "" if kind < JUDGED else "@agent plan" if kind < JUDGED + PLANNED else "@agent implement"
        payload["issue"] |= {"title": title, "body": f"{directive}\n\n{wish}"}
        return Brought(
            delivery=str(uuid.UUID(int=delivery, version=4)),
            task_id=opened.task_id,
            repo=repo,
            body=msgspec.json.encode(payload),
            is_question=question,
        )

    def _wish(self, number: int, seconds: int) -> str:
        """What is wanted, from an agent that works for some seconds or at once."""
        if self._terms.agent is Agent.NOOP:
            return f"Please linger {seconds}" if seconds else "Please"
        wish = f"demo executor: write note-{number}.txt {number}"
        return f"{wish}\ndemo executor: sleep {seconds}" if seconds else wish
