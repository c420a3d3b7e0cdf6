"""Payloads of Jira, written after its documentation: Cloud and Data Center, with what is odd about them.

Sources: https://developer.atlassian.com/cloud/jira/platform/webhooks/,
https://developer.atlassian.com/server/jira/platform/webhooks/ and
https://developer.atlassian.com/cloud/jira/platform/apis/document/structure/
"""

from __future__ import annotations

from typing import Any, Final

Json = dict[str, Any]

SITE: Final = "https://acme.atlassian.net"
SERVER: Final = "https://jira.acme.example:8443/jira"
US: Final = "712020:1f6a4e1c-8a52-4f0e-9d37-3b1f5a2c7e10"
NOON: Final = "2026-03-02T12:00:00.000+0100"
LATER: Final = "2026-03-02T12:30:00.000+0100"


def cloud_user(name: str = "Ada Lovelace", id: str = "5b10ac8d82e05b22cc7d4ef5", kind: str = "atlassian") -> Json:
    """Of Cloud: nothing but the account id names it."""
    return {
        "self": f"{SITE}/rest/api/2/user?accountId={id}",
        "accountId": id,
        "avatarUrls": {"48x48": f"{SITE}/avatar/{id}"},
        "displayName": name,
        "active": True,
        "timeZone": "Europe/Berlin",
        "accountType": kind,
    }


def server_user(name: str = "ada") -> Json:
    """Of Data Center."""
    return {
        "self": f"{SERVER}/rest/api/2/user?username={name}",
        "name": name,
        "key": f"JIRAUSER10{len(name)}",
        "emailAddress": f"{name}@acme.example",
        "avatarUrls": {},
        "displayName": name.title(),
        "active": True,
        "timeZone": "Etc/UTC",
    }


JOURNEYMAN: Final = cloud_user("Journeyman", US)
OURS_THERE: Final = server_user("journeyman")
ADA: Final = cloud_user()
EVE: Final = cloud_user("Eve", "60aa11bb22cc33dd44ee55ff")


def status(name: str = "To Do", category: str = "new") -> Json:
    """A status with its category."""
    return {
        "self": f"{SITE}/rest/api/2/status/3",
        "description": "",
        "iconUrl": f"{SITE}/images/icons/statuses/open.png",
        "name": name,
        "id": "3",
        "statusCategory": {"id": 2, "key": category, "colorName": "blue-gray", "name": name},
    }


def issue(*, server: bool = False, **fields: Any) -> Json:
    """An issue as its own events bring it."""
    base = SERVER if server else SITE
    who = server_user() if server else ADA
    return {
        "id": "10040",
        "self": f"{base}/rest/api/2/issue/10040" if server else f"{base}/rest/api/2/10040",
        "key": "APP-41",
        "fields": {
            "statuscategorychangedate": NOON,
            "issuetype": {"self": f"{base}/rest/api/2/issuetype/10001", "id": "10001", "name": "Bug", "subtask": False},
            "timespent": None,
            "project": {"self": f"{base}/rest/api/2/project/10000", "id": "10000", "key": "APP", "name": "App"},
            "fixVersions": [],
            "customfield_10020": [{"id": 1, "name": "Sprint 1", "state": "active"}],
            "customfield_10019": "0|i0000f:",
            "resolution": None,
            "created": NOON,
            "priority": {"name": "Medium", "id": "3"},
            "labels": [],
            "versions": [],
            "issuelinks": [],
            "assignee": None,
            "updated": NOON,
            "status": status(),
            "components": [],
            "description": "The cart drops its *last* item.",
            "attachment": [],
            "summary": "The cart drops an item",
            "creator": who,
            "subtasks": [],
            "reporter": who,
            "aggregateprogress": {"progress": 0, "total": 0},
            "environment": None,
            "duedate": None,
            "comment": {"comments": [], "maxResults": 0, "total": 0, "startAt": 0},
            "worklog": {"startAt": 0, "maxResults": 20, "total": 0, "worklogs": []},
            **fields,
        },
    }


def event(name: str, *, user: Json | None = ADA, **parts: Any) -> Json:
    """One delivery's body."""
    return {"timestamp": 1772449200000, "webhookEvent": name, **({"user": user} if user else {}), **parts}


def item(field: str, before: str | None, after: str | None, *, to: str | None = None, was: str | None = None) -> Json:
    """One field of a change."""
    return {
        "field": field,
        "fieldtype": "jira",
        "fieldId": field,
        "from": was,
        "fromString": before,
        "to": to,
        "toString": after,
    }


def updated(
    *items: Json, kind: str = "issue_generic", user: Json | None = ADA, id: str = "10124", **fields: Any
) -> Json:
    """An issue whose fields were changed."""
    changes = {"id": id, "items": list(items)}
    return event("jira:issue_updated", user=user, issue_event_type_name=kind, issue=issue(**fields), changelog=changes)


def comment(body: Any, *, author: Json | None = ADA, server: bool = False, updated: str = NOON, **more: Any) -> Json:
    """A comment as its events bring it."""
    base = SERVER if server else SITE
    return {
        "self": f"{base}/rest/api/2/issue/10040/comment/10500",
        "id": "10500",
        "author": author,
        "body": body,
        "updateAuthor": author,
        "created": NOON,
        "updated": updated,
        **({} if server else {"jsdPublic": True}),
        **more,
    }


def said(body: Any, *, name: str = "comment_created", **more: Any) -> Json:
    """A comment's event on Cloud: of its issue it brings few fields."""
    few = {
        "summary": "The cart drops an item",
        "issuetype": {"id": "10001", "name": "Bug"},
        "project": {"id": "10000", "key": "APP", "name": "App"},
        "assignee": None,
        "priority": {"name": "Medium", "id": "3"},
        "status": status(),
    }
    about = {"id": "10040", "self": f"{SITE}/rest/api/2/10040", "key": "APP-41", "fields": few}
    return event(name, user=None, comment=comment(body, **more), issue=about, eventType="primaryAction")


def doc(*content: Json) -> Json:
    """A document of ADF."""
    return {"version": 1, "type": "doc", "content": list(content)}


def text(words: str, *marks: Json) -> Json:
    """Words with marks."""
    return {"type": "text", "text": words, **({"marks": list(marks)} if marks else {})}


def node(kind: str, *content: Json, **attrs: Any) -> Json:
    """Any other node."""
    return {"type": kind, **({"attrs": attrs} if attrs else {}), **({"content": list(content)} if content else {})}


def p(*content: Json) -> Json:
    """A paragraph."""
    return node("paragraph", *content)


EVERY_NODE: Final = doc(
    node("heading", text("What happens"), level=2),
    p(
        node("mention", id=US, text="@Journeyman", accessLevel=""),
        text(" plan it, "),
        node("emoji", shortName=":fire:", id="1f525", text="🔥"),
    ),
    p(
        text("bold", {"type": "strong"}),
        text(" "),
        text("slanted", {"type": "em"}),
        text(" "),
        text("gone", {"type": "strike"}),
        text(" "),
        text("under", {"type": "underline"}),
        text(" "),
        text("x_1", {"type": "code"}),
        text(" "),
        text("red", {"type": "textColor", "attrs": {"color": "#ff0000"}}),
        text(" "),
        text("low", {"type": "subsup", "attrs": {"type": "sub"}}),
        text(" "),
        text("the page", {"type": "link", "attrs": {"href": "https://acme.example/a?b=c"}}),
        text(" "),
        text("noted", {"type": "annotation", "attrs": {"id": "n1", "annotationType": "inlineComment"}}),
        node("hardBreak"),
        text("next line"),
    ),
    node("bulletList", node("listItem", p(text("one")), node("bulletList", node("listItem", p(text("inner")))))),
    node("orderedList", node("listItem", p(text("first"))), node("listItem", p(text("second"))), order=1),
    node(
        "taskList",
        node("taskItem", text("to do"), localId="t1", state="TODO"),
        node("taskItem", text("finished"), localId="t2", state="DONE"),
        localId="t",
    ),
    node("decisionList", node("decisionItem", text("we keep it"), localId="d1", state="DECIDED"), localId="d"),
    node("blockquote", p(text("quoted words"))),
    node("codeBlock", text("print('```')\n"), language="python"),
    node("panel", p(text("mind the panel")), panelType="warning"),
    node("rule"),
    node(
        "table",
        node("tableRow", node("tableHeader", p(text("Name"))), node("tableHeader", p(text("Price")))),
        node("tableRow", node("tableCell", p(text("apple"))), node("tableCell", p(text("3 | 4")))),
        isNumberColumnEnabled=False,
        layout="default",
    ),
    node(
        "mediaSingle", node("media", type="file", id="6e7c7f2c", collection="c", alt="screenshot.png"), layout="center"
    ),
    node("mediaGroup", node("media", type="file", id="9f1", collection="c")),
    p(node("mediaInline", id="7aa", collection="c", type="file", alt="trace.log")),
    p(node("inlineCard", url="https://acme.example/card"), text(" "), node("status", text="IN REVIEW", color="purple")),
    node("blockCard", url="https://acme.example/block"),
    node("embedCard", url="https://acme.example/embed", layout="center"),
    p(text("by "), node("date", timestamp="1772409600000")),
    p(
        node("placeholder", text="Type something"),
        node("inlineExtension", extensionType="com.acme", extensionKey="toc"),
    ),
    node("expand", p(text("folded words")), title="More of it"),
    node("nestedExpand", p(text("deeper words")), title="Still more"),
    node(
        "layoutSection",
        node("layoutColumn", p(text("left")), width=50),
        node("layoutColumn", p(text("right")), width=50),
    ),
    node("extension", extensionType="com.acme", extensionKey="chart", text="a chart"),
    node("bodiedExtension", p(text("inside of a macro")), extensionType="com.acme", extensionKey="excerpt"),
    node("somethingOfTomorrow", p(text("words of tomorrow"))),
)
"""Every node type of the documentation, and one that it does not have."""
