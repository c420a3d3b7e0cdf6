"""Payloads of Sentry, written after its documentation: alerts, issues, comments, installations, and the old plugin.

Sources: https://docs.sentry.io/organization/integrations/integration-platform/webhooks/ and
https://github.com/getsentry/sentry (src/sentry/plugins/sentry_webhooks/plugin.py)
"""

from __future__ import annotations

from typing import Any, Final

Json = dict[str, Any]

API: Final = "https://sentry.io/api/0"
PAGE: Final = "https://acme.sentry.io/issues/1170820242"
APPLICATION: Final = {"type": "application", "id": "sentry", "name": "Sentry"}
ADA: Final = {"type": "user", "id": 789877, "name": "Ada Lovelace"}


def payload(action: str, data: Json, actor: Json | None = APPLICATION) -> Json:
    """One delivery's body."""
    return {
        "action": action,
        "installation": {"uuid": "a8e5d37a-696c-4c54-adb5-b3f28d64c7de"},
        "data": data,
        "actor": actor,
    }


def frame(file: str, function: str, line: int, *, in_app: bool = True, **more: Any) -> Json:
    """One line of a stack, as events have it."""
    return {
        "function": function,
        "colno": None,
        "vars": {"password": "[Filtered]", "card": "4111 1111 1111 1111"},
        "symbol": None,
        "module": file.removesuffix(".py").replace("/", "."),
        "context_line": f"    {function}(items)",
        "pre_context": [f"def {function}(items):", "    # before"],
        "post_context": ["    # after", None],
        "in_app": in_app,
        "data": {"orig_in_app": 1},
        "lineno": line,
        "filename": file,
        "abs_path": f"/srv/{file}",
        "package": None,
        "instruction_addr": None,
        "image_addr": None,
        **more,
    }


def event(**more: Any) -> Json:
    """The event of an issue alert."""
    return {
        "_ref": 1293919,
        "_ref_version": 2,
        "breadcrumbs": {
            "values": [
                {
                    "type": "http",
                    "category": "httplib",
                    "level": "info",
                    "timestamp": 1772449100.5,
                    "message": None,
                    "data": {"url": "https://pay.acme.example/?card=4111111111111111"},
                },
                {
                    "type": "default",
                    "category": "auth",
                    "level": "warning",
                    "timestamp": "2026-03-02T11:00:00Z",
                    "message": "login of ada@acme.example from 2001:db8::8a2e:370:7334 failed",
                },
            ]
        },
        "contexts": {
            "os": {"name": "Linux"},
            "runtime": {"name": "CPython", "version": "3.11"},
            "trace": {"trace_id": "0" * 32},
        },
        "culprit": "shop.cart in total",
        "datetime": "2026-03-02T11:00:00.000000Z",
        "dist": None,
        "environment": "production",
        "event_id": "a" * 32,
        "exception": {
            "values": [
                {
                    "type": "KeyError",
                    "value": "'price'",
                    "module": None,
                    "mechanism": None,
                    "stacktrace": {"frames": [frame("shop/item.py", "price", 8)], "frames_omitted": None},
                },
                {
                    "type": "CartError",
                    "value": "no price for ada@acme.example, token=abcdef123456",
                    "mechanism": {"type": "generic", "handled": False},
                    "stacktrace": {
                        "frames": [
                            frame("site-packages/django/core/handlers.py", "inner", 47, in_app=False),
                            frame("shop/cart.py", "total", 12),
                        ]
                    },
                },
            ]
        },
        "extra": {"sys.argv": ["manage.py", "--key=topsecret"]},
        "fingerprint": ["{{ default }}"],
        "grouping_config": {"enhancements": "x", "id": "newstyle:2023-01-11"},
        "hashes": ["29f9d3c2b4c1"],
        "issue_url": f"{API}/organizations/acme/issues/1170820242/",
        "issue_id": "1170820242",
        "key_id": "667532",
        "level": "error",
        "location": "shop/cart.py",
        "logger": "",
        "message": "",
        "metadata": {"filename": "shop/cart.py", "type": "CartError", "value": "no price"},
        "platform": "python",
        "project": 5271,
        "received": 1772449200.25,
        "release": "shop@1.2.3",
        "request": {
            "url": "https://acme.example/cart?session=abc",
            "method": "POST",
            "headers": [["Authorization", "Bearer abc.def"]],
            "cookies": [["sid", "1"]],
            "data": {"card": "4111111111111111"},
            "query_string": [["session", "abc"]],
        },
        "sdk": {"name": "sentry.python", "version": "2.0.0", "integrations": ["django"]},
        "tags": [
            ["browser", "Firefox 120"],
            ["environment", "production"],
            ["user", "id:7"],
            ["server_name", "web-1"],
            ["url", "https://acme.example/cart?session=abc"],
        ],
        "time_spent": None,
        "timestamp": 1772449200.0,
        "title": "CartError: no price",
        "type": "error",
        "url": f"{API}/projects/acme/backend/events/{'a' * 32}/",
        "user": {"email": "ada@acme.example", "ip_address": "203.0.113.7", "id": "7"},
        "version": "7",
        "web_url": f"{PAGE}/events/{'a' * 32}/",
        **more,
    }


def alert(**more: Any) -> Json:
    """An issue alert."""
    data = {
        "event": event(**more),
        "triggered_rule": "Many errors",
        "issue_alert": {"title": "Many errors", "settings": []},
    }
    return payload("triggered", data)


def issue(**more: Any) -> Json:
    """An issue as its webhooks have it."""
    return {
        "url": f"{API}/organizations/acme/issues/1170820242/",
        "web_url": f"{PAGE}/",
        "project_url": "https://acme.sentry.io/issues/?project=5271",
        "id": "1170820242",
        "shareId": None,
        "shortId": "BACKEND-1F",
        "title": "CartError: no price",
        "culprit": "shop.cart in total",
        "permalink": None,
        "logger": None,
        "level": "error",
        "status": "unresolved",
        "statusDetails": {},
        "substatus": "new",
        "isPublic": False,
        "platform": "python",
        "project": {"id": "5271", "name": "Backend", "slug": "backend", "platform": "python"},
        "type": "error",
        "metadata": {
            "value": "no price",
            "type": "CartError",
            "filename": "shop/cart.py",
            "function": "total",
            "in_app_frame_mix": "mixed",
        },
        "numComments": 0,
        "assignedTo": None,
        "isBookmarked": False,
        "isSubscribed": False,
        "subscriptionDetails": None,
        "hasSeen": False,
        "annotations": [],
        "issueType": "error",
        "issueCategory": "error",
        "priority": "high",
        "priorityLockedAt": None,
        "isUnhandled": True,
        "count": "41",
        "userCount": 3,
        "firstSeen": "2026-03-01T08:00:00.000000Z",
        "lastSeen": "2026-03-02T11:00:00.000000Z",
        **more,
    }


def metric(action: str, **more: Any) -> Json:
    """A metric alert."""
    told = {
        "alert_rule": {
            "aggregate": "count()",
            "id": "7",
            "name": "Too many errors",
            "projects": ["backend"],
            "threshold_type": 0,
        },
        "date_closed": None,
        "date_created": "2026-03-02T11:00:00Z",
        "date_detected": "2026-03-02T11:00:00Z",
        "date_started": "2026-03-02T11:00:00Z",
        "id": "4",
        "identifier": "3",
        "organization_id": "1",
        "projects": ["backend"],
        "status": 20,
        "status_method": 3,
        "title": "Too many errors",
        "type": 2,
        **more,
    }
    data = {
        "description_text": "1000 events in the last 10 minutes\nFilter: level:error",
        "description_title": "Critical: Too many errors",
        "metric_alert": told,
        "web_url": "https://acme.sentry.io/alerts/rules/details/7/?alert=3",
    }
    return payload(action, data)


def comment(action: str, words: Any, actor: Json | None = ADA) -> Json:
    """A comment at an issue."""
    data = {
        "comment": words,
        "project_slug": "backend",
        "comment_id": 1234,
        "issue_id": 1170820242,
        "timestamp": "2026-03-02T11:05:00.000Z",
    }
    return payload(action, data, actor)


PLUGIN: Final[Json] = {
    "id": "1170820242",
    "project": "backend",
    "project_name": "Backend",
    "project_slug": "backend",
    "logger": None,
    "level": "error",
    "culprit": "shop.cart in total",
    "message": "CartError: no price",
    "url": f"{PAGE}/?referrer=webhooks_plugin",
    "triggering_rules": ["Many errors"],
    "event": {"event_id": "a" * 32, "level": "error", "type": "error", "user": {"email": "ada@acme.example"}},
}
"""Of the old plugin, which signs nothing and names no resource."""
