"""Drafts of webhooks: a description in words becomes a task of the brain's, and its answer a form that people save."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection
from typing import Final, Literal

import msgspec
from msgspec.structs import replace

from services.gateway.custom.paths import BadExpression, check
from services.gateway.custom.registry import Webhooks
from services.gateway.inbound.redaction import shown_body, told_secrets, words_without_secrets
from services.gateway.inbound.self_delivery import TrialLimit
from services.gateway.inbound.text import clean, one_line
from services.gateway.problems import Problem
from shared.claude.runner import AgentRunner
from shared.contracts import task
from shared.contracts.decider import Rejected
from shared.contracts.ids import new_task_id
from shared.contracts.subjects import Actor, actor
from shared.contracts.webhook import NAME, RESERVED, Definition
from shared.contracts.webhook_draft import SOURCE, Draft, draft_in
from shared.event_store.envelope import RecordedEvent
from shared.event_store.journal import Journal
from shared.ops.config import Config
from shared.ops.known_secrets import REMOVED
from shared.ops.senders import SENDERS
from shared.ops.visible import is_blank, visible
from shared.runtime.client import Client, NoAnswer

SAMPLE_BYTES: Final = 8 * 1024
"""Of a body that is shown to the model."""


class DraftAsked(msgspec.Struct, frozen=True, kw_only=True):
    """The task whose answer will be the draft. ``removed`` says that the words had what looked like a secret."""

    task_id: str
    removed: bool


class WebhookDraft(msgspec.Struct, frozen=True, kw_only=True):
    """How far a draft is.

    ``state``: ``working``, ``waiting`` (it goes on by itself, and ``problem`` says what for), ``failed`` (``problem``
    says why) or ``done``; then ``name`` and ``definition`` are what a person may save, and ``notes`` what they must
    look at.
    """

    task_id: str
    state: Literal["working", "waiting", "failed", "done"]
    problem: str = ""
    name: str = ""
    definition: Definition | None = None
    notes: tuple[str, ...] = ()


class WebhookDrafts:
    """Asks for drafts, a few in a minute, and reads them. Nothing that is read here makes a webhook."""

    def __init__(
        self, client: Client, journal: Journal, webhooks: Webhooks, runner: AgentRunner, config: Callable[[], Config]
    ) -> None:
        self._client = client
        self._journal = journal
        self._webhooks = webhooks
        self._runner = runner
        self._config = config
        self._limit = TrialLimit(code="too-many-drafts", what="drafts")

    async def ask(self, description: str, sample: str, *, principal: str) -> DraftAsked:
        """Have the brain draft a webhook. What looks like a secret in the words or the sample is not sent onward.

        Raises `Rejected` for an empty description, `Problem` where no agent can run and after too many of them, and
        what `Client.send` raises.
        """
        if is_blank(description):
            raise Rejected("text-empty", "There is nothing to draft: say what is sent, and how it proves itself.")
        if problem := self._runner.model_problem():
            raise Problem(409, "no-model", problem)
        self._limit.count()
        told = words_without_secrets(description)
        body = words_without_secrets(shown_body(sample.encode()[:SAMPLE_BYTES], told_secrets(description)))
        text = clean(told) if is_blank(sample) else f"{clean(told)}\n\nA body that it sends:\n\n{body}"
        id = new_task_id()
        command = task.Submit(
            title=one_line(f"Draft a webhook: {clean(told)}", 120),
            text=text,
            source=task.Source(kind=SOURCE, author=principal),
        )
        with contextlib.suppress(NoAnswer):  # then it waits in the brain's mailbox
            await self._client.send(Actor("task", id), command, principal=principal)
        return DraftAsked(task_id=id, removed=REMOVED in text)

    async def get(self, id: str) -> WebhookDraft:
        """Raises `BadAddress`, the connection's errors, and `Problem` for what is no draft."""
        about = actor("task", id)
        events = await self._journal.load(about)
        if not events or not _is_draft(events[0]):
            raise Problem(404, "not-found", f"There is no draft {about.id}.")
        return self._read(about.id, events)

    def _read(self, id: str, events: list[RecordedEvent]) -> WebhookDraft:
        at = WebhookDraft(task_id=id, state="working")
        for event in events:
            match event.data:
                case task.TriageRequested():
                    at = WebhookDraft(task_id=id, state="working")
                case task.Answered(answer=answer):
                    at = self._done(id, answer)
                case task.Paused(message=message):
                    at = WebhookDraft(task_id=id, state="waiting", problem=visible(message))
                case task.Failed(message=message) | task.Declined(reason=message):
                    at = WebhookDraft(task_id=id, state="failed", problem=visible(message))
                case task.Cancelled():
                    at = WebhookDraft(task_id=id, state="failed", problem="Somebody has stopped the draft.")
                case _:
                    continue
        return at

    def _done(self, id: str, answer: str) -> WebhookDraft:
        draft = draft_in(answer)
        if draft is None:
            return WebhookDraft(task_id=id, state="failed", problem="The answer holds no draft: ask again.")
        name, definition, notes = usable(draft, self._webhooks.all().keys(), self._config())
        return WebhookDraft(task_id=id, state="done", name=name, definition=definition, notes=tuple(notes))


def _is_draft(event: RecordedEvent) -> bool:
    return isinstance(event.data, task.Submitted) and event.data.source.kind == SOURCE


def usable(draft: Draft, taken: Collection[str], config: Config) -> tuple[str, Definition, list[str]]:
    """What of a draft can be saved, and a note for everything that was left out or has to be looked at (pure)."""
    notes = [visible(one_line(draft.unsure, 1_000))] if draft.unsure.strip() else []
    definition, name = draft.definition, draft.name
    if not NAME.fullmatch(name) or name in RESERVED or name in SENDERS or name in taken:
        notes.append(f"Give it a name: {visible(one_line(name, 60))!r} cannot be used, or is taken.")
        name = ""
    if definition.repo and config.repo_for(definition.repo) is None:
        notes.append(f"The repository {visible(one_line(definition.repo, 100))!r} is not configured: choose one.")
        definition = replace(definition, repo="")
    how = replace(definition.verification, secret_file="")  # a file of the gateway's is for people to name
    definition = replace(definition, verification=how, agent="", description=one_line(clean(definition.description)))
    for path in definition.paths.__struct_fields__:
        expression = getattr(definition.paths, path)
        if not _fits(replace(definition, filters=(), paths=type(definition.paths)(**{path: expression}))):
            notes.append(f"The expression for the {path} cannot be used, and was left out: {_shown(expression)}")
            definition = replace(definition, paths=replace(definition.paths, **{path: ""}))
    kept = []
    for each in definition.filters[:20]:
        if _fits(replace(definition, filters=(each,))):
            kept.append(each)
        else:
            notes.append(f"A filter cannot be used, and was left out: {_shown(each)}")
    return name, replace(definition, filters=tuple(kept)), notes


def _fits(definition: Definition) -> bool:
    try:
        check(definition)
    except BadExpression:
        return False
    return True


def _shown(expression: str) -> str:
    return visible(one_line(expression, 200))
