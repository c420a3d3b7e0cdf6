"""What the credentials of senders besides GitHub let us do: of those that somebody has configured."""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple

from pydantic import SecretStr

from cli.doctor.finding import Finding, bad, from_error, note
from services.gateway.outbound.channels.rest import Rest
from services.gateway.outbound.displays import CannotShow, NotNow
from shared.ops.config import Config, SenderPolicy
from shared.ops.senders import SENDERS
from shared.ops.settings import Settings, variable_of

PATIENCE_S: Final = 20.0


class Credentials(NamedTuple):
    """How one sender's credentials are looked at: ``CREDENTIALS`` of the module here that is called after the sender.

    ``needs`` are the settings that they are made of, the token last. ``wants`` has the keys under ``[senders.…]`` that
    come to nothing without them. ``ask`` says what the sender says to them; it raises `CannotShow` and `NotNow`.
    """

    needs: tuple[str, ...]
    rest_of: Callable[[Settings], Rest | None]
    wants: Callable[[SenderPolicy], list[str]]
    ask: Callable[[Rest, Settings, Config], Awaitable[list[Finding]]]


async def look_at_senders(settings: Settings, config: Config) -> list[Finding]:
    """All of them at one time."""
    here = __name__.rpartition(".")[0]
    names = [name for name in SENDERS if importlib.util.find_spec(f"{here}.{name}") is not None]
    parts = [(name, importlib.import_module(f"{here}.{name}").CREDENTIALS) for name in names]
    found = await asyncio.gather(*(_look(name, each, settings, config) for name, each in parts))
    return [finding for each in found for finding in each]


async def _look(name: str, credentials: Credentials, settings: Settings, config: Config) -> list[Finding]:
    title = SENDERS[name]
    try:
        rest = credentials.rest_of(settings)
    except ValueError as error:
        return [from_error(title, error)]
    if rest is None:
        return _without(name, title, credentials, settings, config)
    mend = "See whether this machine reaches it, and whether its address is right."
    try:
        async with asyncio.timeout(PATIENCE_S):
            return await credentials.ask(rest, settings, config)
    except CannotShow as error:
        return [bad(title, error.sentence, f"Renew {variable_of(credentials.needs[-1])}, or give it that right.")]
    except NotNow as error:
        return [bad(title, str(error), mend)]
    except TimeoutError:
        return [bad(title, f"{title} does not answer within {PATIENCE_S:.0f} s", mend)]
    finally:
        await rest.close()


def _without(name: str, title: str, credentials: Credentials, settings: Settings, config: Config) -> list[Finding]:
    """What somebody who has begun to configure it should know; nothing where nobody has."""
    missing = [variable_of(each) for each in credentials.needs if not _is_set(getattr(settings, each))]
    mend = f"Set {' and '.join(missing)}."
    if len(missing) < len(credentials.needs):
        return [bad(title, "its credentials are there by half", mend)]
    if wanted := credentials.wants(config.sender(name)):
        keys = ", ".join(wanted)
        return [bad(title, f"[senders.{name}] has {keys}, which come to nothing without credentials", mend)]
    if _is_set(settings.webhook_secret(name)) or any(repo.sources.get(name) for repo in config.repos.values()):
        return [note(title, "no credentials: nobody is answered there, and missed events are not asked for", mend)]
    return []


def _is_set(value: SecretStr | str) -> bool:
    return bool(value.get_secret_value() if isinstance(value, SecretStr) else value)
