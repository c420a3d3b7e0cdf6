"""The questions that the gateway answers on ``qry.gateway.…``, about remote repositories and who may: it alone has
credentials.

What is answered is never a credential: the commit to start from, whether a branch could be pushed, and objects. Only
the repositories of ``journeyman.toml`` are answered for. A refusal is ``{"error": {"code": …, "detail": …}}``.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Final

import msgspec

STANDING: Final = "qry.gateway.standing.ask"
LOOK: Final = "qry.gateway.git.look"
FETCH: Final = "qry.gateway.git.fetch"
PART: Final = "qry.gateway.git.part"
"""Followed by the instance of the gateway that has the file."""

MAX_HAVE: Final = 2000
PART_BYTES: Final = 512 * 1024

Text = Annotated[str, msgspec.Meta(max_length=512)]
CommitId = Annotated[str, msgspec.Meta(pattern=r"^([0-9a-f]{40}|[0-9a-f]{64})$")]
OwnName = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_-]{1,64}$")]


class AskStanding(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """May the person who wanted a task's work still ask for it? It is answered by `StandingAnswer`."""

    repo: Text
    task_id: OwnName


class StandingAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """``problem`` says, with the mend, why the work must not be done; it is empty where it may be."""

    problem: str = ""


class LookAtRepo(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """May work on this configured repository begin? It is answered by `RepoLook`.

    ``anew``: what was known from a moment ago does not count.
    """

    repo: Text
    anew: bool = False


class RepoLook(msgspec.Struct, frozen=True, kw_only=True):
    """``commit`` is where its base branch stands. ``problem`` says, with the mend, why work must not begin.

    ``access`` says to a person where the credentials come from; it is empty without any.
    """

    commit: str = ""
    problem: str = ""
    access: str = ""


class FetchRepo(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Bring a mirror up to date. ``mirror`` is its own name, ``have`` are commits in it, ``commit`` is needed in it.

    With a ``commit`` the remote repository is asked only when the gateway does not have that. The answer is `Fetched`.
    """

    repo: Text
    mirror: OwnName
    commit: CommitId | None = None
    have: Annotated[list[CommitId], msgspec.Meta(max_length=MAX_HAVE)] = []


class FetchState(StrEnum):
    """WORKING: ask the same instance again. SAME: the mirror is the gateway's own. PACKED: read the parts."""

    WORKING = "working"
    SAME = "same"
    PACKED = "packed"


class Fetched(msgspec.Struct, frozen=True, kw_only=True):
    """How far it is, and on which ``instance``. ``size`` and ``sha256`` are those of the whole file."""

    state: FetchState
    instance: OwnName
    transfer: str = ""
    size: int = 0
    sha256: str = ""
    has_head: bool = False
    wanted: str | None = None


class ReadPart(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """At most `PART_BYTES` of a file from ``offset`` on, as they are; nothing where there is no such file or offset.

    Reading at the end says that the whole file has come.
    """

    transfer: OwnName
    offset: Annotated[int, msgspec.Meta(ge=0)]


class Problem(msgspec.Struct, frozen=True):
    """Why there is no answer."""

    code: str
    detail: str


class GitRefusal(msgspec.Struct, frozen=True):
    """The answer to a question that gets none."""

    error: Problem | None = None
