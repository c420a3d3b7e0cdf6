from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest

from services.gateway.outbound.standing import Standing, StandingLost, in_whose_name
from shared.contracts.messages import Event
from shared.contracts.task import Approved, ApprovedPlan, Completed, Directive, Retried, Source, Submitted
from shared.event_store.envelope import RecordedEvent
from shared.event_store.journal import Journal
from testing.recorded import recorded

SUBMITTED = Submitted(
    title="", text="1 + 1 gives 3.", source=Source(kind="github"), repo="octo/app", directive=Directive.IMPLEMENT
)
APPROVED = Approved(plan=ApprovedPlan(version=1, digest="d", base_commit="c"))


def story(*told: tuple[Event, str]) -> list[RecordedEvent]:
    return [recorded(event, principal=principal) for event, principal in told]


@pytest.mark.parametrize(
    ("told", "principal"),
    [
        ([(SUBMITTED, "github:eve"), (APPROVED, "github:ada"), (Completed(summary=""), "service:brain")], "github:ada"),
        ([(SUBMITTED, "github:eve"), (APPROVED, "service:brain")], "github:eve"),
        ([(SUBMITTED, "github:eve"), (Retried(stage="executing"), "user:local")], "user:local"),
        ([], ""),
    ],
)
def test_a_result_is_published_in_the_name_of_the_person_who_decided_last(
    told: list[tuple[Event, str]], principal: str
) -> None:
    assert in_whose_name(story(*told)) == principal


class Kept:
    """A journal with one story."""

    def __init__(self, *told: tuple[Event, str]) -> None:
        self._story = story(*told)

    async def load(self, actor: Any) -> list[RecordedEvent]:
        return self._story


class Steers:
    """Those who may."""

    def __init__(self, *logins: str) -> None:
        self._logins = logins

    async def may_steer(self, repo: str, login: str) -> bool:
        return login in self._logins


def check(*told: tuple[Event, str], may: tuple[str, ...]) -> None:
    standing = Standing(cast(Journal, Kept(*told)), {"github": cast(Any, Steers(*may))})
    asyncio.run(standing.check("t", "octo/app"))


def test_who_may_not_steer_any_more_gets_nothing_published() -> None:
    told = ((SUBMITTED, "github:eve"), (APPROVED, "github:ada"))
    check(*told, may=("ada",))
    with pytest.raises(StandingLost, match="ada asked for this"):
        check(*told, may=("eve",))


def test_nobody_is_asked_about_who_uses_the_dashboard() -> None:
    check((SUBMITTED, "github:eve"), (Retried(stage="executing"), "user:local"), may=())
