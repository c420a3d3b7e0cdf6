"""What the supervisor runs: how NATS, the demo model and each service are started, the first time and again."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from cli.supervisor.logs import ChildLog
from cli.supervisor.process import CannotLaunch, ChildProcess, end_with, launch
from shared.contracts.kinds import AGENTS
from shared.nats.login import NO_LOGIN, Login
from shared.nats.server import CannotServe, NatsServer
from shared.ops.environment import ACCOUNT, BASICS, NETWORK, PACKAGE_CLIENTS, TOOL_DIRECTORIES, inherited
from shared.ops.own_home import ROOT_NAMES
from shared.ops.setting_sources import PREFIX

RUNS_AGENTS: Final = frozenset(AGENTS.values())
DEMO_KEY: Final = "demo-model-needs-no-key"
_EDGE_SECRETS: Final = ("SECRET", "TOKEN", "PASSWORD", "PRIVATE_KEY")
_MODEL_KEY: Final = "ANTHROPIC_API_KEY"
KEY_ELSEWHERE: Final = "held-by-the-services-that-run-agents"
"""Stands for the model's key where only its presence matters: the gateway's status says whether agents can run."""
_EVERYWHERE: Final = BASICS | ACCOUNT | NETWORK | {"ANTHROPIC_BASE_URL", "CLAUDE_CLI"}
_FOR_AGENTS: Final = PACKAGE_CLIENTS | TOOL_DIRECTORIES | ROOT_NAMES | {_MODEL_KEY}


class LaunchPlan(msgspec.Struct, kw_only=True):
    """What to run and where. Ports that were asked for as 0 become the real ones at the first start.

    ``nats_elsewhere``: somebody else runs NATS. ``certificate`` is the gateway's own, with which it speaks TLS.
    ``health_ports`` are those of each service that answers /health and /metrics beside its work; 0 picks a free one.
    ``scripted_model``: agents speak with our own model. ``kept`` names repositories in the demo's configuration that
    somebody has added, ``token_variables`` what journeyman.toml names as tokens of git.
    """

    data: Path
    http_host: str
    http_port: int
    certificate: Path | None = None
    nats_port: int = 0
    nats_url: str = ""
    nats_elsewhere: bool = False
    login: Login = NO_LOGIN
    model_port: int = 0
    health_ports: dict[str, int] = {}
    demo: bool = False
    scripted_model: bool = False
    webhook_secret: str = ""
    kept: tuple[str, ...] = ()
    token_variables: frozenset[str] = frozenset()

    @property
    def model_port_file(self) -> Path:
        """Where the scripted model says its port; it is kept, for the agents that outlive a killed `up`."""
        return self.run_dir / "demo-model.port"

    @property
    def run_dir(self) -> Path:
        """Ready files and the record of what runs."""
        return self.data / "run"


class NatsChild:
    """The embedded server in the shape that `Restarts` needs."""

    def __init__(self, server: NatsServer) -> None:
        self._server = server
        self.facts: dict[str, Any] = {"port": server.port, "monitor": server.monitor}

    @property
    def pid(self) -> int:
        return self._server.process.pid

    async def wait(self) -> int:
        return await self._server.process.wait()

    def signal(self, number: int) -> None:
        if self._server.process.returncode is None:
            self._server.process.send_signal(number)


async def launch_nats(plan: LaunchPlan) -> NatsChild:
    """NATS over ``DATA/nats``, on the same port at every start."""
    try:
        server = await NatsServer.start(plan.data / "nats", port=plan.nats_port, before_exec=end_with(os.getpid()))
    except CannotServe as error:
        raise CannotLaunch(str(error)) from error
    plan.nats_port = server.port
    plan.nats_url = server.url
    return NatsChild(server)


async def launch_model(plan: LaunchPlan, log: ChildLog) -> ChildProcess:
    """The scripted model, on the same port at every start, also of the next `up`: agents that run hold its address."""
    ready = plan.model_port_file
    child = await launch(
        "demo-model",
        ["shared.claude.demo.model", "--port", str(plan.model_port), "--port-file", str(ready)],
        _base_environment(),
        log,
        ready_file=ready,
        read_ready=lambda text: {"port": int(text)},
    )
    plan.model_port = int(child.facts["port"])
    return child


async def launch_service(name: str, plan: LaunchPlan, log: ChildLog) -> ChildProcess:
    """One of the five services."""
    ready = plan.run_dir / f"{name}.json"
    child = await launch(
        name, [f"services.{name}"], service_environment(name, plan, ready, os.environ), log, ready_file=ready
    )
    if name == "gateway":
        plan.http_port = _port(child.facts.get("http"), plan.http_port)
    else:
        plan.health_ports[name] = _port(child.facts.get("health"), plan.health_ports.get(name, 0))
    return child


def service_environment(name: str, plan: LaunchPlan, ready: Path, own: Mapping[str, str]) -> dict[str, str]:
    """The environment of one service: its settings, what it needs of ours by name, and what the plan says.

    ``own`` may hold secrets of anything else on this machine: what is not named here is not passed on.
    """
    environment = inherited(own, _EVERYWHERE | (_FOR_AGENTS if name in RUNS_AGENTS else set()))
    environment |= {key: value for key, value in own.items() if key.startswith(PREFIX) and _is_setting_of(name, key)}
    if name == "gateway":
        environment |= {key: own[key] for key in plan.token_variables if key in own}
    if name == "gateway" and any(own.get(key) for key in own if _is_model_key(key)):
        environment[f"{PREFIX}{_MODEL_KEY}"] = KEY_ELSEWHERE
    environment |= {
        "PYTHONUNBUFFERED": "1",
        f"{PREFIX}NATS_URL": plan.nats_url,
        f"{PREFIX}DATA_DIR": str(plan.data),
        f"{PREFIX}HTTP_HOST": plan.http_host,
        f"{PREFIX}HTTP_PORT": str(plan.http_port),
        f"{PREFIX}HEALTH_PORT": str(plan.health_ports.get(name, 0)),
        f"{PREFIX}READY_FILE": str(ready),
    }
    if plan.scripted_model:
        environment |= _of_the_scripted_model(name, plan)
    if plan.demo:
        environment[f"{PREFIX}CONFIG"] = str(plan.data / "journeyman.toml")
    if plan.demo and name == "gateway":
        environment[f"{PREFIX}GITHUB_WEBHOOK_SECRET"] = plan.webhook_secret
    return environment


def _of_the_scripted_model(name: str, plan: LaunchPlan) -> dict[str, str]:
    environment = {f"{PREFIX}DEMO_MODEL": "1"}
    if name in RUNS_AGENTS:
        for prefix in (PREFIX, ""):
            environment |= {
                f"{prefix}ANTHROPIC_BASE_URL": f"http://127.0.0.1:{plan.model_port}",
                f"{prefix}ANTHROPIC_API_KEY": DEMO_KEY,
            }
    return environment


def _base_environment() -> dict[str, str]:
    return {"PATH": os.environ.get("PATH", ""), "LANG": os.environ.get("LANG", "C.UTF-8"), "PYTHONUNBUFFERED": "1"}


def _is_setting_of(service: str, name: str) -> bool:
    """Webhook secrets and forge credentials belong to the gateway alone, the model's key to what runs agents.

    All of them log in to NATS.
    """
    if name.startswith(f"{PREFIX}NATS_"):
        return True
    if _is_model_key(name):
        return service in RUNS_AGENTS
    return service == "gateway" or not any(word in name for word in _EDGE_SECRETS)


def _is_model_key(name: str) -> bool:
    return name.removeprefix(PREFIX).removesuffix("_FILE") == _MODEL_KEY


def _port(answered: Any, asked: int) -> int:
    """A port out of a ready file, which holds the address or the port."""
    match answered:
        case int():
            return answered
        case str():
            return int(answered.rstrip("/").rpartition(":")[2])
        case _:
            return asked
