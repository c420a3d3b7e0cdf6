"""`journeyman context`: names for systems."""

from __future__ import annotations

import shlex
from pathlib import Path

import rich_click as click

from cli.completions import context_names
from cli.console import json_option, print_json, say, screen, table

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group("context", cls=click.RichGroup)
def command() -> None:
    """Names for the systems that you work with. `--context NAME` of any command acts on that one.

    The one of `context use` counts in folders that hold no system of their own; a command says when it does.
    """


@command.command("add", cls=click.RichCommand)
@click.argument("name")
@click.option("--url", default="", help="The address of its NATS, or of its dashboard on this machine.")
@click.option("--data", type=click.Path(file_okay=False, path_type=Path), help="Its data directory on this machine.")
@click.option("--creds", type=_FILE, help="A credentials file for its NATS.")
@click.option("--nkey", type=_FILE, help="A file with the seed of a user's nkey.")
@click.option("--ca", type=_FILE, help="Certificates of the authority that signed its NATS's own.")
@click.option("--cert", type=_FILE, help="Our own certificate, where its NATS asks for one.")
@click.option("--key", type=_FILE, help="The key of our own certificate.")
def add(name: str, url: str, data: Path | None, **files: Path | None) -> None:
    """Call a system NAME, by its address or its data directory; a name that is given again names the new one.

    The address may have a user and a password in it; what is kept is readable by you alone.
    """
    from msgspec.structs import replace

    from cli import contexts

    if bool(url) == (data is not None):
        raise click.UsageError("Give either --url or --data.")
    if not contexts.NAME.fullmatch(name):
        raise click.BadParameter("letters, digits, '.', '_' and '-', at most 64.", param_hint="NAME")
    if url and not url.startswith(("http://", "https://")):
        from shared.ops.addresses import NATS_ADDRESS, nats_problem

        if problem := nats_problem(url):
            raise click.BadParameter(f"the address {problem}; {NATS_ADDRESS}.", param_hint="--url")
    login = {what: str(file.resolve()) for what, file in files.items() if file is not None}
    if login and not url.startswith(("nats://", "tls://")):
        raise click.UsageError("A login is for the address of a NATS: give it with --url.")
    if ("cert" in login) != ("key" in login):
        raise click.UsageError("Give --cert and --key together.")
    kept = contexts.read()
    before = kept.named.get(name, contexts.Context())
    made = replace(
        contexts.Context(http=before.http, token=before.token, person=before.person, **login),
        url=url,
        data=str(data.expanduser().resolve()) if data else "",
    )
    contexts.write(replace(kept, named={**kept.named, name: made}))
    say(name)
    if made.data and not Path(made.data).is_dir():
        say(
            f"journeyman: {made.data} is not there: give the name again with the right directory, or make it by "
            f"starting the system: `journeyman up --data {shlex.quote(made.data)}`.",
            to_stderr=True,
        )


@command.command("use", cls=click.RichCommand)
@click.argument("name", shell_complete=context_names, required=False)
@click.option("--none", "no_one", is_flag=True, help="No system any more.")
def use(name: str | None, no_one: bool) -> None:
    """Act on the system NAME from now on, wherever a folder holds no system of its own."""
    from msgspec.structs import replace

    from cli import contexts

    if (name is None) != no_one:
        raise click.UsageError("Give a NAME, or --none.")
    kept = contexts.read()
    if name is not None:
        kept[name]
    contexts.write(replace(kept, chosen=name or ""))
    say(name or "none")


@command.command("remove", cls=click.RichCommand)
@click.argument("name", shell_complete=context_names)
def remove(name: str) -> None:
    """Forget the NAME; the system stays as it is."""
    from msgspec.structs import replace

    from cli import contexts

    kept = contexts.read()
    kept[name]
    named = {each: context for each, context in kept.named.items() if each != name}
    contexts.write(replace(kept, named=named, chosen="" if kept.chosen == name else kept.chosen))
    say(name)


@command.command("list", cls=click.RichCommand)
@json_option
def listing(as_json: bool) -> None:
    """The names, the chosen one marked with `*`, and the systems that run on this machine."""
    from rich.markup import escape

    from cli import contexts
    from cli.endpoint import neighbours
    from shared.ops.addresses import without_credentials

    kept = contexts.read()
    places = {name: each.data or without_credentials(each.url) or each.http for name, each in kept.named.items()}
    running = neighbours()
    if as_json:
        print_json(
            {
                "chosen": kept.chosen,
                "contexts": places,
                "running": [
                    {
                        "pid": each.pid,
                        "owner": each.owner,
                        "data": each.data and str(each.data),
                        "http": each.record and each.record.http,
                    }
                    for each in running
                ],
            }
        )
        return
    shown = table("name", "", "system")
    for name, place in places.items():
        shown.add_row(name, "*" if name == kept.chosen else "", escape(place))
    if places:
        screen().print(shown)
    for each in running:
        screen().print(f"[dim]running:[/] {escape(str(each))}", soft_wrap=True)
    if not places and not running:
        say("No system has a name yet, and none runs on this machine.")
