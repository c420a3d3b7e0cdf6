"""The `journeyman` command. Each sub-command is imported when it is called, so that `--help` answers at once."""

from __future__ import annotations

import importlib
import sys
from typing import Final, NamedTuple

import rich_click as click

from cli.standard_streams import finish_output
from shared.ops.crash_points import name_service
from shared.ops.version import VERSION
from shared.ops.visible import visible


class Lazy(NamedTuple):
    """Where a command lives, and what the list of commands says of it."""

    module: str
    summary: str


COMMANDS: Final = {
    "up": Lazy("up", "Run everything on this machine, until Ctrl-C"),
    "demo": Lazy("demo", "Drive one real task from a signed webhook to a commit"),
    "doctor": Lazy("doctor", "Say what is missing or misconfigured, with the mend"),
    "github": Lazy("github", "Make the GitHub App, and try what it may do"),
    "task": Lazy("task", "Submit, follow and steer tasks"),
    "chat": Lazy("chat", "Ask the brain, have work done, decide on what it proposes"),
    "login": Lazy("login", "Log in at a dashboard by a link or a token, for the commands to come"),
    "logout": Lazy("logout", "Revoke and forget the token that commands are let in by"),
    "user": Lazy("user", "Let people in, and say what they may do"),
    "token": Lazy("token", "Make and revoke what programs come in by"),
    "context": Lazy("context", "Name the systems that commands act on"),
    "events": Lazy("events", "Read the log"),
    "state": Lazy("state", "Fold one actor as of any stream sequence"),
    "verify": Lazy("verify", "Check version, hash chain and schema of the whole log"),
    "archive": Lazy("archive", "Write what is new in log, artifacts and output to a second copy"),
    "backup": Lazy("backup", "Archive, copy the configuration, and say what else to keep"),
    "restore": Lazy("restore", "Rebuild an empty system from its archive"),
    "prune": Lazy("prune", "Say what could be cleared away by age and outcome, and clear it"),
    "replay": Lazy("replay", "Tell history again in a dashboard, at its own pace or faster"),
    "deliveries": Lazy("deliveries", "List, show, replay or explain what senders have delivered"),
    "webhook": Lazy("webhook", "Make, change, try and switch off webhooks of your own"),
    "parked": Lazy("parked", "List, replay or drop what no handler could take"),
    "project": Lazy("project", "Rebuild the read models from the log"),
    "service": Lazy("service", "Run one service alone, as containers do"),
    "provision": Lazy("provision", "Create the streams, once"),
    "demo-repo": Lazy("demo_repo", "Make the demonstration repository"),
    "completion": Lazy("completion", "Print what completes this command in your shell"),
}


class LazyGroup(click.RichGroup):
    """A group that knows its commands by name and imports one when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        lazy = COMMANDS.get(cmd_name)
        return None if lazy is None else click.RichCommand(name=cmd_name, help=lazy.summary, short_help=lazy.summary)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name, command, rest = super().resolve_command(ctx, args)
        if name is not None and name in COMMANDS:
            module = importlib.import_module(f"cli.commands.{COMMANDS[name].module}")
            command = module.command
        return name, command, rest


_PANELS: Final = [
    {"name": "Run", "commands": ["up", "demo", "doctor", "github", "context"]},
    {"name": "People", "commands": ["login", "logout", "user", "token"]},
    {"name": "Tasks", "commands": ["task", "chat", "deliveries", "webhook"]},
    {"name": "The log", "commands": ["events", "state", "verify", "replay", "parked"]},
    {"name": "Keeping it", "commands": ["archive", "backup", "restore", "prune"]},
    {"name": "Parts", "commands": ["project", "service", "provision", "demo-repo", "completion"]},
]


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(VERSION, prog_name="journeyman", message="%(prog)s %(version)s")
@click.rich_config(
    {"command_groups": {"journeyman": _PANELS}, "max_width": 110, "style_commands_table_column_width_ratio": (1, 4)}
)
def cli() -> None:
    """Journeyman: a self-hosted software engineer. Issues, tickets and chats become commits, every step an event.

    Begin with `journeyman up --demo`: everything on this machine, no account, no key, one real task.
    """


def main() -> None:
    """The entry point: exit code 0, 1 with one line that explains it, or 2 for wrong usage."""
    name_service("cli")
    sys.exit(_run())


def _run() -> int:
    """Run the command, and have its output written: it may go to a pipe whose reader has seen enough."""
    sentence, code = "", 1
    try:
        done = cli.main(prog_name="journeyman", standalone_mode=False)
        code = done if isinstance(done, int) else 0
    except click.UsageError as error:
        click.UsageError(visible(error.format_message()), error.ctx).show()
        code = 2
    except (click.Abort, KeyboardInterrupt):
        code = 130
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else 1
    except Exception as error:
        from cli.failures import explain

        explained = explain(error)
        if explained is None:
            raise
        sentence = explained
    if (undelivered := finish_output()) is not None:
        code = code or 1
        gone = isinstance(undelivered, BrokenPipeError)
        sentence = "" if gone else f"What this command prints could not be written: {undelivered.strerror}."
    if sentence:
        from cli.console import say

        say(f"journeyman: {sentence}", to_stderr=True)
        finish_output()
    return code
