"""`journeyman token …`: what programs come in by, by the running gateway."""

from __future__ import annotations

from urllib.parse import urlencode

import rich_click as click

from cli.console import json_option, print_json, say, screen, table
from cli.gateway_api import asked
from cli.systems import on_a_system
from shared.contracts.user import Role, Scope

_person = click.option("--person", default="", help="Whose.  [default: yours; others' are for admins]")


@click.group("token", cls=click.RichGroup)
def command() -> None:
    """Tokens: each stands for a person, as `curl -H "Authorization: Bearer $TOKEN"`."""


@command.command("create", cls=click.RichCommand)
@click.argument("name")
@click.option("--role", type=click.Choice([role.value for role in Role]), help="At most.  [default: the person's own]")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    type=click.Choice([scope.value for scope in Scope]),
    help="A part of the API that it opens; may be given several times.  [default: all]",
)
@click.option("--days", type=click.IntRange(1, 3660), help="Until it ends.  [default: never]")
@_person
@json_option
@on_a_system
def create(name: str, role: str | None, scopes: tuple[str, ...], days: int | None, person: str, as_json: bool) -> None:
    """Make a token, called NAME for whoever reads the list, and print it: nobody shows it a second time."""
    wanted = {"name": name, "role": role, "scopes": list(scopes), "days": days}
    body = {key: value for key, value in wanted.items() if value}
    answer = asked("POST", f"/api/tokens{_query(person)}", body)
    if as_json:
        print_json(answer)
        return
    ends = f"until {answer['ends_at']}" if answer["ends_at"] else "until it is revoked"
    say(f"It counts {ends}, as {answer['role']}, and is shown this once:", to_stderr=True)
    say(answer["secret"])


@command.command("list", cls=click.RichCommand)
@_person
@json_option
@on_a_system
def list_(person: str, as_json: bool) -> None:
    """Show the tokens that were not revoked, and when each was last used."""
    from rich.markup import escape

    answer = asked("GET", f"/api/tokens{_query(person)}")
    if as_json:
        print_json(answer)
        return
    shown = table("id", "name", "role", "scopes", "ends", "last used")
    for each in answer["items"]:
        scopes = ", ".join(each["scopes"]) or "all"
        row = (each["id"], each["name"], each["role"], scopes, each["ends_at"] or "-", each["used_at"] or "-")
        shown.add_row(*map(escape, row))
    screen().print(shown)


@command.command("revoke", cls=click.RichCommand)
@click.argument("id")
@_person
@json_option
@on_a_system
def revoke(id: str, person: str, as_json: bool) -> None:
    """Have a token stand for nobody any more."""
    if not id.isascii() or not id.isalnum():
        raise click.BadParameter("`journeyman token list` shows the ids.", param_hint="ID")
    answer = asked("POST", f"/api/tokens/{id}/revoke{_query(person)}")
    if as_json:
        print_json(answer)
        return
    say(f"The token {id} stands for nobody any more.")


def _query(person: str) -> str:
    return f"?{urlencode({'person': person})}" if person else ""
