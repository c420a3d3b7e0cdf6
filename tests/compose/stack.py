"""One `docker compose` project of this checkout, under a name and on a port of its own."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import httpx

from testing.nats import free_port

ROOT = Path(__file__).resolve().parents[2]
SERVICES = ("brain", "planner", "executor", "gateway", "projector")
DEMO_REPOSITORY = "journeyman/demo"
T = TypeVar("T")


@dataclass(frozen=True)
class Container:
    """One container as `docker compose ps` tells it; `health` is "" where the service declares no check."""

    id: str
    service: str
    state: str
    health: str
    exit_code: int


class CommandFailed(AssertionError):
    """A command of the engine failed; the message is the command and the end of what it said."""


def run(*command: str, environment: Mapping[str, str], timeout: float = 120) -> str:
    """Standard output of `command`, run in the checkout. Raises CommandFailed when it exits with anything but 0."""
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=timeout)
    if done.returncode != 0:
        said = (done.stdout + done.stderr).strip()
        raise CommandFailed(f"{' '.join(command)} exited with {done.returncode}:\n{said[-4000:]}")
    return done.stdout


def eventually(look: Callable[[], T | None], *, within: float, what: str) -> T:
    """The first result of `look` that is true, asked twice a second; AssertionError naming `what` after `within` s."""
    deadline = time.monotonic() + within
    while True:
        if found := look():
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within:g} s: {what}")
        time.sleep(0.5)


@dataclass
class Stack:
    environment: Mapping[str, str]
    port: int
    volumes: set[str] = field(default_factory=set)

    @property
    def name(self) -> str:
        return self.environment["COMPOSE_PROJECT_NAME"]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def compose(self, *arguments: str, timeout: float = 120) -> str:
        return run("docker", "compose", *arguments, environment=self.environment, timeout=timeout)

    def up(self, **replicas: int) -> None:
        """Starts everything; returns when the services are healthy and the demonstration has begun."""
        scale = [f"--scale={service}={number}" for service, number in replicas.items()]
        self.compose("up", "--detach", "--no-build", *scale, timeout=300)

    def rescale(self, **replicas: int) -> None:
        """Changes the number of replicas and touches nothing else (`up` would start the one-shot containers again)."""
        self._remember_volumes()
        self.compose("scale", "--no-deps", *(f"{service}={number}" for service, number in replicas.items()))

    def containers(self, service: str | None = None) -> list[Container]:
        lines = self.compose("ps", "--all", "--format", "json").splitlines()
        found = [
            Container(c["ID"], c["Service"], c["State"], c["Health"], c["ExitCode"]) for c in map(json.loads, lines)
        ]
        return [container for container in found if service in (None, container.service)]

    def execute(self, container: Container, *command: str) -> str:
        return run("docker", "exec", container.id, *command, environment=self.environment)

    def kill(self, container: Container) -> None:
        """Without warning, and it stays down until it is scaled up again."""
        run("docker", "kill", container.id, environment=self.environment)

    def journeyman(self, *arguments: str) -> str:
        """What the CLI says inside the gateway's container, which reaches NATS as the services do."""
        return self.compose("exec", "--no-TTY", "gateway", "journeyman", *arguments)

    def events(self, kind: str) -> list[dict[str, Any]]:
        """All events of one kind of actor so far, oldest first, as the CloudEvents that the log holds."""
        lines = self.journeyman("events", "--kind", kind, "--json").splitlines()
        return [json.loads(line)["event"] for line in lines]

    @cached_property
    def bearer(self) -> dict[str, str]:
        """What lets a program in at the gateway."""
        return {"Authorization": f"Bearer {self.journeyman('token', 'create', 'test').strip()}"}

    def submit(self, text: str) -> str:
        """The id of a new task for the demonstration repository, once the read models have it."""
        answer = httpx.post(
            f"{self.url}/api/tasks", json={"text": text, "repo": DEMO_REPOSITORY}, timeout=30, headers=self.bearer
        )
        answer.raise_for_status()
        submitted = answer.json()
        self.task(submitted["id"], min_seq=submitted["seq"] or 0)
        return str(submitted["id"])

    def task(self, task_id: str, *, min_seq: int = 0) -> dict[str, Any]:
        """The task as the read models have it, once they have the log up to `min_seq`."""

        def look() -> dict[str, Any] | None:
            with contextlib.suppress(httpx.TransportError):
                answer = httpx.get(
                    f"{self.url}/api/tasks/{task_id}", params={"min_seq": min_seq}, timeout=30, headers=self.bearer
                )
                # On a machine that stands still for seconds the gateway says: come again.
                if answer.status_code not in (404, 503):
                    task: dict[str, Any] = answer.raise_for_status().json()["task"]
                    return task
            return None

        return eventually(look, within=90, what=f"task {task_id} is shown")

    def down(self) -> None:
        """Removes all that `up` made. Compose leaves the unnamed volumes of scaled-down containers: those too."""
        self._remember_volumes()
        self.compose("down", "--volumes", "--timeout", "5", timeout=300)
        left = self.volumes & set(run("docker", "volume", "ls", "--quiet", environment=self.environment).split())
        if left:
            run("docker", "volume", "rm", *sorted(left), environment=self.environment)

    def _remember_volumes(self) -> None:
        if ids := self.compose("ps", "--all", "--quiet").split():
            named = run(
                "docker",
                "inspect",
                "--format",
                "{{range .Mounts}}{{.Name}} {{end}}",
                *ids,
                environment=self.environment,
            )
            self.volumes.update(named.split())


@contextlib.contextmanager
def project(engine: Mapping[str, str], image: str) -> Iterator[Stack]:
    """The demonstration of compose.yaml + compose.demo.yaml, not started yet; everything of it is gone afterwards."""
    port = free_port()
    # Nothing of the developer's own settings may leak into the project under test.
    clean = {name: value for name, value in engine.items() if not name.startswith(("JOURNEYMAN_", "COMPOSE_"))}
    stack = Stack(
        environment={
            **clean,
            "COMPOSE_PROJECT_NAME": f"journeyman-{uuid.uuid4().hex[:8]}",
            "COMPOSE_FILE": f"compose.yaml{os.pathsep}compose.demo.yaml",
            "COMPOSE_DISABLE_ENV_FILE": "1",
            "JOURNEYMAN_IMAGE": image,
            "JOURNEYMAN_HTTP_PORT": str(port),
            "JOURNEYMAN_MAX_CONCURRENT_RUNS": "2",
        },
        port=port,
    )
    try:
        yield stack
    finally:
        stack.down()
