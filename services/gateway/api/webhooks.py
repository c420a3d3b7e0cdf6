"""`/api/webhooks`: webhooks that people make themselves."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import msgspec
from litestar import Controller, Request, get, post, put

from services.gateway.api.dependencies import problems
from services.gateway.api.schemas import Body, CommandDone, Line, LongText, done
from services.gateway.custom.commands import Made, WebhookCommands, without_secret
from services.gateway.custom.drafts import DraftAsked, WebhookDraft, WebhookDrafts
from services.gateway.custom.examples import example_call
from services.gateway.custom.paths import Found
from services.gateway.custom.registry import Webhooks
from services.gateway.custom.trials import WebhookTrials
from services.gateway.inbound.self_delivery import Delivered
from shared.contracts.task import Directive
from shared.contracts.webhook import Definition, Paths, Verification
from shared.contracts.webhook import Webhook as WebhookState
from shared.ops.settings import Settings

Secret = Annotated[str, msgspec.Meta(max_length=500)]
Expression = Annotated[str, msgspec.Meta(max_length=1_000)]


class WebhookBody(Body, frozen=True, kw_only=True):
    """What a webhook does; see docs/webhooks.md."""

    verification: Verification
    paths: Paths = Paths()
    filters: Annotated[tuple[Expression, ...], msgspec.Meta(max_length=20)] = ()
    repo: Line = ""
    agent: Line = ""
    directive: Directive = Directive.AUTO
    description: Line = ""


class NewWebhook(WebhookBody, frozen=True, kw_only=True):
    """A webhook that is to be made. Without a secret, one is made and shown in the answer."""

    name: Line
    secret: Secret = ""


class NewSecret(Body, frozen=True, kw_only=True):
    """The secret that is to count; one is made where none is given."""

    secret: Secret = ""


class Sample(WebhookBody, frozen=True, kw_only=True):
    """A definition, and a body that is to be tried against it."""

    sample: LongText


class TestCall(Body, frozen=True, kw_only=True):
    """The body of a test call; one that the paths would find something in, where it is empty."""

    body: Annotated[str, msgspec.Meta(max_length=100_000)] = ""


class Description(Body, frozen=True, kw_only=True):
    """What a webhook is to be, in words, and a body that is sent, where there is one."""

    description: Annotated[str, msgspec.Meta(min_length=1, max_length=10_000)]
    sample: Annotated[str, msgspec.Meta(max_length=100_000)] = ""


class Webhook(msgspec.Struct, frozen=True, kw_only=True):
    """A webhook; of its secret only the fingerprint is told.

    ``call`` is a shell command that sends a sample.
    """

    name: str
    enabled: bool
    made_by: str
    definition: Definition
    fingerprint: str
    overlap_until: datetime | None
    url: str
    call: str


class WebhookList(msgspec.Struct, frozen=True, kw_only=True):
    """All of them, by name."""

    items: list[Webhook]


class WebhookMade(CommandDone, frozen=True, kw_only=True):
    """What became of it. ``secret`` is the one that was made for it: it is never shown again."""

    secret: str = ""


class WebhookController(Controller):
    """Make, change, try and switch off webhooks."""

    path = "/api/webhooks"
    tags = ("webhooks",)

    @get("/", operation_id="listWebhooks", summary="Webhooks that people have made", responses=problems(503))
    async def list_webhooks(self, webhooks: Webhooks, settings: Settings) -> WebhookList:
        """All of them."""
        found = sorted(webhooks.all().items())
        return WebhookList(items=[_shown(name, webhook, webhooks, settings) for name, webhook in found])

    @get("/{name:str}", operation_id="getWebhook", summary="One webhook", responses=problems(404, 503))
    async def get_webhook(
        self, name: str, webhook_commands: WebhookCommands, webhooks: Webhooks, settings: Settings
    ) -> Webhook:
        """What it does."""
        return _shown(name, webhook_commands.get(name), webhooks, settings)

    @post(
        "/",
        operation_id="createWebhook",
        summary="Make a webhook",
        status_code=201,
        responses=problems(400, 409, 503, 504),
    )
    async def create_webhook(self, data: NewWebhook, webhook_commands: WebhookCommands, principal: str) -> WebhookMade:
        """It takes deliveries as soon as this is answered."""
        definition = _definition(data)
        return _told(await webhook_commands.create(data.name, definition, secret=data.secret, principal=principal))

    @put(
        "/{name:str}",
        operation_id="changeWebhook",
        summary="Change what a webhook does",
        responses=problems(400, 404, 409, 503, 504),
    )
    async def change_webhook(
        self, name: str, data: WebhookBody, webhook_commands: WebhookCommands, principal: str
    ) -> WebhookMade:
        """Its secret stays."""
        return _told(await webhook_commands.change(name, _definition(data), principal=principal))

    @post(
        "/{name:str}/secret",
        operation_id="rotateWebhookSecret",
        summary="Give a webhook another secret",
        status_code=200,
        responses=problems(400, 404, 409, 503, 504),
    )
    async def rotate(
        self, name: str, webhook_commands: WebhookCommands, principal: str, data: NewSecret | None = None
    ) -> WebhookMade:
        """The one of before counts for another day."""
        secret = (data or NewSecret()).secret
        return _told(await webhook_commands.rotate(name, secret=secret, principal=principal))

    @post(
        "/{name:str}/disable",
        operation_id="disableWebhook",
        summary="Take no more deliveries",
        status_code=200,
        responses=problems(404, 409, 503, 504),
    )
    async def disable(self, name: str, webhook_commands: WebhookCommands, principal: str) -> WebhookMade:
        """What was delivered stays."""
        return _told(await webhook_commands.switch(name, enabled=False, principal=principal))

    @post(
        "/{name:str}/enable",
        operation_id="enableWebhook",
        summary="Take deliveries again",
        status_code=200,
        responses=problems(404, 409, 503, 504),
    )
    async def enable(self, name: str, webhook_commands: WebhookCommands, principal: str) -> WebhookMade:
        """With the secret that it had."""
        return _told(await webhook_commands.switch(name, enabled=True, principal=principal))

    @post(
        "/{name:str}/test",
        operation_id="testWebhook",
        summary="Send a signed test call to a webhook",
        status_code=200,
        responses=problems(400, 404, 409, 429, 503),
    )
    async def test(
        self,
        name: str,
        request: Request[Any, Any, Any],
        webhook_commands: WebhookCommands,
        webhook_trials: WebhookTrials,
        data: TestCall | None = None,
    ) -> Delivered:
        """What the webhook answered, be it a refusal. It is a call as others are, and may open a task."""
        webhook = webhook_commands.get(name)
        return await webhook_trials.send(request.app, name, webhook.definition, (data or TestCall()).body)

    @post(
        "/drafts",
        operation_id="draftWebhook",
        summary="Ask for a draft of a webhook by a description in words",
        status_code=202,
        responses=problems(400, 409, 429, 503),
    )
    async def draft(self, data: Description, webhook_drafts: WebhookDrafts, principal: str) -> DraftAsked:
        """A model drafts it. Nothing is made, and what looks like a secret in the words is not sent onward."""
        return await webhook_drafts.ask(data.description, data.sample, principal=principal)

    @get(
        "/drafts/{id:str}",
        operation_id="getWebhookDraft",
        summary="A draft of a webhook, and how far it is",
        responses=problems(404, 503),
    )
    async def get_draft(self, id: str, webhook_drafts: WebhookDrafts) -> WebhookDraft:
        """A person looks at it and saves it by `createWebhook`."""
        return await webhook_drafts.get(id)

    @post(
        "/try",
        operation_id="tryWebhook",
        summary="What a definition finds in a sample",
        status_code=200,
        responses=problems(400, 409),
    )
    async def attempt(self, data: Sample, webhook_commands: WebhookCommands) -> Found:
        """Nothing is made, and nothing is done."""
        return webhook_commands.attempt(_definition(data), data.sample)


def _definition(body: WebhookBody) -> Definition:
    return Definition(
        verification=body.verification,
        paths=body.paths,
        filters=body.filters,
        repo=body.repo,
        agent=body.agent,
        directive=body.directive,
        description=body.description,
    )


def _shown(name: str, webhook: WebhookState, webhooks: Webhooks, settings: Settings) -> Webhook:
    base = settings.public_url or f"http://{settings.http_host}:{settings.http_port}"
    return Webhook(
        name=name,
        enabled=webhook.enabled,
        made_by=webhooks.made_by(name),
        definition=without_secret(webhook.definition),
        fingerprint=webhook.fingerprint,
        overlap_until=webhook.overlap_until,
        url=f"{base.rstrip('/')}/webhooks/{name}",
        call=example_call(name, webhook.definition, base),
    )


def _told(made: Made) -> WebhookMade:
    result = done(made.result)
    return WebhookMade(event=result.event, seq=result.seq, secret=made.secret)
