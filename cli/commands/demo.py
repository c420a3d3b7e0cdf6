"""`journeyman demo`: drive the demonstration against a system that runs."""

from __future__ import annotations

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory

import rich_click as click
from click.exceptions import Exit

from cli.console import screen


@click.command("demo", cls=click.RichCommand)
@click.option("--url", help="The gateway's address.  [default: the system that runs here]")
@click.option("--nats-url", help="Where its NATS listens.  [default: the system that runs here]")
@click.option("--repo", default="journeyman/demo", show_default=True, help="The configured repository's name.")
def command(url: str | None, nats_url: str | None, repo: str) -> None:
    """Open one issue by a signed GitHub webhook, tell the story of its task, and check the result.

    The webhook is signed with JOURNEYMAN_GITHUB_WEBHOOK_SECRET (or its file JOURNEYMAN_GITHUB_WEBHOOK_SECRET_FILE). To
    start a whole system with it: `journeyman up --demo`. Where people approve plans, this one is approved by the token
    that `journeyman login` keeps for the address, or that of this machine. Exit code 0 only if the task completed and
    all is as promised.
    """
    from cli.demo.driver import Demonstration, drive
    from cli.demo.target import found_here
    from cli.endpoint import same_dashboard
    from cli.gateway_api import token_at
    from shared.nats.login import NO_LOGIN
    from shared.ops.settings import load_settings
    from shared.sandbox.readiness import look

    endpoint, secret, repository = found_here()
    http = url or endpoint.http
    # In a place of its own: this may be a container in which the data directory is for reading.
    with TemporaryDirectory(prefix="journeyman-demo-") as place:
        readiness = look(load_settings().model_copy(update={"data_dir": Path(place)}))
    demonstration = Demonstration(
        http=http,
        nats=nats_url or endpoint.nats,
        login=NO_LOGIN if nats_url else endpoint.login,
        secret=secret,
        repo=repo,
        sandbox=readiness.sandbox,
        token=token_at(http, endpoint),
        # Without a sandbox here, what the executor observed is all there is.
        repository=None if readiness.problem else repository,
        certificate=endpoint.certificate if same_dashboard(http, endpoint.http) else None,
    )
    raise Exit(0 if asyncio.run(drive(demonstration, screen())) else 1)
