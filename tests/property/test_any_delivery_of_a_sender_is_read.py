"""Whatever a sender puts into a body: it is a signal within bounds, ignored with a reason, or refused in words."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.gateway.inbound.body import FORM, JSON, BadForm, json_of
from services.gateway.inbound.jira_text import markdown_of
from services.gateway.inbound.mention import find_mention
from services.gateway.inbound.registry import ADAPTERS
from services.gateway.inbound.rereading import understood
from services.gateway.inbound.sender import Ignored, Incoming, NotAuthentic, Reading, Unnamed, Unreadable
from services.gateway.inbound.text import MAX_BYTES, clean, one_line, visible
from shared.contracts.ids import derived_task_id
from shared.ops.config import Config, Repo, SenderPolicy
from testing.changed_json import VALUES, changed
from testing.github_payloads import deliveries as github_deliveries
from testing.senders_payloads import JIRA, SENTRY

CONFIG = Config(
    repos={"octo/app": Repo(url="https://github.com/octo/app.git", sources={"jira": ("APP",), "sentry": ("backend",)})},
    senders={
        "jira": SenderPolicy(accounts=("712:us",), people=("*",), label="agent", statuses=("In Progress",)),
        "sentry": SenderPolicy(people=("*",), triggers=("event_alert", "metric_alert", "issue.created")),
    },
)
PAYLOADS: dict[str, list[tuple[str, Any]]] = {
    "jira": [(each["webhookEvent"], each) for each in JIRA],
    "sentry": SENTRY,
    "github": [(each.event, each.payload) for each in github_deliveries()],
}
MANY = settings(max_examples=150)
LONG = MAX_BYTES + 200
"""A cleaned text with the note of what was cut."""


def bounds(reading: Reading) -> None:
    """Everything of it has its limit, and can stand in an event, an id and a page."""
    assert all(isinstance(each, str) for each in reading.content)
    assert len(reading.action) <= 200 and len(reading.sender) <= 200
    msgspec.json.encode(reading)
    match reading.meaning:
        case Ignored(reason=reason):
            assert reason and len(reason) <= 600
        case signal:
            assert len(signal.title) <= 300 and signal.title == one_line(visible(signal.title))
            assert signal.text == visible(signal.text) and signal.context == visible(signal.context)
            assert len(signal.text.encode()) <= LONG and len(signal.context.encode()) <= LONG
            assert len(signal.argument.encode()) <= 5_000
            for name in (signal.thread, signal.origin, signal.author, signal.repo):
                assert len(name) <= 500, name[:100]
            assert len(signal.url) <= 2_048
            assert signal.thread.partition(":")[2] not in ("", "#")
            derived_task_id(signal.opened_at_ms, signal.thread)


@pytest.mark.parametrize("name", sorted(ADAPTERS))
def test_whatever_is_changed_in_a_payload_it_has_a_bounded_meaning_or_is_refused_in_words(name: str) -> None:
    bodies = [[event, payload] for event, payload in PAYLOADS[name]]

    @MANY
    @given(st.sampled_from(bodies).flatmap(lambda each: st.tuples(st.just(each[0]), changed([each[1]]))))
    def every(told: tuple[str, Any]) -> None:
        event, payload = told
        body = json.dumps(payload).encode()
        incoming = Incoming(webhook=name, headers={"sentry-hook-resource": event, "x-github-event": event}, body=body)
        try:
            named = ADAPTERS[name].event(incoming)
        except Unnamed as error:
            assert str(error)
            return
        try:
            bounds(understood(ADAPTERS[name], named, body, CONFIG))
        except Unreadable as error:
            assert str(error)

    every()


@pytest.mark.parametrize("name", sorted(ADAPTERS))
@given(body=st.binary(max_size=60) | VALUES.map(lambda value: json.dumps(value).encode()), event=st.text(max_size=20))
def test_any_bytes_are_refused_in_words_or_ignored(name: str, body: bytes, event: str) -> None:
    headers = {"sentry-hook-resource": event, "x-github-event": event}
    try:
        named = ADAPTERS[name].event(Incoming(webhook=name, headers=headers, body=body))
        bounds(understood(ADAPTERS[name], named, body, CONFIG))
    except (Unreadable, Unnamed) as error:
        assert str(error)


@pytest.mark.parametrize("name", sorted(ADAPTERS))
@given(
    headers=st.dictionaries(
        st.sampled_from(["x-hub-signature", "x-hub-signature-256", "sentry-hook-signature", "content-type"]),
        st.text(max_size=80) | st.sampled_from(["sha256=" + "0" * 64, "sha1=" + "0" * 40, "SHA256=", "0" * 64]),
    ),
    key=st.text(max_size=40),
    body=st.binary(max_size=40),
)
def test_whoever_does_not_know_the_secret_is_refused(name: str, headers: dict[str, str], key: str, body: bytes) -> None:
    with pytest.raises(NotAuthentic):
        ADAPTERS[name].verify(
            Incoming(webhook=name, headers=headers, body=body, key=key), [b"5tz8-nobody-guesses-this", b"nor-that-one"]
        )


@given(st.binary(max_size=80), st.sampled_from([JSON, FORM]))
def test_any_form_is_json_or_refused_in_words(body: bytes, media: str) -> None:
    try:
        assert isinstance(json_of(b"payload=" + body if media == FORM else body, media), bytes)
    except BadForm as error:
        assert str(error)


@given(
    st.text(alphabet=st.sampled_from("@agent plnstop\n`>~*-_<!#\t\u200b{}[]()"), max_size=120) | st.text(max_size=200)
)
def test_any_text_says_one_thing_to_us_or_nothing_and_cleaning_it_twice_changes_nothing(text: str) -> None:
    mention = find_mention(clean(text), "@agent")
    assert mention is None or isinstance(mention.directive, str)
    assert clean(clean(text)) == clean(text)


_WORDS = st.sampled_from(
    ["@agent stop", "x\n@agent stop", "\r@agent stop", "`", "```", "|", "> ", "{quote}", "\u2028@agent stop"]
)
_TEXT = st.builds(lambda words, mark: {"type": "text", "text": words, "marks": mark}, _WORDS, st.just([]) | VALUES)
_INSIDE = st.recursive(
    _TEXT | st.builds(lambda text: {"type": "mention", "attrs": {"id": "712:us", "text": text}}, _WORDS),
    lambda inner: st.builds(
        lambda kind, content, attrs: {"type": kind, "content": content, "attrs": attrs},
        st.sampled_from(
            ["paragraph", "bulletList", "listItem", "orderedList", "table", "tableRow", "tableCell", "expand"]
        ),
        st.lists(inner, max_size=3),
        st.just({"title": "x\n@agent stop"}) | VALUES,
    ),
    max_leaves=6,
)


_AROUND: tuple[list[str], ...] = (
    ["table", "tableRow", "tableCell"],
    ["bulletList", "listItem"],
    ["orderedList", "listItem"],
    ["panel"],
    [],
)


@settings(max_examples=200)
@given(st.sampled_from(["blockquote", "codeBlock"]), st.lists(_INSIDE, max_size=3), st.sampled_from(_AROUND))
def test_whatever_stands_in_a_quotation_or_in_code_of_jira_addresses_nobody(
    kind: str, content: list[Any], around: list[str]
) -> None:
    node: dict[str, Any] = {"type": kind, "content": content}
    for each in reversed(["doc", *around]):
        node = {"type": each, "content": [node]}
    text = clean(markdown_of(node, us=("712:us",), mention="@agent"))
    assert find_mention(text, "@agent") is None, text


@given(
    st.sampled_from(["{code}", "{noformat}", "{quote}", "{code:python|title=a}"]),
    st.lists(_WORDS, max_size=3).map("".join),
)
def test_whatever_stands_in_a_block_of_jiras_markup_addresses_nobody(opens: str, words: str) -> None:
    ends = "{" + opens.strip("{}").partition(":")[0] + "}"
    inside = words.replace("{quote}", "")
    text = clean(markdown_of(f"{opens}{inside}{ends}", us=(), mention="@agent"))
    assert find_mention(text, "@agent") is None, text
