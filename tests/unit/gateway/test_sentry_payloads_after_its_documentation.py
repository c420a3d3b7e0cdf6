"""Deliveries written after Sentry's documentation: the status that Sentry hears, what they mean, and the text."""

from __future__ import annotations

from typing import Any

import pytest

from shared.contracts.delivery import Signal, SignalKind, Word
from shared.ops.config import Config, Repo, SenderPolicy
from testing import sentry_payloads as sentry
from testing.received import NEXT, SECRET, Received, encoded, signed
from testing.sentry_payloads import ADA, PLUGIN, alert, comment, frame, issue, metric, payload

TRIGGERS = ("event_alert", "metric_alert", "issue.created", "issue.assigned")
CONFIG = Config(
    repos={"octo/app": Repo(url="https://git.test/app.git", sources={"sentry": ("Backend",)})},
    senders={"sentry": SenderPolicy(people=("Ada Lovelace",), accounts=("77", "journeyman-1a2b"), triggers=TRIGGERS)},
)
US = {"type": "user", "id": 77, "name": "journeyman-1a2b"}
APP = {"type": "application", "id": "a8e5", "name": "Another integration"}
WORK, COMMENT, CLOSED = SignalKind.WORK, SignalKind.COMMENT, SignalKind.CLOSED
GROUP, METRIC = "sentry:1170820242", "sentry:alert/4"


def of(action: str, actor: Any = sentry.APPLICATION, **more: Any) -> dict[str, Any]:
    return payload(action, {"issue": issue(**more)}, actor)


async def told(resource: str, content: Any, config: Config = CONFIG, **more: Any) -> tuple[int, Signal | str]:
    """The status, and the signal or why there is none."""
    here = Received("sentry", config)
    body = content if isinstance(content, bytes) else encoded(content)
    headers = {"sentry-hook-resource": resource, "request-id": "r", "sentry-hook-timestamp": "1772449200"}
    answer = await here.send(body, headers | signed("sentry-hook-signature", body, **more))
    return answer.status, (here.signals[0] if here.signals else answer.body["reason"])


MEANT: dict[str, tuple[str, Any, SignalKind, dict[str, Any]]] = {
    "an issue alert": (
        "event_alert",
        alert(),
        WORK,
        {"thread": GROUP, "repo": "octo/app", "title": "CartError: no price"},
    ),
    "of a message": (
        "event_alert",
        alert(exception=None, title=None, message="It failed", breadcrumbs=None),
        WORK,
        {"thread": GROUP, "title": "It failed"},
    ),
    "with its group in the address alone": (
        "event_alert",
        alert(issue_id=None, project_slug=None, project=None),
        WORK,
        {"thread": GROUP, "repo": "octo/app"},
    ),
    "of an outage, without a stack": (
        "event_alert",
        alert(exception={"values": [None, {}]}, tags=None, level=None, platform=None),
        WORK,
        {"thread": GROUP},
    ),
    "a metric alert": (
        "metric_alert",
        metric("critical"),
        WORK,
        {"thread": METRIC, "title": "Too many errors", "repo": "octo/app"},
    ),
    "its warning": ("metric_alert", metric("warning"), WORK, {"thread": METRIC}),
    "its end": ("metric_alert", metric("resolved"), CLOSED, {"thread": METRIC, "text": "The alert is resolved."}),
    "a new issue": ("issue", of("created"), WORK, {"thread": GROUP, "url": f"{sentry.PAGE}/"}),
    "one that is assigned": (
        "issue",
        of("assigned", ADA, assignedTo={"type": "user", "id": "789877"}),
        WORK,
        {"author": "sentry", "trusted": False},
    ),
    "one that is resolved": (
        "issue",
        of("resolved", ADA, status="resolved", statusDetails={"inNextRelease": True}),
        CLOSED,
        {"text": "Ada Lovelace has resolved the issue."},
    ),
    "one that is archived": (
        "issue",
        of("archived", ADA, status="ignored", substatus="archived_until_escalating"),
        CLOSED,
        {},
    ),
    "one that is ignored": ("issue", of("ignored", ADA, status="ignored"), CLOSED, {}),
    "a regression": (
        "issue",
        of("unresolved", substatus="regressed"),
        COMMENT,
        {
            "trusted": True,
            "text": "The error has come back after it was resolved. "
            "It was seen 41 times, last at 2026-03-02T11:00:00.000000Z.",
        },
    ),
    "one that escalates": (
        "issue",
        of("unresolved", substatus="escalating", count=None),
        COMMENT,
        {"text": "The error, which was archived, happens more often than before."},
    ),
    "one that somebody opens again": (
        "issue",
        of("unresolved", ADA, substatus="ongoing", count=None),
        COMMENT,
        {"text": "Ada Lovelace says that the error is not resolved."},
    ),
    "a comment": (
        "comment",
        comment("created", "@agent approve v1 3fa94c11"),
        COMMENT,
        {
            "thread": GROUP,
            "directive": Word.APPROVE,
            "trusted": True,
            "author": "789877",
            "origin": "sentry:comment/1234",
        },
    ),
    "a comment of somebody who may not steer": (
        "comment",
        comment("created", "@agent plan", {"type": "user", "id": 5, "name": "Eve"}),
        COMMENT,
        {"trusted": False},
    ),
}


@pytest.mark.parametrize("name", MEANT)
async def test_what_sentry_documents_means_what_it_says(name: str) -> None:
    resource, content, kind, parts = MEANT[name]
    status, signal = await told(resource, content)
    assert status == 202 and isinstance(signal, Signal), signal
    assert {"kind": signal.kind, **{part: getattr(signal, part) for part in parts}} == {"kind": kind, **parts}


IGNORED: dict[str, tuple[str, Any, str]] = {
    "an alert without its issue": (
        "event_alert",
        alert(issue_id=None, issue_url="", web_url=""),
        "the alert names no issue",
    ),
    "an issue without a number": ("issue", of("created", id=""), "the issue has no number"),
    "an alert that is nothing": (
        "event_alert",
        payload("triggered", {"event": None}),
        "event_alert triggered is nothing we act on",
    ),
    "another resource than its header says": ("event_alert", of("created"), "event_alert created is nothing we act on"),
    "a metric alert that opens": ("metric_alert", metric("open"), "metric_alert open is nothing we act on"),
    "a comment that is changed": ("comment", comment("updated", "@agent plan"), "comment updated is nothing we act on"),
    "a comment that is deleted": ("comment", comment("deleted", "@agent plan"), "comment deleted is nothing we act on"),
    "a comment that is not for us": ("comment", comment("created", "Thanks!"), "does not mention @agent"),
    "our own comment": ("comment", comment("created", "@agent plan", US), "what we have done there ourselves"),
    "a program's comment": ("comment", comment("created", "@agent plan", APP), "a comment of a program"),
    "a comment that says nothing": ("comment", comment("created", None), "says nothing"),
    "what we have resolved": ("issue", of("resolved", US), "what we have done there ourselves"),
    "an installation": (
        "installation",
        payload("created", {"installation": {"status": "installed", "code": "c", "uuid": "u"}}),
        "journeyman.toml",
    ),
    "one that is taken away": ("installation", payload("deleted", {"installation": {"uuid": "u"}}), "journeyman.toml"),
    "an error": ("error", payload("created", {"error": sentry.event()}), "error created is nothing we act on"),
    "what is new there": (
        "seer",
        payload("root_cause_completed", {"run_id": 1}),
        "seer root_cause_completed is nothing",
    ),
    "what nobody knows": ("preprod_artifact", payload("size_analysis_completed", {}), "is nothing we act on"),
}


@pytest.mark.parametrize("name", IGNORED)
async def test_what_is_not_for_us_is_ignored_with_the_reason(name: str) -> None:
    resource, content, reason = IGNORED[name]
    status, why = await told(resource, content)
    assert status == 200 and isinstance(why, str) and reason in why, why


@pytest.mark.parametrize("trigger", TRIGGERS)
async def test_what_triggers_do_not_name_opens_nothing_and_says_where_to_name_it(trigger: str) -> None:
    resource, _, action = trigger.partition(".")
    contents = {"event_alert": alert(), "metric_alert": metric("critical"), "issue": of(action or "")}
    none = CONFIG.model_copy(update={"senders": {"sentry": SenderPolicy(triggers=())}})
    status, why = await told(resource, contents[resource], none)
    assert (status, why) == (200, f"{trigger} is not in triggers under [senders.sentry]")


async def test_the_text_has_what_helps_and_nothing_that_names_people_or_opens_doors() -> None:
    _, signal = await told("event_alert", alert(title="CartError: no price for ada@acme.example"))
    assert isinstance(signal, Signal)
    assert signal.title == "CartError: no price for [mail]"
    for line in (
        "- Environment: production",
        "- Release: shop@1.2.3",
        "- Request: POST /cart",
        "KeyError: 'price', most recent call last:",
        "    shop/cart.py, line 12, in total",
        "- auth (warning): login of [mail] from [address] failed",
        "- Tag browser: Firefox 120",
    ):
        assert f"\n{line}" in signal.text, line
    for hidden in (
        "ada@",
        "203.0.113",
        "2001:db8",
        "4111",
        "abcdef",
        "session=",
        "topsecret",
        "Bearer",
        "django",
        "[Filtered]",
    ):
        assert hidden not in f"{signal.title}{signal.text}", hidden


@pytest.mark.parametrize(
    ("text", "told_as"),
    [
        ("a@b.example and fe80::1ff:fe23:4567:890a and ::1", "[mail] and [address] and [address]"),
        ("at 12:30:45, std::vector, a::b, 10:20", "at 12:30:45, std::vector, a::b, 10:20"),
        ("paid by 4111-1111-1111-1111, order 1234567890123456", "paid by [card], order 1234567890123456"),
        ("jwt eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl", "jwt [removed]"),
        ("db postgres://shop:hunter2hunter2@db.example/x", "db postgres://[secret removed]@db.example/x"),
        ("from 10.0.0.7. Version 1.2.3.4b", "from [address]. Version 1.2.3.4b"),
        ("password=hunter2 Authorization: Basic dXNlcjpwYXNz", "[removed] [removed]"),
    ],
)
async def test_texts_lose_what_names_people_and_keep_the_rest(text: str, told_as: str) -> None:
    _, signal = await told("event_alert", alert(message=text))
    assert isinstance(signal, Signal)
    assert f"\n\nMessage: {told_as}\n" in signal.text


async def test_details_of_another_type_count_as_missing_for_nothing_is_sent_again() -> None:
    odd = alert(
        tags=[{"key": "browser", "value": "x"}, ["os", "Linux"]],
        release=5,
        breadcrumbs=[1],
        level=40,
        environment=[],
        message={},
    )
    odd["data"]["event"]["exception"]["values"][0]["stacktrace"] = "none"
    status, signal = await told("event_alert", odd)
    assert status == 202 and isinstance(signal, Signal)
    assert "shop/cart.py, line 12" in signal.text and "- Tag os: Linux" in signal.text


async def test_a_huge_alert_is_taken_within_bounds_newest_frames_and_breadcrumbs() -> None:
    frames = [frame(f"shop/f{number}.py", "g", number, context_line="x" * 5_000) for number in range(3_000)]
    crumbs = [{"category": "c", "message": f"no. {number}"} for number in range(3_000)]
    thrown = [{"type": "E", "value": "v" * 100_000, "stacktrace": {"frames": frames}}]
    status, signal = await told("event_alert", alert(exception={"values": thrown}, breadcrumbs={"values": crumbs}))
    assert status == 202 and isinstance(signal, Signal)
    assert len(signal.text.encode()) < 25_000
    assert "shop/f2999.py" in signal.text and "no. 2999" in signal.text and "shop/f0.py" not in signal.text


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b"\xff", b'{"action":"triggered"}', b'{"data":{}}', b"[" * 5_000]
)
async def test_what_is_no_json_of_sentry_is_unreadable(body: bytes) -> None:
    status, why = await told("event_alert", body)
    assert status == 400 and str(why).startswith("The body is not ")


async def test_every_attempt_has_another_id_and_is_the_same_and_a_storm_of_one_group_is_one_thread() -> None:
    here = Received("sentry", CONFIG)
    answers = []
    for number in range(6):
        body = encoded(alert(event_id=f"{number // 2:032x}"))
        headers = {
            "sentry-hook-resource": "event_alert",
            "request-id": f"r-{number}",
            "sentry-hook-timestamp": f"{number}",
        }
        answers.append(await here.send(body, headers | signed("sentry-hook-signature", body)))
    assert [each.status for each in answers] == [202, 200] * 3
    assert {each.thread for each in here.signals} == {GROUP}


async def test_what_is_spoofed_costs_nothing() -> None:
    here, body = Received("sentry", CONFIG), encoded(alert())
    resource = {"sentry-hook-resource": "event_alert"}
    for headers in (
        {},
        {"sentry-hook-signature": ""},
        signed("sentry-hook-signature", body, secret=b"another"),
        signed("sentry-hook-signature", body, prefix="sha256="),
        signed("sentry-app-signature", body),
        signed("sentry-hook-signature", encoded({"b": 1})),
        {"x-servicehook-signature": signed("x", body)["x"]},
        {"sentry-hook-signature": "\udcff" * 64},
    ):
        assert (await here.send(body, resource | headers)).status == 401
    # As Sentry's own sample would have it: over JSON that was written anew.
    again = encoded(alert()).replace(b'":', b'": ')
    assert (await here.send(body, resource | signed("sentry-hook-signature", again))).status == 401
    assert here.signals == []


async def test_the_old_plugin_which_signs_nothing_is_refused_with_what_to_do() -> None:
    here = Received("sentry", CONFIG)
    answer = await here.send(encoded(PLUGIN), {}, key=SECRET.decode())
    assert answer.status == 401 and "sends Sentry-Hook-Signature" in answer.body["reason"]


async def test_two_secrets_count_while_they_are_rotated() -> None:
    assert (await told("event_alert", alert(), secret=NEXT))[0] == 202


async def test_a_delivery_without_its_resource_is_refused() -> None:
    here, body = Received("sentry", CONFIG), encoded(alert())
    answer = await here.send(body, signed("sentry-hook-signature", body))
    assert (answer.status, answer.body["status"]) == (400, "header-missing")
