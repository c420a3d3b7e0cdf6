"""Drives the demonstration: sends the webhook, tells what happens, approves the plan as a person would, checks."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, Final

import httpx
import msgspec
from rich.console import Console
from rich.markup import escape
from rich.panel import Panel

from cli.connection import connect
from cli.demo.outcome import DemoFinding, findings
from cli.demo.retry import Away, patiently
from cli.demo.webhook import Issue, Sent, new_issue, send
from cli.failures import Failure
from cli.follow import Storyteller, follow
from cli.gateway_api import refusal_of
from cli.markdown import markdown
from shared.contracts.queries import ListTasks
from shared.contracts.subjects import Actor
from shared.contracts.task import Approval, Completed, Failed, PlanReady
from shared.event_store.envelope import RecordedEvent
from shared.nats.bus import Bus
from shared.nats.journal import NatsJournal
from shared.nats.login import NO_LOGIN, Login
from shared.ops import logs
from shared.ops.certificate import trust_in
from shared.runtime.client import Client
from shared.sandbox.sandbox import Sandbox

LONGEST_S: Final = 170.0


class Demonstration(msgspec.Struct, frozen=True, kw_only=True):
    """What to drive, and the ``token`` that lets us in. ``repository`` is where the target repository can be looked at
    from here, if it can; what it says of its own checks is run in ``sandbox``. ``certificate`` is what the gateway is
    known by where it runs here with one of its own.
    """

    http: str
    nats: str
    login: Login = NO_LOGIN
    secret: str
    repo: str
    sandbox: Sandbox
    token: str = ""
    repository: Path | None = None
    certificate: Path | None = None


async def drive(demo: Demonstration, console: Console) -> bool:
    """Whether the task completed and everything about it is as it should be; raises `Failure` when it cannot begin."""
    logs.configure("demo", level="error", format="console")
    bus = await connect(demo.nats, name="journeyman-demo", login=demo.login)
    try:
        who = {"Authorization": f"Bearer {demo.token}"} if demo.token else {}
        trusted = trust_in(demo.certificate)
        async with httpx.AsyncClient(
            base_url=demo.http, timeout=10, trust_env=False, verify=trusted, headers=who
        ) as http:
            return await _drive(demo, console, bus, http)
    finally:
        await bus.close()


async def _drive(demo: Demonstration, console: Console, bus: Bus, http: httpx.AsyncClient) -> bool:
    client, journal = Client(bus, source="journeyman/cli"), NatsJournal(bus)
    if demo.token:
        await _call(http, "GET", "/api/me")  # a token that counts no more is told before anybody works
    issue = new_issue(demo.repo, await _next_number(client))
    after = await journal.last_position()
    sent = await send(http, issue, demo.secret)
    _introduce(console, issue, sent)
    teller = Storyteller(console)
    for accepted in await journal.load(Actor("delivery", sent.delivery)):
        teller.tell(accepted)
    try:
        async with asyncio.timeout(LONGEST_S):
            end = await _watch(bus, http, issue, after, teller, console)
    except TimeoutError:
        console.print(
            f"\n[red]✗[/] The task has not ended within {LONGEST_S:g} s: "
            f"see `journeyman task show {issue.task_id}`, `journeyman doctor`, and the services' logs."
        )
        return False
    if not isinstance(end.data, Completed):
        why = end.data.message if isinstance(end.data, Failed) else end.name
        console.print(f"\n[red]✗[/] The task did not complete: {escape(why)}")
        return False
    return _report(console, await findings(bus, client, issue.task_id, end, demo.repository, demo.sandbox))


async def _next_number(client: Client) -> int:
    """A number that no earlier demonstration on this log has."""
    answer = await patiently(lambda: client.query(ListTasks(limit=1)))
    return 1 + sum(answer.counts.values())


def _introduce(console: Console, issue: Issue, sent: Sent) -> None:
    console.print(
        f"[bold]GitHub says:[/] issue #{issue.number} of {issue.repo} was opened. The webhook is signed, and was "
        f"durably stored and answered with 202 in {sent.ms:.0f} ms."
    )
    console.print(f"The task is [cyan]{issue.task_id}[/]; each line is an event with its sequence in the log.\n")


async def _watch(
    bus: Bus, http: httpx.AsyncClient, issue: Issue, after: int, teller: Storyteller, console: Console
) -> RecordedEvent:
    last: RecordedEvent | None = None
    async for item in follow(bus, issue.task_id, after=after):
        teller.tell(item)
        if isinstance(item, RecordedEvent):
            last = item
            if isinstance(item.data, PlanReady) and item.data.approval is not Approval.AUTO:
                try:
                    await _approve(http, issue, item, console)
                except Failure as error:
                    raise Failure(f"{error} The plan of {issue.task_id} waits for its approval meanwhile.") from error
    assert last is not None, "a story that ended has had an event"
    return last


async def _approve(http: httpx.AsyncClient, issue: Issue, event: RecordedEvent, console: Console) -> None:
    """Approve exactly the plan that was shown: its version, digest and base commit."""
    task = (await _call(http, "GET", f"/api/tasks/{issue.task_id}?min_seq={event.position}"))["task"]
    plan = task["plans"][-1]
    console.print()
    console.print(
        Panel(
            markdown(plan["markdown"]),
            title=f"plan v{plan['version']} · {plan['digest'][:8]}",
            subtitle="a person approves it; the demonstration does so now, by the same API",
            border_style="yellow",
            width=min(console.width, 110),
        ),
        soft_wrap=False,
    )
    console.print()
    bound = {key: plan[key] for key in ("version", "digest", "base_commit")}
    await _call(http, "POST", f"/api/tasks/{issue.task_id}/approve", json=bound)


async def _call(http: httpx.AsyncClient, method: str, path: str, **how: Any) -> dict[str, Any]:
    async def ask() -> dict[str, Any]:
        answer = await http.request(method, path, headers={"X-Journeyman": "1"}, **how)
        said = f"{method} {path.partition('?')[0]} answered {answer.status_code}: {answer.text[:300]}"
        if answer.is_server_error:
            raise Away(said)
        if answer.is_error:
            raise refusal_of(answer)
        found: dict[str, Any] = answer.json()
        return found

    return await patiently(ask)


def _report(console: Console, found: list[DemoFinding]) -> bool:
    console.print()
    for each in found:
        mark = "[green]✓[/]" if each.good else "[red]✗[/]"
        console.print(f"  {mark} {each.what:<12} {escape(each.detail)}")
        for line in each.more:
            console.print(f"    [dim]{'':<12} {escape(line)}[/]")
    return all(each.good for each in found)
