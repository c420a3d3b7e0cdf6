"""What is checked before anything is started: a wrong thing is one line with its mend, and nothing has happened yet."""

from __future__ import annotations

import secrets
import shutil
import socket
from pathlib import Path
from typing import Final

import msgspec

from cli.failures import Failure
from cli.supervisor.children import LaunchPlan
from cli.supervisor.names import HEALTH_OFFSETS
from shared.claude.demo.repo import create_demo_repository
from shared.claude.process.binary import find_cli
from shared.nats.login import login_of
from shared.ops.config import load_config
from shared.ops.private import private_file
from shared.ops.senders import DEMO_SECRET_FILE
from shared.ops.settings import Settings, load_settings

DEMO_REPO: Final = "journeyman/demo"
DEMO_SENDER: Final = "github"
"""Whose webhook the demonstration sends."""
NATS_PORT: Final = 4222
MAX_PORT: Final = 65535
STATIC: Final = Path(__file__).resolve().parents[2] / "services" / "gateway" / "static" / "index.html"
_MARK: Final = "# Written by `journeyman up --demo`."


class UpOptions(msgspec.Struct, frozen=True, kw_only=True):
    """The options of `up`."""

    demo: bool = False
    once: bool = False
    port: int | None = None
    data: Path | None = None
    nats_url: str = ""
    logs: bool = False


def _own_settings(options: UpOptions) -> Settings:
    """The settings without what the options say, but for the place, beside which there may be some."""
    return load_settings() if options.data is None else load_settings(data_dir=options.data)


def settings_for(options: UpOptions) -> Settings:
    """The settings with the options laid over them; raises `BadSettings`."""
    base = _own_settings(options)
    if options.demo:
        data = base.data_dir if options.data else base.data_dir / "demo"
        # Neither another system's log nor its configuration is any business of a demonstration.
        nats = options.nats_url or Settings.model_fields["nats_url"].default
        config: Path | None = data / "journeyman.toml"
    else:
        data, nats, config = base.data_dir, options.nats_url or base.nats_url, base.config
    return load_settings(
        data_dir=data, nats_url=nats, config=config, http_port=base.http_port if options.port is None else options.port
    )


def plan_for(options: UpOptions, settings: Settings) -> LaunchPlan:
    """Check what can be checked, and say what to run; raises what `cli.failures.explain` knows. Needs the lock."""
    find_cli(settings.claude_cli or None)
    if shutil.which("git") is None:
        raise Failure("git is missing: install it (`apt-get install git`).")
    _port_is_free(settings.http_host, settings.http_port)
    plan = LaunchPlan(
        data=settings.data_dir,
        http_host=settings.http_host,
        http_port=settings.http_port,
        certificate=settings.tls_cert.resolve() if settings.tls_cert else None,
        demo=options.demo,
        # Who names an address has a scripted model of their own there.
        scripted_model=options.demo or (settings.demo_model and not settings.anthropic_base_url),
        health_ports=_health_ports(options, settings),
    )
    if options.demo:
        _prepare_demo(plan, settings)
    if plan.scripted_model:
        plan.model_port = _port_of_before(plan.model_port_file)
    plan.token_variables = load_config(settings.config_path).token_variables
    if options.nats_url or (not options.demo and "nats_url" in _own_settings(options).model_fields_set):
        plan.nats_elsewhere = True
        plan.nats_url, plan.login = settings.nats_url, login_of(settings)
    elif options.port != 0 and is_free("127.0.0.1", NATS_PORT):
        plan.nats_port = NATS_PORT  # the plain `nats` CLI finds it without options
    return plan


def missing_repositories(config: Path) -> list[tuple[str, str]]:
    """The repositories that the configuration says are on this machine and are not, by name and path."""
    repos = load_config(config).repos
    return [(name, str(repo.path)) for name, repo in repos.items() if repo.path and not repo.path.exists()]


def _health_ports(options: UpOptions, settings: Settings) -> dict[str, int]:
    """Fixed ports, so that Prometheus finds them; free ones for another system on this machine that nobody has told
    where to be. Raises `Failure` for one that was asked for and is taken.
    """
    asked = "health_port" in settings.model_fields_set
    if settings.health_port == 0 or (options.port == 0 and not asked):
        return dict.fromkeys(HEALTH_OFFSETS, 0)
    ports = {name: settings.health_port + offset for name, offset in HEALTH_OFFSETS.items()}
    taken = [port for port in ports.values() if port > MAX_PORT or not is_free(settings.health_host, port)]
    if taken and asked:
        raise Failure(
            f"JOURNEYMAN_HEALTH_PORT={settings.health_port} has `up` use the ports {settings.health_port} to "
            f"{max(ports.values())} on {settings.health_host}, and {taken[0]} is taken: choose another one, or 0 for "
            "free ones."
        )
    return dict.fromkeys(HEALTH_OFFSETS, 0) if taken else ports


def demo_repository(data: Path) -> Path:
    """Where `up --demo` makes the repository."""
    return data / "demo-repository"


def _prepare_demo(plan: LaunchPlan, settings: Settings) -> None:
    """The repository, the configuration that names it, and the webhook's secret; each is made once."""
    repository = demo_repository(plan.data)
    plan.kept = _configure_demo(plan.data / "journeyman.toml", repository)
    if not repository.exists():
        create_demo_repository(repository)
    configured = settings.webhook_secret(DEMO_SENDER).get_secret_value().strip()
    secret = plan.data / DEMO_SECRET_FILE
    made = secret.read_text().strip() if secret.exists() else ""
    if not configured and not made:
        made = secrets.token_hex(32)
    if made:
        private_file(secret, made)  # also one that is not used now: it may have been open to others
    plan.webhook_secret = configured or made


def _configure_demo(config: Path, repository: Path) -> tuple[str, ...]:
    """Have the configuration name the demo's repository; returns the others in it, which stay as they are.

    Raises `BadConfig`; `Failure` for a file that has nothing to do with a demo.
    """
    text = config.read_text(errors="replace") if config.exists() else f"{_MARK}\n"
    repos = load_config(config).repos
    if not text.startswith(_MARK) and DEMO_REPO not in repos:
        raise Failure(f"{config} was not written by the demo: choose another place for the demo with --data.")
    if DEMO_REPO not in repos:
        end = "" if text.endswith("\n") else "\n"
        config.write_text(f'{text}{end}[repos."{DEMO_REPO}"]\npath = "{repository.name}"\nbase = "main"\n')
    return tuple(name for name in repos if name != DEMO_REPO)


def _port_of_before(file: Path) -> int:
    """The port that stands in a file, where it is free; else 0, any one."""
    try:
        port = int(file.read_text())
    except (OSError, ValueError):
        return 0
    return port if 0 < port <= MAX_PORT and is_free("127.0.0.1", port) else 0


def _port_is_free(host: str, port: int) -> None:
    try:
        socket.getaddrinfo(host, port)
    except socket.gaierror as error:
        raise Failure(
            f"{host} is no address of this machine ({error.strerror}): set JOURNEYMAN_HTTP_HOST to one that is."
        ) from error
    if port and not is_free(host, port):
        raise Failure(
            f"Port {port} on {host} is taken: stop what listens there, or choose another one with --port "
            "or JOURNEYMAN_HTTP_PORT (0 picks a free one)."
        )


def is_free(host: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True
