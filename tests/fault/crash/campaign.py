"""Services are killed at each of their crash points, one after the other, while tasks go through the whole system."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import httpx
import msgspec

from services.projector.database import current
from shared.contracts import task
from shared.contracts.ids import new_task_id
from shared.contracts.queries import Rebuild
from shared.contracts.subjects import Actor
from shared.event_store.envelope import RecordedEvent
from shared.nats.streams import EVENTS
from shared.runtime.client import Client, NoAnswer, QueryFailed
from testing.checker import (
    problems_of_costs,
    problems_of_log,
    problems_of_read_models,
    problems_of_story,
    story_of,
)
from testing.crash_points import Point
from testing.door import BEARER
from testing.eventually import eventually
from testing.github_around import GitHubAround, is_told
from testing.service_group import SERVICES, ServiceGroup
from testing.system import REPO
from tests.fault.crash.verdict import Deaths, Verdict

ACK_WAIT_S: Final = 2.0
"""Shorter than in earnest, because every death waits for it; the tests of takeovers wait the whole time."""
WITHIN_S: Final = 400.0
"""For a machine that does much else at the same time; alone it takes a minute."""
LEFT_S: Final = 120.0
"""For what is cleared up after the last event, over several deaths."""
ROUNDS: Final = 5
"""How often work is brought. A death may hide another point from the tasks that are there: a brain that died between
the verdict and what comes next does not come by the point between them when it is back."""
MENDED: Final = "test ! -e broken.txt || test -e mended.txt || { echo 'demo: write mended.txt yes'; exit 1; }"
"""A check that fails after the first process of an agent that wrote broken.txt, and says what to do about it."""


async def campaign(points: Sequence[Point], folder: Path, *, within: float = WITHIN_S) -> Verdict:
    """Bring tasks, and let the services die at all these points; when every result is in review, check everything.

    A tenth of the gateway's calls to GitHub go wrong meanwhile.
    """
    services = sorted({point.service for point in points})
    deaths = Deaths(points, folder)
    problems: list[str] = []
    async with (
        ServiceGroup(folder, ack_wait_s=ACK_WAIT_S, checks=[MENDED]) as group,
        GitHubAround.of(REPO, git=group.repository / ".git", folder=folder) as github,
    ):
        for service in SERVICES:
            environment: dict[str, Any] = github.environment if service == "gateway" else {}
            if service in services:
                environment = {**environment, **deaths.environment}
            group.add(service, **environment)
        victims = [group.members[service] for service in services]
        await asyncio.gather(*(each.start(keep=each in victims) for each in group.members.values()))
        planned = 2 if {"brain", "planner"} & set(services) else 0
        tasks = await _bring_work(group, github, planned=planned)
        rebuilding = asyncio.create_task(_rebuild_again_and_again(group, deaths))

        async def all_completed() -> bool:
            for victim in victims:
                victim.check()
            stories = await asyncio.gather(*(story_of(group.bus, id) for id in tasks))
            return all(_is_over(story) and is_told(story) for story in stories)

        try:
            await eventually(all_completed, within=within, every=0.25)
            for _ in range(1, ROUNDS):
                # What is left to do after the last event: acknowledge, and clear up.
                if await _comes_true(lambda: deaths.over, within=20.0):
                    break
                tasks += await _bring_work(group, github, planned=planned)
                await eventually(all_completed, within=within, every=0.25)
            await eventually(lambda: deaths.over, within=20.0)
            await eventually(lambda: not group.left_over(), within=LEFT_S)
            await eventually(lambda: not group.refs_left(), within=LEFT_S)
            last = (await group.bus.js.stream_info(EVENTS)).state.last_seq
            await eventually(lambda: group.has_projected(last), within=LEFT_S)
        except AssertionError as error:
            spared = sorted(deaths.points - deaths.happened)
            problems.append(
                f"not in time: {error}; left over: {group.left_over()}, {group.refs_left()}; nobody died at {spared}"
            )
        rebuilding.cancel()
        await asyncio.gather(*(member.stop() for member in group.members.values()))
        stories: dict[str, list[RecordedEvent]] = {id: await story_of(group.bus, id) for id in tasks}
        problems += await problems_of_log(group.bus) + github.problems()
        for id, story in stories.items():
            for problem in problems_of_story(story, group.repository, "in-review") + problems_of_costs(
                story, group.model
            ):
                problems.append(f"{id}: {problem}")
        if not problems:
            last = (await group.bus.js.stream_info(EVENTS)).state.last_seq
            problems += problems_of_read_models(current(group.data / "projector"), stories, last)
    return Verdict(died_at=deaths.happened, problems=problems)


async def _rebuild_again_and_again(group: ServiceGroup, deaths: Deaths) -> None:
    """Ask the projector for it until it has died on the way as often as it is to; nobody else does."""
    client = Client(group.bus, source="test")
    while any(point.startswith("projector.") for point in deaths.points - deaths.happened):
        with contextlib.suppress(QueryFailed):
            await client.query(Rebuild(), timeout=2.0)
        await asyncio.sleep(0.25)


def _is_over(story: Sequence[RecordedEvent]) -> bool:
    own = [event.name for event in story if event.kind == "task" and event.name != "spend-recorded"]
    return own[-1:] in (["in-review"], ["completed"], ["failed"], ["cancelled"])


async def _comes_true(condition: Callable[[], bool], *, within: float) -> bool:
    try:
        await eventually(condition, within=within)
    except AssertionError:
        return False
    return True


async def _bring_work(group: ServiceGroup, github: GitHubAround, *, planned: int) -> list[str]:
    """Tasks by a small and by a large webhook, one whose result is repaired after a failed check, and some planned."""
    texts = {
        "@agent implement\n\ndemo executor: write one.txt one": 0,
        "@agent implement\n\ndemo executor: write two.txt two\n\n" + "x" * 60_000: 300_000,
    }
    delivered = await asyncio.gather(*(_deliver(group, github, text, padding) for text, padding in texts.items()))
    repaired = await _open(group, "Mend it\n\ndemo executor: write broken.txt x", task.Directive.IMPLEMENT)
    thought = [await submit(group, f"Write down number {number}", task.Directive.AUTO) for number in range(planned)]
    return [*delivered, repaired, *thought]


async def _deliver(group: ServiceGroup, github: GitHubAround, text: str, padding: int) -> str:
    """A webhook that its sender repeats until it is taken; returns the task's id."""
    payload, task_id = github.opened("Write it down", text)
    if padding:
        payload["padding"] = "y" * padding
    body = msgspec.json.encode(payload)
    headers = {
        "Content-Type": "application/json",
        "X-GitHub-Event": "issues",
        "X-GitHub-Delivery": str(uuid.uuid4()),
        "X-Hub-Signature-256": "sha256=" + hmac.digest(group.secret.encode(), body, "sha256").hex(),
    }

    async def taken() -> bool:
        try:
            async with httpx.AsyncClient(timeout=20, trust_env=False) as http:
                answer = await http.post(f"{group.http}/webhooks/github", content=body, headers=headers)
        except httpx.TransportError:
            return False
        assert answer.status_code in (200, 202, 503), answer.text
        return answer.status_code != 503

    await eventually(taken, within=WITHIN_S, every=0.2)
    return task_id


async def _open(group: ServiceGroup, text: str, directive: task.Directive) -> str:
    """A task by the API, whose request is repeated with its key until it is answered; returns the task's id.

    Raises AssertionError when the repetition opens another task.
    """
    headers = {"Idempotency-Key": str(uuid.uuid4()), **BEARER}

    async def opened() -> str:
        try:
            async with httpx.AsyncClient(timeout=20, trust_env=False) as http:
                answer = await http.post(
                    f"{group.http}/api/tasks",
                    json={"text": text, "repo": REPO, "directive": directive},
                    headers=headers,
                )
        except httpx.TransportError:
            return ""
        assert answer.status_code in (201, 503), answer.text
        return str(answer.json()["id"]) if answer.status_code == 201 else ""

    id = await eventually(opened, within=WITHIN_S, every=0.2)
    assert id is not None
    assert await opened() in (id, ""), "the same key has opened two tasks"
    return id


async def submit(group: ServiceGroup, text: str, directive: task.Directive, *, id: str = "") -> str:
    """A command into the brain's mailbox; whether the brain lives makes no difference."""
    task_id = id or new_task_id()
    command = task.Submit(
        title=text.splitlines()[0][:60],
        text=text,
        source=task.Source(kind="api", author="ada"),
        repo=REPO,
        directive=directive,
        approval=task.Approval.AUTO,
    )
    with contextlib.suppress(NoAnswer):  # it is stored
        await Client(group.bus, source="test").send(Actor("task", task_id), command, principal="user:ada", timeout=0.5)
    return task_id
