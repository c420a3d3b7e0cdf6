"""What the demonstration promises, checked: the commit, its test, cost and tokens, and the log itself."""

from __future__ import annotations

import tempfile
import uuid
from pathlib import Path
from typing import Final

import msgspec

from cli.audit import audit
from cli.demo.retry import patiently
from cli.story import money
from shared.contracts.evidence import Evidence
from shared.contracts.queries import GetTask, TaskDetail
from shared.contracts.sentences.evidence import class_of
from shared.contracts.task import Completed
from shared.event_store.envelope import RecordedEvent
from shared.nats.bus import Bus
from shared.runtime.client import Client
from shared.sandbox.sandbox import Sandbox
from shared.workspace.check_sandbox import CheckSandbox
from shared.workspace.checks import CheckResult, run_checks
from shared.workspace.detect import detect_checks
from shared.workspace.git import git

CHECK_S: Final = 60.0


class DemoFinding(msgspec.Struct, frozen=True, kw_only=True):
    """One promise, whether it holds, and the facts."""

    what: str
    good: bool
    detail: str
    more: tuple[str, ...] = ()


async def findings(
    bus: Bus, client: Client, task_id: str, end: RecordedEvent, repository: Path | None, sandbox: Sandbox
) -> list[DemoFinding]:
    """Every promise, kept or not. Without a ``repository`` in reach, what the executor observed is all there is."""
    answer = await patiently(lambda: client.query(GetTask(id=task_id, min_seq=end.position)))
    task = answer.task
    found = [_status(task), _evidence(task)]
    if repository is None:
        found.append(DemoFinding(what="commit", good=bool(task.commit), detail=f"{task.branch} at {task.commit[:12]}"))
    else:
        found += await _in_the_repository(repository, task, end.data, sandbox)
    found.append(_cost(task))
    result = await audit(bus)
    found.append(
        DemoFinding(
            what="log",
            good=result.damage is None,
            detail=f"{result.events} events of {result.actors} actors: versions, hash chain and schemas are right"
            if result.damage is None
            else f"damaged at {result.damage.sequence}: {result.damage.problem}",
        )
    )
    return found


def _status(task: TaskDetail) -> DemoFinding:
    proven = f", {words}" if (words := class_of(task.evidence, task.outcome)) else ""
    return DemoFinding(
        what="task", good=task.status == "completed", detail=f"{task.status}{proven} in the read model: {task.title}"
    )


def _evidence(task: TaskDetail) -> DemoFinding:
    return DemoFinding(
        what="evidence",
        good=task.evidence == Evidence.VERIFIED,
        detail=task.run.observed if task.run else "there was no run",
    )


async def _in_the_repository(
    repository: Path, task: TaskDetail, done: Completed, sandbox: Sandbox
) -> list[DemoFinding]:
    head = (await git("rev-parse", "--verify", f"refs/heads/{done.branch}", cwd=repository, check=False)).strip()
    if not done.commit or head != done.commit:
        return [
            DemoFinding(what="commit", good=False, detail=f"{done.branch} is at {head or 'nothing'}, not {done.commit}")
        ]
    base = task.base_commit
    subject = (await git("log", "-1", "--format=%s", head, cwd=repository)).strip()
    stat = await git("diff", "--stat=90", base, head, cwd=repository)
    before, after = [await _checked_out(repository, commit, sandbox) for commit in (base, head)]
    return [
        DemoFinding(what="branch", good=True, detail=done.branch),
        DemoFinding(
            what="commit",
            good=True,
            detail=f"{head[:12]} {subject}",
            more=tuple(line.strip() for line in stat.splitlines()),
        ),
        DemoFinding(
            what="test",
            good=bool(after) and all(check.passed for check in after),
            detail=", ".join(f"`{check.command}` {_verdict(before, check)}" for check in after) or "no check was found",
        ),
    ]


def _verdict(before: list[CheckResult], check: CheckResult) -> str:
    failed_before = any(each.command == check.command and not each.passed for each in before)
    if check.passed:
        return "passes" + (" (it failed before)" if failed_before else "")
    return f"fails: {check.output.strip().splitlines()[-1:]}"


async def _checked_out(repository: Path, commit: str, sandbox: Sandbox) -> list[CheckResult]:
    """The repository's own checks at a commit, in a clone of ours."""
    with tempfile.TemporaryDirectory(prefix="journeyman-demo-") as scratch:
        tree = Path(scratch) / "tree"
        await git("clone", "--quiet", "--no-checkout", "--no-hardlinks", "--", str(repository), str(tree))
        await git("checkout", "--quiet", "--detach", commit, cwd=tree)
        async with CheckSandbox.opened(sandbox, tree, Path(scratch) / "home") as commands:
            return await run_checks(detect_checks(tree), commands, CHECK_S, f"demo-{uuid.uuid4()}")


def _cost(task: TaskDetail) -> DemoFinding:
    used = task.usage
    agents = sorted({each.agent for each in used})
    return DemoFinding(
        what="cost",
        good=task.tokens > 0 and bool(used),
        detail=f"{money(task.cost_microusd)} at list price, {task.tokens:,} tokens, by {', '.join(agents)}"
        if used
        else "no usage is in the read model",
    )
