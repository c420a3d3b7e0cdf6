"""Remote repositories for services that hold no credentials: the gateway looks at them and gives their objects.

A local repository is a directory, which each service reads itself.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from pathlib import Path
from typing import Final, TypeVar

import msgspec
import structlog

from shared.contracts.git_queries import (
    FETCH,
    LOOK,
    MAX_HAVE,
    PART,
    STANDING,
    AskStanding,
    Fetched,
    FetchRepo,
    FetchState,
    GitRefusal,
    LookAtRepo,
    ReadPart,
    RepoLook,
    StandingAnswer,
)
from shared.nats.bus import Bus
from shared.nats.errors import NatsError
from shared.ops.config import Repo
from shared.ops.temp_dirs import temp_dir
from shared.workspace.bundle import has_commit
from shared.workspace.git import GitFailed
from shared.workspace.mirror import Mirror, Supply, is_remote
from shared.workspace.remote import commit_at

LOOK_S: Final = 45.0
"""How long the gateway may take to look at a repository: it asks the server twice."""
LOCAL_LOOK_S: Final = 2.0
STANDING_S: Final = 10.0
"""How long the gateway may take to say who may: it asks the forge at most once."""
FETCH_S: Final = 15.0
"""How long it may take to say how far it is."""
PART_S: Final = 10.0
AWAY_S: Final = 60.0
"""How long nobody may answer before the work fails: a gateway that is started again is back sooner."""
AGAIN_S: Final = 0.5
FOLDER: Final = "fetched"
"""Where, beside the mirrors, a file is while it comes."""

_BUSY: Final = b'{"error":{"code":"busy"'

A = TypeVar("A", bound=msgspec.Struct)

log = structlog.get_logger(__name__)


class RepositoryRefused(GitFailed):
    """Work on this repository must not begin, because it could not be read or could not be published."""


class GatewayGit:
    """The gateway's word and its objects, over NATS."""

    def __init__(self, bus: Bus, *, away_s: float = AWAY_S) -> None:
        self._bus = bus
        self._away_s = away_s

    async def start_of_work(self, name: str, repo: Repo) -> str:
        """The commit that work on a repository starts from.

        Raises `RepositoryRefused` before anything is paid for, and `GitFailed` when the gateway says nothing. About a
        local repository it is asked only whether it can write there; where it is away, the push will tell.
        """
        if not is_remote(repo.target):
            commit = await commit_at(repo.target, repo.base or None)
            try:
                reply = await self._bus.request(LOOK, msgspec.json.encode(LookAtRepo(repo=name)), timeout=LOCAL_LOOK_S)
            except (TimeoutError, NatsError):
                log.info("the gateway was not there to say whether it can write", repo=name)
                return commit
            look = read_answer(reply.data, RepoLook)
        else:
            look = read_answer(await self._ask(LOOK, LookAtRepo(repo=name), LOOK_S), RepoLook)
            commit = look.commit
        if look.problem:
            raise RepositoryRefused(look.problem)
        return commit

    async def lost_standing(self, name: str, task_id: str) -> str:
        """Why a task's work must not be done now, or an empty text: whoever wanted it may not ask for it any more.

        Where the gateway says nothing, the work is done: before it is published, the gateway asks by itself.
        """
        asked = msgspec.json.encode(AskStanding(repo=name, task_id=task_id))
        try:
            reply = await self._bus.request(STANDING, asked, timeout=STANDING_S)
            return read_answer(reply.data, StandingAnswer).problem
        except (TimeoutError, NatsError, GitFailed) as error:
            log.info("the gateway did not say who may", repo=name, reason=str(error) or type(error).__name__)
            return ""

    def supply(self, name: str) -> Supply:
        """What brings the mirror of a configured remote repository up to date."""

        async def bring(mirror: Mirror, commit: str | None) -> None:
            await self._bring(name, mirror, commit)

        return bring

    async def _bring(self, name: str, mirror: Mirror, commit: str | None) -> None:
        own = await mirror.prepare()
        newest = (f"--count={MAX_HAVE}", "--sort=-creatordate", "--format=%(objectname)")
        have = (await mirror.git("for-each-ref", *newest)).split()
        asked = FetchRepo(repo=name, mirror=own, commit=commit, have=have)
        fetched = await self._fetched(asked)
        if fetched.state is FetchState.PACKED:
            with temp_dir(mirror.path.parent / FOLDER) as folder:
                bundle = await self._read(fetched, folder / "whole.bundle")
                await mirror.take(bundle, has_head=fetched.has_head, wanted=fetched.wanted)
        if commit is not None and not await has_commit(mirror.path, commit):
            raise GitFailed(f"The gateway has brought no commit {commit} of {name}: retry the task.")

    async def _fetched(self, asked: FetchRepo) -> Fetched:
        """The gateway's last word about a fetch; one that works on is asked again, and one that has gone is left."""
        where = FETCH
        while True:
            body = await self._ask(where, asked, FETCH_S, once=where != FETCH)
            if body is None:
                where = FETCH
                continue
            fetched = read_answer(body, Fetched)
            if fetched.state is not FetchState.WORKING:
                return fetched
            where = f"{FETCH}.{fetched.instance}"

    async def _read(self, fetched: Fetched, out: Path) -> Path:
        """The whole file, or `GitFailed`."""
        where, digest, size = f"{PART}.{fetched.instance}", hashlib.sha256(), 0
        with out.open("wb") as file:
            while size < fetched.size:
                part = await self._ask(where, ReadPart(transfer=fetched.transfer, offset=size), PART_S)
                if not part:
                    break
                await asyncio.to_thread(file.write, part)
                digest.update(part)
                size += len(part)
        if (size, digest.hexdigest()) != (fetched.size, fetched.sha256):
            raise GitFailed("The repository's objects have not come whole from the gateway: retry the task.")
        await self._ask(where, ReadPart(transfer=fetched.transfer, offset=size), PART_S, once=True)
        return out

    async def _ask(
        self, subject: str, question: msgspec.Struct, within_s: float, *, once: bool = False
    ) -> bytes | None:
        """The answer to a question, which is asked again while nobody answers; with ``once``, None at the first time.

        Raises `GitFailed` after `AWAY_S` seconds.
        """
        body, deadline = msgspec.json.encode(question), time.monotonic() + self._away_s
        while True:
            try:
                answer = (await self._bus.request(subject, body, timeout=within_s)).data
                if _BUSY not in answer[:100] or time.monotonic() > deadline:
                    return answer
            except (TimeoutError, NatsError) as error:
                if once:
                    return None
                if time.monotonic() > deadline:
                    raise GitFailed(
                        "The gateway does not answer, and it alone reaches remote repositories: check that it runs "
                        "(`journeyman doctor`), then retry."
                    ) from error
            await asyncio.sleep(AGAIN_S)


def read_answer(body: bytes | None, cls: type[A]) -> A:
    """The gateway's answer; raises `GitFailed` for a refusal, and for what cannot be read."""
    assert body is not None
    try:
        if problem := msgspec.json.decode(body, type=GitRefusal).error:
            raise GitFailed(problem.detail)
        return msgspec.json.decode(body, type=cls)
    except msgspec.MsgspecError as error:
        raise GitFailed(
            f"The gateway's answer cannot be read ({error}): let the services have neighbouring versions."
        ) from error
