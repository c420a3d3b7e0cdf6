"""`journeyman logout`: the token by which commands are let in is revoked and forgotten."""

from __future__ import annotations

import rich_click as click

from cli.console import say


@click.command("logout", cls=click.RichCommand)
@click.argument("name", required=False)
def command(name: str | None) -> None:
    """Log out where the context NAME (or the chosen one) is logged in.

    What else the context knows stays. Where the gateway does not answer, the token is forgotten all the same.
    """
    from msgspec.structs import replace

    from cli import contexts
    from cli.failures import Failure
    from cli.gateway_api import asked_at

    kept = contexts.read()
    name = name or kept.chosen
    context = kept[name] if name else contexts.Context()
    if not context.token:
        raise Failure("Nobody is logged in there: `journeyman context list` says where somebody is.")
    id = context.token.split("_")[1] if context.token.count("_") > 1 else ""
    try:
        asked_at(context.http, "POST", f"/api/tokens/{id}/revoke", token=context.token)
    except Failure as error:
        say(f"The token could not be revoked ({error}): do it with `journeyman token revoke {id}`.", to_stderr=True)
    left = replace(context, token="", person="")
    named = {each: context for each, context in kept.named.items() if each != name}
    if left.url or left.data:
        named[name] = left
    contexts.write(replace(kept, named=named, chosen=kept.chosen if kept.chosen in named else ""))
    say(f"Logged out of {context.http}.")
