"""What the checks of our own branches mean in our words (pure): the names and addresses are their authors' words."""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from services.gateway.inbound.check_report import output_of
from services.gateway.inbound.github_payloads import (
    CheckApp,
    CheckEvent,
    CheckOutput,
    CheckRunPayload,
    CheckSuitePayload,
    Repository,
    StatusPayload,
    WorkflowRunPayload,
)
from services.gateway.inbound.sender import Ignored
from services.gateway.inbound.text import one_line, visible
from shared.contracts.delivery import Signal, SignalKind
from shared.contracts.ids import task_id_in
from shared.contracts.pull_request import FAILING, PullFacts
from shared.ops.config import Config

ACTIONS: Final = "github-actions"
"""The App whose checks are jobs of workflows."""
NO_BRANCH: Final = "a check of no branch of ours"
_OWN: Final = "a check of our own"
_RUNS: Final = "it has not ended yet"
MAX_NAME: Final = 200
MAX_URL: Final = 500


def check_run(payload: CheckRunPayload, config: Config) -> Signal | Ignored:
    """One check has ended."""
    run = payload.check_run
    if _is_own(config, run.app):
        return Ignored(_OWN)
    if not run.conclusion:
        return Ignored(_RUNS)
    branch = (run.check_suite.head_branch if run.check_suite else None) or ""
    app = run.app.slug if run.app else ""
    name, key = f"{app}/{run.name}", f"check/{run.node_id or run.id}"
    ended = _ended(payload, config, name, branch, run.head_sha, key, run.conclusion, run.html_url or "")
    if isinstance(ended, Ignored) or ended.pull is None or ended.pull.conclusion not in FAILING:
        return ended
    output = run.output or CheckOutput()
    # A check of Actions is a job, under the same number.
    job = run.id if app == ACTIONS else 0
    said = output_of(output.title or "", output.summary or "")
    return replace(ended, pull=replace(ended.pull, said=said, check=run.id, job=job))


def check_suite(payload: CheckSuitePayload, config: Config) -> Signal | Ignored:
    """All checks of one App have ended."""
    suite = payload.check_suite
    if _is_own(config, suite.app):
        return Ignored(_OWN)
    if not suite.conclusion:
        return Ignored(_RUNS)
    app = suite.app.slug if suite.app else ""
    key = f"suite/{suite.node_id or suite.id}"
    return _ended(payload, config, f"{app} (all)", suite.head_branch or "", suite.head_sha, key, suite.conclusion, "")


def workflow_run(payload: WorkflowRunPayload, config: Config) -> Signal | Ignored:
    """A workflow has ended, or could not begin."""
    run, home = payload.workflow_run, payload.workflow_run.head_repository
    if home is not None and home.id != payload.repository.id:
        return Ignored(NO_BRANCH)
    if not run.conclusion:
        return Ignored(_RUNS)
    key = f"workflow/{run.node_id or run.id}/{run.run_attempt}"
    name = f"{run.name or 'a workflow'} (workflow)"
    return _ended(payload, config, name, run.head_branch or "", run.head_sha, key, run.conclusion, run.html_url)


def status(payload: StatusPayload, config: Config) -> Signal | Ignored:
    """A commit status, which is the older kind of check."""
    if payload.sender is not None and config.policy.is_own_login(payload.sender.login):
        return Ignored(_OWN)
    if payload.state == "pending":
        return Ignored(_RUNS)
    branch = next((each.name for each in payload.branches if task_id_in(each.name)), "")
    name = f"{payload.context} (status)"
    key = f"status/{payload.id}"
    return _ended(payload, config, name, branch, payload.sha, key, payload.state, payload.target_url or "")


def _is_own(config: Config, app: CheckApp | None) -> bool:
    return app is not None and app.id != 0 and app.id == config.policy.app_id


def _ended(
    payload: CheckEvent, config: Config, name: str, branch: str, head: str, key: str, conclusion: str, url: str
) -> Signal | Ignored:
    if not task_id_in(branch):
        return Ignored(NO_BRANCH)
    shown = one_line(visible(name), MAX_NAME)
    repository: Repository = payload.repository
    return Signal(
        kind=SignalKind.CHECK,
        thread=f"github:{repository.id or repository.full_name}@{head}",
        opened_at_ms=0,
        title=shown,
        text=one_line(f"{conclusion.replace('_', ' ')}: {shown}"),
        repo=config.known_as(repository.full_name, repository.id),
        url=visible(url) if len(url) <= MAX_URL else "",
        author=payload.sender.login if payload.sender else "",
        by_program=True,
        pull=PullFacts(branch=branch, head=head, key=key, name=shown, conclusion=conclusion.lower()),
    )
