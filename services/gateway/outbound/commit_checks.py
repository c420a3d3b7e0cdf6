"""The check of a published commit: what our executor observed, as GitHub shows checks.

An App makes a check run with annotations at the lines that failed; a token, which may not, sets a commit status.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from msgspec.structs import replace

from services.gateway.github.answers import CheckRun
from services.gateway.github.client import ANNOTATIONS_AT_ONCE, GitHub, StatusState
from services.gateway.outbound.defused import cut, one_line
from services.gateway.outbound.displays import CannotShow, Visible
from services.gateway.outbound.parts import MAX_TEXT, evidence
from shared.contracts import reply, run
from shared.contracts.evidence import Check, CheckVerdict, Evidence
from shared.contracts.queries import RunAttempt
from shared.contracts.reply import Display, Publication, Update, publication_of, update_of
from shared.contracts.sentences.evidence import class_of, observed
from shared.contracts.subjects import Actor
from shared.event_store.journal import Journal
from shared.ops.known_secrets import without_secrets
from shared.ops.visible import visible

NAME: Final = "Journeyman"
CONCLUSIONS: Final[dict[Evidence, str]] = {
    Evidence.VERIFIED: "success",
    Evidence.NO_NEW_FAILURES: "neutral",
    Evidence.UNVERIFIED: "neutral",
    Evidence.FAILING: "failure",
}
"""What a check run concludes. What failed before, or could not be checked, is neither a success nor a failure."""
STATES: Final[dict[Evidence, StatusState]] = {
    Evidence.VERIFIED: "success",
    Evidence.NO_NEW_FAILURES: "success",
    Evidence.UNVERIFIED: "pending",
    Evidence.FAILING: "failure",
}
MAX_MESSAGE: Final = 1_000
_PLACE: Final = re.compile(r"(?P<path>[A-Za-z0-9_][A-Za-z0-9_./+@-]{0,300}?):(?P<line>\d{1,7})(?::\d+)?(?=[:\s]|$)")


class CommitChecks:
    """Shows the evidence of a result at its commit."""

    def __init__(self, github: GitHub, journal: Journal, *, public_url: str = "") -> None:
        self._github = github
        self._journal = journal
        self._public_url = public_url.rstrip("/")

    async def show(self, repo: str, task: str, display: Display) -> Visible:
        """Make the check, or find it; raises `CannotShow`, and what the client raises."""
        wanted = display.wanted
        update = update_of(wanted.text)
        publication = publication_of(wanted.text) if update is None else await self._published(task)
        result = await self._result(task, publication.attempt if publication else 0)
        lead = not_checked(update) if update is not None else ""
        if lead:
            # It is that of what was checked, which is another tree.
            result = replace(result, evidence=Evidence.UNVERIFIED, observed=f"Not checked anew. {result.observed}")
        details = f"{self._public_url}/tasks/{task}" if self._public_url else ""
        own = await self._github.identity()
        if own.app_id:
            return await self._check_run(repo, task, display, check_fields(result, lead), details)
        return await self._status(repo, display, result, details)

    async def _check_run(
        self, repo: str, task: str, display: Display, of_result: dict[str, Any], details: str
    ) -> Visible:
        commit, mark = display.wanted.target, f"journeyman:{task}:{display.wanted.effect}"
        fields = {"external_id": mark, "status": "completed", **of_result}
        if details:
            fields["details_url"] = details
        found = await self._found(repo, commit, mark)
        if found is None:
            found = await self._github.create_check_run(repo, name=NAME, commit=commit, **fields)
        return Visible(revision=display.wanted.revision, url=found.html_url or "", external=str(found.id))

    async def _found(self, repo: str, commit: str, mark: str) -> CheckRun | None:
        runs = await self._github.check_runs(repo, commit, name=NAME)
        return next((each for each in runs if each.external_id == mark), None)

    async def _status(self, repo: str, display: Display, result: RunAttempt, details: str) -> Visible:
        commit, context = display.wanted.target, NAME.lower()
        state, description = STATES[_class(result)], one_line(result.observed, 140)
        for each in await self._github.statuses(repo, commit):
            if each.context == context:
                if (each.state, each.description) == (state, description):
                    return Visible(revision=display.wanted.revision, external=str(each.id))
                break
        made = await self._github.create_status(
            repo, commit, state=state, context=context, description=description, url=details
        )
        return Visible(revision=display.wanted.revision, external=str(made.id))

    async def _published(self, task: str) -> Publication | None:
        """What was published last, on which a branch was brought up to date."""
        for event in reversed(await self._journal.load(Actor("reply", task))):
            if isinstance(event.data, reply.Posted) and (found := publication_of(event.data.effect)) is not None:
                return found
        return None

    async def _result(self, task: str, attempt: int) -> RunAttempt:
        for event in reversed(await self._journal.load(Actor("run", task))):
            match event.data:
                case run.Succeeded() | run.Failed() as ended if ended.attempt == attempt:
                    return result_of(ended)
        raise CannotShow("result-unknown", f"Nothing is known of attempt {attempt}, which made this commit.")


def result_of(ended: run.Succeeded | run.Failed) -> RunAttempt:
    """What an attempt made and what was observed of it, as people read it."""
    made = ended if isinstance(ended, run.Succeeded) else ended.result
    return RunAttempt(
        status="succeeded" if isinstance(ended, run.Succeeded) else "failed",
        round=ended.round,
        attempt=ended.attempt,
        duration_ms=ended.duration_ms,
        summary=made.summary if made else "",
        commit=made.commit if made else "",
        tree=made.tree if made else "",
        checked_commit=made.checked_commit if made else "",
        files=made.files if made else (),
        checks=ended.checks,
        setup=ended.setup,
        notes=ended.notes,
        evidence=ended.evidence or "",
        observed=observed(ended.evidence, ended.checks, ended.setup),
    )


def not_checked(update: Update) -> str:
    """What is said of a commit that was made after what was checked."""
    return (
        f"**This commit was not checked.** It brings what was checked before (`{update.head[:12]}`) up to date with "
        f"`{update.base[:12]}` of its base. What was observed then:"
    )


def check_fields(result: RunAttempt, lead: str = "") -> dict[str, Any]:
    """The conclusion and the output of a check run. ``lead`` goes before what was observed."""
    proof = "\n\n".join(part for part in (lead, evidence(result) or "There is no evidence of this result.") if part)
    # At another tree its lines are others.
    annotations = [] if lead else list(_annotations(result))[:ANNOTATIONS_AT_ONCE]
    output: dict[str, Any] = {"title": one_line(_title(result), 200), "summary": cut(proof, MAX_TEXT - 1_000)}
    if annotations:
        output["annotations"] = annotations
    return {"conclusion": CONCLUSIONS[_class(result)], "output": output}


def _title(result: RunAttempt) -> str:
    words = class_of(_class(result))
    return f"{words[:1].upper()}{words[1:]}"


def _class(result: RunAttempt) -> Evidence:
    return Evidence(result.evidence) if result.evidence else Evidence.UNVERIFIED


def _annotations(result: RunAttempt) -> Iterator[dict[str, Any]]:
    """The lines that checks name as failed, in files of the result: others would be nowhere to be seen."""
    changed = {file.path for file in result.files}
    seen: set[tuple[str, int]] = set()
    for check in result.checks:
        if check.judged is CheckVerdict.FAILED:
            for path, line, words in _places(check):
                if path in changed and (path, line) not in seen:
                    seen.add((path, line))
                    yield {
                        "path": path,
                        "start_line": line,
                        "end_line": line,
                        "annotation_level": "failure",
                        "title": one_line(f"{check.command}", 200),
                        "message": words,
                    }


def _places(check: Check) -> Iterator[tuple[str, int, str]]:
    for words in check.failing_lines:
        found = _PLACE.search(words)
        if found is not None and int(found["line"]) > 0:
            path = found["path"].removeprefix("./")
            yield path, int(found["line"]), without_secrets(visible(words))[:MAX_MESSAGE] or "failed"
