"""Where the Claude Code CLI is."""

from __future__ import annotations

import importlib.util
import os
import shutil
from pathlib import Path


class CliMissing(Exception):
    """No usable Claude Code CLI; the message is one line that names the setting and the mend."""


def find_cli(configured: str | None = None) -> Path:
    """The CLI to run: the configured path, else the one in the ``claude-agent-sdk`` wheel, else ``claude`` on PATH.

    Raises `CliMissing`. A configured path that does not work is an error, never a reason to take another one.
    """
    if configured:
        path = Path(configured).expanduser()
        if not _runnable(path):
            raise CliMissing(
                f"CLAUDE_CLI is {configured!r}, which is no executable file: correct the path or unset it."
            )
        return path.absolute()
    bundled = _bundled()
    if bundled is not None and _runnable(bundled):
        return bundled
    on_path = shutil.which("claude")
    if on_path is not None:
        return Path(on_path).absolute()
    raise CliMissing("The Claude Code CLI was not found: run `make install` or set CLAUDE_CLI to its path.")


def _bundled() -> Path | None:
    # The package is located, not imported: importing it costs more than starting the CLI.
    spec = importlib.util.find_spec("claude_agent_sdk")
    if spec is None or spec.origin is None:
        return None
    return Path(spec.origin).parent / "_bundled" / "claude"


def _runnable(path: Path) -> bool:
    return path.is_file() and os.access(path, os.X_OK)
