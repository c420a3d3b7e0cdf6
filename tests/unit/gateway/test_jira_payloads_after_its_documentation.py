"""Deliveries written after Jira's documentation: the status that Jira hears, what they mean, and the text."""

from __future__ import annotations

from typing import Any

import pytest

from shared.contracts.delivery import Signal, SignalKind, Word
from shared.ops.config import Config, Repo, SenderPolicy
from testing import jira_payloads as jira
from testing.jira_payloads import (
    EVE,
    LATER,
    OURS_THERE,
    US,
    comment,
    doc,
    event,
    issue,
    item,
    node,
    p,
    said,
    text,
)
from testing.received import NEXT, Received, encoded, signed

CONFIG = Config(
    repos={
        "octo/app": Repo(url="https://git.test/app.git", sources={"jira": ("APP",)}),
        "octo/core": Repo(url="https://git.test/core.git", sources={"jira": ("APP/core", "label:core-team")}),
    },
    senders={
        "jira": SenderPolicy(
            accounts=(US, "journeyman"),
            people=(jira.ADA["accountId"], "ada"),
            label="agent",
            statuses=("In Progress",),
        )
    },
)
ADA = jira.ADA["accountId"]
WORK, COMMENT, EDITED, CLOSED = SignalKind.WORK, SignalKind.COMMENT, SignalKind.EDITED, SignalKind.CLOSED
GONE = {"accountId": "unknown", "displayName": "Former user", "active": False, "accountType": "unknown"}
APP = jira.cloud_user("Automation for Jira", "557058:f58131cb", "app")
CUSTOMER = jira.cloud_user("A customer", "qm:1:2", "customer")
DONE = jira.status("Done", "done")


async def told(payload: Any, **more: Any) -> tuple[int, Signal | str]:
    """The status, and the signal or why there is none."""
    here = Received("jira", CONFIG)
    body = payload if isinstance(payload, bytes) else encoded(payload)
    answer = await here.send(body, signed("x-hub-signature", body, prefix="sha256=", **more))
    return answer.status, (here.signals[0] if here.signals else answer.body["reason"])


MEANT: dict[str, tuple[dict[str, Any], SignalKind, dict[str, Any]]] = {
    "an issue that mentions us": (
        event(
            "jira:issue_created",
            issue_event_type_name="issue_created",
            issue=issue(description=f"[~accountid:{US}] plan"),
        ),
        WORK,
        {
            "title": "The cart drops an item",
            "author": ADA,
            "trusted": True,
            "directive": Word.PLAN,
            "text": "@agent plan",
        },
    ),
    "an issue of Data Center, in words of its markup": (
        event(
            "jira:issue_created",
            user=jira.server_user(),
            issue=issue(
                server=True,
                description="h2. Steps\r\n# open\r\n# {{drop}}\r\n\r\n{code:java}\r\n@agent stop\r\n{code}\r\n"
                "[~journeyman] implement [^trace.log]",
                attachment=[{"filename": "trace.log", "size": 3}, None],
            ),
        ),
        WORK,
        {
            "url": "https://jira.acme.example:8443/jira/browse/APP-41",
            "directive": Word.IMPLEMENT,
            "text": "## Steps\n1. open\n1. `drop`\n\n\n\n```\n@agent stop\n```\n\n\n"
            "@agent implement (attachment: trace.log)\n\nAttached there:\n\n- trace.log",
        },
    ),
    "an issue without anybody and anything": (
        event(
            "jira:issue_created",
            user=None,
            issue=issue(
                description=None,
                reporter=None,
                creator=None,
                assignee=None,
                priority=None,
                components=None,
                labels=["Agent", None],
                attachment=None,
                status=None,
            ),
        ),
        WORK,
        {"author": "", "trusted": False, "text": "", "repo": "octo/app"},
    ),
    "it is assigned to us by somebody else than its author": (
        jira.updated(
            item("assignee", None, "Journeyman", to=US), kind="issue_assigned", user=EVE, assignee=jira.JOURNEYMAN
        ),
        WORK,
        {"author": ADA, "trusted": False},
    ),
    "an automation labels it": (
        jira.updated(item("labels", "", "urgent agent"), user=APP, labels=["urgent", "agent"]),
        WORK,
        {"author": ADA, "trusted": False},
    ),
    "it is moved to the status, in any case of letters": (
        jira.updated(
            item("resolution", None, None),
            item("status", "To Do", "IN PROGRESS", to="10001", was="3"),
            status=jira.status("In progress", "indeterminate"),
        ),
        WORK,
        {"trusted": True},
    ),
    "its component says the repository": (
        jira.updated(item("labels", None, "agent"), labels=["agent"], components=[{"name": "Core"}]),
        WORK,
        {"repo": "octo/core"},
    ),
    "it has moved to a project that nobody has named": (
        jira.updated(
            item("Key", "APP-41", "ZZZ-7"),
            item("project", "App", "Zed"),
            item("labels", "", "agent"),
            labels=["agent"],
            project={"key": "ZZZ"},
        ),
        WORK,
        {"repo": "", "thread": "jira:acme.atlassian.net#10040"},
    ),
    "it is done": (
        jira.updated(
            item("resolution", None, "Done"),
            item("status", "In Review", "Done"),
            status=DONE,
            resolution={"name": "Done"},
        ),
        CLOSED,
        {"text": "Ada Lovelace has moved the issue to Done."},
    ),
    "it is reopened": (
        jira.updated(item("resolution", "Done", None), item("status", "Done", "To Do")),
        SignalKind.REOPENED,
        {"trusted": True},
    ),
    "it is deleted": (
        event("jira:issue_deleted", issue=issue()),
        CLOSED,
        {"text": "Ada Lovelace has deleted the issue."},
    ),
    "its description is other words": (
        jira.updated(item("description", "x", "y"), kind="issue_updated", description="@agent plan it well"),
        EDITED,
        {"origin": "", "text": "@agent plan it well", "as_of_ms": 1772449200000},
    ),
    "a comment": (
        said(f"[~accountid:{US}] approve v1 3fa94c11"),
        COMMENT,
        {
            "directive": Word.APPROVE,
            "argument": "v1 3fa94c11",
            "trusted": True,
            "origin": "jira:comment/acme.atlassian.net/10500",
        },
    ),
    "a comment in ADF": (
        said(doc(p(node("mention", id=US, text="@Journeyman"), text(" revise no cache, please")))),
        COMMENT,
        {"directive": Word.REVISE, "argument": "no cache, please", "text": "@agent revise no cache, please"},
    ),
    "a comment of Data Center with its issue": (
        event(
            "jira:issue_updated",
            user=jira.server_user(),
            issue_event_type_name="issue_commented",
            issue=issue(server=True),
            comment=comment("[~journeyman] plan", author=jira.server_user(), server=True),
        ),
        COMMENT,
        {"author": "ada", "trusted": True, "repo": "octo/app", "title": "The cart drops an item"},
    ),
    "a customer's comment at a service desk": (
        said("@agent approve", author=CUSTOMER),
        COMMENT,
        {"trusted": False, "author": "qm:1:2"},
    ),
    "somebody who is gone has said it": (
        said("@agent plan", author=GONE),
        COMMENT,
        {"trusted": False, "author": "unknown"},
    ),
    "an edited comment": (
        said("@agent fix it", name="comment_updated", updated=LATER),
        EDITED,
        {"directive": Word.FIX, "as_of_ms": 1772451000000},
    ),
    "a deleted issue's many attachments": (
        jira.updated(
            item("labels", "", "agent"), labels=["agent"], attachment=[{"filename": f"{n}.png"} for n in range(500)]
        ),
        WORK,
        {},
    ),
}


@pytest.mark.parametrize("name", MEANT)
async def test_what_jira_documents_means_what_it_says(name: str) -> None:
    payload, kind, parts = MEANT[name]
    status, signal = await told(payload)
    assert status == 202 and isinstance(signal, Signal), signal
    assert {"kind": signal.kind, **{part: getattr(signal, part) for part in parts}} == {"kind": kind, **parts}
    assert signal.thread.endswith("#10040") and signal.thread.startswith("jira:")


IGNORED: dict[str, tuple[Any, str]] = {
    "another field": (jira.updated(item("priority", "Medium", "High")), "it changes nothing of what is asked for"),
    "a label that was there": (
        jira.updated(item("labels", "agent", "agent x"), labels=["agent", "x"]),
        "it changes nothing",
    ),
    "a new issue that is not for us": (
        event("jira:issue_created", issue=issue()),
        "a new issue is work when it mentions @agent",
    ),
    "a comment that is not for us": (said("Thanks!"), "a comment that does not mention @agent"),
    "words in a quotation": (said(f"{{quote}}[~accountid:{US}] stop{{quote}} why?"), "does not mention @agent"),
    "words of ADF in a code block of a table": (
        said(doc(node("table", node("tableRow", node("tableCell", node("codeBlock", text("@agent stop"))))))),
        "does not mention @agent",
    ),
    "words of ADF behind a line's end in a quotation": (
        said(doc(node("blockquote", p(text("he said\n@agent stop\r@agent stop"))))),
        "does not mention @agent",
    ),
    "our own comment": (said("@agent plan", author=jira.JOURNEYMAN), "ourselves"),
    "our own comment on Data Center": (
        event("comment_created", user=None, comment=comment("@agent plan", author=OURS_THERE, server=True)),
        "ourselves",
    ),
    "our own change": (jira.updated(item("status", "To Do", "In Progress"), user=jira.JOURNEYMAN), "ourselves"),
    "a program's comment": (said("@agent plan", author=APP), "a comment of a program"),
    "a comment of nobody": (said("@agent plan", author=None), "a comment of nobody"),
    "an edit that would approve": (said("@agent approve", name="comment_updated", updated=LATER), "never approves"),
    "an edit by somebody else": (
        said("@agent plan", name="comment_updated", updateAuthor=EVE, updated=LATER),
        "only its author speaks in it",
    ),
    "a deleted comment": (said("@agent plan", name="comment_deleted"), "comment_deleted is nothing we act on"),
    "a link": (
        event(
            "issuelink_created",
            user=None,
            issueLink={
                "id": 1,
                "sourceIssueId": 10040,
                "destinationIssueId": 10041,
                "issueLinkType": {"id": 1, "name": "Blocks"},
            },
        ),
        "issuelink_created is nothing we act on",
    ),
    "a work log": (
        event("worklog_updated", user=None, worklog={"id": "1", "issueId": "10040", "comment": "@agent plan"}),
        "nothing we act on",
    ),
    "a sprint": (
        event("sprint_started", user=None, sprint={"id": 4, "name": "Sprint 4"}),
        "sprint_started is nothing we act on",
    ),
    "a user": (event("user_created", user=EVE), "user_created is nothing we act on"),
    "a step of a workflow with a bare comment": (
        event("jira:issue_updated", issue=issue(), comment="@agent plan"),
        "it changes nothing",
    ),
    "an issue that is nothing": (event("jira:issue_created", issue=5), "does not say which issue it is about"),
    "an issue without its number": (event("jira:issue_created", issue={"key": "APP-41"}), "does not say which issue"),
    "nothing at all": ({}, "it does not say which issue it is about"),
}


@pytest.mark.parametrize("name", IGNORED)
async def test_what_is_not_for_us_is_ignored_with_the_reason(name: str) -> None:
    payload, reason = IGNORED[name]
    status, why = await told(payload)
    assert status == 200 and isinstance(why, str) and reason in why, why


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b"\xff", b"[" * 5_000, b'{"timestamp":1e999}', b'{"a":"\\ud800"}']
)
async def test_what_is_no_json_of_jira_is_unreadable(body: bytes) -> None:
    status, why = await told(body)
    assert status == 400 and str(why).startswith("The body is not ")


async def test_details_of_another_type_count_as_missing() -> None:
    odd = issue(
        description=f"[~accountid:{US}] plan",
        labels="agent",
        components={"name": "x"},
        attachment=[5],
        assignee="ada",
        resolution=[],
    )
    status, signal = await told(event("jira:issue_created", timestamp="now", issue=odd))
    assert status == 202 and isinstance(signal, Signal) and signal.directive == Word.PLAN


async def test_every_node_of_a_document_is_read() -> None:
    _, signal = await told(said(jira.EVERY_NODE))
    assert isinstance(signal, Signal)
    assert signal.text == EVERY_NODE_AS_MARKDOWN
    assert (signal.directive, signal.argument) == (Word.PLAN, "it, 🔥")


EVERY_NODE_AS_MARKDOWN = """\
## What happens

@agent plan it, 🔥

**bold** *slanted* ~~gone~~ under `x_1` red low [the page](https://acme.example/a?b=c) noted
next line

* one
  * inner

1. first
2. second

* [ ] to do
* [x] finished

* Decided: we keep it

> quoted words
>

````
print('```')
````

mind the panel

---

| Name | Price |
| --- | --- |
| apple | 3 \\| 4 |

(attachment: screenshot.png)

(attachment: 9f1)

(attachment: trace.log)

<https://acme.example/card> IN REVIEW

<https://acme.example/block>

<https://acme.example/embed>

by 2026-03-02

**More of it**

folded words

**Still more**

deeper words

left

right

a chart

inside of a macro

words of tomorrow"""


async def test_a_huge_issue_is_taken_and_cut_with_a_note() -> None:
    huge = event("jira:issue_created", issue=issue(description=f"[~accountid:{US}] plan\n" + "x" * 2_000_000))
    status, signal = await told(huge)
    assert status == 202 and isinstance(signal, Signal)
    assert len(signal.text) < 66_000 and "[cut here by Journeyman" in signal.text
    many = said(doc(*[p(text(f"@agent plan {number}")) for number in range(12_000)]))
    _, signal = await told(many)
    assert isinstance(signal, Signal) and "cut here by Journeyman" in signal.text


@pytest.mark.parametrize("part", ["id", "self", "key"])
async def test_names_that_nobody_gives_are_refused(part: str) -> None:
    body = said("@agent plan") | {"issue": {**said("")["issue"], part: "x" * 9_000}}
    status, found = await told(body)
    assert status == (400 if part == "id" else 202)
    assert part == "id" or (isinstance(found, Signal) and len(found.thread) <= 500 and len(found.url) <= 2_048)


async def test_two_secrets_count_while_they_are_rotated_and_no_third_one() -> None:
    assert (await told(said("@agent plan"), secret=NEXT))[0] == 202
    status, why = await told(said("@agent plan"), secret=b"another")
    assert status == 401 and "JOURNEYMAN_JIRA_WEBHOOK_SECRET" in str(why)


async def test_what_is_told_twice_late_or_in_another_order_is_one_thing_each() -> None:
    here = Received("jira", CONFIG)
    new, other = said("@agent plan"), said("@agent fix it", name="comment_updated", updated=LATER)
    there = event(
        "jira:issue_updated", issue_event_type_name="issue_commented", issue=issue(), comment=comment("@agent plan")
    )
    answers = []
    for number, payload in enumerate((other, new, new, there, other)):
        body = encoded(payload)
        identifier = {"x-atlassian-webhook-identifier": f"id-{number}", "x-atlassian-webhook-retry": "1"}
        answers.append(await here.send(body, identifier | signed("x-hub-signature", body, prefix="sha256=")))
    assert [each.status for each in answers] == [202, 202, 200, 200, 200]
    assert [each.kind for each in here.signals] == [EDITED, COMMENT]
    assert len({each.origin for each in here.signals}) == 1


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-hub-signature": ""},
        {"x-hub-signature": "sha256="},
        {"x-hub-signature": "sha1=" + "0" * 40},
        {"x-hub-signature": "none=x"},
        {"x-hub-signature": "sha256=" + "é" * 64},
        {"x-hub-signature-256": "sha256=" + "0" * 64},
        {"authorization": "Bearer eyJhbGciOiJub25lIn0.e30."},
    ],
)
async def test_what_is_not_signed_is_refused_before_it_is_read(headers: dict[str, str]) -> None:
    here = Received("jira", CONFIG)
    for body in (encoded(said("@agent plan")), b"{"):
        answer = await here.send(body, headers)
        assert (answer.status, answer.body["status"]) == (401, "signature-invalid")
    assert here.signals == []


async def test_a_signature_is_over_the_bytes_and_not_over_what_they_say() -> None:
    here, body = Received("jira", CONFIG), encoded(said("@agent plan"))
    upper = {name: value.upper() for name, value in signed("x-hub-signature", body, prefix="sha256=").items()}
    assert (await here.send(body, upper)).status == 401
    assert (await here.send(body + b"\n", signed("x-hub-signature", body, prefix="sha256="))).status == 401
    assert here.signals == []
