"""A NATS server in a container, by testcontainers: the image of compose.yaml over a directory of this machine.

It has this machine's network, so its configuration, its files and its ports are those of the binary, and no proxy of
the engine stands between it and a test (which also makes it start in a third of the time).
"""

from __future__ import annotations

import asyncio
import functools
import os
import re
import signal
import socket
import time
from pathlib import Path
from typing import Final

import docker
import docker.errors
from testcontainers.core.config import testcontainers_config
from testcontainers.core.container import DockerContainer

from shared.nats.server import READY_S, CannotServe, configure, read_ports

IMAGE: Final = re.findall(r"image: (nats:\S+)", (Path(__file__).parents[1] / "compose.yaml").read_text())[0]
PING_S: Final = 60
PULL_S: Final = 120

# Its image cannot be had everywhere; who starts a server here ends it.
testcontainers_config.ryuk_disabled = True


class ContainerServer:
    """One container; what `shared.nats.server.NatsServer` is for a process."""

    def __init__(self, container: DockerContainer, port: int, monitor: int) -> None:
        self._container = container
        self.port = port
        self.monitor = monitor

    @property
    def pid(self) -> int:
        """The server's process as this machine sees it."""
        container = self._container.get_wrapped_container()
        container.reload()
        return int(container.attrs["State"]["Pid"])

    @classmethod
    async def start(cls, directory: Path, *, port: int = 0) -> ContainerServer:
        """Start it over ``directory`` and wait until JetStream answers; raises `CannotServe`."""
        return await asyncio.to_thread(cls._start, directory, port)

    @classmethod
    def _start(cls, directory: Path, port: int) -> ContainerServer:
        config = configure(directory, port=port)
        container = (
            DockerContainer(IMAGE)
            .with_command(["--config", str(config), "--log", str(directory / "nats.log")])
            .with_volume_mapping(directory, str(directory), "rw")
            .with_kwargs(network_mode="host", user=f"{os.getuid()}:{os.getgid()}")
        )
        try:
            container.start()
            return cls(container, *_ports(container, directory))
        except BaseException:
            container.stop()
            raise

    async def stop(self, number: int = signal.SIGTERM) -> None:
        """End it by this signal, and leave nothing of the container."""
        await asyncio.to_thread(self._stop, number)

    def _stop(self, number: int) -> None:
        try:
            container = self._container.get_wrapped_container()
            container.kill(signal=number)
            container.wait()
        except docker.errors.APIError:
            pass  # it has ended already
        finally:
            self._container.stop()


def _ports(container: DockerContainer, directory: Path) -> tuple[int, int]:
    deadline = time.monotonic() + READY_S
    while (ports := read_ports(directory)) is None:
        container.reload()
        if container.status == "exited" or time.monotonic() > deadline:
            raise CannotServe(f"The container with NATS is {container.status} and not ready: {container.get_logs()}")
        time.sleep(0.02)
    return ports


@functools.cache
def why_not() -> str:
    """Why no server can run in a container here; empty when it can. Asks once; may pull the image."""
    try:
        return _why_not()
    except (docker.errors.DockerException, OSError) as error:
        return f"no container engine answers: {error}"


def _why_not() -> str:
    engine = docker.from_env(timeout=PING_S)
    about = engine.info()
    if about["Name"] != socket.gethostname() or any("rootless" in each for each in about["SecurityOptions"] or ()):
        return "the container engine does not share this machine's files and ports"
    try:
        engine.images.get(IMAGE)
    except docker.errors.ImageNotFound:
        try:
            docker.from_env(timeout=PULL_S).images.pull(IMAGE)
        except (docker.errors.DockerException, OSError) as error:
            return f"{IMAGE} is not here and cannot be pulled: {error}"
    return ""
