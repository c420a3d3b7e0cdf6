"""`journeyman login`: from now on commands of this account are let in at a dashboard, by a token of the person's."""

from __future__ import annotations

import platform
from pathlib import Path
from urllib.parse import urlsplit

import rich_click as click

from cli.console import say

DAYS = 90


@click.command("login", cls=click.RichCommand)
@click.argument("address")
@click.option(
    "--token-from",
    type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path),
    help="A file with a token (- for standard input), where ADDRESS is no one-time link.",
)
@click.option("--name", default="", help="The context that it is kept in.  [default: the host's name]")
def command(address: str, token_from: Path | None, name: str) -> None:
    """Log in at ADDRESS: a one-time link, or a dashboard's address with a token.

    A link becomes a token of yours for 90 days. It is kept in a context of yours that nobody else may read, and
    `journeyman logout` revokes it.
    """
    from msgspec.structs import replace

    from cli import contexts
    from cli.failures import Failure
    from cli.gateway_api import asked_at

    there = urlsplit(address)
    if there.scheme not in ("http", "https") or not there.hostname:
        raise click.BadParameter(
            "give a link or an address that begins with http:// or https://.", param_hint="ADDRESS"
        )
    if bool(there.fragment) == (token_from is not None):
        raise click.UsageError("Give either a one-time link, or an address and --token-from.")
    name = name or there.hostname
    if not contexts.NAME.fullmatch(name):
        raise click.BadParameter("letters, digits, '.', '_' and '-', at most 64.", param_hint="--name")
    http = f"{there.scheme}://{there.netloc}"
    if token_from is None:
        token = _by_link(http, there.fragment)
    else:
        with click.open_file(str(token_from)) as file:
            token = file.read().strip()
        if not token.isascii() or not token.isprintable() or not token:
            raise Failure(f"{token_from} holds no token: it is one line that begins with jm_.")
    me = asked_at(http, "GET", "/api/me", token=token)
    kept = contexts.read()
    before = kept.named.get(name, contexts.Context())
    made = replace(before, http=http, token=token, person=str(me["name"]))
    contexts.write(replace(kept, named={**kept.named, name: made}, chosen=kept.chosen or name))
    say(f"You are {me['name']} ({me['role']}) at {http}: the context {name}.")


def _by_link(http: str, link: str) -> str:
    """A token instead of the session that a link begins; the session ends."""
    import httpx

    from cli.failures import Failure
    from cli.gateway_api import PATIENCE_S, refusal_of
    from shared.ops.certificate import trust_in

    headers = {"X-Journeyman": "1"}
    try:
        with httpx.Client(
            base_url=http, timeout=PATIENCE_S, trust_env=False, verify=trust_in(None), headers=headers
        ) as client:
            came = client.post("/api/login", json={"link": link})
            if not came.is_success:
                raise refusal_of(came)
            made = client.post("/api/tokens", json={"name": f"journeyman on {platform.node()}"[:80], "days": DAYS})
            client.post("/api/logout")
    except httpx.HTTPError as error:
        raise Failure(f"The gateway at {http} does not answer ({error}): check that it runs.") from error
    if not made.is_success:
        raise refusal_of(made)
    return str(made.json()["secret"])
