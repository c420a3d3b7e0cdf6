from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.brain.actors.task import DECIDER
from services.brain.messages import about_a_delivery
from services.brain.policy import ReactionPolicy
from services.gateway.inbound.jira import SENDER, read
from services.gateway.inbound.jira_text import markdown_of
from services.gateway.inbound.mention import find_mention
from services.gateway.inbound.sender import Ignored, Incoming, NotAuthentic, Unnamed, Unreadable
from shared.contracts.delivery import Refuse, Signal, SignalKind, Word
from shared.contracts.task import Submit, Submitted
from shared.ops.config import Config, Policy, Repo, SenderPolicy
from testing.given import given as task_given
from testing.recorded import A_DAY

ADA: dict[str, Any] = {"accountId": "5b1", "displayName": "Ada", "accountType": "atlassian"}
EVE: dict[str, Any] = {"name": "eve", "key": "eve", "displayName": "Eve"}
OURS: dict[str, Any] = {"accountId": "712:us", "displayName": "Journeyman"}
CONFIG = Config(
    repos={
        "octo/app": Repo(url="https://git.test/app.git", sources={"jira": ("APP",)}),
        "octo/core": Repo(url="https://git.test/core.git", sources={"jira": ("APP/core", "label:Core-Team")}),
    },
    senders={
        "jira": SenderPolicy(accounts=("712:us",), people=("5b1",), label="agent", statuses=("Ready for agent",)),
    },
)
FIELDS: dict[str, Any] = {
    "summary": "It drops",
    "description": "It *does*.",
    "project": {"key": "APP"},
    "components": [],
    "labels": [],
    "assignee": None,
    "reporter": ADA,
    "status": {"name": "To Do", "statusCategory": {"key": "new"}},
    "updated": "2026-01-02T03:04:05.000+0000",
}


def payload(event: str, *, fields: dict[str, Any] | None = None, **more: Any) -> bytes:
    issue = {"id": "10040", "key": "APP-41", "self": "https://acme.atlassian.test/rest/api/2/issue/10040"}
    issue_fields = {**FIELDS, **(fields or {})}
    return json.dumps(
        {"webhookEvent": event, "timestamp": 1, "user": ADA, "issue": {**issue, "fields": issue_fields}, **more}
    ).encode()


def comment(body: Any, *, author: dict[str, Any] = ADA, editor: dict[str, Any] | None = None) -> dict[str, Any]:
    return {
        "id": "10019",
        "body": body,
        "author": author,
        "updateAuthor": editor or author,
        "updated": "2026-01-02T04:00:00.000+0000",
    }


def changed(field: str, before: str = "", after: str = "", to: str = "") -> dict[str, Any]:
    return {"changelog": {"items": [{"field": field, "fromString": before, "toString": after, "to": to}]}}


LABELLED = changed("labels", "", "agent")


def meaning(event: str, config: Config = CONFIG, **more: Any) -> Signal | Ignored:
    return read(event, payload(event, **more), config).meaning


def signal(event: str, **more: Any) -> Signal:
    found = meaning(event, **more)
    assert isinstance(found, Signal), found
    return found


def test_nobody_else_has_our_own_name_for_what_a_filter_finds() -> None:
    incoming = Incoming(webhook="jira", headers={}, body=payload("journeyman:jql"))
    with pytest.raises(Unnamed, match="our own name"):
        SENDER.event(incoming)


# ---- what is work


@pytest.mark.parametrize(
    "fields",
    [
        {"description": "[~accountid:712:us] plan"},
        {"labels": ["x", "Agent"]},
        {"assignee": OURS},
        {"status": {"name": "ready for agent"}},
    ],
)
def test_a_new_issue_is_work_when_it_mentions_us_or_is_given_to_us(fields: dict[str, Any]) -> None:
    found = signal("jira:issue_created", fields=fields)
    assert (found.kind, found.thread, found.repo) == (SignalKind.WORK, "jira:acme.atlassian.test#10040", "octo/app")
    assert (found.title, found.author, found.trusted) == ("It drops", "5b1", True)
    assert found.url == "https://acme.atlassian.test/browse/APP-41"


def test_any_other_new_issue_is_none() -> None:
    assert isinstance(meaning("jira:issue_created"), Ignored)


@pytest.mark.parametrize(
    "change",
    [
        changed("assignee", to="712:us"),
        changed("labels", "x", "x agent"),
        changed("status", "To Do", "Ready for Agent"),
    ],
)
def test_an_issue_that_is_given_to_us_is_work(change: dict[str, Any]) -> None:
    assert signal("jira:issue_updated", **change).kind is SignalKind.WORK


@pytest.mark.parametrize(
    ("fields", "is_ours"),
    [
        ({"description": "@agent plan the newest"}, True),
        ({"labels": ["agent"]}, True),
        ({"assignee": OURS}, True),
        ({}, False),
        ({"labels": ["agent"], "status": {"name": "Done", "statusCategory": {"key": "done"}}}, False),
    ],
)
def test_an_edit_that_comes_before_what_gave_us_the_issue_opens_its_task_with_the_newer_words(
    fields: dict[str, Any], is_ours: bool
) -> None:
    newer = signal("jira:issue_updated", fields={"summary": "The newest", **fields}, **changed("summary"))
    assert (newer.kind, newer.title, newer.mentioned) == (SignalKind.EDITED, "The newest", is_ours)
    if not is_ours:
        return
    late = signal("jira:issue_created", fields={"summary": "The oldest", **fields})
    opening, *_ = about_a_delivery("d-1", A_DAY, newer, ReactionPolicy())
    (older,) = about_a_delivery("d-2", A_DAY, late, ReactionPolicy())
    assert isinstance(opening, Submit) and isinstance(older, Submit)
    submitted = DECIDER.decide(DECIDER.initial, opening)
    assert isinstance(submitted, Submitted) and submitted.title == "The newest"
    task_given(DECIDER, submitted).when(older).nothing()


def test_the_words_that_an_editor_found_there_are_not_the_editors() -> None:
    found = signal("jira:issue_updated", fields={"description": "@agent plan", "reporter": EVE}, **changed("summary"))
    assert (found.mentioned, found.directive, found.trusted) == (True, "", True)


def test_who_gives_us_somebody_elses_issue_does_not_say_its_words() -> None:
    found = signal("jira:issue_updated", fields={"reporter": EVE}, **changed("assignee", to="712:us"))
    assert (found.author, found.trusted) == ("eve", False)


@pytest.mark.parametrize(("who", "waits"), [(ADA, False), (EVE, True)])
def test_what_somebody_gives_us_who_may_not_waits_for_somebody_who_may(who: dict[str, Any], waits: bool) -> None:
    found = signal("jira:issue_updated", user=who, fields={"reporter": EVE}, **LABELLED)
    assert found.waits is waits
    (told,) = about_a_delivery("d-1", A_DAY, found, ReactionPolicy())
    assert isinstance(told, Refuse if waits else Submit)
    nobody = signal("jira:issue_created", user=None, fields={"reporter": None, "labels": ["agent"]})
    assert nobody.waits, "whom nobody knows is a stranger"
    policy = Policy(strangers="triage")
    triaged = meaning("jira:issue_updated", CONFIG.model_copy(update={"policy": policy}), user=who, **LABELLED)
    assert isinstance(triaged, Signal) and not triaged.waits


def test_a_label_that_was_there_before_is_no_new_work() -> None:
    assert isinstance(meaning("jira:issue_updated", **changed("labels", "agent", "agent x")), Ignored)


@pytest.mark.parametrize(
    ("fields", "repo"),
    [
        ({}, "octo/app"),
        ({"components": [{"name": "Core"}]}, "octo/core"),
        ({"labels": ["core-team", "agent"]}, "octo/core"),
        ({"project": {"key": "OTHER"}}, ""),
    ],
)
def test_the_narrowest_that_is_configured_says_which_repository_it_is(fields: dict[str, Any], repo: str) -> None:
    given_to_us = {"labels": ["agent"], **fields}
    assert signal("jira:issue_created", fields=given_to_us).repo == repo


# ---- what is said


def test_a_comment_that_mentions_us_steers_in_its_authors_name() -> None:
    found = signal("comment_created", comment=comment("[~accountid:712:us] approve v1 3fa94c11"))
    assert (found.kind, found.directive, found.argument) == (SignalKind.COMMENT, Word.APPROVE, "v1 3fa94c11")
    assert (found.author, found.trusted, found.context) == ("5b1", True, "It **does**.")
    stranger = signal("comment_created", comment=comment("@agent stop", author=EVE))
    assert (stranger.author, stranger.trusted) == ("eve", False)


def test_our_own_words_and_a_programs_start_nothing() -> None:
    for author in (OURS, {"accountId": "bot", "accountType": "app"}):
        assert isinstance(meaning("comment_created", comment=comment("@agent plan", author=author)), Ignored)


def test_one_comment_that_a_server_tells_twice_is_one() -> None:
    said = comment("@agent plan")
    first = read("comment_created", payload("comment_created", comment=said), CONFIG)
    told = payload("jira:issue_updated", issue_event_type_name="issue_commented", comment=said)
    second = read("jira:issue_updated", told, CONFIG)
    assert first.content == second.content != ()
    assert first.meaning == second.meaning


def test_an_edited_comment_never_approves_and_is_other_words() -> None:
    assert isinstance(meaning("comment_updated", comment=comment("@agent approve")), Ignored)
    assert signal("comment_updated", comment=comment("@agent plan it")).kind is SignalKind.EDITED
    somebody = comment("@agent plan", editor=EVE)
    assert isinstance(meaning("comment_updated", comment=somebody), Ignored)


def test_a_comment_without_its_issue_is_about_the_one_that_its_address_names() -> None:
    said = comment("@agent stop") | {"self": "https://acme.atlassian.test/rest/api/2/issue/10040/comment/10019"}
    body = json.dumps({"webhookEvent": "comment_created", "comment": said}).encode()
    found = read("comment_created", body, CONFIG).meaning
    assert isinstance(found, Signal) and found.thread == "jira:acme.atlassian.test#10040"


@pytest.mark.parametrize(
    "text",
    [
        "{code}\n@agent stop\n{code}",
        "{noformat}@agent stop{noformat}",
        "{quote}\n@agent stop\n{quote}",
        "bq. @agent stop",
        "{{@agent stop}}",
        "{code:java}\n@agent stop",
    ],
)
def test_words_in_code_and_quotations_address_nobody(text: str) -> None:
    assert find_mention(markdown_of(text, us=(), mention="@agent"), "@agent") is None


def adf(*content: dict[str, Any]) -> dict[str, Any]:
    return {"type": "doc", "version": 1, "content": list(content)}


def text(words: str, *marks: str) -> dict[str, Any]:
    return {"type": "text", "text": words, "marks": [{"type": mark} for mark in marks]}


def test_a_document_of_adf_reads_as_its_markup_does() -> None:
    document = adf(
        {
            "type": "paragraph",
            "content": [{"type": "mention", "attrs": {"id": "712:US"}}, text(" plan "), text("it", "strong")],
        },
        {"type": "blockquote", "content": [{"type": "paragraph", "content": [text("@agent stop")]}]},
        {"type": "codeBlock", "content": [text("@agent stop\n```")]},
        {
            "type": "bulletList",
            "content": [{"type": "listItem", "content": [{"type": "paragraph", "content": [text("one")]}]}],
        },
        {"type": "unknownThing", "content": [text("kept")]},
    )
    found = signal("comment_created", comment=comment(document))
    assert found.text.startswith("@agent plan **it**\n")
    assert (found.directive, found.argument) == (Word.PLAN, "it")
    assert "> @agent stop" in found.text and "````\n@agent stop\n```\n````" in found.text
    assert "* one" in found.text and "kept" in found.text


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)
_NODES = st.recursive(
    st.builds(lambda words: {"type": "text", "text": words}, st.text(max_size=20)),
    lambda inner: st.fixed_dictionaries(
        {
            "type": st.sampled_from(["paragraph", "heading", "listItem", "blockquote", "codeBlock", "tableCell", "x"]),
            "content": st.lists(inner | _JSON, max_size=4),
            "attrs": _JSON,
        }
    ),
    max_leaves=25,
)


@settings(max_examples=40)
@given(st.builds(lambda nodes: {"type": "doc", "content": nodes}, st.lists(_NODES, max_size=5)) | st.text(max_size=400))
def test_no_text_of_jira_breaks_the_reader(body: Any) -> None:
    assert isinstance(markdown_of(body, us=("us",), mention="@agent"), str)


def test_a_hostile_document_is_read_without_recursion() -> None:
    node: dict[str, Any] = {"type": "text", "text": "deep"}
    for _ in range(5_000):
        node = {"type": "blockquote", "content": [node]}
    assert isinstance(markdown_of(adf(node), us=(), mention="@agent"), str)


# ---- what ends the work


def test_an_issue_that_is_done_or_deleted_ends_the_work_and_a_reopened_one_takes_it_up() -> None:
    done = {"status": {"name": "Done", "statusCategory": {"key": "done"}}}
    ended = signal("jira:issue_updated", fields=done, **changed("status", "To Do", "Done"))
    assert (ended.kind, ended.text) == (SignalKind.CLOSED, "Ada has moved the issue to Done.")
    assert signal("jira:issue_deleted").kind is SignalKind.CLOSED
    items = {"changelog": {"items": [{"field": "status", "toString": "Reopened"}, {"field": "resolution"}]}}
    assert signal("jira:issue_updated", fields={"resolution": None}, **items).kind is SignalKind.REOPENED


# ---- who sends it


def incoming(*, headers: dict[str, str] | None = None, key: str = "", body: bytes = b"{}") -> Incoming:
    return Incoming(webhook="jira", headers=headers or {}, body=body, key=key)


@pytest.mark.parametrize(
    "given_by",
    [
        {},
        {"key": "wrong"},
        {"headers": {"x-hub-signature": "sha1=" + "0" * 40}},
        {"headers": {"x-hub-signature": "sha256=" + "0" * 64}, "key": "s3cret"},
    ],
)
def test_a_delivery_without_the_secret_is_not_authentic(given_by: dict[str, Any]) -> None:
    with pytest.raises(NotAuthentic):
        SENDER.verify(incoming(**given_by), [b"s3cret"])


def test_a_signature_proves_it_and_so_does_the_secret_in_the_address() -> None:
    signature = "sha256=a777724d943eb48dc69bca8a4a6d57a04db3f9ec7e1de4e581e860265bdf3032"
    SENDER.verify(incoming(headers={"x-hub-signature": signature}, body=b"{}"), [b"s3cret", _KEY_OF_VECTOR])
    SENDER.verify(incoming(key="s3cret"), [b"old", b"s3cret"])


_KEY_OF_VECTOR = b"key"


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"[" * 9_999, b"\xff\xfe"])
def test_a_body_that_is_not_jiras_is_unreadable(body: bytes) -> None:
    with pytest.raises(Unreadable):
        read(SENDER.event(incoming(body=body)), body, CONFIG)


@pytest.mark.fixtures
def test_every_payload_that_others_recorded_has_a_meaning(fixtures: Path) -> None:
    for file in sorted((fixtures / "jira").glob("*.body")):
        body = file.read_bytes()
        found = read(SENDER.event(incoming(body=body)), body, CONFIG).meaning
        assert isinstance(found, Signal) or found.reason, file.name
