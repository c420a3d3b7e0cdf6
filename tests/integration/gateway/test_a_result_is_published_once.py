from __future__ import annotations

import asyncio
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from services.gateway.actors.reply import DECIDER
from services.gateway.outbound.publications import Publications
from shared.contracts import reply
from shared.contracts.reply import EffectStatus
from shared.contracts.subjects import Actor
from shared.event_store.envelope import RecordedEvent
from shared.nats.bus import Bus
from shared.nats.journal import NatsJournal
from shared.nats.objects import Artifacts
from shared.ops.settings import Settings
from shared.runtime.activity import ActivityContext
from shared.runtime.actor_host import ActorHost
from shared.workspace.bundle import write_bundle
from shared.workspace.git import GitFailed

BRANCH = "journeyman/abc-fix"
REPLY = Actor("reply", "T1")


def git(repository: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")
    done = subprocess.run(["git", *identity, *arguments], cwd=repository, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@dataclass
class InMemorySystem:
    """A target repository, a clone in which results are made, and a gateway's publications."""

    target: Path
    clone: Path
    publications: Publications
    host: ActorHost
    journal: NatsJournal
    artifacts: Artifacts
    tmp: Path

    async def request(self, effect: str, text: str, *, repo: str = "octo/app", base: str = "") -> RecordedEvent:
        """A run's result, and the request to publish it."""
        base = base or git(self.target, "rev-parse", "main")
        git(self.clone, "fetch", "--quiet", "origin")
        git(self.clone, "checkout", "--quiet", "-B", "result", base)
        (self.clone / "app.txt").write_text(text)
        git(self.clone, "commit", "--quiet", "--all", "--message", text)
        commit = git(self.clone, "rev-parse", "HEAD")
        await write_bundle(self.clone / ".git", "refs/heads/result", base, self.tmp / "result.bundle")
        bundle = await self.artifacts.put_file("bundle", self.tmp / "result.bundle")
        command = reply.Request(
            id="T1", effect=effect, repo=repo, base_commit=base, commit=commit, branch=BRANCH, bundle=bundle
        )
        requested = await self.host.execute(REPLY, command, id=f"request-{effect}", principal="service:gateway")
        assert requested is not None
        return requested

    async def publish(self, event: RecordedEvent, delivered: int = 1) -> None:
        await self.publications.publish(event, ActivityContext(delivered, asyncio.Event()))

    async def effect(self, name: str) -> reply.Effect:
        state: reply.Reply = await self.host.state(REPLY)
        return state.effects[name]

    def published(self) -> str:
        return git(self.target, "rev-parse", BRANCH)


@pytest.fixture
async def world(bus: Bus, tmp_path: Path) -> InMemorySystem:
    target, clone, data = tmp_path / "target", tmp_path / "clone", tmp_path / "data"
    target.mkdir()
    data.mkdir()
    git(target, "init", "--quiet", "--initial-branch=main")
    (target / "app.txt").write_text("before")
    git(target, "add", "app.txt")
    git(target, "commit", "--quiet", "--message", "First")
    git(tmp_path, "clone", "--quiet", str(target), str(clone))
    (data / "journeyman.toml").write_text(f'[repos."octo/app"]\npath = "{target}"\n')
    journal = NatsJournal(bus)
    host = ActorHost(journal, [DECIDER], source="journeyman/gateway")
    artifacts = Artifacts(bus)
    settings = Settings(data_dir=data)
    return InMemorySystem(target, clone, Publications(settings, host, artifacts), host, journal, artifacts, tmp_path)


async def test_a_result_becomes_a_branch_and_is_reported(world: InMemorySystem) -> None:
    event = await world.request("branch/1", "after")
    await world.publish(event)
    assert world.published() == event.data.commit
    assert (await world.effect("branch/1")).status is EffectStatus.POSTED
    assert git(world.target, "show", f"{BRANCH}:app.txt") == "after"
    assert list((world.tmp / "data").glob("publishing/*")) == []


async def test_a_redelivered_publication_changes_nothing(world: InMemorySystem) -> None:
    event = await world.request("branch/1", "after")
    for delivered in (1, 1, 2):
        await world.publish(event, delivered)
    effect = await world.effect("branch/1")
    assert (effect.status, effect.attempt) == (EffectStatus.POSTED, 1)


async def test_what_was_pushed_and_not_reported_is_reported_by_the_next_one(world: InMemorySystem) -> None:
    event = await world.request("branch/1", "after")
    await world.host.execute(
        REPLY, reply.Claim(id="T1", effect="branch/1", worker="gone"), id="c", principal="service:x"
    )
    git(world.clone, "push", "--quiet", "origin", f"{event.data.commit}:refs/heads/{BRANCH}")
    await world.publish(event, 2)
    effect = await world.effect("branch/1")
    assert (effect.status, effect.attempt) == (EffectStatus.POSTED, 2)


async def test_the_next_result_of_the_task_takes_the_place_of_the_one_before(world: InMemorySystem) -> None:
    await world.publish(await world.request("branch/1", "one"))
    second = await world.request("branch/2", "two")
    await world.publish(second)
    assert world.published() == second.data.commit
    assert (await world.effect("branch/2")).status is EffectStatus.POSTED


async def test_a_result_that_could_not_be_published_is_published_by_another_try(world: InMemorySystem) -> None:
    git(world.target, "branch", BRANCH, "main")
    await world.publish(await world.request("branch/1", "after"))
    await fails_with(world, "branch-taken")
    git(world.target, "branch", "--delete", "--force", BRANCH)
    again = await world.request("branch/1/2", "after")
    await world.publish(again)
    assert world.published() == again.data.commit
    assert (await world.effect("branch/1/2")).status is EffectStatus.POSTED


async def test_the_next_result_takes_the_place_of_a_commit_that_the_target_made_anew(world: InMemorySystem) -> None:
    first = await world.request("branch/1", "one")
    signed = git(world.target, "commit-tree", "main^{tree}", "-p", "main", "-m", "signed")
    git(world.target, "branch", BRANCH, signed)
    for command in (
        reply.Claim(id="T1", effect="branch/1", worker="signer"),
        reply.Post(id="T1", effect="branch/1", attempt=1, commit=signed),
    ):
        await world.host.execute(REPLY, command, id=f"signer-{type(command).__name__}", principal="service:x")
    assert signed != first.data.commit
    second = await world.request("branch/2", "two")
    await world.publish(second)
    assert world.published() == second.data.commit


async def test_somebody_elses_commit_on_the_branch_is_left_alone(world: InMemorySystem) -> None:
    git(world.target, "branch", BRANCH, "main")
    theirs = world.published()
    await world.publish(await world.request("branch/1", "after"))
    assert world.published() == theirs
    await fails_with(world, "branch-taken")


async def test_a_result_on_top_of_what_somebody_has_pushed_to_our_branch_follows_it(world: InMemorySystem) -> None:
    await world.publish(await world.request("branch/1", "one"))
    theirs = git(world.target, "commit-tree", f"{BRANCH}^{{tree}}", "-p", BRANCH, "-m", "theirs")
    git(world.target, "branch", "--force", BRANCH, theirs)
    git(world.clone, "fetch", "--quiet", "origin", BRANCH)
    await world.publish(await world.request("branch/2", "two"))
    await fails_with(world, "branch-taken", "branch/2")
    on_top = await world.request("branch/3", "three", base=theirs)
    await world.publish(on_top)
    assert world.published() == on_top.data.commit


async def test_a_branch_in_the_way_is_named_at_once(world: InMemorySystem) -> None:
    git(world.target, "branch", "journeyman", "main")
    await world.publish(await world.request("branch/1", "after"))
    await fails_with(world, "branch-in-the-way")


async def test_a_branch_that_somebody_works_on_is_left_alone(world: InMemorySystem) -> None:
    await world.publish(await world.request("branch/1", "one"))
    git(world.target, "checkout", "--quiet", BRANCH)
    second = await world.request("branch/2", "two")
    await world.publish(second)
    await fails_with(world, "branch-checked-out", "branch/2")


async def test_a_repository_that_is_not_configured_fails_with_the_mend(world: InMemorySystem) -> None:
    await world.publish(await world.request("branch/1", "after", repo="octo/other"))
    await fails_with(world, "repo-unknown")


async def test_the_configuration_is_read_for_each_publication(world: InMemorySystem) -> None:
    toml = world.tmp / "data" / "journeyman.toml"
    toml.write_text(toml.read_text().replace("octo/app", "octo/new"))
    await world.publish(await world.request("branch/1", "after", repo="octo/new"))
    assert (await world.effect("branch/1")).status is EffectStatus.POSTED


async def test_a_target_that_is_away_is_tried_again_and_then_fails_with_the_reason(world: InMemorySystem) -> None:
    event = await world.request("branch/1", "after")
    world.target.rename(world.tmp / "elsewhere")
    for delivered in (1, 2):
        with pytest.raises(GitFailed):
            await world.publish(event, delivered)
    await world.publish(event, 3)
    await fails_with(world, "publish-failed")


async def fails_with(world: InMemorySystem, code: str, effect: str = "branch/1") -> None:
    assert (await world.effect(effect)).status is EffectStatus.FAILED
    last = (await world.journal.load(REPLY))[-1]
    assert isinstance(last.data, reply.Failed)
    assert (last.data.code, last.data.effect) == (code, effect)
    assert last.data.message.endswith(".")
