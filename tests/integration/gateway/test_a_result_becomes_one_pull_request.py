"""A result on its way to GitHub: a local bare repository for git, a GitHub of ours for the rest."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random
from unittest.mock import patch

import pytest
import pytest_asyncio
from msgspec.structs import replace

from services.gateway.actors.reply import DECIDER
from services.gateway.github.budget import Budget
from services.gateway.github.client import GitHub
from services.gateway.github.credentials import AppKey, credentials_of
from services.gateway.github.transport import Transport
from services.gateway.outbound import displays, publications, pull_requests
from services.gateway.outbound.publications import Publications
from services.gateway.outbound.pull_requests import PullRequests
from shared.contracts import reply, task
from shared.contracts.pull_request import CatchUp
from shared.contracts.queries import TaskDetail
from shared.contracts.reply import EffectStatus
from shared.contracts.subjects import Actor
from shared.event_store.envelope import MessageMetadata, RecordedEvent, utc_now
from shared.event_store.in_memory import MemoryJournal
from shared.event_store.journal import Head
from shared.event_store.receipt import read_receipt
from shared.nats.bus import Bus
from shared.nats.objects import Artifacts
from shared.ops.config import load_config
from shared.ops.settings import Settings
from shared.runtime.activity import ActivityContext
from shared.runtime.actor_host import ActorHost
from shared.workspace.bundle import write_bundle
from testing.campaign_size import CampaignSize
from testing.fault_proxy import Fault, FaultProxy
from testing.github_server import GitHubServer, app_key
from testing.recorded import TASK_ID
from testing.stories import SUBMITTED
from testing.task_details import ISSUE_URL, STORIES
from tests.integration.gateway.test_a_result_is_published_once import git

REPO = "octo/app"
REPLY = Actor("reply", TASK_ID)
BRANCH = "journeyman/01jx-fix"
FAULTS = (Fault.ERROR_AFTER, Fault.LOST_AFTER, Fault.ERROR_BEFORE, Fault.DROPPED)


class Killed(BaseException):
    """The gateway is gone."""


@dataclass
class World:
    """One task's results, a target repository that GitHub knows, and gateways that come and go."""

    server: GitHubServer
    url: str
    target: Path
    clone: Path
    data: Path
    artifacts: Artifacts
    detail: TaskDetail = STORIES["publishing"]
    journal: MemoryJournal = field(default_factory=MemoryJournal)

    def __post_init__(self) -> None:
        self.begin_anew()

    def begin_anew(self) -> None:
        """Another process: it remembers nothing."""
        transport = Transport(self.url)
        app = next(iter(self.server.apps.values()))
        budget = Budget(per_minute=100_000, per_hour=100_000)
        self.github = GitHub(transport, credentials_of(AppKey(str(app.id), app_key()), transport), budget=budget)
        self.host = ActorHost(self.journal, [DECIDER], source="journeyman/gateway")
        settings = Settings(data_dir=self.data)

        async def detail(id: str) -> TaskDetail | None:
            return self.detail

        pulls = PullRequests(self.github, lambda: load_config(settings.config_path), detail, self.journal)
        self.publications = Publications(settings, self.host, self.artifacts, pull_requests=pulls)

    def configure(self, lines: str = "") -> None:
        (self.data / "journeyman.toml").write_text(f'[repos."{REPO}"]\npath = "{self.target}"\n{lines}\n')

    async def request(
        self, effect: str, text: str, *, path: str = "app.txt", base: str = "main", message: str = "Fix the sum"
    ) -> RecordedEvent:
        """A run's result, and the request to publish it."""
        parent = git(self.target, "rev-parse", base)
        git(self.clone, "fetch", "--quiet", "origin")
        git(self.clone, "checkout", "--quiet", "-B", "result", parent)
        (self.clone / path).parent.mkdir(parents=True, exist_ok=True)
        (self.clone / path).write_text(text)
        git(self.clone, "add", "--all")
        git(self.clone, "commit", "--quiet", "--message", message)
        commit, tree = git(self.clone, "rev-parse", "HEAD"), git(self.clone, "rev-parse", "HEAD^{tree}")
        await write_bundle(self.clone / ".git", "refs/heads/result", parent, self.data / "result.bundle")
        bundle = await self.artifacts.put_file(f"bundle-{commit}", self.data / "result.bundle")
        command = reply.Request(
            id=TASK_ID,
            effect=effect,
            repo=REPO,
            base_commit=parent,
            commit=commit,
            branch=BRANCH,
            bundle=bundle,
            tree=tree,
        )
        requested = await self.host.execute(REPLY, command, id=f"request-{effect}", principal="service:gateway")
        assert requested is not None
        return requested

    async def publish(self, event: RecordedEvent, delivered: int = 1) -> None:
        await self.publications.publish(event, ActivityContext(delivered, asyncio.Event()))

    async def publish_in_the_end(self, event: RecordedEvent, dies_at: Callable[[str], bool]) -> None:
        """As the log's consumer does: again until it is acknowledged."""
        for delivered in range(1, 40):
            try:
                with dying(dies_at):
                    return await self.publish(event, delivered)
            except Killed:
                await self.github.close()
                self.begin_anew()
        raise AssertionError("it is never published")

    async def effect(self, name: str) -> reply.Effect:
        state: reply.Reply = await self.host.state(REPLY)
        return state.effects[name]

    def posted(self) -> reply.Posted:
        return next(each.data for each in reversed(self.journal.log) if isinstance(each.data, reply.Posted))

    def failed(self) -> reply.Failed:
        last = self.journal.log[-1].data
        assert isinstance(last, reply.Failed), last
        return last

    def at(self, what: str, ref: str = BRANCH) -> str:
        return git(self.target, "log", "-1", f"--format={what}", ref)


@contextmanager
def dying(dies_at: Callable[[str], bool]):  # type: ignore[no-untyped-def]
    """Crash points at which the process ends."""

    def crash_point(name: str) -> None:
        if dies_at(name):
            raise Killed(name)

    with (
        patch.object(publications, "crash_point", crash_point),
        patch.object(pull_requests, "crash_point", crash_point),
        patch.object(displays, "BACKOFF_S", (0.0, 0.01)),
    ):
        yield


def seeded(target: Path) -> GitHubServer:
    server = GitHubServer(rate_limit=10**6, changes_a_minute=10**6, changes_an_hour=10**6)
    server.repo(REPO, people={"ada": "write", "grace": "write"}, git=target)
    server.app()
    server.user("ada")
    return server


@pytest_asyncio.fixture
async def world(bus: Bus, tmp_path: Path) -> AsyncIterator[World]:
    target, clone, data = tmp_path / "target.git", tmp_path / "clone", tmp_path / "data"
    data.mkdir()
    first = tmp_path / "first"
    first.mkdir()
    git(first, "init", "--quiet", "--initial-branch=main")
    (first / "app.txt").write_text("before\n")
    git(first, "add", "app.txt")
    git(first, "commit", "--quiet", "--message", "First")
    git(tmp_path, "clone", "--quiet", "--bare", str(first), str(target))
    git(tmp_path, "clone", "--quiet", str(target), str(clone))
    async with seeded(target) as server:
        made = World(server, server.url, target, clone, data, Artifacts(bus))
        made.configure()
        metadata = MessageMetadata(id="s", source="test", time=utc_now(), principal="github:ada", causation_id="s")
        source = task.Source(kind="github", reference="github:1#7", url=ISSUE_URL, author="ada")
        submitted = replace(SUBMITTED, source=source)
        await made.journal.append(Actor("task", TASK_ID), submitted, expected=Head(), metadata=metadata)
        yield made
        await made.github.close()


async def test_a_result_becomes_a_draft_with_its_evidence(world: World) -> None:
    await world.publish(await world.request("branch/1", "after\n"))
    posted = world.posted()
    (pull,) = world.server.repos[REPO].pulls.values()
    assert (posted.pull_request, posted.url) == (pull["number"], pull["html_url"])
    assert pull["draft"] and pull["base"]["ref"] == "main" and pull["head"]["ref"] == BRANCH
    assert pull["title"] == "Fix the sum"
    assert "Fixes #7" in pull["body"]
    receipt = read_receipt(pull["body"])
    assert (receipt.commit, receipt.tree) == (posted.commit, world.at("%T"))
    assert receipt.commit == world.at("%H")


async def test_the_commit_is_by_our_account_for_who_asked_and_is_the_tree_that_was_checked(world: World) -> None:
    event = await world.request("branch/1", "after\n", message="Fix the sum\n\nFixes #7, cc @grace")
    await world.publish(event)
    app = next(iter(world.server.apps.values()))
    assert world.at("%an") == app.login
    # As at an Enterprise Server: the addresses have its host.
    assert world.at("%ae").endswith(f"+{app.login}@users.noreply.127.0.0.1")
    assert re.search(r"Co-authored-by: ada <\d+\+ada@users\.noreply\.127\.0\.0\.1>", world.at("%B"))
    assert "#7" not in world.at("%B") and "@grace" not in world.at("%B")
    assert world.at("%T") == event.data.tree
    assert world.at("%P") == event.data.base_commit
    assert world.posted().commit == world.at("%H") != event.data.commit


async def test_the_next_round_updates_the_same_pull_request(world: World) -> None:
    await world.publish(await world.request("branch/1", "after\n"))
    world.detail = replace(world.detail, summary="Once more.")
    await world.publish(await world.request("branch/2", "again\n", base=BRANCH))
    (pull,) = world.server.repos[REPO].pulls.values()
    assert "Once more." in pull["body"]
    assert read_receipt(pull["body"]).commit == world.at("%H") == world.posted().commit
    assert len(world.server.changes("pull.opened")) == 1


async def test_a_pull_request_of_somebody_else_is_adopted_and_its_words_stay(world: World) -> None:
    event = await world.request("branch/1", "after\n")
    git(world.clone, "push", "--quiet", "origin", f"{event.data.commit}:refs/heads/{BRANCH}")
    world.server.person("ada").does(
        "POST", f"/repos/{REPO}/pulls", head=BRANCH, base="main", title="By hand", body="Mine."
    )
    git(world.target, "update-ref", "-d", f"refs/heads/{BRANCH}")
    await world.publish(event)
    (pull,) = world.server.repos[REPO].pulls.values()
    assert (pull["title"], pull["body"]) == ("By hand", "Mine.")
    assert world.posted().pull_request == pull["number"]


async def test_labels_and_reviewers_are_those_of_the_repository(world: World) -> None:
    world.configure('labels = ["agent"]\nreviewers = ["grace", "nobody-there"]\nbase = "main"')
    await world.publish(await world.request("branch/1", "after\n"))
    (pull,) = world.server.repos[REPO].pulls.values()
    issue = world.server.repos[REPO].issues[pull["number"]]
    assert [each["name"] for each in issue["labels"]] == ["agent"]
    assert world.posted().pull_request == pull["number"]


@pytest.mark.parametrize(
    ("path", "text", "code"),
    [
        (".github/workflows/ci.yml", "on: push\n", "paths-protected"),
        ("settings.py", "TOKEN = 'ghp_" + "a1B2" * 9 + "'\n", "secret-found"),
        ("big.txt", "x" * 2000, "too-many-bytes"),
    ],
)
async def test_what_a_person_has_to_see_to_is_not_published(world: World, path: str, text: str, code: str) -> None:
    world.configure("max_changed_bytes = 1000")
    await world.publish(await world.request("branch/1", text, path=path))
    assert world.failed().code == code
    assert world.server.repos[REPO].pulls == {}
    assert BRANCH not in git(world.target, "branch", "--list", BRANCH)


async def test_a_base_that_has_moved_otherwise_is_named_and_one_that_fits_is_fine(world: World) -> None:
    clashing = await world.request("branch/1", "after\n")
    fitting = await world.request("branch/2", "new\n", path="other.txt")
    git(world.clone, "checkout", "--quiet", "-B", "theirs", "origin/main")
    (world.clone / "app.txt").write_text("theirs\n")
    git(world.clone, "commit", "--quiet", "--all", "--message", "Theirs")
    git(world.clone, "push", "--quiet", "origin", "theirs:main")
    await world.publish(clashing)
    assert world.failed().code == "base-moved"
    assert "app.txt" in world.failed().message
    await world.publish(fitting)
    assert (await world.effect("branch/2")).status is EffectStatus.POSTED


async def test_what_cannot_be_opened_says_so_and_the_branch_is_found_by_the_next_try(world: World) -> None:
    app = next(iter(world.server.apps.values()))
    app.permissions["pull_requests"] = "read"
    await world.publish(await world.request("branch/1", "after\n"))
    assert world.failed().code == "pull-request-denied"
    app.permissions["pull_requests"] = "write"
    world.begin_anew()
    # Made afresh: the commit that is there is nowhere in the log, but it has the tree of an earlier result, by us.
    await world.publish(await world.request("branch/2", "after all\n"))
    assert world.posted().pull_request
    assert world.at("%H") == world.posted().commit


async def _behind(world: World, how: CatchUp, *, path: str = "more.txt") -> tuple[str, RecordedEvent]:
    """A published result whose base has moved: its head, and the request to bring it up to date."""
    await world.publish(await world.request("branch/1", "after\n"))
    return world.at("%H"), await _base_moves(world, how, path, "theirs\n")


async def _base_moves(world: World, how: CatchUp, path: str, text: str) -> RecordedEvent:
    git(world.clone, "fetch", "--quiet", "origin")
    git(world.clone, "checkout", "--quiet", "-B", "theirs", "origin/main")
    (world.clone / path).write_text(text)
    git(world.clone, "add", "--all")
    git(world.clone, "commit", "--quiet", "--message", "Theirs")
    git(world.clone, "push", "--quiet", "origin", "theirs:main")
    head, base = world.at("%H"), git(world.target, "rev-parse", "main")
    effect = reply.update_effect(how, head, base)
    command = reply.Request(id=TASK_ID, effect=effect, repo=REPO, base_commit=base, commit=head, branch=BRANCH)
    requested = await world.host.execute(REPLY, command, id=f"request-{effect}", principal="service:gateway")
    assert requested is not None
    return requested


@pytest.mark.parametrize("how", list(CatchUp))
async def test_a_pull_request_follows_its_base_once_whatever_dies_on_the_way(world: World, how: CatchUp) -> None:
    head, event = await _behind(world, how)
    deaths = iter([True, False])
    await world.publish_in_the_end(event, lambda point: point == "pull-request.caught-up" and next(deaths, False))
    posted = world.posted()
    assert posted.commit == world.at("%H") != head
    assert posted.pull_request == next(iter(world.server.repos[REPO].pulls))
    assert world.at("%P").split()[-1] == event.data.base_commit
    assert world.at("%ae") == world.at("%ae", head)
    assert git(world.target, "show", f"{BRANCH}:more.txt") == "theirs"
    # The next round stands on top of it.
    await world.publish(await world.request("branch/2", "again\n", base=BRANCH))
    assert world.at("%P") == posted.commit


async def test_a_branch_that_somebody_has_pushed_to_meanwhile_is_left_alone(world: World) -> None:
    head, event = await _behind(world, CatchUp.MERGE)
    git(world.clone, "fetch", "--quiet", "origin")
    git(world.clone, "checkout", "--quiet", "-B", "mine", head)
    git(world.clone, "commit", "--quiet", "--allow-empty", "--message", "Mine")
    git(world.clone, "push", "--quiet", "origin", f"mine:{BRANCH}")
    await world.publish(event)
    assert (world.posted().commit, world.posted().pull_request) == (head, 0)
    assert world.at("%s") == "Mine"


async def test_a_base_that_git_cannot_take_over_fails_with_the_paths(world: World) -> None:
    head, event = await _behind(world, CatchUp.REBASE, path="app.txt")
    await world.publish(event)
    assert world.failed().code == "base-conflict"
    assert "app.txt" in world.failed().message
    assert world.at("%H") == head


async def test_a_commit_of_somebody_else_with_the_same_files_is_left_alone(world: World) -> None:
    app = next(iter(world.server.apps.values()))
    app.permissions["pull_requests"] = "read"
    first = await world.request("branch/1", "after\n")
    await world.publish(first)
    theirs = git(world.clone, "commit-tree", f"{first.data.commit}^{{tree}}", "-p", first.data.base_commit, "-m", "x")
    git(world.clone, "push", "--quiet", "--force", "origin", f"{theirs}:refs/heads/{BRANCH}")
    await world.publish(await world.request("branch/2", "after all\n"))
    assert world.failed().code == "branch-taken"
    assert world.at("%H") == theirs


async def test_kills_and_lost_answers_make_one_branch_and_one_pull_request(world: World) -> None:
    await _rounds(world, seeds=range(3))


@pytest.mark.campaign
@pytest.mark.timeout(3600)
async def test_many_publications_with_kills_make_one_pull_request_each(
    world: World, campaign_size: CampaignSize
) -> None:
    await _rounds(world, seeds=range(100, 100 + campaign_size.pick(small=10, full=1_000)))


def _by_chance(dice: Random, point: str) -> bool:
    return dice.random() < 0.15


async def _rounds(world: World, seeds: range) -> None:
    for seed in seeds:
        print("seed", seed)
        dies_at = partial(_by_chance, Random(seed))
        world.journal.log[1:] = []
        async with FaultProxy(world.server.url, random=Random(seed), share=0.2, faults=FAULTS) as proxy:
            world.url = proxy.url
            world.begin_anew()
            for number, base in ((1, "main"), (2, BRANCH)):
                event = await world.request(f"branch/{number}", f"{seed} {number}\n", base=base)
                await world.publish_in_the_end(event, dies_at)
                assert (await world.effect(f"branch/{number}")).status is EffectStatus.POSTED
            how = (CatchUp.MERGE, CatchUp.REBASE)[seed % 2]
            head = world.at("%H")
            update = await _base_moves(world, how, "more.txt", f"{seed}\n")
            await world.publish_in_the_end(update, dies_at)
            parents = {CatchUp.MERGE: f"{head} {update.data.base_commit}", CatchUp.REBASE: update.data.base_commit}
            assert world.at("%P", BRANCH if how is CatchUp.MERGE else f"{BRANCH}~1") == parents[how]
            await world.github.close()
        posted = [each.data for each in world.journal.log if isinstance(each.data, reply.Posted)]
        assert len({each.pull_request for each in posted}) == 1 and posted[0].pull_request
        assert world.posted().commit == world.at("%H")
        opened = world.server.changes("pull.opened", number=posted[0].pull_request)
        assert len(opened) == 1
        world.server.person("grace").does("PATCH", f"/repos/{REPO}/pulls/{posted[0].pull_request}", state="closed")
        git(world.target, "update-ref", "-d", f"refs/heads/{BRANCH}")
    assert len(world.server.changes("pull.opened")) == len(seeds)
