"""The life of one `up`: check, start, say so, wait (or drive the demonstration), drain."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

import rich_click as click
from rich.markup import escape

from cli.connection import connect
from cli.console import screen
from cli.failures import Failure, explain
from cli.repositories import refused_repositories
from cli.supervisor import record
from cli.supervisor.children import LaunchPlan
from cli.supervisor.console import UpConsole
from cli.supervisor.one_time_link import one_time_link
from cli.supervisor.preflight import (
    DEMO_REPO,
    DEMO_SENDER,
    STATIC,
    UpOptions,
    demo_repository,
    missing_repositories,
    plan_for,
    settings_for,
)
from cli.supervisor.process import CannotLaunch
from cli.supervisor.supervisor import Supervisor
from shared.nats.requirements import durability
from shared.ops import logs
from shared.ops.addresses import without_credentials
from shared.ops.config import load_config
from shared.ops.machine_token import read_machine_token
from shared.ops.private import private_directory
from shared.ops.senders import DEMO_SECRET_FILE
from shared.ops.settings import Settings
from shared.workspace.mirror import is_remote

__all__ = ["UpOptions", "run"]

T = TypeVar("T")


class _Stopped(Exception):
    """A signal came first."""


async def run(options: UpOptions) -> int:
    """The exit code of `up`; raises what `cli.failures.explain` knows."""
    logs.configure("up", level="error", format="console")
    settings = settings_for(options)
    _make_data_directory(settings.data_dir)
    with record.only_one(settings.data_dir):
        console = UpConsole(screen(to_stderr=True))
        if left := await asyncio.to_thread(record.end_orphans, settings.data_dir):
            console.say(f"  [yellow]![/] ended what an earlier, killed `up` had left behind: {', '.join(left)}")
        plan = plan_for(options, settings)
        supervisor = Supervisor(plan, console.changed, show_logs=options.logs)
        signals = _Signals(supervisor)
        console.say(f"[bold]Journeyman[/] starts in [cyan]{escape(str(plan.data))}[/]")
        try:
            await signals.or_stop(_start(supervisor))
            link = await signals.or_stop(_link(supervisor, settings))
            _announce(supervisor, console, settings, options, link)
            await signals.or_stop(say_what_is_not_confined(console, settings))
            await signals.or_stop(_say_what_is_refused(plan, console, settings))
            for each in await durability(settings.nats_monitor) if plan.nats_elsewhere else []:
                console.say(f"  [yellow]![/] {escape(str(each)[:1].upper() + str(each)[1:])}.")
            if options.demo:
                done = await signals.or_stop(_demonstrate(supervisor, console, options, settings))
                if options.once:
                    return 0 if done else 1
                where = escape(link or supervisor.http)
                console.say(f"\nThe dashboard: [bold cyan]{where}[/]   [dim]Ctrl-C ends everything.[/]", whole=True)
            await signals.stop.wait()
        except _Stopped:
            return 1 if options.once else 0
        finally:
            console.quiet = True
            signals.stopping = True
            console.say(
                "[dim]Stopping: the services finish or hand over what they do. Ctrl-C again ends them at once.[/]"
            )
            await supervisor.stop()
        return 0


async def say_what_is_not_confined(console: UpConsole, settings: Settings) -> None:
    """Say where no agent is started because nothing can be confined, or where nothing is."""
    from cli.doctor.finding import FindingState
    from cli.doctor.machine import sandbox_holds

    found = await asyncio.to_thread(sandbox_holds, settings)
    if found.state is not FindingState.GOOD:
        console.say(
            f"  [yellow]![/] sandbox     {escape(found.detail.removeprefix('The sandbox '))}. {escape(found.mend)}"
        )


async def _say_what_is_refused(plan: LaunchPlan, console: UpConsole, settings: Settings) -> None:
    """Name each remote repository that the gateway cannot read or write."""
    config = load_config(settings.config_path)
    if not any(is_remote(repo.target) for repo in config.repos.values()):
        return
    bus = await connect(plan.nats_url, name="journeyman-up", login=plan.login)
    try:
        refused = await refused_repositories(config, bus)
    finally:
        await bus.close()
    for name, problem in refused:
        console.say(f"  [yellow]![/] {escape(name)}: {escape(problem)} Its tasks are refused until then.")


def _make_data_directory(data: Path) -> None:
    try:
        private_directory(data)
    except OSError as error:
        raise Failure(
            f"The data directory {data} cannot be made ({error.strerror}): choose another place with --data or "
            "JOURNEYMAN_DATA_DIR."
        ) from error


class _Signals:
    """Ctrl-C, SIGTERM and a closed terminal drain; a second one kills."""

    def __init__(self, supervisor: Supervisor) -> None:
        self.stop = asyncio.Event()
        self.stopping = False
        self._supervisor = supervisor
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self._came)

    async def or_stop(self, work: Coroutine[Any, Any, T]) -> T:
        """The work's result; raises `_Stopped` when a signal comes before it is done."""
        working = asyncio.create_task(work)
        stopping = asyncio.create_task(self.stop.wait())
        await asyncio.wait([working, stopping], return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if working.done():
            return working.result()
        working.cancel()
        await asyncio.wait([working])
        raise _Stopped

    def _came(self) -> None:
        if self.stop.is_set() and self.stopping:
            self._supervisor.kill()
        self.stop.set()


async def _start(supervisor: Supervisor) -> None:
    try:
        await supervisor.start()
    except (CannotLaunch, BaseExceptionGroup) as error:
        cause = _first(error)
        raise (Failure(str(cause)) if isinstance(cause, CannotLaunch) else cause) from error


def _first(error: BaseException) -> BaseException:
    """The first of the errors with which starting several children ended."""
    return _first(error.exceptions[0]) if isinstance(error, BaseExceptionGroup) else error


async def _link(supervisor: Supervisor, settings: Settings) -> str | None:
    return (
        await one_time_link(supervisor.http, supervisor.plan.data, supervisor.plan.certificate)
        if settings.login
        else None
    )


def _announce(
    supervisor: Supervisor, console: UpConsole, settings: Settings, options: UpOptions, link: str | None
) -> None:
    plan = supervisor.plan
    console.say()
    console.say(f"  dashboard   [bold cyan]{supervisor.http}[/]")
    if link is not None:
        console.say(f"  log in      [bold cyan]{escape(link)}[/]   [dim]once, within an hour[/]", whole=True)
    elif settings.login:
        console.say("  log in      by a link of `journeyman user link`")
    else:
        console.say(
            "  [yellow]![/] The login is off (JOURNEYMAN_LOGIN): everybody on this machine is let in as an admin."
        )
    nats = without_credentials(plan.nats_url)
    console.say(f"  NATS        {escape(nats)}")
    console.say(f"  logs        {escape(str(plan.data / 'logs'))}")
    health = " ".join(f"{name}:{port}" for name, port in sorted(plan.health_ports.items(), key=lambda each: each[1]))
    console.say(f"  metrics     {supervisor.http}/metrics, and on {escape(settings.health_host)}: {health}")
    read = " and ".join(_short(each) for each in settings.env_files) or "no .env"
    console.say(f"  settings    {escape(read)}, and the environment")
    if not STATIC.exists():
        console.say(
            "  [yellow]![/] The dashboard is not built: run `make web`; the API and this command work without it."
        )
    if options.demo:
        console.say(
            f"  demo        the real Claude Code CLI with a scripted model, on {_short(demo_repository(plan.data))}"
        )
        secret = plan.data / DEMO_SECRET_FILE
        if not settings.webhook_secret(DEMO_SENDER).get_secret_value().strip():
            console.say(f"  secret      of the webhook, made for the demo: {escape(_short(secret))}")
        if plan.kept:
            console.say(f"  kept        in {escape(_short(settings.config_path))}: {escape(', '.join(plan.kept))}")
    elif plan.scripted_model:
        console.say("  model       the scripted one (JOURNEYMAN_DEMO_MODEL=1): what agents say and cost is fictional")
    elif not settings.anthropic_api_key.get_secret_value() and not settings.demo_model:
        console.say(
            "  [yellow]![/] Agents cannot run: there is no model key. Set ANTHROPIC_API_KEY in the environment or in "
            ".env and start again (or look around with `journeyman up --demo`). Tasks wait until then."
        )
    for name, path in missing_repositories(settings.config_path):
        console.say(f"  [yellow]![/] {escape(name)}: {escape(path)} is not there. Correct the path, or make it.")
    if not options.demo and not settings.config_path.exists():
        console.say(
            f"  [yellow]![/] No repository is configured: name one in {escape(_short(settings.config_path))}, "
            'as \\[repos."owner/name"] with path or url.'
        )
    console.say()
    ready = {
        "event": "ready",
        "http": supervisor.http,
        "nats": nats,
        "data": str(plan.data),
        "health": plan.health_ports,
    }
    click.echo(json.dumps(ready))


async def _demonstrate(supervisor: Supervisor, console: UpConsole, options: UpOptions, settings: Settings) -> bool:
    from cli.demo.driver import Demonstration, drive
    from shared.sandbox.readiness import look

    demonstration = Demonstration(
        http=supervisor.http,
        nats=supervisor.plan.nats_url,
        login=supervisor.plan.login,
        secret=supervisor.plan.webhook_secret,
        token=token.token if (token := read_machine_token(supervisor.plan.data)) else "",
        repo=DEMO_REPO,
        sandbox=(await asyncio.to_thread(look, settings)).sandbox,
        repository=demo_repository(supervisor.plan.data),
        certificate=supervisor.plan.certificate,
    )
    try:
        return await drive(demonstration, console.console)
    except Exception as error:
        # The system is there to be looked at, also when its demonstration has failed.
        said = explain(error)
        if said is None or options.once:
            raise
        console.say(f"\n[red]✗[/] {escape(said)}")
        return False


def _short(path: Path) -> str:
    """A path below the current directory without that directory's own path."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
