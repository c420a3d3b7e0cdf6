"""Answering ``qry.gateway.…``: a queue group, so that several gateways share the questions."""

from __future__ import annotations

import asyncio
from typing import Final, TypeVar

import msgspec
import structlog

from services.gateway.git.repository_access import RepositoryAccess
from services.gateway.git.transfers import Busy, Transfers
from services.gateway.outbound.standing import Standing, StandingLost
from shared.contracts.git_queries import (
    FETCH,
    LOOK,
    PART,
    STANDING,
    AskStanding,
    FetchRepo,
    GitRefusal,
    LookAtRepo,
    Problem,
    ReadPart,
    StandingAnswer,
)
from shared.nats.bus import Bus, Message, Subscription
from shared.nats.errors import NatsError
from shared.ops.config import BadConfig
from shared.workspace.git import GitFailed

GROUP: Final = "gateway"
TIDY_S: Final = 15.0
DRAIN_S: Final = 5.0

Q = TypeVar("Q", bound=msgspec.Struct)

log = structlog.get_logger(__name__)


class GitServer:
    """Looks at every remote repository when it starts, then answers until it is drained; ``instance`` names it."""

    def __init__(
        self, bus: Bus, access: RepositoryAccess, transfers: Transfers, instance: str, *, standing: Standing
    ) -> None:
        self._bus = bus
        self._standing = standing
        self._access = access
        self._transfers = transfers
        self._instance = instance
        self._asked: set[asyncio.Task[None]] = set()
        self._leaving = asyncio.Event()

    async def run(self) -> None:
        """Take questions until `drain`."""
        own = f"{FETCH}.{self._instance}", f"{PART}.{self._instance}"
        subscriptions = [
            await self._bus.nc.subscribe(subject, queue=GROUP, cb=self._take) for subject in (LOOK, FETCH, STANDING)
        ]
        subscriptions += [await self._bus.nc.subscribe(subject, cb=self._take) for subject in own]
        looking = asyncio.create_task(self._say_what_is_refused())
        try:
            while not self._leaving.is_set():
                try:
                    await asyncio.wait_for(self._leaving.wait(), TIDY_S)
                except TimeoutError:
                    self._transfers.tidy()
        finally:
            looking.cancel()
            await asyncio.gather(looking, return_exceptions=True)  # it ends its git first
            await self._leave(subscriptions)

    def drain(self) -> None:
        """Take no more questions, and finish what was asked."""
        self._leaving.set()

    async def _say_what_is_refused(self) -> None:
        for name, problem in (await self._access.look_at_all()).items():
            log.error("a repository cannot be worked on; its tasks are refused", repo=name, problem=problem)

    async def _leave(self, subscriptions: list[Subscription]) -> None:
        await asyncio.gather(*(self._bus.leave(each) for each in subscriptions))
        if self._asked:
            await asyncio.wait(self._asked, timeout=DRAIN_S)
        await self._transfers.close()

    async def _take(self, message: Message) -> None:
        if not message.reply:
            return
        if len(self._asked) >= self._bus.limits.max_questions:
            await self._respond(message, _refusal("busy", "Too many questions at once: try again in a moment."))
            return
        task = asyncio.create_task(self._handle(message))
        self._asked.add(task)
        task.add_done_callback(self._asked.discard)

    async def _handle(self, message: Message) -> None:
        try:
            answer = await self._answer(message.subject, message.data)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            answer = _refusal("bad-parameter", f"{message.subject} does not take these parameters: {error}.")
        except (GitFailed, BadConfig) as error:
            answer = _refusal("git-failed", str(error))
        except Busy:
            answer = _refusal("busy", "Too many repositories are being fetched: try again in a moment.")
        except Exception as error:
            log.exception("a question about a repository failed", subject=message.subject)
            answer = _refusal("internal", f"The gateway could not answer ({type(error).__name__}): see its log.")
        await self._respond(message, answer)

    async def _answer(self, subject: str, body: bytes) -> bytes:
        if subject == STANDING:
            return msgspec.json.encode(await self._who_may(_read(AskStanding, body)))
        if subject == LOOK:
            look = _read(LookAtRepo, body)
            return msgspec.json.encode(await self._access.look(look.repo, anew=look.anew))
        if subject.startswith(PART):
            asked = _read(ReadPart, body)
            return await self._transfers.part(asked.transfer, asked.offset)
        return msgspec.json.encode(await self._transfers.fetch(_read(FetchRepo, body)))

    async def _who_may(self, asked: AskStanding) -> StandingAnswer:
        try:
            await self._standing.check(asked.task_id, asked.repo)
        except StandingLost as lost:
            return StandingAnswer(problem=str(lost))
        return StandingAnswer()

    async def _respond(self, message: Message, answer: bytes) -> None:
        try:
            await message.respond(answer)
        except NatsError as error:
            log.warning("an answer could not be sent", subject=message.subject, error=str(error))


def _read(cls: type[Q], body: bytes) -> Q:
    return msgspec.json.decode(body, type=cls)


def _refusal(code: str, sentence: str) -> bytes:
    return msgspec.json.encode(GitRefusal(Problem(code, sentence)))
