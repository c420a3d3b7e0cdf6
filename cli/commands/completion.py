"""`journeyman completion`: what a shell needs to complete our commands."""

from __future__ import annotations

import rich_click as click
from click.exceptions import Exit


@click.command("completion", cls=click.RichCommand)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def command(context: click.Context, shell: str) -> None:
    """Print what completes this command in SHELL: `eval "$(journeyman completion bash)"` in its start-up file.

    For fish: `journeyman completion fish | source`.
    """
    from click.shell_completion import shell_complete

    root = context.find_root().command
    raise Exit(shell_complete(root, {}, "journeyman", "_JOURNEYMAN_COMPLETE", f"{shell}_source"))
