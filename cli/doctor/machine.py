"""This machine: git, the Claude CLI, the model key, disk, ports, the dashboard's files."""

from __future__ import annotations

import asyncio
import os
import shutil
from pathlib import Path
from typing import Final

from cli.doctor.finding import Finding, bad, from_error, good, note
from cli.endpoint import Endpoint
from cli.github.findings import look_at_github
from cli.supervisor import record
from cli.supervisor.preflight import DEMO_SENDER, STATIC, is_free
from shared.claude.process.binary import CliMissing, find_cli
from shared.ops.config import BadConfig, load_config
from shared.ops.disk_use import disk_use, free_bytes, size_in_words
from shared.ops.environment import BASICS, inherited
from shared.ops.senders import SENDERS, secret_setting
from shared.ops.settings import Settings, variable_of
from shared.workspace.git import git

LITTLE_BYTES: Final = 5 * 1024**3
TOO_LITTLE_BYTES: Final = 1024**3
PATIENCE_S: Final = 20.0


async def look_at_machine(settings: Settings, endpoint: Endpoint | None) -> list[Finding]:
    """Everything that can be seen without NATS; ``endpoint`` is None where no system runs."""
    data = settings.data_dir if endpoint is None else endpoint.data
    running = record.read(data)
    demo = settings.demo_model or (running is not None and running.alive and running.demo)
    config_path = settings.config or data / "journeyman.toml"
    found = [
        await _git(),
        await _claude(settings),
        _model(settings, demo=demo),
        *webhook_secrets(settings, data),
    ]
    try:
        config = load_config(config_path)
    except BadConfig as error:
        found.append(from_error("configuration", error))
    else:
        found += await look_at_github(settings, config)
    found += [_disk(data), *await _kept(data), _port(settings, endpoint), _web()]
    return found


async def _git() -> Finding:
    if shutil.which("git") is None:
        return bad("git", "not found", "Install it: `apt-get install git`.")
    return good("git", (await git("--version")).strip().removeprefix("git version "))


async def _claude(settings: Settings) -> Finding:
    try:
        cli = find_cli(settings.claude_cli or None)
    except CliMissing as error:
        return from_error("Claude CLI", error)
    process = await asyncio.create_subprocess_exec(
        str(cli),
        "--version",
        # CLAUDE_CLI may name anything: the doctor's secrets are not for it.
        env=inherited(os.environ, BASICS),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        said, _ = await asyncio.wait_for(process.communicate(), PATIENCE_S)
    except TimeoutError:
        process.kill()
        await process.wait()
        said = b""
    if process.returncode:
        return bad(
            "Claude CLI", f"{cli} does not start", "Run `make install` again, or set CLAUDE_CLI to one that works."
        )
    return good("Claude CLI", f"{said.decode(errors='replace').strip()} at {cli}")


def _model(settings: Settings, *, demo: bool) -> Finding:
    if demo or settings.demo_model:
        return good("model", "the scripted demo model: no key needed")
    if settings.anthropic_api_key.get_secret_value():
        return good(
            "model", f"a key is set{f', for {settings.anthropic_base_url}' if settings.anthropic_base_url else ''}"
        )
    return bad(
        "model",
        "no key: agents cannot run, tasks wait",
        "Set ANTHROPIC_API_KEY in the environment or in .env, or look around with `journeyman up --demo`.",
    )


def webhook_secrets(settings: Settings, data: Path) -> list[Finding]:
    """Whether each sender's webhook has a secret. ``data`` may hold the one that `up --demo` has made."""
    made = {DEMO_SENDER} if (data / "webhook-secret").exists() else set()
    return [
        good("webhooks", f"the {title} webhook has a secret")
        if name in made or settings.webhook_secret(name).get_secret_value()
        else note(
            "webhooks",
            f"no secret: {title}'s webhooks are refused",
            f"Set {variable_of(secret_setting(name))} to the one the sender signs with.",
        )
        for name, title in SENDERS.items()
    ]


def _disk(data: Path) -> Finding:
    free = free_bytes(data)
    detail = f"{size_in_words(free)} free for {data}"
    match free:
        case _ if free < TOO_LITTLE_BYTES:
            return bad("disk", detail, "Make room: the log cannot grow, and agents cannot check repositories out.")
        case _ if free < LITTLE_BYTES:
            return note("disk", detail, "Make room before it runs out.")
        case _:
            return good("disk", detail)


async def _kept(data: Path) -> list[Finding]:
    """What the data directory takes, by kind; nothing where there is none."""
    used = await asyncio.to_thread(disk_use, data)
    words = ", ".join(f"{each.kind} {size_in_words(each.bytes)}" for each in used if each.bytes)
    return [good("disk use", words)] if words else []


def _port(settings: Settings, endpoint: Endpoint | None) -> Finding:
    if endpoint is not None and endpoint.pid:
        return good("dashboard", endpoint.http)
    if settings.http_port == 0 or is_free(settings.http_host, settings.http_port):
        return good("dashboard", f"port {settings.http_port} is free")
    return note(
        "dashboard",
        f"something listens on port {settings.http_port}",
        "If it is not Journeyman's gateway, choose another port: JOURNEYMAN_HTTP_PORT.",
    )


def _web() -> Finding:
    if STATIC.exists():
        return good("web", "the dashboard is built")
    return note("web", "the dashboard is not built; the API works without it", "Run `make web`.")
