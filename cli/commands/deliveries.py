"""`journeyman deliveries …`: what senders have delivered, what became of it, and what a payload would do."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import rich_click as click

from cli.completions import delivery_ids
from cli.console import json_option, print_json, say, screen, table
from cli.gateway_api import asked
from cli.systems import on_a_system

if TYPE_CHECKING:
    import msgspec

    from shared.contracts.queries import Query

A = TypeVar("A", bound="msgspec.Struct")


@click.group("deliveries", cls=click.RichGroup)
def command() -> None:
    """What senders have delivered. What was ignored or refused is no delivery: see `journeyman webhook deliveries`."""


@command.command("list", cls=click.RichCommand)
@click.option("--limit", type=click.IntRange(1, 200), default=50, show_default=True)
@json_option
@on_a_system
def list_(limit: int, as_json: bool) -> None:
    """Show the deliveries, newest first."""
    from rich.markup import escape

    from shared.contracts.queries import ListDeliveries

    answer = asyncio.run(_ask(ListDeliveries(limit=limit)))
    if as_json:
        print_json(answer)
        return
    if not answer.items:
        screen().print("Nothing was delivered yet.")
        return
    shown = table("id", "at", "event", "about", "by", "task")
    for each in answer.items:
        event = f"{each.webhook} {each.event} {each.action}".strip()
        about = (each.id, f"{each.at:%Y-%m-%d %H:%M:%S}", event, each.thread, each.author, each.task_id or "")
        shown.add_row(*map(escape, about))
    screen().print(shown)


@command.command("show", cls=click.RichCommand)
@click.argument("id", shell_complete=delivery_ids)
@json_option
@on_a_system
def show(id: str, as_json: bool) -> None:
    """One delivery: what was read in it, what became of it, and its body without secrets."""
    import msgspec
    from rich.markup import escape

    from shared.contracts.queries import GetDelivery

    answer = asyncio.run(_ask(GetDelivery(id=id)))
    body = _body_of(answer.delivery.id)
    if as_json:
        print_json({**msgspec.to_builtins(answer), **body})
        return
    found, console = answer.delivery, screen()
    console.print(f"[bold]{escape(found.title)}[/]  {escape(f'{found.webhook} {found.event} {found.action}')}")
    facts = {
        "about": found.thread,
        "repository": found.repo,
        "link": found.url,
        "said by": f"{found.author}{'' if found.trusted else ', who is not trusted'}",
        "word": f"{found.directive} {found.argument}".strip(),
        "message": found.origin,
        "sender's id": "" if found.delivery == "unnamed" else found.delivery,
        "task": found.task_id or "",
    }
    for name, value in facts.items():
        if value:
            console.print(f"[dim]{name:12}[/] {escape(value)}")
    for step in found.steps:
        console.print(f"#{step.seq}  {step.event}  {escape(step.summary)}")
    say(body.get("body") or body["problem"])


@command.command("health", cls=click.RichCommand)
@json_option
@on_a_system
def health(as_json: bool) -> None:
    """Every webhook: whether it takes deliveries, what came last, and what came today (UTC)."""
    from rich.markup import escape

    answer = asked("GET", "/api/doors")
    if as_json:
        print_json(answer)
        return
    shown = table("webhook", "health", "last success", "accepted", "duplicates", "ignored", "refused", "why")
    for each in answer["items"]:
        refused = each["last_refused"] if each["health"] == "refusing" else None
        why = each["problem"] or (f"{refused['status']} {refused['reason']}" if refused else "")
        counts = (str(each[f"{name}_today"]) for name in ("accepted", "duplicates", "ignored", "refused"))
        row = (each["name"], each["health"], (each["last_success"] or "never")[:19], *counts, why)
        shown.add_row(*map(escape, row))
    screen().print(shown)
    if answer["incomplete"]:
        say(answer["incomplete"])


@command.command("replay", cls=click.RichCommand)
@click.argument("id", shell_complete=delivery_ids)
@json_option
@on_a_system
def replay(id: str, as_json: bool) -> None:
    """Have it acted on once more, as this version reads it. What has taken effect before does not do so twice."""
    answer = _replayed(id)
    if as_json:
        print_json(answer)
    else:
        say(f"{id} is acted on once more (#{answer['seq']})")


@command.command("explain", cls=click.RichCommand)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--webhook", default="github", show_default=True, help="Whose payload it is.")
@click.option("--event", default="", help="The event's name.  [default: told by the payload, where GitHub's does]")
@json_option
def explain(file: Path, webhook: str, event: str, as_json: bool) -> None:
    """Say what a payload in FILE would do by today's journeyman.toml. It does nothing, and needs no running system."""
    told = _explained(file.read_bytes(), webhook, event)
    if as_json:
        print_json(told)
        return
    for name, value in told.items():
        shown = ", ".join(value) if isinstance(value, list) else str(value)
        if shown:
            say(f"{name:12} {shown}")


def _explained(body: bytes, webhook: str, event: str) -> dict[str, Any]:
    from datetime import UTC, datetime

    from cli.failures import Failure
    from services.brain.messages import about_a_delivery
    from services.brain.policy import ReactionPolicy
    from services.gateway.inbound.registry import ADAPTERS
    from services.gateway.inbound.rereading import understood
    from services.gateway.inbound.sender import Ignored, Unreadable
    from shared.contracts.kinds import kind_of
    from shared.contracts.messages import name_of
    from shared.contracts.task import Approval
    from shared.contracts.task_of import task_of
    from shared.ops.config import load_config
    from shared.ops.settings import load_settings

    if webhook not in ADAPTERS:
        raise Failure(f"There is no sender {webhook!r}; there are: {', '.join(ADAPTERS)}.")
    settings = load_settings()
    named = event or _event_of(body)
    try:
        reading = understood(ADAPTERS[webhook], named, body, load_config(settings.config_path))
    except Unreadable as error:
        raise Failure(str(error)) from error
    about = {"event": f"{named} {reading.action}".strip(), "sender": reading.sender}
    match reading.meaning:
        case Ignored(reason=reason):
            return about | {"ignored": reason}
        case signal:
            policy = ReactionPolicy(approval=Approval(settings.approval))
            commands = about_a_delivery("this-delivery", datetime.now(UTC), signal, policy)
            return about | {
                "about": signal.thread,
                "repository": signal.repo,
                "means": signal.kind.value,
                "word": f"{signal.directive} {signal.argument}".strip(),
                "trusted": "yes" if signal.trusted else "no",
                "task": task_of(signal),
                "commands": [f"{kind_of(each)}.{name_of(each)}" for each in commands],
            }


def _event_of(body: bytes) -> str:
    """The event of a payload of GitHub, which only a header names; raises `Failure` where the payload does not tell."""
    import msgspec

    from cli.failures import Failure

    try:
        keys = msgspec.json.decode(body, type=dict[str, msgspec.Raw]).keys()
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Failure(f"The file is no JSON object: {error}.") from error
    if "issue" in keys:
        return "issue_comment" if "comment" in keys else "issues"
    raise Failure("The payload does not tell its event: name it by --event, as in the header X-GitHub-Event.")


def _body_of(id: str) -> dict[str, Any]:
    """The body, as the gateway shows it; where it does not answer, the rest can be seen all the same."""
    from cli.failures import Failure

    try:
        return asked("GET", f"/api/deliveries/{id}/body")
    except Failure as failure:
        return {"body": "", "problem": f"Its body is shown by the gateway only. {failure}"}


async def _ask(query: Query[A]) -> A:
    from cli.connection import linked

    async with linked() as link:
        return await link.client.query(query)


def _replayed(id: str) -> dict[str, Any]:
    """What comes of it. What people have made only the gateway can read."""
    from shared.contracts.decider import Rejected

    try:
        return asyncio.run(_replay(id))
    except Rejected as rejected:
        if rejected.code != "webhook-elsewhere":
            raise
    return {"id": id, **asked("POST", f"/api/deliveries/{id}/replay")}


async def _replay(id: str) -> dict[str, Any]:
    from cli.connection import linked
    from services.gateway.inbound.replays import DeliveryReplays
    from shared.nats.objects import Artifacts
    from shared.ops.config import load_config

    async with linked() as link:
        path = link.settings.config or link.endpoint.data / "journeyman.toml"
        replays = DeliveryReplays(link.client, link.journal, Artifacts(link.bus), lambda: load_config(path))
        result = await replays.replay(id, principal=link.principal)
        return {"id": id, "event": result.event, "seq": result.position}
