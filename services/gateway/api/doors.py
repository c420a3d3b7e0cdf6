"""`/api/doors`: everything that takes deliveries, and how it does."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

import msgspec
import structlog
from litestar import Controller, get

from services.gateway.api.dependencies import problems
from services.gateway.custom.registry import Webhooks
from services.gateway.inbound.call_log import CallLog
from services.gateway.inbound.missed_events import Looks
from services.gateway.problems import Problem
from shared.contracts.calls import Call, Outcome, Tally, today
from shared.contracts.queries import CountDeliveries, Delivery, DeliveryCount
from shared.nats.calls import CallBucket
from shared.ops.senders import SENDERS, secret_setting
from shared.ops.settings import Settings, variable_of
from shared.runtime.acknowledge import TRANSIENT
from shared.runtime.client import Client, QueryFailed

Health = Literal["well", "refusing", "quiet", "off", "not-set-up", "not-asked"]

log = structlog.get_logger(__name__)


class Door(msgspec.Struct, frozen=True, kw_only=True):
    """One way in. ``last_accepted`` is of any day and from the log; the rest is of the last week.

    ``health``: ``well`` when what came last was authentic, ``refusing`` when it was refused, ``quiet`` when nothing has
    come, ``off`` when somebody has disabled it, ``not-set-up`` without a secret, ``not-asked`` while it cannot be asked
    for what its webhooks have missed; ``problem`` says the mend.
    ``refusals_today`` counts refusals by their code; those of ``signature-invalid`` did not prove where they came from.
    """

    name: str
    title: str
    custom: bool
    health: Health
    problem: str
    last_success: datetime | None
    last_accepted: Delivery | None
    last_ignored: Call | None
    last_refused: Call | None
    accepted_today: int
    duplicates_today: int
    ignored_today: int
    refused_today: int
    refusals_today: Mapping[str, int]


class DoorList(msgspec.Struct, frozen=True, kw_only=True):
    """All of them: senders first, then the webhooks that people have made. ``incomplete`` says what is away."""

    items: list[Door]
    incomplete: str = ""


class CallList(msgspec.Struct, frozen=True, kw_only=True):
    """The newest calls of a door by all gateways, the newest first."""

    items: tuple[Call, ...]


class DoorController(Controller):
    """How webhooks fare."""

    path = "/api/doors"
    tags = ("webhooks",)

    @get("/", operation_id="listDoors", summary="Every webhook with its health and what it took today", responses={})
    async def list_doors(
        self,
        client: Client,
        webhooks: Webhooks,
        call_bucket: CallBucket,
        call_log: CallLog,
        missed_looks: Looks,
        settings: Settings,
    ) -> DoorList:
        """As of now, and also when a part is away, because then people look."""
        incomplete = ""
        counts: dict[str, DeliveryCount] = {}
        tallies: dict[str, Tally] = {}
        try:
            answer = await client.query(CountDeliveries())
            counts = {each.webhook: each for each in answer.items}
        except QueryFailed as error:
            incomplete = error.detail
        try:
            await call_log.write()
            tallies = await call_bucket.tallies()
        except TRANSIENT as error:
            log.warning("the calls of webhooks cannot be read", problem=str(error) or type(error).__name__)
            incomplete = incomplete or "What was refused or ignored cannot be read right now: NATS does not answer."
        items = [
            _door(
                name,
                title,
                counts.get(name),
                tallies.get(name),
                problem=_not_set_up(settings, name),
                missed=missed_looks.problem(name),
            )
            for name, title in SENDERS.items()
        ]
        for name, webhook in sorted(webhooks.all().items()):
            off = "" if webhook.enabled else "Somebody has disabled it: enable it to take deliveries."
            title = webhook.definition.description or name
            items.append(_door(name, title, counts.get(name), tallies.get(name), problem=off, custom=True))
        return DoorList(items=items, incomplete=incomplete)

    @get(
        "/{name:str}/calls",
        operation_id="listCalls",
        summary="The newest calls of a webhook, with their bodies and why they were refused",
        responses=problems(404, 503),
    )
    async def list_calls(self, name: str, webhooks: Webhooks, call_bucket: CallBucket, call_log: CallLog) -> CallList:
        """Bodies are shortened and without secrets. They are kept for a week."""
        if name not in SENDERS and name not in webhooks.all():
            raise Problem(404, "webhook-unknown", "There is no such webhook: look its name up in the list of them.")
        try:
            await call_log.write()
            return CallList(items=await call_bucket.recent(name))
        except TRANSIENT as error:
            raise Problem(503, "nats-away", "The calls cannot be read right now: check that NATS runs.") from error


def _not_set_up(settings: Settings, name: str) -> str:
    if settings.webhook_secret(name).get_secret_value().strip():
        return ""
    return f"It has no secret: set {variable_of(secret_setting(name))} and restart the gateway."


def _door(
    name: str,
    title: str,
    count: DeliveryCount | None,
    tally: Tally | None,
    *,
    problem: str,
    custom: bool = False,
    missed: str = "",
) -> Door:
    tally = tally or Tally(day=today())
    refused, ignored = tally.last.get(Outcome.REFUSED), tally.last.get(Outcome.IGNORED)
    accepted = count.last if count else None
    authentic = [call.at for outcome, call in tally.last.items() if outcome is not Outcome.REFUSED]
    success = max([*authentic, *([accepted.at] if accepted else [])], default=None)
    health: Health = "well" if success else "quiet"
    if refused and (success is None or refused.at > success):
        health = "refusing"
    if problem:
        health = "off" if custom else "not-set-up"
    elif missed and health != "refusing":
        health = "not-asked"
    return Door(
        name=name,
        title=title,
        custom=custom,
        health=health,
        problem=" ".join(each for each in (problem, missed) if each),
        last_success=success,
        last_accepted=accepted,
        last_ignored=ignored,
        last_refused=refused,
        accepted_today=count.today if count else tally.counts.get(Outcome.ACCEPTED, 0),
        duplicates_today=tally.counts.get(Outcome.DUPLICATE, 0),
        ignored_today=tally.counts.get(Outcome.IGNORED, 0),
        refused_today=tally.counts.get(Outcome.REFUSED, 0),
        refusals_today=tally.refusals,
    )
