"""The first admin: whoever runs the gateway. Without an admin nobody could let anybody in."""

from __future__ import annotations

import asyncio
from typing import Final

import structlog

from shared.contracts import user
from shared.contracts.decider import Rejected
from shared.contracts.ids import derived_id
from shared.contracts.subjects import Actor
from shared.contracts.user import Role
from shared.runtime.acknowledge import TRANSIENT
from shared.runtime.client import Client, CommandResult, NoAnswer
from shared.runtime.people import People
from shared.runtime.watcher import until_draining

TRY_AGAIN_S: Final = 5.0
SERVICE: Final = "service:gateway"

log = structlog.get_logger(__name__)


class FirstAdmin:
    """Sees to it, at each start of the gateway, that this person is known, and that there is an admin at all."""

    def __init__(self, client: Client, people: People, name: str) -> None:
        self._client = client
        self._people = people
        self._name = name
        self._draining = asyncio.Event()

    async def run(self) -> None:
        """Until it is so, then wait for `drain`. The brain decides, and may come later than the gateway."""
        # A command that nobody has answered yet is in the brain's mailbox, and is not waited for.
        await until_draining(self._draining, self._until_it_is_so())
        await self._draining.wait()

    def drain(self) -> None:
        """Leave."""
        self._draining.set()

    async def _until_it_is_so(self) -> None:
        while True:
            try:
                return await self._see_to_it()
            except (NoAnswer, *TRANSIENT, Rejected) as error:
                log.info("nobody can be let in yet", problem=str(error) or type(error).__name__)
                await asyncio.sleep(TRY_AGAIN_S)

    async def _see_to_it(self) -> None:
        invite = user.Invite(role=Role.ADMIN)
        try:
            # One id for all tries and all gateways: the same command waits in the brain's mailbox once.
            told = await self._tell(invite, id=derived_id("first-admin", self._name))
            await self._people.heard(told.position)
        except Rejected as refused:
            if refused.code != "user-exists":
                raise
            for _ in range(100):
                if self._people.find(self._name).invited:
                    break
                await asyncio.sleep(0.05)
        if any(each.enabled and each.role is Role.ADMIN for each in self._people.all().values()):
            return
        log.warning("there was no admin any more", made=self._name)
        await self._tell(user.ChangeRole(role=Role.ADMIN))
        await self._tell(user.Enable())

    async def _tell(self, command: user.UserCommand, id: str | None = None) -> CommandResult:
        return await self._client.send(Actor("user", self._name), command, principal=SERVICE, id=id)
