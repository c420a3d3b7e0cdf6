"""What no webhook tells of our open pull requests is asked for now and then, of a GitHub of ours."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, cast

import pytest
from msgspec.structs import replace

from services.gateway.github.answers import Pull, Side
from services.gateway.github.client import GitHub
from services.gateway.github.credentials import PersonalToken, credentials_of
from services.gateway.github.errors import NotThere
from services.gateway.github.transport import Transport
from services.gateway.inbound.github_looks import SETTLES, PullRequestLooks, behind, seen
from shared.contracts.decider import Rejected
from shared.contracts.messages import Command
from shared.contracts.pull_request import CatchUp, PullState
from shared.contracts.queries import ListTasks, TaskPage, TaskSource, TaskSummary
from shared.contracts.subjects import Actor
from shared.contracts.task import RecordBase, RecordHead, RecordPullRequest, Status
from shared.ops.config import Config, Repo
from shared.runtime.client import Client
from testing.github_server import GitHubServer

REPO = "octo/app"
NOW = datetime(2026, 1, 2, tzinfo=UTC)
OPEN = Pull(number=12, head=Side(ref="b", sha="c1"), base=Side(ref="main"), state="open", mergeable=True)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, None),
        ({"mergeable": None, "mergeable_state": "unknown"}, None),
        ({"mergeable": False, "mergeable_state": "blocked"}, None),
        (
            {"mergeable": False, "mergeable_state": "dirty"},
            RecordHead(number=12, head="c1", conflict=True, at=NOW, due=NOW + SETTLES),
        ),
        ({"head": Side(ref="b", sha="c2")}, RecordHead(number=12, head="c2", at=NOW, due=NOW + SETTLES)),
        ({"state": "closed"}, RecordPullRequest(number=12, state=PullState.CLOSED)),
        (
            {"state": "closed", "merged": True, "merge_commit_sha": "m1"},
            RecordPullRequest(number=12, state=PullState.MERGED, commit="m1"),
        ),
    ],
)
def test_a_task_is_told_only_what_is_otherwise_than_it_knows(changes: dict[str, Any], told: Command | None) -> None:
    assert seen(replace(OPEN, **changes), "c1", NOW) == told


@pytest.mark.parametrize(
    ("changes", "how", "tip", "told"),
    [
        ({}, "merge", "b2", RecordBase(head="c1", base="b2", how=CatchUp.MERGE, at=NOW)),
        ({"mergeable": None}, "rebase", "b2", RecordBase(head="c1", base="b2", how=CatchUp.REBASE, at=NOW)),
        ({}, "leave", "b2", None),
        ({}, "merge", "", None),
        ({"mergeable": False}, "merge", "b2", None),
        ({"state": "closed"}, "merge", "b2", None),
    ],
)
def test_a_task_is_told_of_its_base_only_where_the_branch_is_to_follow_it(
    changes: dict[str, Any], how: str, tip: str, told: Command | None
) -> None:
    assert behind(replace(OPEN, **changes), how, tip, NOW) == told


class Tasks:
    """The read models with these tasks in review, and what tasks are told; one of them takes nothing."""

    def __init__(self, *tasks: tuple[str, int, str]) -> None:
        self.tasks = tasks
        self.told: list[tuple[str, Command]] = []

    async def query(self, asked: ListTasks) -> TaskPage:
        assert asked.status is Status.IN_REVIEW
        return TaskPage(
            seq=1, items=tuple(summary(*each) for each in self.tasks), next_cursor=None, counts={}, sources=()
        )

    async def send(self, actor: Actor, command: Command, *, principal: str) -> None:
        self.told.append((actor.id, command))
        if actor.id == "unwilling":
            raise Rejected("x", "X.")


def summary(id: str, number: int, commit: str) -> TaskSummary:
    source = TaskSource(kind="github", reference="", url="", author="")
    texts = dict.fromkeys(("title", "agent", "worker", "branch", "error_code", "error_message", "question"), "")
    numbers = dict.fromkeys(("created_seq", "plan_version", "round", "attempt", "cost_microusd", "tokens"), 0)
    made: dict[str, Any] = {**texts, **numbers, "stopping": False, "created_at": NOW, "updated_at": NOW}
    return TaskSummary(id=id, status="in-review", source=source, repo=REPO, commit=commit, pull_request=number, **made)


async def test_a_merge_that_was_never_told_is_found_and_one_that_cannot_be_read_holds_up_no_other() -> None:
    async with GitHubServer() as server:
        server.repo(REPO, people={"ada": "write"})
        for branch in ("main", "one", "two"):
            server.push(REPO, branch, branch[0] * 40)
        ada = server.person("ada")
        numbers = [
            ada.does("POST", f"/repos/{REPO}/pulls", head=branch, base="main", title=branch)["number"]
            for branch in ("one", "two")
        ]
        ada.merges(REPO, numbers[0])
        ada.merges(REPO, numbers[1])
        transport = Transport(server.url)
        github = GitHub(transport, credentials_of(PersonalToken(server.user("ada")), transport))
        config = Config(repos={REPO: Repo(url="https://github.com/octo/app.git")})
        tasks = Tasks(("gone", 999, "x"), ("unwilling", numbers[0], "o" * 40), ("t2", numbers[1], "t" * 40))
        looks = PullRequestLooks(github, lambda: config, cast(Client, tasks))
        with pytest.raises(NotThere):
            await looks.look()
        await github.close()
    assert [id for id, _ in tasks.told] == ["unwilling", "t2"]
    merged = tasks.told[1][1]
    assert isinstance(merged, RecordPullRequest)
    assert (merged.state, merged.by) == (PullState.MERGED, "ada")


async def test_the_base_of_pull_requests_is_asked_for_once_for_all_of_them() -> None:
    async with GitHubServer() as server:
        server.repo(REPO, people={"ada": "write"})
        for branch in ("main", "one", "two"):
            server.push(REPO, branch, branch[0] * 40)
        ada = server.person("ada")
        numbers = [
            ada.does("POST", f"/repos/{REPO}/pulls", head=branch, base="main", title=branch)["number"]
            for branch in ("one", "two")
        ]
        transport = Transport(server.url)
        github = GitHub(transport, credentials_of(PersonalToken(server.user("ada")), transport))
        config = Config(repos={REPO: Repo(url="https://github.com/octo/app.git", base_moved="rebase")})
        tasks = Tasks(("t1", numbers[0], "o" * 40), ("t2", numbers[1], "t" * 40))
        await PullRequestLooks(github, lambda: config, cast(Client, tasks)).look()
        await github.close()
    told = [command for _, command in tasks.told if isinstance(command, RecordBase)]
    assert [(each.head, each.base, each.how) for each in told] == [
        ("o" * 40, "m" * 40, CatchUp.REBASE),
        ("t" * 40, "m" * 40, CatchUp.REBASE),
    ]
