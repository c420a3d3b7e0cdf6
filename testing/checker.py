"""Decides whether a log tells a story in which nothing was lost and nothing happened twice.

It reads the log, the target repository and the read models' file, and knows nothing of the services.
"""

from __future__ import annotations

import asyncio
import subprocess
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import duckdb

from cli.audit import audit
from shared.contracts.ids import derived_id
from shared.contracts.subjects import Actor
from shared.contracts.task import Paused, PlanReady
from shared.contracts.usage import ModelUsage
from shared.event_store.envelope import RecordedEvent
from shared.nats.bus import Bus
from shared.nats.journal import NatsJournal
from shared.nats.streams import PARKED
from testing.api_client import END, tokens_in, usage_of
from testing.demo_model import CountingModel

KINDS = ("task", "plan", "run", "reply")
STATUS_OF: Final = {"answered": "completed"}
"""The status of a task after an event at its end, where it is not called as the event is."""


async def story_of(bus: Bus, task_id: str) -> list[RecordedEvent]:
    """Every event of a task's four actors in the order of the log; raises `LogDamaged` where a chain is broken."""
    journal = NatsJournal(bus)
    loaded = await asyncio.gather(*(journal.load(Actor(kind, task_id)) for kind in KINDS))
    return sorted((each for events in loaded for each in events), key=lambda each: each.position)


async def problems_of_log(bus: Bus) -> list[str]:
    """What is wrong with the log as a whole: damage, and what was parked."""
    whole = await audit(bus)
    found = [] if whole.damage is None else [str(whole.damage)]
    if parked := (await bus.js.stream_info(PARKED)).state.messages:
        last = await bus.js.get_msg(PARKED, seq=(await bus.js.stream_info(PARKED)).state.last_seq)
        found.append(f"{parked} messages were parked, the last one: {last.subject} {last.headers}")
    return found


def problems_of_story(story: Sequence[RecordedEvent], repository: Path, end: str = "completed") -> list[str]:
    """What is wrong with one task that has come to its end: its branch, and effects that came twice."""
    return problems_of_events(story, end) or problems_of_branch(story, branches_of(repository))


def problems_of_events(story: Sequence[RecordedEvent], end: str = "completed") -> list[str]:
    """What is wrong with one task by its own events: it has not this end once, or something took effect twice."""
    found: list[str] = []
    task = _life_of_the_task(story)
    ends = [each.name for each in task if each.name in END | {end}]
    if ends != [end] or task[-1].name != end:
        why = [str(each.data) for each in story if each.name in ("failed", "paused")]
        return [f"it ended as {ends}: {[f'{each.kind}.{each.name}' for each in story]} {why}"]
    for kind in KINDS:
        causes = Counter(each.causation_id for each in story if each.kind == kind and each.causation_id)
        found += [f"{kind}: {cause} took effect {times} times" for cause, times in causes.items() if times > 1]
    for name, most in (("run.succeeded", 1), ("reply.posted", 1), ("task.triage-requested", 1)):
        times = sum(f"{each.kind}.{each.name}" == name for each in story)
        if times > most:
            found.append(f"{name} happened {times} times")
    return found


def problems_of_waits(story: Sequence[RecordedEvent]) -> list[str]:
    """What is wrong with how one task waited: a moment that came early, twice or not at all.

    For a task that nobody but its timers moves: every pause and every plan that waits is followed by its end.
    """
    found: list[str] = []
    own = [each for each in story if each.kind == "task"]
    for number, each in enumerate(own):
        match each.data:
            case Paused(until=until):
                expected, due = "resumed", until
            case PlanReady(expires_at=at) if at is not None:
                expected, due = "approval-expired", at
            case _:
                continue
        after = own[number + 1] if number + 1 < len(own) else None
        if after is None or after.name != expected:
            found.append(f"{each.name} was followed by {after and after.name}, not by {expected}")
        elif after.time < due:
            found.append(f"{expected} came at {after.time}, before {due}")
    waits = sum(each.name == "paused" or getattr(each.data, "expires_at", None) is not None for each in own)
    ends = sum(each.name in ("resumed", "approval-expired") for each in own)
    if waits != ends:
        found.append(f"{waits} waits have {ends} ends")
    return found if waits else ["it waited for nothing"]


def _life_of_the_task(story: Sequence[RecordedEvent]) -> list[RecordedEvent]:
    """The task's own events, without the bills that came late."""
    return [each for each in story if each.kind == "task" and each.name != "spend-recorded"]


class Tip(NamedTuple):
    """Where a branch stands: its commit and that one's parents."""

    commit: str
    parents: tuple[str, ...]


def branches_of(repository: Path) -> dict[str, Tip]:
    """Every branch of a repository."""
    told = _git(repository, "for-each-ref", "--format=%(refname:short) %(objectname) %(parent)", "refs/heads")
    rows = (line.split() for line in told.splitlines())
    return {name: Tip(commit, tuple(parents)) for name, commit, *parents in rows}


def problems_of_branch(story: Sequence[RecordedEvent], branches: Mapping[str, Tip]) -> list[str]:
    """Whether a task with a result has one branch, with one commit behind the base that it began from."""
    task = _life_of_the_task(story)
    done = task[-1].data
    short = story[0].actor.id.lower()[-10:]
    own = [name for name in branches if short in name]
    if own != [done.branch]:
        return [f"its branches are {own}, not {done.branch!r}"]
    (base,) = {each.data.base_commit for each in task if each.name == "triaged"}
    expected = Tip(done.commit, (base,))
    return [] if branches[done.branch] == expected else [f"its branch is at {branches[done.branch]}, not {expected}"]


def problems_of_costs(story: Iterable[RecordedEvent], model: CountingModel) -> list[str]:
    """Whether the log's sum of tokens is what the model counted for the task's conversations."""
    story = list(story)
    claims = [each for each in story if each.name == "claimed" and each.kind in ("plan", "run")]
    sessions = {each.data.session for each in claims}
    # The second agent of a draft, after one that was killed, has a conversation of its own that no event names.
    sessions |= {derived_id("plan", each.actor.id, str(each.data.draft), "2") for each in claims if each.kind == "plan"}
    counted = model.tokens(*sessions)
    told = tokens_in(usage_of(each for each in story if each.kind in ("plan", "run")))
    return [] if +told == +counted else [f"the log says {dict(told)}, the model counted {dict(counted)}"]


def problems_of_read_models(file: Path, stories: Mapping[str, Sequence[RecordedEvent]], last: int) -> list[str]:
    """Whether the read models at ``file`` (closed by their projector) say what the log says up to ``last``."""
    found: list[str] = []
    with duckdb.connect(str(file), read_only=True) as connection:
        (checkpoint,) = connection.execute("SELECT seq FROM checkpoint").fetchall()
        if checkpoint != (last,):
            found.append(f"the read models are at {checkpoint}, the log is at {last}")
        rows: dict[str, Any] = {
            row[0]: row[1:]
            for row in connection.execute("SELECT id, status, commit, cost_microusd, tokens FROM tasks").fetchall()
        }
        if set(rows) != set(stories):
            found.append(f"the read models have the tasks {sorted(rows)}, the log has {sorted(stories)}")
        entries = dict(
            connection.execute(
                f"SELECT task_id, count(*) FROM timeline WHERE kind IN {KINDS} GROUP BY task_id"
            ).fetchall()
        )
    for task_id, story in stories.items():
        usage: list[ModelUsage] = usage_of(story)
        expected = (
            STATUS_OF.get(_life_of_the_task(story)[-1].name, _life_of_the_task(story)[-1].name),
            getattr(_life_of_the_task(story)[-1].data, "commit", ""),
            sum(each.cost_microusd for each in usage),
            sum(tokens_in(usage).values()),
        )
        if rows.get(task_id) != expected:
            found.append(f"{task_id}: the read models say {rows.get(task_id)}, the log says {expected}")
        if entries.get(task_id) != len(story):
            found.append(f"{task_id}: the timeline has {entries.get(task_id)} of {len(story)} events")
    return found


def _git(repository: Path, *arguments: str) -> str:
    return subprocess.run(["git", "-C", str(repository), *arguments], capture_output=True, text=True, check=True).stdout
