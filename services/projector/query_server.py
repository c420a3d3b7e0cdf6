"""Answering questions on ``qry.<name>``: a queue group, so that several projectors share them."""

from __future__ import annotations

import asyncio
import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import duckdb
import msgspec
import structlog

from services.projector import metrics
from services.projector.database import is_corruption
from services.projector.projector import Projector
from services.projector.queries import ANSWERS, QUERIES
from services.projector.queries.params import Connection, Place, Refused, read_question
from services.projector.read_model_db import ReadModelDb
from services.projector.rebuild import Pace
from services.projector.writer import read_checkpoint
from shared.contracts.queries import GetRebuild, Query, Rebuild, RebuildProgress
from shared.nats.bus import Bus, Message, Subscription
from shared.nats.errors import NatsError

GROUP: Final = "projector"
READERS: Final = 4
LARGEST: Final = 1 << 20
DRAIN_S: Final = 5.0

log = structlog.get_logger(__name__)


class QueryServer:
    """Takes questions while started. At most ``max_questions`` at once; more are refused as ``busy``."""

    def __init__(self, bus: Bus, projector: Projector, folder: Path, machine_id: str) -> None:
        self._bus = bus
        self._projector = projector
        self._instance = hashlib.sha256(f"{machine_id}:{folder.resolve()}".encode()).hexdigest()[:12]
        self._threads = ThreadPoolExecutor(READERS, thread_name_prefix="reader")
        self._subscriptions: list[Subscription] = []
        self._asked: set[asyncio.Task[None]] = set()
        self._rebuilds = 0

    async def start(self) -> None:
        """Join the queue group: call it when the read models have caught up."""
        for subject in ("qry.*", "qry.*.*"):
            self._subscriptions.append(await self._bus.nc.subscribe(subject, queue=GROUP, cb=self._take))
        own = f"qry.project.status.{self._instance}"
        self._subscriptions.append(await self._bus.nc.subscribe(own, cb=self._take))

    async def stop(self) -> None:
        """Leave the group and finish what was asked."""
        await asyncio.gather(*(self._bus.leave(subscription) for subscription in self._subscriptions))
        if self._asked:
            await asyncio.wait(self._asked, timeout=DRAIN_S)
        self._threads.shutdown(wait=False)

    async def _take(self, message: Message) -> None:
        if not message.reply:
            return
        if len(self._asked) >= self._bus.limits.max_questions:
            await self._respond(message, refusal("busy", "Too many questions at once: try again in a moment."))
            return
        task = asyncio.create_task(self._handle(message))
        self._asked.add(task)
        task.add_done_callback(self._asked.discard)

    async def _handle(self, message: Message) -> None:
        name = message.subject.removeprefix("qry.")
        try:
            answer = await self._answer(name, message.data)
            if len(answer) > LARGEST:
                raise Refused("too-large", "The answer is larger than a message can be: ask for less at once.")
        except Refused as refused:
            answer = refusal(refused.code, str(refused))
        except duckdb.Error as error:
            log.error("a question failed", query=name, error=str(error))
            if is_corruption(error):
                self._projector.broken(error)
            answer = refusal("views-failed", "The read models could not be read: see the projector's log.")
        except Exception as error:
            log.exception("a question failed", query=name)
            answer = refusal("internal", f"The projector could not answer: {type(error).__name__}.")
        await self._respond(message, answer)

    async def _answer(self, name: str, body: bytes) -> bytes:
        match name.split("."):
            case ["project", "rebuild"]:
                return await self._begin_rebuild(body)
            case ["project", "status", *_]:
                return await self._rebuild_status(body)
            case _ if name in QUERIES:
                with metrics.QUERIES.labels(name).time():
                    return await self._read(QUERIES[name], body)
            case _:
                raise Refused("unknown-query", f"There is no query {name!r}; there are: {', '.join(QUERIES)}.")

    async def _read(self, query: type[Query[Any]], body: bytes) -> bytes:
        asked = read_question(query, body)
        views = await self._projector.at_least(asked.min_seq)
        return await read(views, self._threads, asked)

    async def _begin_rebuild(self, body: bytes) -> bytes:
        read_question(Rebuild, body)
        if self._projector.pace is None or self._projector.pace.progress().state != "running":
            self._rebuilds += 1
        return self._progress(await self._projector.rebuild())

    async def _rebuild_status(self, body: bytes) -> bytes:
        asked = read_question(GetRebuild, body)
        instance = asked.token.partition(".")[0]
        if instance and instance != self._instance:
            return await self._other_instance(instance, body)
        pace = self._projector.pace
        if pace is None or (asked.token and asked.token != self._token()):
            raise Refused("rebuild-unknown", "This projector knows of no such rebuild: it may have restarted since.")
        return self._progress(pace)

    def _progress(self, pace: Pace) -> bytes:
        return msgspec.json.encode(RebuildProgress(token=self._token(), **msgspec.structs.asdict(pace.progress())))

    async def _other_instance(self, instance: str, body: bytes) -> bytes:
        if not instance.isalnum():
            raise Refused("bad-parameter", "That is no token of a rebuild.")
        try:
            return (await self._bus.request(f"qry.project.status.{instance}", body, timeout=2.0)).data
        except (TimeoutError, NatsError) as error:
            raise Refused("rebuild-unknown", "The projector that was rebuilding is gone.") from error

    def _token(self) -> str:
        return f"{self._instance}.{self._rebuilds}"

    async def _respond(self, message: Message, answer: bytes) -> None:
        try:
            await message.respond(answer)
        except NatsError as error:
            log.warning("an answer could not be sent", subject=message.subject, error=str(error))


async def read(views: ReadModelDb, threads: ThreadPoolExecutor, asked: Query[Any]) -> bytes:
    """The answer to one of `QUERIES` as of the views' checkpoint, read in one of the threads."""

    def ask(connection: Connection) -> bytes:
        place = Place(read_checkpoint(connection).seq, views.behind)
        return msgspec.json.encode(ANSWERS[type(asked)](connection, asked, place))

    return await views.read(threads, ask)


def refusal(code: str, sentence: str) -> bytes:
    """The answer to a question that gets none."""
    metrics.REFUSED.labels(code).inc()
    return msgspec.json.encode({"error": {"code": code, "detail": sentence}})
