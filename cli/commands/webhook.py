"""`journeyman webhook …`: webhooks that people make themselves, by the running gateway."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import rich_click as click

from cli.console import json_option, print_json, say, screen, table
from cli.gateway_api import asked
from cli.systems import on_a_system

DRAFT_S = 180.0
"""A model thinks for seconds; a paused task may take minutes."""
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group("webhook", cls=click.RichGroup)
def command() -> None:
    """Webhooks of your own: docs/webhooks.md says what stands in the file."""


@command.command("add", cls=click.RichCommand)
@click.argument("file", type=FILE)
@click.option("--secret-from", type=FILE, help="A file with the secret.  [default: one is made and shown once]")
@json_option
@on_a_system
def add(file: Path, secret_from: Path | None, as_json: bool) -> None:
    """Make the webhook that FILE (YAML) describes."""
    definition = _read(file)
    if secret_from is not None:
        definition["secret"] = secret_from.read_text().strip()
    answer = asked("POST", "/api/webhooks", definition)
    if as_json:
        print_json(answer)
        return
    say(f"The webhook {definition.get('name', '')} takes deliveries.")
    _show_secret(answer)


@command.command("change", cls=click.RichCommand)
@click.argument("file", type=FILE)
@json_option
@on_a_system
def change(file: Path, as_json: bool) -> None:
    """Have the webhook do what FILE (YAML) describes now; its secret stays."""
    definition = _read(file)
    name = str(definition.pop("name", ""))
    _told(asked("PUT", f"/api/webhooks/{_part(name)}", definition), f"The webhook {name} is changed.", as_json)


@command.command("list", cls=click.RichCommand)
@json_option
@on_a_system
def list_(as_json: bool) -> None:
    """Show the webhooks."""
    from rich.markup import escape

    answer = asked("GET", "/api/webhooks")
    if as_json:
        print_json(answer)
        return
    if not answer["items"]:
        screen().print("Nobody has made a webhook yet.")
        return
    shown = table("name", "verified by", "state", "made by", "address")
    for each in answer["items"]:
        state = "on" if each["enabled"] else "off"
        row = (each["name"], each["definition"]["verification"]["scheme"], state, each["made_by"], each["url"])
        shown.add_row(*map(escape, row))
    screen().print(shown)


@command.command("show", cls=click.RichCommand)
@click.argument("name")
@json_option
@on_a_system
def show(name: str, as_json: bool) -> None:
    """Show what a webhook does, and how it is called."""
    answer = asked("GET", f"/api/webhooks/{_part(name)}")
    if as_json:
        print_json(answer)
        return
    say(_yaml({"name": answer["name"], **answer["definition"]}))
    say(f"# It is called so, with its secret in SECRET:\n{answer['call']}")


@command.command("try", cls=click.RichCommand)
@click.argument("file", type=FILE)
@click.argument("sample", type=FILE)
@json_option
@on_a_system
def attempt(file: Path, sample: Path, as_json: bool) -> None:
    """Say what the webhook in FILE would find in the body in SAMPLE; nothing is done."""
    definition = {name: value for name, value in _read(file).items() if name not in ("name", "secret")}
    answer = asked("POST", "/api/webhooks/try", {**definition, "sample": sample.read_text()})
    if as_json:
        print_json(answer)
        return
    if answer["failed"]:
        say(f"It would be ignored: the filter {answer['failed']} does not hold.")
    for name, value in answer.items():
        if value and name != "failed":
            say(f"{name:12} {value}")


@command.command("rotate", cls=click.RichCommand)
@click.argument("name")
@click.option("--secret-from", type=FILE, help="A file with the secret.  [default: one is made and shown once]")
@json_option
@on_a_system
def rotate(name: str, secret_from: Path | None, as_json: bool) -> None:
    """Give a webhook another secret; the one of before counts for another day."""
    body = {"secret": secret_from.read_text().strip()} if secret_from is not None else {}
    answer = asked("POST", f"/api/webhooks/{_part(name)}/secret", body)
    if as_json:
        print_json(answer)
        return
    say(f"The webhook {name} has another secret; the one of before counts for another day.")
    _show_secret(answer)


@command.command("disable", cls=click.RichCommand)
@click.argument("name")
@json_option
@on_a_system
def disable(name: str, as_json: bool) -> None:
    """Take no more deliveries."""
    _told(
        asked("POST", f"/api/webhooks/{_part(name)}/disable"), f"The webhook {name} takes no more deliveries.", as_json
    )


@command.command("enable", cls=click.RichCommand)
@click.argument("name")
@json_option
@on_a_system
def enable(name: str, as_json: bool) -> None:
    """Take deliveries again."""
    _told(asked("POST", f"/api/webhooks/{_part(name)}/enable"), f"The webhook {name} takes deliveries again.", as_json)


@command.command("draft", cls=click.RichCommand)
@click.argument("description")
@click.option("--sample", type=FILE, help="A body that is sent, out of which the paths are taken.")
@json_option
@on_a_system
def draft(description: str, sample: Path | None, as_json: bool) -> None:
    """Have the brain draft a webhook by a DESCRIPTION in words. It is printed as YAML for `add`; nothing is made."""
    import time

    from cli.failures import Failure

    began = asked("POST", "/api/webhooks/drafts", {"description": description, "sample": _text_of(sample)})
    if began["removed"]:
        say("# What looked like a secret in the words or the sample was not sent on: `add` makes one.", to_stderr=True)
    until = time.monotonic() + DRAFT_S
    told = asked("GET", f"/api/webhooks/drafts/{began['task_id']}")
    while told["state"] in ("working", "waiting") and time.monotonic() < until:
        time.sleep(0.5)
        told = asked("GET", f"/api/webhooks/drafts/{began['task_id']}")
    if as_json:
        print_json(told)
        return
    if told["state"] != "done":
        raise Failure(told["problem"] or f"It takes long: see `journeyman task show {told['task_id']}`.")
    for note in told["notes"]:
        say(f"# {note}")
    say(_yaml({"name": told["name"], **_said(told["definition"])}))


@command.command("deliveries", cls=click.RichCommand)
@click.argument("name")
@click.option("--bodies", is_flag=True, help="With their bodies, shortened and without secrets.")
@json_option
@on_a_system
def deliveries(name: str, bodies: bool, as_json: bool) -> None:
    """The newest deliveries to a webhook (also to `github` and others), also those that were refused, and why."""
    from rich.markup import escape

    answer = asked("GET", f"/api/doors/{_part(name)}/calls")
    if as_json:
        print_json(answer)
        return
    if not answer["items"]:
        say("Nothing has called it within a week.")
    for each in answer["items"]:
        told = each["reason"] or each["delivery"]
        screen().print(f"{each['at'][:19]}  {each['status']}  {each['outcome']:9}  {escape(told)}", soft_wrap=True)
        if bodies and each["body"]:
            say(each["body"])


@command.command("test", cls=click.RichCommand)
@click.argument("name")
@click.argument("body", type=FILE, required=False)
@json_option
@on_a_system
def test(name: str, body: Path | None, as_json: bool) -> None:
    """Send a signed call to a webhook, with BODY or one that is made. It may open a task, as every call.

    A call that is refused is told, and the exit code is 1.
    """
    told = asked("POST", f"/api/webhooks/{_part(name)}/test", {"body": _text_of(body)})
    if as_json:
        print_json(told)
    else:
        say(f"{told['status']}: {_what_came_of(told)}")
    if told["status"] >= 400:
        raise SystemExit(1)


def _what_came_of(told: dict[str, Any]) -> str:
    return f"the delivery {told['delivery']} of the task {told['task_id']}" if told["task_id"] else str(told["reason"])


def _text_of(file: Path | None) -> str:
    from cli.failures import Failure

    try:
        return file.read_text() if file is not None else ""
    except UnicodeDecodeError as error:
        raise Failure(f"{file} is no text: {error}") from error


def _said(definition: dict[str, Any]) -> dict[str, Any]:
    """Without what is left empty."""
    found = {key: _said(value) if isinstance(value, dict) else value for key, value in definition.items()}
    return {key: value for key, value in found.items() if value not in ("", [], {})}


def _told(answer: dict[str, Any], sentence: str, as_json: bool) -> None:
    print_json(answer) if as_json else say(sentence)


def _show_secret(answer: dict[str, Any]) -> None:
    if answer.get("secret"):
        say(f"Its secret, which is shown this once: {answer['secret']}")


def _read(file: Path) -> dict[str, Any]:
    from cli.webhook_file import read_webhook_file

    return read_webhook_file(file)


def _yaml(content: dict[str, Any]) -> str:
    import yaml

    text: str = yaml.safe_dump(content, sort_keys=False, allow_unicode=True)
    return text


def _part(name: str) -> str:
    from urllib.parse import quote

    return quote(name, safe="")
