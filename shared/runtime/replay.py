"""A replay: history told again to one dashboard session, over core NATS only. No stream stores any of these subjects.

``live.replay.<session>.event`` carries a past event's body, its address and sequence in headers;
``live.replay.<session>.moment`` how far the replay is; ``live.replay.<session>.qry.<name>`` takes the questions that
the projector answers on ``qry.<name>``, and answers them as of that moment.
"""

from __future__ import annotations

import re
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Final

import msgspec

from shared.contracts.queries import Query
from shared.contracts.subjects import BadAddress

SUBJECT_HEADER: Final = "Journeyman-Subject"
SEQUENCE_HEADER: Final = "Journeyman-Sequence"
WATCH_S: Final = 2.0
"""How often a gateway asks `Watch` while the session's dashboard is there."""
SILENCE_S: Final = 10.0
"""Each side takes the other for gone after this silence."""

_SESSION: Final = re.compile(r"[a-z][a-z0-9]{7,63}")


class State(StrEnum):
    """Whether a replay moves, has come to its end and still answers, or is over."""

    PLAYING = "playing"
    DONE = "done"
    OVER = "over"


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """Where a replay is: the newest event is that at ``seq`` of ``last``, and ``time`` is when it happened."""

    seq: int
    last: int
    time: datetime | None
    speed: float
    state: State


class GetMoment(Query[Moment], frozen=True, kw_only=True):
    """Where a replay is: a question to its session alone."""

    name: ClassVar[str] = "moment"


class Watch(Query[Moment], frozen=True, kw_only=True):
    """The same question by a gateway whose dashboard watches the session."""

    name: ClassVar[str] = "watch"


def events_of(session: str) -> str:
    """Where its events are sent."""
    return f"live.replay.{_checked(session)}.event"


def moments_of(session: str) -> str:
    """Where it tells how far it is."""
    return f"live.replay.{_checked(session)}.moment"


def question_of(session: str, name: str) -> str:
    """Where it is asked ``name``; ``>`` for all questions."""
    return f"live.replay.{_checked(session)}.qry.{name}"


def _checked(session: str) -> str:
    if not _SESSION.fullmatch(session):
        raise BadAddress(f"{session[:80]!r} is no replay: use the address that `journeyman replay` has printed.")
    return session
