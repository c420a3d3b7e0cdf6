"""What people may do with webhooks: each request becomes one command, and secrets are sealed before it."""

from __future__ import annotations

import asyncio
import base64
import re
import secrets as random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import msgspec
from msgspec.structs import replace

from services.gateway.custom.paths import BadExpression, Found, check, find
from services.gateway.custom.registry import MAX_FILE_BYTES, Webhooks, secret_in
from services.gateway.custom.sealed_secrets import SealedSecrets
from services.gateway.inbound.sender import Unreadable
from shared.contracts.decider import Rejected
from shared.contracts.messages import Command
from shared.contracts.subjects import Actor
from shared.contracts.webhook import (
    NAME,
    RESERVED,
    Change,
    Create,
    Definition,
    Disable,
    Enable,
    RotateSecret,
    Scheme,
    Webhook,
)
from shared.ops.config import Config
from shared.ops.senders import SENDERS
from shared.runtime.client import Client, CommandResult

OVERLAP: Final = timedelta(days=1)
"""How long a secret counts beside the one that has replaced it."""
AGENT: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
MIN_SECRET: Final = 8
MAX_SECRET: Final = 500
MOST_NAMED: Final = 20


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """What became of it. ``secret`` is one that we have made: it is shown this once."""

    result: CommandResult
    secret: str = ""


class WebhookCommands:
    """Raises what `Client.send` raises, and `Rejected` for what cannot be used."""

    def __init__(
        self,
        client: Client,
        webhooks: Webhooks,
        secrets: SealedSecrets,
        *,
        loopback_only: bool,
        agents: Path,
        config: Callable[[], Config],
    ) -> None:
        self._client = client
        self._webhooks = webhooks
        self._secrets = secrets
        self._loopback_only = loopback_only
        self._agents = agents
        self._config = config

    async def create(self, name: str, definition: Definition, *, secret: str, principal: str) -> Made:
        """Make a webhook. Without a secret one is made where its verification needs one of ours."""
        if not NAME.fullmatch(name) or name in RESERVED or name in SENDERS:
            raise Rejected(
                "webhook-name",
                "A webhook is called by 2 to 40 lower-case letters, digits and hyphens, a letter first, and not as "
                f"another sender: {', '.join((*SENDERS, *sorted(RESERVED)))}.",
            )
        self._refuse_unusable(definition)
        await self._refuse_unreachable(definition)
        made, fingerprint = "", ""
        if _needs_ours(definition):
            made = secret or _new_secret(definition.verification.scheme)
            fingerprint = await self._sealed(name, definition, made)
        elif secret:
            raise Rejected("secret-unused", "It is not verified by a secret of ours: leave the secret out.")
        result = await self._send(name, Create(definition=definition, fingerprint=fingerprint), principal)
        return Made(result=result, secret="" if secret else made)

    async def change(self, name: str, definition: Definition, *, principal: str) -> Made:
        """Replace what it does; its secret stays."""
        self._refuse_unusable(definition)
        await self._refuse_unreachable(definition)
        return Made(result=await self._send(name, Change(definition=definition), principal))

    async def rotate(self, name: str, *, secret: str, principal: str) -> Made:
        """Another secret; the one of before counts for a day."""
        webhook = self.get(name)
        made = secret or _new_secret(webhook.definition.verification.scheme)
        fingerprint = await self._sealed(name, webhook.definition, made)
        command = RotateSecret(fingerprint=fingerprint, overlap_until=datetime.now(UTC) + OVERLAP)
        return Made(result=await self._send(name, command, principal), secret="" if secret else made)

    async def switch(self, name: str, *, enabled: bool, principal: str) -> Made:
        """Take deliveries, or none."""
        return Made(result=await self._send(name, Enable() if enabled else Disable(), principal))

    def get(self, name: str) -> Webhook:
        """A webhook; raises `Rejected`."""
        webhook = self._webhooks.all().get(name)
        if webhook is None:
            raise Rejected("webhook-unknown", "There is no such webhook: look its name up in the list of them.")
        return webhook

    def attempt(self, definition: Definition, sample: str) -> Found:
        """What the paths find in a sample; nothing is done."""
        self._refuse_unusable(definition)
        try:
            return find(definition, sample.encode())
        except Unreadable as error:
            raise Rejected("sample-unreadable", str(error)) from error

    def _refuse_unusable(self, definition: Definition) -> None:
        if definition.verification.scheme is Scheme.NONE and not self._loopback_only:
            raise Rejected("webhook-unusable", "Without any verification a webhook is for gateways on loopback only.")
        file = definition.verification.secret_file
        if file and not Path(file).is_absolute():
            raise Rejected("webhook-unusable", "A secret's file is named by its whole path on the gateway's machine.")
        if (agent := definition.agent) and not (AGENT.fullmatch(agent) and (self._agents / agent).is_dir()):
            there = ", ".join(sorted(each.name for each in self._agents.iterdir() if each.is_dir()))
            raise Rejected("agent-unknown", f"There is no agent {agent!r}: leave it out, or name one of {there}.")
        try:
            check(definition)
        except BadExpression as error:
            raise Rejected("expression-invalid", str(error)) from error

    async def _refuse_unreachable(self, definition: Definition) -> None:
        """What no delivery could use is told to who saves it, and not to each sender."""
        how = definition.verification
        if how.secret_file:
            try:
                found = await asyncio.to_thread(secret_in, Path(how.secret_file))
            except OSError:
                found = b""
            if not 0 < len(found) <= MAX_FILE_BYTES:
                raise Rejected(
                    "webhook-unusable",
                    f"The gateway can read no secret in {how.secret_file}: name a file on its machine that it may "
                    "read, with the secret alone in it.",
                )
        if how.jwks_url:
            try:
                await self._webhooks.keys.refuse_address(how.jwks_url)
            except ValueError as error:
                raise Rejected("webhook-unusable", f"The keys at jwks_url cannot be asked for: {error}.") from error
        config = self._config()
        if definition.repo and config.repo_for(definition.repo) is None:
            there = ", ".join(sorted(config.repos)[:MOST_NAMED]) or "none yet"
            raise Rejected(
                "repo-unknown",
                f"The repository {definition.repo} is not in journeyman.toml: add it there, or name one of {there}.",
            )

    async def _sealed(self, name: str, definition: Definition, secret: str) -> str:
        if not MIN_SECRET <= len(secret) <= MAX_SECRET:
            raise Rejected("secret-length", f"A secret has {MIN_SECRET} to {MAX_SECRET} characters.")
        if definition.verification.scheme is Scheme.STANDARD:
            try:
                base64.b64decode(secret.removeprefix("whsec_"), validate=True)
            except ValueError as error:
                raise Rejected("secret-malformed", "A secret of Standard Webhooks is whsec_ and base64.") from error
        return await self._secrets.keep(name, secret)

    async def _send(self, name: str, command: Command, principal: str) -> CommandResult:
        result = await self._client.send(Actor("webhook", name), command, principal=principal)
        # Active at once: what is answered counts for the next delivery already.
        await self._webhooks.heard(result.position)
        return result


def _needs_ours(definition: Definition) -> bool:
    how = definition.verification
    return how.scheme is not Scheme.NONE and not how.secret_file and not (how.scheme is Scheme.JWT and how.jwks_url)


def _new_secret(scheme: Scheme) -> str:
    if scheme is Scheme.STANDARD:
        return "whsec_" + base64.b64encode(random.token_bytes(32)).decode()
    return random.token_urlsafe(32)


def without_secret(definition: Definition) -> Definition:
    """The definition as anybody may see it: the path of a secret's file is the operator's own affair."""
    how = definition.verification
    return replace(definition, verification=replace(how, secret_file="…" if how.secret_file else ""))
