from __future__ import annotations

from typing import Any, cast

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from services.brain.webhook_drafts import prompt_of, verdict_of
from services.gateway.custom.drafts import WebhookDrafts, usable
from services.gateway.inbound.redaction import shown_body, told_secrets, words_without_secrets
from services.gateway.inbound.self_delivery import MOST
from services.gateway.problems import Problem
from shared.claude.demo.webhook_form import is_webhook_form, webhook_form
from shared.contracts.decider import Rejected
from shared.contracts.subjects import Actor
from shared.contracts.task import Answered, Failed, Paused, Source, Submit, Submitted, Task, TriageRequested, Verdict
from shared.contracts.webhook import Definition, Paths, Scheme, Verification
from shared.contracts.webhook_draft import SCHEMA, SOURCE, Draft, answer_of, draft_in, drafted
from shared.event_store.envelope import MessageMetadata, utc_now
from shared.event_store.in_memory import MemoryJournal
from shared.event_store.journal import Head, head_of
from shared.ops.config import Config

WORDS = (
    "Our build server, called nightly, signs in X-Build-Signature with sha256=. The id is `build.id`, the title is "
    "build.name, only when status is failed."
)
NO_REPO = Config(repos={})


@pytest.mark.parametrize(
    "told",
    [
        "the secret is hunter2hunter2",
        "The password: correct-horse-7",
        "Use the token “Tr0ub4dor&3” for it.",
        "secret=abcdefghijklmnopqrstuvwx",
        "its API key is aGVsbG8gd29ybGQgMTIzNDU2",
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw is how it signs",
        "Authorization: Bearer eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UifQ.dBjftJeZ4CVPmB92K27u",
        "we sign with 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "it is https://ci:hunter2hunter2@ci.example.com",
        "Signed by Zk9-secret/of+ours_7Qx2mNvB",
        "a key: ghp_" + "a1B2c3D4" * 5,
    ],
)
def test_what_looks_like_a_secret_in_the_words_is_not_sent_onward(told: str) -> None:
    kept = words_without_secrets(told)
    assert "[secret removed]" in kept
    for secret in (
        "hunter2",
        "correct-horse",
        "Tr0ub4dor",
        "abcdefghijkl",
        "aGVsbG8",
        "MfKQ9r8",
        "eyJpc3Mi",
        "9f86d08",
    ):
        assert secret not in kept
    assert "a1B2c3D4" not in kept and "7Qx2mNvB" not in kept


@pytest.mark.parametrize(
    "told",
    [
        WORDS,
        "The secret is shared with the sender, and the signature is in X-Amz-Content-Sha256-Signature.",
        "A bearer token in the header X-Token; the token is called access.",
        "Ids are UUIDs such as 123e4567-e89b-42d3-a456-426614174000, in data.attributes.identifier.",
        "In data.pullRequest.head.repositoryFullName, or X-GitHub-Hook-Installation-Target-Id; release-2026.11.27-rc1.",
        "Signed after Standard Webhooks. Keys are at https://keys.example.com/.well-known/jwks.json",
    ],
)
def test_words_that_are_no_secret_are_sent_as_they_are(told: str) -> None:
    assert words_without_secrets(told) == told


def test_a_secret_that_the_words_name_is_in_no_sample_that_goes_with_them() -> None:
    told = "It signs; the secret is Corr-ect/horse7."
    shown = shown_body(b'{"x": "a Corr-ect\\/horse7 b", "y": 1}', told_secrets(told))
    assert "horse7" not in shown and '"y": 1' in shown


def test_the_answer_of_a_model_becomes_a_verdict_that_is_never_work_and_is_read_again() -> None:
    task = Task(source=Source(kind=SOURCE), text=WORDS, triage_attempt=2)
    form = webhook_form(prompt_of(task))
    assert is_webhook_form(SCHEMA)
    verdict = verdict_of(task, form)
    assert (verdict.verdict, verdict.attempt) == (Verdict.ANSWER, 2)
    draft = draft_in(verdict.answer)
    assert draft is not None and draft.name == "nightly"
    how = draft.definition.verification
    assert (how.scheme, how.header, how.prefix) == (Scheme.HMAC, "X-Build-Signature", "sha256=")
    assert draft.definition.paths == Paths(id="build.id", title="build.name")
    assert draft.definition.filters == ("status == 'failed'",)
    assert usable(draft, (), NO_REPO) == ("nightly", draft.definition, [])


@pytest.mark.parametrize(
    "answer", ["none", 7, {"scheme": "none"}, {"scheme": "rot13"}, {}, {"scheme": "hmac", "paths": 7}]
)
def test_an_answer_that_is_no_form_is_refused(answer: object) -> None:
    with pytest.raises(msgspec.ValidationError):
        drafted(answer)


def test_what_of_a_draft_cannot_be_saved_is_left_out_and_named() -> None:
    how = Verification(scheme=Scheme.BEARER, secret_file="/etc/shadow")
    definition = Definition(
        verification=how,
        paths=Paths(id="build.id", title="build["),
        filters=("status == 'failed'", "!" * 200 + "a"),
        repo="of/strangers",
        agent="../../etc",
        description="hello\u202e<!-- x -->\nworld",
    )
    name, kept, notes = usable(Draft(name="github", definition=definition, unsure="The body\x1b[2J."), (), NO_REPO)
    assert (name, kept.repo, kept.agent, kept.verification.secret_file) == ("", "", "", "")
    assert (kept.paths, kept.filters) == (Paths(id="build.id"), ("status == 'failed'",))
    assert kept.description == "hello world"
    assert len(notes) == 5 and "\x1b" not in "".join(notes)
    taken, _, _ = usable(Draft(name="builds", definition=replace(definition, paths=Paths())), {"builds"}, NO_REPO)
    assert taken == ""


class Sent:
    """A client that takes everything, and a runner with a model, or without."""

    def __init__(self, problem: str = "") -> None:
        self.commands: list[Submit] = []
        self.problem = problem

    async def send(self, actor: Actor, command: Submit, *, principal: str) -> None:
        self.commands.append(command)

    def model_problem(self) -> str:
        return self.problem

    def all(self) -> dict[str, object]:
        return {}


def drafts_of(sent: Sent, journal: MemoryJournal) -> WebhookDrafts:
    part = cast("Any", sent)
    return WebhookDrafts(part, journal, part, part, lambda: NO_REPO)


async def test_drafts_are_asked_for_a_few_times_a_minute_and_only_where_a_model_is() -> None:
    sent = Sent()
    drafts = drafts_of(sent, MemoryJournal())
    with pytest.raises(Rejected, match="nothing to draft"):
        await drafts.ask(" \u200b ", "", principal="user:ada")
    for _ in range(MOST):
        asked = await drafts.ask("The secret is hunter2hunter2.", '{"password": "hunter2"}', principal="user:ada")
        assert asked.removed
    with pytest.raises(Problem) as refused:
        await drafts.ask(WORDS, "", principal="user:ada")
    assert (refused.value.status, refused.value.code) == (429, "too-many-drafts")
    assert len(sent.commands) == MOST and not any(b"hunter2" in msgspec.json.encode(each) for each in sent.commands)
    assert {each.source.kind for each in sent.commands} == {SOURCE}
    with pytest.raises(Problem) as refused:
        await drafts_of(Sent("No model key."), MemoryJournal()).ask(WORDS, "", principal="user:ada")
    assert (refused.value.status, refused.value.code) == (409, "no-model")


async def test_how_far_a_draft_is_is_what_its_task_says() -> None:
    journal, about, head = MemoryJournal(), Actor("task", "T1"), Head()
    drafts = drafts_of(Sent(), journal)
    form = drafted(webhook_form(WORDS))
    for event, state, problem in (
        (Submitted(title="t", text="t", source=Source(kind=SOURCE)), "working", ""),
        (TriageRequested(attempt=1), "working", ""),
        (
            Paused(stage="triage", code="c", message="Full\x1b.", until=utc_now(), tries=1, cause=0),
            "waiting",
            "Full\u241b.",
        ),
        (TriageRequested(attempt=2), "working", ""),
        (Failed(stage="triage", code="c", message="No.", cause=0), "failed", "No."),
        (
            Answered(attempt=3, answer="Just words.", decided_by="model"),
            "failed",
            "The answer holds no draft: ask again.",
        ),
        (Answered(attempt=3, answer=answer_of(form), decided_by="model"), "done", ""),
    ):
        metadata = MessageMetadata(
            id=state + str(head.sequence), source="t", time=utc_now(), principal="u", causation_id=str(head)
        )
        head = head_of(await journal.append(about, event, expected=head, metadata=metadata))
        at = await drafts.get("T1")
        assert (at.state, at.problem) == (state, problem)
    assert (at.name, at.definition) == ("nightly", form.definition)
    other = Submitted(title="t", text="t", source=Source(kind="api"))
    metadata = MessageMetadata(id="x", source="t", time=utc_now(), principal="u", causation_id="x")
    await journal.append(Actor("task", "T2"), other, expected=Head(), metadata=metadata)
    for id in ("T2", "T3"):
        with pytest.raises(Problem) as refused:
            await drafts.get(id)
        assert refused.value.status == 404


@given(st.text(max_size=300))
def test_any_words_of_a_draft_are_read_again(words: str) -> None:
    draft = Draft(
        name="x", definition=Definition(verification=Verification(scheme=Scheme.JWT), description=words), unsure=words
    )
    try:
        answer = answer_of(draft)
    except (UnicodeEncodeError, msgspec.MsgspecError):
        return  # halves of characters, which no JSON of a model has
    assert draft_in(answer) == draft
    assert draft_in(words) is None
    webhook_form(words)
    words_without_secrets(words)
