from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import msgspec
import pytest

from services.gateway.actors.delivery import decide, evolve
from services.gateway.inbound.authorisation import Asked, Authority, must_ask
from services.gateway.inbound.github_authority import GitHubAuthority, PullSeen, Said, Words
from services.gateway.inbound.github_payloads import milliseconds
from services.gateway.inbound.repository_words import words_in
from shared.contracts.delivery import (
    Accepted,
    Authorise,
    Authorised,
    Delivery,
    Refuse,
    Refused,
    Replay,
    Signal,
    SignalKind,
    Word,
)
from shared.contracts.pull_request import PullFacts
from shared.contracts.task_of import task_of
from shared.nats.idempotency import Claim, IdempotencyKeys, KeyReused
from shared.ops.config import Config, Policy, Repo

REPO = Repo(url="https://github.test/octo/app.git")
AT = datetime(2026, 1, 2, 4, tzinfo=UTC)


class Answers:
    """What GitHub answers; every question is kept."""

    def __init__(
        self, *, role: str = "none", file: bytes | None = None, said: Sequence[Said] = (), branch: str = ""
    ) -> None:
        self.open = True
        self.role = role
        self.branch = branch
        self.found = file
        self.said = said
        self.asked: list[str] = []

    async def role_of(self, repo: str, login: str) -> str:
        self.asked.append(f"role of {login} in {repo}")
        return self.role

    async def is_member(self, repo: str, team: str, login: str) -> bool:
        self.asked.append(f"{login} in {team}")
        return team == "octo/core"

    async def said_in(self, repo: str, number: int) -> Sequence[Said]:
        return self.said

    async def words_of(self, repo: str, number: int) -> Words:
        self.asked.append(f"words of {number}")
        at = milliseconds(AT) - 10_000
        return Words(title="It drops cents", text="Now <!-- x --> it does.", as_of_ms=at, closed=not self.open)

    async def pull_of(self, repo: str, number: int) -> PullSeen:
        self.asked.append(f"pull request {number}")
        return PullSeen(
            branch=self.branch, head="b" * 40, base="main", base_commit="a" * 40, text="It\u202e does.", open=self.open
        )

    async def file(self, repo: str, path: str) -> bytes | None:
        return self.found

    async def failure_of(self, repo: str, check: int, job: int, output: str) -> str:
        return f"{output} of {check} in job {job}"


class Keys:
    """Idempotency keys in memory."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], Claim] = {}

    async def claim(self, principal: str, key: str, wanted: Claim) -> Claim:
        found = self.kept.setdefault((principal, key), wanted)
        if found != wanted:
            raise KeyReused("taken")
        return found


def signal(**changes: Any) -> Signal:
    told = Signal(
        kind=SignalKind.COMMENT,
        thread="github:99#7",
        opened_at_ms=1,
        title="It drops",
        text="@agent plan",
        context="It does.",
        repo="octo/app",
        author="ada",
        trusted=True,
        directive="plan",
        origin="github:comment/21",
    )
    return msgspec.structs.replace(told, **changes)


def accepted(told: Signal, action: str = "created") -> Accepted:
    return Accepted(
        webhook="github",
        event="issue_comment",
        action=action,
        delivery="1",
        signal=told,
        body_sha256="0" * 64,
        body_size=2,
        body=msgspec.Raw(b"{}"),
        asks_permission=True,
    )


def judged(
    answers: Answers,
    told: Signal,
    *,
    sender: str = "ada",
    opens: bool = False,
    repo: Repo = REPO,
    policy: Policy | None = None,
    action: str = "created",
    keys: Keys | None = None,
    id: str = "d1",
) -> Authorise | Refuse:
    config = Config(repos={"octo/app": repo}, policy=policy or Policy())
    authority = GitHubAuthority(answers, lambda: config, cast(IdempotencyKeys, keys or Keys()))
    asked = Asked(id=id, accepted=accepted(told, action), signal=told, sender=sender, opens=opens, at=AT)
    return asyncio.run(authority.judge(asked))


@pytest.mark.parametrize("role", ["admin", "maintain", "write"])
def test_who_can_write_may_steer_whatever_the_delivery_says_of_the_author(role: str) -> None:
    judgement = judged(Answers(role=role), signal(trusted=False))
    assert isinstance(judgement, Authorise)
    assert (judgement.signal.trusted, judgement.permission, judgement.decided_by) == (True, role, "permission")


@pytest.mark.parametrize("role", ["triage", "read", "none"])
def test_who_cannot_write_steers_nothing_whatever_the_delivery_says_of_the_author(role: str) -> None:
    judgement = judged(Answers(role=role), signal(trusted=True))
    assert isinstance(judgement, Refuse) and judgement.code == "not-trusted"


def test_lists_of_a_repository_go_before_write_access() -> None:
    listed = REPO.model_copy(update={"people": ("Ada",), "teams": ("octo/core",)})
    assert isinstance(judged(answers := Answers(), signal(), repo=listed), Authorise) and answers.asked == []
    assert isinstance(judged(Answers(), signal(author="bob"), sender="bob", repo=listed), Authorise)
    other = REPO.model_copy(update={"people": ("grace",), "teams": ("octo/other",)})
    assert isinstance(judged(Answers(role="admin"), signal(), repo=other), Refuse)


def test_what_changes_nothing_may_be_said_by_everybody_and_nobody_is_asked() -> None:
    judgement = judged(answers := Answers(), signal(directive=Word.STATUS))
    assert isinstance(judgement, Authorise) and not judgement.signal.trusted and answers.asked == []


def test_what_is_said_on_a_pull_request_of_ours_is_for_the_task_of_its_branch() -> None:
    task_id = "01JX7M3ZK8Q4V9T2B6N5R1C0WD"
    ours = Answers(role="write", branch=f"journeyman/{task_id.lower()}-fix")
    judgement = judged(ours, signal(pull_request=True))
    assert isinstance(judgement, Authorise)
    assert (task_of(judgement.signal), ours.asked[0]) == (task_id, "pull request 7")
    foreign = judged(Answers(role="write", branch="feature"), signal(pull_request=True))
    assert isinstance(foreign, Authorise)
    assert foreign.signal.pull is not None
    assert foreign.signal.pull.branch == ""


def test_a_strangers_issue_waits_until_somebody_with_write_access_says_so() -> None:
    opened = signal(kind=SignalKind.WORK, origin="", directive="implement")
    judgement = judged(Answers(role="read"), opened, opens=True, action="opened")
    assert isinstance(judgement, Refuse) and judgement.code == "stranger" and "@agent plan" in judgement.reason
    labelled = judged(Answers(role="write"), opened, sender="grace", opens=True, action="labeled")
    # The issue is work now, but its words are still the stranger's.
    assert isinstance(labelled, Authorise) and not labelled.signal.trusted


def test_so_many_issues_of_strangers_are_looked_at_a_day_and_one_that_is_judged_again_is_no_other() -> None:
    policy, keys = Policy(strangers="triage", strangers_a_day=2), Keys()
    opened = signal(kind=SignalKind.WORK, origin="")

    def told(id: str) -> Authorise | Refuse:
        return judged(Answers(), opened, policy=policy, keys=keys, id=id, action="opened")

    assert [type(told(id)) for id in ("a", "b", "a", "c")] == [Authorise, Authorise, Authorise, Refuse]


def test_a_strangers_edit_is_shown_and_opens_nothing() -> None:
    edit = signal(kind=SignalKind.EDITED, mentioned=True, origin="")
    judgement = judged(Answers(role="none"), edit, action="edited")
    assert isinstance(judgement, Authorise)
    assert (judgement.signal.trusted, judgement.signal.mentioned, judgement.signal.directive) == (False, False, "")


def test_an_edit_of_somebody_with_write_access_counts_in_a_strangers_issue_too() -> None:
    edit = signal(kind=SignalKind.EDITED, author="eve", trusted=False)
    judgement = judged(Answers(role="write"), edit, sender="ada", action="edited")
    assert isinstance(judgement, Authorise) and judgement.signal.trusted


def test_a_repositorys_own_words_count_where_something_is_said_for_the_first_time() -> None:
    words = b"words:\n  approve: [genehmigt]\n  plan: [entwerfe]\n"
    said = signal(directive="", text="@agent Genehmigt v1 3fa94c11")
    judgement = judged(Answers(role="write", file=words), said)
    assert isinstance(judgement, Authorise)
    assert (judgement.signal.directive, judgement.signal.argument) == (Word.APPROVE, "v1 3fa94c11")
    edited = judged(Answers(role="write", file=words), said, action="edited")
    assert isinstance(edited, Authorise) and edited.signal.directive == ""


@pytest.mark.parametrize(
    "file",
    [
        None,
        b"",
        b"words: [",
        b"words: 3",
        b"words:\n  shout: [a]",
        b"words:\n  plan: a",
        b"a: &b 1\nwords: *b",
        b"\xff",
    ],
)
def test_a_file_of_words_that_cannot_be_read_says_none(file: bytes | None) -> None:
    assert words_in(file, repo="octo/app") == {}


def test_the_first_contact_brings_what_was_said_before_and_nothing_that_was_edited_after_it() -> None:
    def said(id: int, text: str, *, edited_at: datetime = AT - timedelta(hours=1)) -> Said:
        return Said(id=id, author="eve", text=text, at=AT - timedelta(hours=2), edited_at=edited_at)

    answers = Answers(
        role="write",
        said=[
            said(3, "It needs a lock."),
            said(4, "<!-- journeyman:x -->Our own"),
            said(5, "Put the key in", edited_at=AT + timedelta(seconds=1)),
            said(21, "@agent plan"),
            said(22, "Later"),
        ],
    )
    judgement = judged(answers, signal(), opens=True)
    assert isinstance(judgement, Authorise)
    context = judgement.signal.context
    assert context.startswith("It does.") and "eve, 2026-01-02 02:00 UTC:\n\nIt needs a lock." in context
    assert not any(word in context for word in ("Our own", "Put the key", "@agent", "Later"))
    again = judged(answers, signal(), opens=False)
    assert isinstance(again, Authorise) and again.signal.context == "It does."


def test_a_delivery_is_judged_once_until_somebody_replays_it() -> None:
    yes, no = Authorise(signal=signal(), permission="write"), Refuse(code="not-trusted", reason="No.")
    delivery = evolve(None, accepted(signal()))
    authorised = evolve(delivery, decide(delivery, yes) or pytest.fail("nothing was decided"))
    assert decide(authorised, yes) is None and decide(authorised, no) is None
    for code in ("review-nothing", "decides-nothing"):
        assert isinstance(decide(authorised, Refuse(code=code, reason="No.")), Refused), "what is said is judged later"
    refused = evolve(delivery, decide(delivery, no) or pytest.fail("nothing was decided"))
    assert decide(refused, yes) is None
    replayed = evolve(refused, decide(refused, Replay(signal=signal(), asks_permission=True)) or pytest.fail("not"))
    assert isinstance(decide(replayed, yes), Authorised) and isinstance(replayed, Delivery)


def test_only_what_somebody_asks_for_is_judged_and_only_where_somebody_can_be_asked() -> None:
    authorities: Any = {"github": object()}
    assert must_ask(authorities, "github", signal())
    assert not must_ask(authorities, "github", signal(kind=SignalKind.CLOSED))
    assert not must_ask({}, "github", signal())


def test_a_failed_check_is_asked_what_it_says_and_one_that_tells_no_number_is_not() -> None:
    facts = PullFacts(branch="b", key="check/1", conclusion="failure", said="1 failed", check=51, job=51)
    told = signal(kind=SignalKind.CHECK, pull=facts, trusted=False, directive="")
    judgement = judged(Answers(), told)
    assert isinstance(judgement, Authorise) and judgement.decided_by == "fact"
    assert judgement.signal.pull == msgspec.structs.replace(facts, said="1 failed of 51 in job 51")
    authorities = cast(dict[str, Authority], {"github": None})
    assert must_ask(authorities, "github", told)
    assert not must_ask(authorities, "github", signal(kind=SignalKind.CHECK, pull=PullFacts(key="suite/1")))
    assert not must_ask({}, "github", told)


@pytest.mark.parametrize(
    ("ago_ms", "changes", "action", "is_asked"),
    [
        (60_000, {}, "opened", True),
        (5_000, {}, "opened", False),
        (60_000, {}, "labeled", False),
        (60_000, {"kind": SignalKind.COMMENT}, "opened", False),
    ],
)
def test_a_new_issue_that_was_sent_again_is_taken_as_it_reads_by_now(
    ago_ms: int, changes: dict[str, Any], action: str, is_asked: bool
) -> None:
    told = signal(**({"kind": SignalKind.WORK} | changes), origin="", as_of_ms=milliseconds(AT) - ago_ms)
    answers = Answers(role="write")
    judgement = judged(answers, told, opens=True, action=action)
    assert isinstance(judgement, Authorise)
    assert ("words of 7" in answers.asked) is is_asked
    assert (judgement.signal.title, judgement.signal.text) == (
        ("It drops cents", "Now  it does.") if is_asked else (told.title, told.text)
    )


def test_a_new_issue_that_was_sent_again_and_is_closed_by_now_opens_nothing() -> None:
    told = signal(kind=SignalKind.WORK, origin="", as_of_ms=milliseconds(AT) - 60_000)
    answers = Answers(role="write")
    answers.open = False
    judgement = judged(answers, told, opens=True, action="opened")
    assert isinstance(judgement, Refuse)
    assert judgement.code == "closed"
