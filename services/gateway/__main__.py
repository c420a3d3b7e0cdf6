"""The gateway: wiring only."""

from __future__ import annotations

import asyncio
from secrets import token_hex

import uvloop

from services.gateway.actors import delivery, reply
from services.gateway.api.artifacts import TaskArtifacts
from services.gateway.api.system import SystemOverview
from services.gateway.app import Parts, create_app
from services.gateway.commands import TaskCommands
from services.gateway.config_file import ConfigFile
from services.gateway.custom.commands import WebhookCommands
from services.gateway.custom.drafts import WebhookDrafts
from services.gateway.custom.registry import Webhooks
from services.gateway.custom.sealed_secrets import SealedSecrets, sealing_key
from services.gateway.custom.sender_keys import SenderKeys
from services.gateway.custom.trials import WebhookTrials
from services.gateway.first_admin import FirstAdmin
from services.gateway.git.repository_access import RepositoryAccess
from services.gateway.git.server import GitServer
from services.gateway.git.transfers import FOLDER as TRANSFERS
from services.gateway.git.transfers import Transfers
from services.gateway.github.client import github_of
from services.gateway.github.errors import NotConfigured
from services.gateway.github.forge import GitHubForge
from services.gateway.github.git_credentials import GitHubGitCredentials
from services.gateway.github.own_account import OwnAccount
from services.gateway.github.permissions import Permissions
from services.gateway.github.repository_numbers import RepositoryNumbers
from services.gateway.inbound.acceptance import Acceptance
from services.gateway.inbound.authorisation import JUDGED_AT_ONCE, Authorisation, Authority
from services.gateway.inbound.body import Bodies
from services.gateway.inbound.call_log import CallLog
from services.gateway.inbound.delivery_bodies import DeliveryBodies
from services.gateway.inbound.detail_sources import details_of
from services.gateway.inbound.github_authority import GitHubAuthority
from services.gateway.inbound.github_looks import PullRequestLooks
from services.gateway.inbound.github_sweeper import GitHubSweeper
from services.gateway.inbound.missed_events import Looks, MissedEvents
from services.gateway.inbound.missed_sources import sources
from services.gateway.inbound.receiver import Receiver
from services.gateway.inbound.registry import ADAPTERS
from services.gateway.inbound.replays import DeliveryReplays
from services.gateway.inbound.self_delivery import SENDER, SelfDelivery
from services.gateway.inbound.signature import secrets_of
from services.gateway.live.hub import event_hub, output_hub
from services.gateway.live.replay import Replays
from services.gateway.live.socket import Live
from services.gateway.outbound.channels.board import BoardEffects, shows_of
from services.gateway.outbound.channels.board import Parts as BoardParts
from services.gateway.outbound.channels.own_accounts import OwnAccounts
from services.gateway.outbound.channels.registry import boards
from services.gateway.outbound.commit_checks import CommitChecks
from services.gateway.outbound.displays import SHOWN_AT_ONCE, Displays, Effects
from services.gateway.outbound.github_effects import GitHubEffects, asks
from services.gateway.outbound.publications import FOLDER, Publications
from services.gateway.outbound.pull_requests import PullRequests
from services.gateway.outbound.standing import Standing
from services.gateway.people_commands import PeopleCommands
from services.gateway.problems import Problem
from services.gateway.reactions import as_github, filters, reactions
from services.gateway.security.door import Door
from services.gateway.security.one_time import OneTime
from services.gateway.security.sessions import Sessions
from services.gateway.server import Tls, WebServer
from services.gateway.web import Web
from shared.claude.runner import AgentRunner
from shared.contracts.task import Approval
from shared.nats.calls import CallBucket
from shared.nats.idempotency import IdempotencyKeys
from shared.nats.positions import Positions
from shared.nats.pulse import Pulse
from shared.nats.session_bucket import SessionBucket
from shared.ops.addresses import is_loopback
from shared.ops.config import Config, load_config
from shared.ops.machine_token import machine_token
from shared.ops.settings import Settings
from shared.ops.temp_dirs import clear_temp_dirs
from shared.ops.timings import PRODUCTION, Timings
from shared.runtime.service import CannotStart, Service
from shared.runtime.service import main as run_service
from shared.workspace.credentials import ConfiguredCredentials


async def run(settings: Settings, timings: Timings) -> None:
    """Connect, register, run."""
    service = await Service.connect("gateway", settings, timings)
    config = ConfigFile(settings.config_path)

    def newest() -> Config:
        return load_config(settings.config_path)  # as those see it who ask

    host = service.host(reply.DECIDER, delivery.DECIDER)
    for folder in (FOLDER, TRANSFERS):
        clear_temp_dirs(settings.data_dir / folder)
    try:
        github = github_of(settings)
    except NotConfigured as error:
        raise CannotStart(str(error)) from error
    configured = ConfiguredCredentials(newest)
    credentials = configured if github is None else GitHubGitCredentials(github, settings.github_api_url, configured)
    access = RepositoryAccess(newest, credentials)
    if refused := access.unusable():
        raise CannotStart("\n".join(refused))
    authorities: dict[str, Authority] = {}
    ask = asks(service.client)
    effects: dict[str, Effects] = {}
    permissions: Permissions | None = None
    pull_requests: PullRequests | None = None
    if github is not None:
        permissions = Permissions(github)
        forge = GitHubForge(github, permissions, lambda: config.now)
        authorities["github"] = GitHubAuthority(forge, lambda: config.now, IdempotencyKeys(service.bus))
        sweeper = GitHubSweeper(github, lambda: config.now, public_url=settings.public_url)
        service.loop(sweeper.run, drain=sweeper.drain)
        looks = PullRequestLooks(github, lambda: config.now, service.client)
        service.loop(looks.run, drain=looks.drain)
        own_account = OwnAccount(github, config.know_own_account)
        service.loop(own_account.run, drain=own_account.drain)
        numbers = RepositoryNumbers(github, lambda: config.now, config.know_repository)
        service.loop(numbers.run, drain=numbers.drain)
        pull_requests = PullRequests(github, lambda: config.now, ask, service.journal, public_url=settings.public_url)
        effects["github"] = GitHubEffects(
            github,
            lambda: config.now,
            ask,
            service.journal,
            check=CommitChecks(github, service.journal, public_url=settings.public_url).show,
            public_url=settings.public_url,
        )
    board_parts = BoardParts(
        config=lambda: config.now, task=ask, journal=service.journal, public_url=settings.public_url
    )
    try:
        there = boards(settings, board_parts)
        asked = sources(settings, lambda: config.now, service.journal)
        details = details_of(settings, lambda: config.now)
    except ValueError as error:
        raise CannotStart(str(error)) from error
    if there:
        effects |= {name: BoardEffects(board, board_parts) for name, board in there.items()}
        own_accounts = OwnAccounts(there, config.know_own_account_at)
        service.loop(own_accounts.run, drain=own_accounts.drain)
    service.react(reactions(effects, shows_of(there, as_github)), filters(effects))
    if effects:
        displays = Displays(host, effects, worker=settings.worker)
        service.activity("show", "evt.reply.*.wanted", displays.show, slots=SHOWN_AT_ONCE, give_up=displays.give_up)
    standing = Standing(service.journal, authorities)
    publications = Publications(
        settings,
        host,
        service.artifacts,
        standing=standing,
        pull_requests=pull_requests,
        credentials=credentials,
    )
    service.activity(
        "publish",
        "evt.reply.*.requested",
        publications.publish,
        slots=settings.max_concurrent_publications,
        give_up=publications.give_up,
    )

    authorisation = Authorisation(host, service.journal, authorities, details)
    for name in ("accepted", "replayed"):
        service.activity(
            f"judge-{name}",
            f"evt.delivery.*.{name}",
            authorisation.judge,
            slots=JUDGED_AT_ONCE,
            give_up=authorisation.give_up,
        )

    sealed = SealedSecrets(service.bus, sealing_key(settings))
    webhooks = Webhooks(service.journal, sealed, SenderKeys([host.strip() for host in settings.jwks_hosts.split(",")]))
    service.loop(webhooks.run, drain=webhooks.drain)

    instance = token_hex(8)
    call_bucket = CallBucket(service.bus)
    call_log = CallLog(call_bucket, instance)
    service.loop(call_log.run, drain=call_log.drain)

    door = _door(service, settings)
    events, output = event_hub(service.bus), output_hub(service.bus)
    commands = TaskCommands(
        service.client, service.journal, IdempotencyKeys(service.bus), approval=Approval(settings.approval)
    )
    pulse = Pulse(service.bus)
    service.loop(pulse.run, drain=pulse.drain)
    acceptance = Acceptance(service.journal, service.artifacts, asked=frozenset((*authorities, *details)))
    looks_missed = Looks()
    for name, source in asked.items():
        missed = MissedEvents(
            name,
            source,
            sender=ADAPTERS[name],
            acceptance=acceptance,
            positions=Positions(service.bus),
            config=lambda: config.now,
        )
        looks_missed.add(name, missed)
        service.loop(missed.run, drain=missed.drain)
    secrets = {name: secrets_of(settings.webhook_secret(name).get_secret_value()) for name in ADAPTERS}

    async def secrets_by_name(name: str) -> tuple[bytes, ...]:
        if name in secrets:
            return secrets[name]
        try:
            return await webhooks.secrets_of(name)
        except Problem:  # lost, and so in no body that was kept
            return ()

    runner = AgentRunner(settings, service.bus)
    app = create_app(
        Parts(
            receiver=Receiver(
                acceptance,
                senders=ADAPTERS,
                secrets=secrets,
                config=lambda: config.now,
                connected=lambda: service.bus.connected and not pulse.silent,
                heard=permissions.heard if permissions is not None else None,
                custom=webhooks.door,
                noted=call_log.note,
                bodies=Bodies(
                    max_bytes=min(settings.max_webhook_bytes, settings.max_artifact_bytes),
                    max_held_bytes=settings.max_webhook_held_bytes,
                ),
            ),
            delivery_replays=DeliveryReplays(
                service.client,
                service.journal,
                service.artifacts,
                lambda: config.now,
                asked=frozenset((*authorities, *details)),
                sender_of=webhooks.sender_of,
            ),
            delivery_bodies=DeliveryBodies(service.journal, service.artifacts, secrets_by_name),
            self_delivery=SelfDelivery(secrets[SENDER], lambda: config.now),
            config=config,
            webhooks=webhooks,
            webhook_trials=WebhookTrials(webhooks, service.journal),
            webhook_drafts=WebhookDrafts(service.client, service.journal, webhooks, runner, lambda: config.now),
            call_log=call_log,
            call_bucket=call_bucket,
            missed_looks=looks_missed,
            webhook_commands=WebhookCommands(
                service.client,
                webhooks,
                sealed,
                loopback_only=is_loopback(settings.http_host),
                agents=settings.agents_path,
                config=lambda: config.now,
            ),
            commands=commands,
            client=service.client,
            artifacts=TaskArtifacts(
                service.bus, service.journal, service.artifacts, max_bytes=settings.max_transcript_bytes
            ),
            system_overview=SystemOverview(service.bus, pulse, settings.data_dir),
            pulse=pulse,
            runner=runner,
            live=Live(
                events=events,
                output=output,
                replays=Replays(service.bus, service.client),
                commands=commands,
                door=door,
                limits=settings,
            ),
            web=Web(),
            health=service.health,
            settings=settings,
            agents_path=settings.agents_path,
            door=door,
            people=service.people,
            people_commands=PeopleCommands(service.client, service.people, door.sessions),
        )
    )
    transfers = Transfers(settings.data_dir, newest, credentials, instance)
    git = GitServer(service.bus, access, transfers, instance, standing=standing)
    service.loop(git.run, drain=git.drain)
    server = WebServer(
        app,
        host=settings.http_host,
        port=settings.http_port,
        max_frame_bytes=settings.max_socket_frame_bytes,
        draining=service.draining,
        tls=Tls(settings.tls_cert, settings.tls_key) if settings.tls_cert and settings.tls_key else None,
    )
    for hub in (events, output):
        await hub.begin()
        service.loop(hub.run, drain=hub.drain)
    service.loop(server.run_until_drained, drain=server.drain)
    service.serves_http()
    await service.run(ready=lambda: {"http": server.url})


def _door(service: Service, settings: Settings) -> Door:
    """Who may come in; raises `CannotStart`."""
    bucket = SessionBucket(service.bus)
    machine = None
    if settings.login:
        try:
            machine = machine_token(settings.data_dir, settings.person)
        except OSError as error:
            raise CannotStart(
                f"The token of this machine cannot be written to {settings.data_dir} ({error.strerror}): give the "
                "gateway a data directory of its own."
            ) from error
        first = FirstAdmin(service.client, service.people, settings.person)
        service.loop(first.run, drain=first.drain)
    sessions = Sessions(bucket)
    service.loop(sessions.run, drain=sessions.drain)
    return Door(service.people, sessions, OneTime(bucket), machine=machine)


def main(timings: Timings = PRODUCTION) -> None:
    """Entry point of the service."""
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    run_service("gateway", run, timings)


if __name__ == "__main__":
    main()
