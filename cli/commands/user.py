"""`journeyman user …`: who may come in, by the running gateway."""

from __future__ import annotations

from typing import Any

import rich_click as click

from cli.console import json_option, print_json, say, screen, table
from cli.gateway_api import asked
from cli.systems import on_a_system
from shared.contracts.user import NAME, Role

ROLE = click.Choice([role.value for role in Role])


@click.group("user", cls=click.RichGroup)
def command() -> None:
    """People: who may come in, and what they may do. docs/users.md says what each role may."""


@command.command("add", cls=click.RichCommand)
@click.argument("name")
@click.option("--role", type=ROLE, default=Role.OPERATOR.value, show_default=True, help="What they may do.")
@json_option
@on_a_system
def add(name: str, role: str, as_json: bool) -> None:
    """Let a person in, and print the link by which they log in once, within an hour. Admins do it."""
    _link(asked("POST", "/api/users", {"name": name, "role": role}), as_json)


@command.command("link", cls=click.RichCommand)
@click.argument("name", required=False)
@json_option
@on_a_system
def link(name: str | None, as_json: bool) -> None:
    """Print another link by which a person (or you) logs in once, within an hour. Admins do it."""
    name = name or str(asked("GET", "/api/me")["name"])
    _link(asked("POST", f"/api/users/{_part(name)}/link"), as_json)


@command.command("list", cls=click.RichCommand)
@json_option
@on_a_system
def list_(as_json: bool) -> None:
    """Show everybody who was let in. Admins do it."""
    answer = asked("GET", "/api/users")
    if as_json:
        print_json(answer)
        return
    shown = table("name", "role", "may come in", "sessions", "tokens", "last seen")
    for each in answer["items"]:
        state = "yes" if each["enabled"] else "no"
        seen = each["seen_at"] or "-"
        shown.add_row(each["name"], each["role"], state, str(each["sessions"]), str(each["tokens"]), seen)
    screen().print(shown)


@command.command("role", cls=click.RichCommand)
@click.argument("name")
@click.argument("role", type=ROLE)
@json_option
@on_a_system
def change_role(name: str, role: str, as_json: bool) -> None:
    """Have a person do more, or less; it counts at once. Admins do it."""
    _changed(asked("POST", f"/api/users/{_part(name)}/role", {"role": role}), as_json)


@command.command("disable", cls=click.RichCommand)
@click.argument("name")
@json_option
@on_a_system
def disable(name: str, as_json: bool) -> None:
    """Let a person in no more: sessions end, tokens count no more. Admins do it."""
    _changed(asked("POST", f"/api/users/{_part(name)}/disable"), as_json)


@command.command("enable", cls=click.RichCommand)
@click.argument("name")
@json_option
@on_a_system
def enable(name: str, as_json: bool) -> None:
    """Let a person in again. Admins do it."""
    _changed(asked("POST", f"/api/users/{_part(name)}/enable"), as_json)


def _link(answer: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(answer)
        return
    say(f"{answer['name']} logs in with this link, once and until {answer['ends_at']}:", to_stderr=True)
    say(answer["url"])


def _changed(answer: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(answer)
        return
    user = answer["user"]
    say(f"{user['name']} is {user['role']}{'' if user['enabled'] else ', and may not come in'}.")


def _part(name: str) -> str:
    """The name as a part of an address: what is none reaches no other one."""
    if not NAME.fullmatch(name):
        raise click.BadParameter("1 to 32 small letters, digits and '-', a letter first.", param_hint="NAME")
    return name
