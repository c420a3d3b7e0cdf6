"""The NATS to restore into: one that nobody works with, started for the purpose where it is the embedded one."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from cli import contexts
from cli.connection import connect
from cli.doctor.system import who_is_there
from cli.endpoint import login_for
from cli.failures import Failure
from cli.supervisor import record
from cli.supervisor.supervisor import limits_for
from cli.systems import Choice, chosen
from shared.nats.bus import Bus
from shared.nats.login import NO_LOGIN, Login
from shared.nats.server import NatsServer
from shared.nats.streams import provision, stream_limits_of
from shared.ops import logs
from shared.ops.addresses import NATS_ADDRESS, nats_problem
from shared.ops.private import private_directory
from shared.ops.settings import Settings, load_settings


@contextlib.asynccontextmanager
async def quiet_log() -> AsyncIterator[Bus]:
    """A connection to the NATS that the command or a setting names, else to a server over the data directory's log.

    The streams are made where they are missing. Raises `Failure` when services work with it, or `up` runs there.
    """
    logs.configure("cli", level="error", format="console")
    settings, url, login = _place()
    if url:
        bus = await connect(url, name="journeyman-cli", login=login, limits=settings)
        try:
            there = await who_is_there(bus)
            if there:
                raise Failure(f"Services work with this NATS ({', '.join(sorted(there))}): stop them first.")
            await provision(bus, stream_limits_of(settings))
            yield bus
        finally:
            await bus.close()
        return
    private_directory(settings.data_dir)
    # Nobody starts `up` on the folder meanwhile.
    with record.only_one(settings.data_dir):
        server = await NatsServer.start(settings.data_dir / "nats")
        try:
            bus = await connect(server.url, name="journeyman-cli", patience_s=10.0, limits=settings)
            try:
                await provision(bus, limits_for(settings.data_dir))
                yield bus
            finally:
                await bus.close()
        finally:
            await server.stop()


def _place() -> tuple[Settings, str, Login]:
    """The settings, and the address of the NATS with its login; no address for the embedded one of the data directory.

    Raises `Failure`.
    """
    choice, login = chosen(), NO_LOGIN
    if choice.context:
        named = contexts.read()[choice.context]
        choice, login = Choice(data=Path(named.data)) if named.data else Choice(url=named.url), named.login
    settings = load_settings() if choice.data is None else load_settings(data_dir=choice.data)
    url = choice.url or (settings.url if choice.data is None else "")
    if url and (problem := nats_problem(url)):
        raise Failure(f"The address {problem}; a restore needs that of NATS: {NATS_ADDRESS}.")
    url = url or (settings.nats_url if "nats_url" in settings.model_fields_set else "")
    return settings, url, login_for(settings, url) if login == NO_LOGIN else login
