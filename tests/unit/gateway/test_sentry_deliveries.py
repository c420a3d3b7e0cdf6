from __future__ import annotations

import hmac
import json
from pathlib import Path
from typing import Any

import pytest

from services.gateway.inbound.sender import Ignored, Incoming, NotAuthentic, Unnamed, Unreadable
from services.gateway.inbound.sentry import SENDER, read
from services.gateway.inbound.sentry_text import scrubbed
from shared.contracts.delivery import Signal, SignalKind, Word
from shared.ops.config import Config, Repo, SenderPolicy

CONFIG = Config(
    repos={"octo/app": Repo(url="https://git.test/app.git", sources={"sentry": ("backend",)})},
    senders={"sentry": SenderPolicy(people=("Ada",), accounts=("99",))},
)
FRAME: dict[str, Any] = {
    "function": "total",
    "filename": "shop/cart.py",
    "lineno": 12,
    "in_app": True,
    "pre_context": ["def total(items):"],
    "context_line": "    return sum(items) / len(items)",
    "post_context": [""],
    "vars": {"password": "hunter2-hunter2"},
}
EVENT: dict[str, Any] = {
    "event_id": "e" * 32,
    "issue_id": "4711",
    "issue_url": "https://sentry.test/api/0/issues/4711/",
    "url": "https://sentry.test/api/0/projects/acme/backend/events/e/",
    "web_url": "https://sentry.test/organizations/acme/issues/4711/events/e/",
    "title": "ZeroDivisionError: division by zero",
    "level": "error",
    "culprit": "shop.cart in total",
    "environment": "production",
    "release": "shop@1.2.3",
    "tags": [["browser", "Firefox"], ["user.email", "ada@example.test"], ["url", "https://x.test/?token=abcdef"], None],
    "user": {"email": "ada@example.test"},
    "request": {"method": "POST", "url": "https://x.test/cart?token=abcdef", "headers": [["Cookie", "sid=1"]]},
    "exception": {
        "values": [
            {
                "type": "ZeroDivisionError",
                "value": "division by zero",
                "stacktrace": {"frames": [{**FRAME, "filename": "lib/other.py", "in_app": False}, None, FRAME]},
            }
        ]
    },
    "breadcrumbs": {
        "values": [{"category": "query", "message": "SELECT 1 FROM users WHERE mail = 'ada@example.test'"}]
    },
}
ISSUE: dict[str, Any] = {
    "id": "4711",
    "shortId": "BACKEND-7",
    "title": "ZeroDivisionError: division by zero",
    "culprit": "shop.cart in total",
    "level": "error",
    "status": "unresolved",
    "count": "41",
    "userCount": 3,
    "lastSeen": "2026-01-02T03:04:05Z",
    "permalink": None,
    "web_url": "https://sentry.test/organizations/acme/issues/4711/",
    "project": {"slug": "backend", "id": "5"},
}
ADA = {"type": "user", "id": 7, "name": "Ada"}


def body(action: str, data: dict[str, Any], actor: dict[str, Any] | None = None) -> bytes:
    sentry = {"type": "application", "id": "sentry", "name": "Sentry"}
    return json.dumps(
        {"action": action, "data": data, "installation": {"uuid": "i-1"}, "actor": actor or sentry}
    ).encode()


def meaning(resource: str, action: str, data: dict[str, Any], *, config: Config = CONFIG, **more: Any) -> Any:
    return read(resource, body(action, data, **more), config).meaning


def signal(resource: str, action: str, data: dict[str, Any], **more: Any) -> Signal:
    found = meaning(resource, action, data, **more)
    assert isinstance(found, Signal), found
    return found


def test_an_alert_is_work_on_the_repository_of_its_project() -> None:
    found = signal("event_alert", "triggered", {"event": EVENT, "triggered_rule": "Errors"})
    assert (found.kind, found.thread, found.repo) == (SignalKind.WORK, "sentry:4711", "octo/app")
    assert (found.title, found.author, found.trusted) == ("ZeroDivisionError: division by zero", "sentry", False)
    assert found.url == EVENT["web_url"]


def test_the_text_says_what_helps_and_nothing_that_names_people() -> None:
    text = signal("event_alert", "triggered", {"event": EVENT, "triggered_rule": "Errors"}).text
    for told in ("shop/cart.py, line 12, in total", "> ", "sum(items) / len(items)", "production", "shop@1.2.3"):
        assert told in text
    assert "POST /cart" in text and "browser: Firefox" in text and "mail = '[mail]'" in text
    for hidden in ("ada@", "hunter2", "abcdef", "Cookie", "sid=", "lib/other.py"):
        assert hidden not in text


def test_what_looks_like_a_key_or_an_address_is_replaced_and_versions_are_not() -> None:
    text = "Bearer abc.def.ghi api_key=12345678 from 203.0.113.9 by a.b+c@mail.example.test with 1.2.3.dev1"
    assert scrubbed(text) == "[removed] [removed] from [address] by [mail] with 1.2.3.dev1"


def test_a_long_event_is_bounded() -> None:
    crumbs = [{"message": "x" * 5_000}] * 500
    event = {**EVENT, "breadcrumbs": {"values": crumbs}, "message": "y" * 100_000}
    assert len(signal("event_alert", "triggered", {"event": event, "triggered_rule": ""}).text) < 25_000


def test_an_issue_is_work_where_the_configuration_says_so() -> None:
    assert isinstance(meaning("issue", "created", {"issue": ISSUE}), Ignored)
    config = Config(repos=CONFIG.repos, senders={"sentry": SenderPolicy(triggers=("issue.created",))})
    found = signal("issue", "created", {"issue": ISSUE}, config=config)
    assert (found.kind, found.url) == (SignalKind.WORK, ISSUE["web_url"])
    assert "41 times by 3 users" in found.text
    assert isinstance(
        meaning("event_alert", "triggered", {"event": EVENT, "triggered_rule": ""}, config=config), Ignored
    )


def test_a_resolved_issue_ends_the_work_and_one_that_comes_back_is_a_further_wish() -> None:
    ended = signal("issue", "resolved", {"issue": ISSUE}, actor=ADA)
    assert (ended.kind, ended.text) == (SignalKind.CLOSED, "Ada has resolved the issue.")
    back = signal("issue", "unresolved", {"issue": ISSUE})
    assert (back.kind, back.thread, back.by_program, back.trusted) == (SignalKind.COMMENT, "sentry:4711", True, True)
    assert back.text.startswith("The error has come back") and back.origin.endswith(ISSUE["lastSeen"])


def test_a_comment_that_mentions_us_is_that_of_a_person_who_is_listed_or_not() -> None:
    said = {"comment": "@agent approve v1 3fa94c11", "comment_id": 3, "issue_id": 4711, "project_slug": "backend"}
    found = signal("comment", "created", said, actor=ADA)
    assert (found.directive, found.argument, found.trusted) == (Word.APPROVE, "v1 3fa94c11", True)
    assert found.thread == "sentry:4711"
    assert not signal("comment", "created", said, actor={"type": "user", "id": 8, "name": "Eve"}).trusted
    assert isinstance(meaning("comment", "created", said), Ignored)
    assert isinstance(meaning("comment", "created", said, actor={"type": "user", "id": 99, "name": "us"}), Ignored)
    assert isinstance(meaning("comment", "created", {**said, "comment": "no"}, actor=ADA), Ignored)


def test_a_metric_alert_is_work_and_its_end_the_end() -> None:
    alert = {"metric_alert": {"id": "8", "title": "Errors", "projects": ["backend"]}, "description_text": "900 errors"}
    found = signal("metric_alert", "critical", alert)
    assert (found.kind, found.thread, found.repo, found.text) == (
        SignalKind.WORK, "sentry:alert/8", "octo/app", "900 errors",
    )  # fmt: skip
    assert signal("metric_alert", "resolved", alert).kind is SignalKind.CLOSED


def test_what_is_sent_again_under_another_id_is_the_same_and_another_event_is_not() -> None:
    data = {"event": EVENT, "triggered_rule": "Errors"}
    first = read("event_alert", body("triggered", data), CONFIG).content
    assert first == read("event_alert", body("triggered", data), CONFIG).content != ()
    other = {**data, "event": {**EVENT, "event_id": "f" * 32}}
    assert first != read("event_alert", body("triggered", other), CONFIG).content


def incoming(headers: dict[str, str], data: bytes = b"{}") -> Incoming:
    return Incoming(webhook="sentry", headers=headers, body=data)


def test_only_a_signed_delivery_is_authentic_and_it_names_its_resource() -> None:
    signature = hmac.new(b"s3cret", b"{}", "sha256").hexdigest()
    SENDER.verify(incoming({"sentry-hook-signature": signature}), [b"s3cret"])
    for headers in ({}, {"sentry-hook-signature": "0" * 64}, {"sentry-hook-signature": f"sha256={signature}"}):
        with pytest.raises(NotAuthentic):
            SENDER.verify(incoming(headers), [b"s3cret"])
    with pytest.raises(Unnamed):
        SENDER.event(incoming({}))


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"null", b'{"action":1}', b'{"action":"x"}', b"[" * 9_999, b"\xff"])
def test_a_body_that_is_not_sentrys_is_unreadable(data: bytes) -> None:
    with pytest.raises(Unreadable):
        read("event_alert", data, CONFIG)


@pytest.mark.parametrize(
    "resource", ["event_alert", "issue", "metric_alert", "comment", "installation", "error", "seer"]
)
def test_a_resource_without_what_it_is_about_is_ignored_with_a_reason(resource: str) -> None:
    found = meaning(resource, "created", {})
    assert isinstance(found, Ignored) and found.reason


@pytest.mark.fixtures
def test_every_payload_that_others_recorded_has_a_meaning(fixtures: Path) -> None:
    for meta in sorted((fixtures / "sentry").glob("*.meta.json")):
        resource = json.loads(meta.read_text())["headers"].get("Sentry-Hook-Resource")
        if resource:
            recorded = meta.with_name(meta.name.replace(".meta.json", ".body")).read_bytes()
            found = read(resource, recorded, CONFIG).meaning
            assert isinstance(found, Signal) or found.reason, meta.name
            if isinstance(found, Signal) and resource == "event_alert":
                assert found.thread != "sentry:" and found.title
