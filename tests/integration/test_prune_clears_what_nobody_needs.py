"""`journeyman prune` over a log of a task that completed, one that failed and one that goes on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from shared.contracts import run, task
from shared.contracts.messages import ArtifactRef, Event
from shared.contracts.subjects import Actor
from shared.event_store.envelope import MessageMetadata, utc_now
from shared.event_store.journal import Head, head_of
from shared.nats.bus import Bus
from shared.nats.journal import NatsJournal
from shared.nats.objects import Artifacts
from shared.nats.stored_objects import objects_after
from shared.workspace.mirror import Mirror
from testing.command_line import Run
from testing.nats import Nats
from tests.integration.cli.conftest import journeyman
from tests.integration.workspace.workspace_support import sh_git

__all__ = ["journeyman"]

DONE, FAILED, ACTIVE = "01DONE", "01FAILED", "01ACTIVE"
BRANCH = "journeyman/done"
SOURCE = task.Source(kind="api")
MADE: dict[str, Any] = {"round": 1, "attempt": 1}


class Log:
    """Appends events as services do."""

    def __init__(self, bus: Bus) -> None:
        self._journal = NatsJournal(bus)
        self._heads: dict[Actor, Head] = {}

    async def tell(self, actor: Actor, *events: Event) -> None:
        for event in events:
            head = self._heads.get(actor, Head())
            id = f"{actor}-{head.sequence}"
            metadata = MessageMetadata(
                id=id, source="test", time=utc_now(), principal="service:test", causation_id=f"c-{id}"
            )
            appended = await self._journal.append(actor, event, expected=head, metadata=metadata)
            self._heads[actor] = head_of(appended)


@pytest.fixture
async def kept(bus: Bus) -> dict[str, ArtifactRef]:
    """Three tasks with a checkpoint and a result each, and one artifact that no event names."""
    store, log = Artifacts(bus), Log(bus)
    found: dict[str, ArtifactRef] = {"nobody's": await store.put("x", b"nobody's")}
    for id in (DONE, FAILED, ACTIVE):
        found[f"{id} checkpoint"] = await store.put(f"{id}.checkpoint.bundle", b"c")
        found[f"{id} result"] = await store.put(f"{id}.result.bundle", b"r")
        await log.tell(Actor("task", id), task.Submitted(title="t", text="x", source=SOURCE, repo="octo/target"))
        result = found[f"{id} result"]
        await log.tell(
            Actor("run", id),
            run.Checkpointed(attempt=1, turn=1, bundle=found[f"{id} checkpoint"], transcript=result),
            run.Committed(commit="c", tree="t", parent="p", bundle=result, diff=result, **MADE),
        )
    await log.tell(Actor("task", FAILED), task.Failed(code="agent-failed", message="m", stage="executing"))
    return found


async def complete(bus: Bus, commit: str) -> None:
    journal = NatsJournal(bus)
    head = head_of((await journal.load(Actor("task", DONE)))[-1])
    metadata = MessageMetadata(id="done", source="test", time=utc_now(), principal="service:test", causation_id="c")
    done = task.Completed(summary="s", commit=commit, branch=BRANCH)
    await journal.append(Actor("task", DONE), done, expected=head, metadata=metadata)


async def names(bus: Bus) -> set[str]:
    return {each.name async for each in objects_after(bus, 0) if not each.deleted}


async def test_artifacts_go_by_age_and_outcome_and_only_when_they_are_told_to(
    journeyman: Run, nats_server: Nats, bus: Bus, kept: dict[str, ArtifactRef]
) -> None:
    await complete(bus, "c0ffee")
    everything = await names(bus)

    async def prune(*options: str) -> set[str]:
        ended = await journeyman(
            "prune", "--only", "artifacts", "--json", *options, JOURNEYMAN_NATS_URL=nats_server.url
        )
        assert ended.code == 0, ended.err
        return {each["what"] for each in ended.json["items"]}

    over = {kept[f"{id} checkpoint"].name for id in (DONE, FAILED)}
    assert await prune() == set(), "nothing is a month old"
    completed = await prune("--older-than", "0", "--outcome", "completed")
    assert completed == {kept[f"{DONE} checkpoint"].name, kept["nobody's"].name}
    assert await prune("--older-than", "0") == over | {kept["nobody's"].name}
    assert await names(bus) == everything, "so far everything was only listed"
    await prune("--older-than", "0", "--apply")
    assert await names(bus) == everything - over - {kept["nobody's"].name}
    assert await prune("--older-than", "0") == set()
    for id in (DONE, FAILED, ACTIVE):
        assert await Artifacts(bus).get(kept[f"{id} result"]) == b"r"


async def test_conversations_mirrors_caches_and_merged_branches_go(
    journeyman: Run, nats_server: Nats, bus: Bus, kept: dict[str, ArtifactRef], tmp_path: Path
) -> None:
    target = tmp_path / "target"
    target.mkdir()
    sh_git(target, "init", "--quiet", "--initial-branch=main")
    sh_git(target, "commit", "--quiet", "--allow-empty", "--message=first")
    sh_git(target, "branch", BRANCH)
    sh_git(target, "branch", "journeyman/of-somebody-else")
    await complete(bus, sh_git(target, "rev-parse", BRANCH))
    data = tmp_path / ".journeyman"
    data.mkdir()
    (data / "journeyman.toml").write_text(f'[repos."octo/target"]\npath = "{target}"\n')
    projects = data / "claude" / "projects"
    ended_one, other = projects / f"-data-worktrees-run-{DONE}-1", projects / f"-data-worktrees-run-{ACTIVE}-1"
    for folder in (ended_one, other, data / "caches" / "target" / "pip"):
        folder.mkdir(parents=True)
        (folder / "session.jsonl").write_text("x" * 10_000)
    old = Mirror(data / "mirrors", str(target.parent / "gone"))
    old.path.mkdir(parents=True)
    options = ("--older-than", "0", "--caches-gib", "0")
    all_kinds = [each for kind in ("conversations", "mirrors", "caches", "branches") for each in ("--only", kind)]

    listed = await journeyman("prune", *options, *all_kinds, "--json", JOURNEYMAN_NATS_URL=nats_server.url)
    assert (listed.code, listed.json["problems"]) == (0, []), listed.err
    assert [(each["kind"], each["what"], each["reason"]) for each in listed.json["items"]] == [
        ("conversations", ended_one.name, f"task {DONE} is completed"),
        ("mirrors", old.path.name, "no configured repository has it"),
        ("caches", "target", "more than 0 bytes"),
        ("branches", f"octo/target {BRANCH}", "merged"),
    ]
    assert ended_one.exists() and old.path.exists() and BRANCH in sh_git(target, "branch", "--list", BRANCH)

    (data / "worktrees" / "run-x").mkdir(parents=True)
    done = await journeyman("prune", *options, *all_kinds, "--apply", JOURNEYMAN_NATS_URL=nats_server.url)
    assert done.code == 0, done.err
    assert "held: agents or checks are at work" in done.out
    assert (data / "caches" / "target" / "pip").exists()
    assert not ended_one.exists() and other.exists() and not old.path.exists()
    assert sh_git(target, "for-each-ref", "--format=%(refname:short)", "refs/heads/journeyman") == (
        "journeyman/of-somebody-else"
    )
    again = await journeyman("prune", *options, "--only", "branches", "--apply", JOURNEYMAN_NATS_URL=nats_server.url)
    assert (again.code, again.out.strip()) == (0, "Nothing to prune.")
