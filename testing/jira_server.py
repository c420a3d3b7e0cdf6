"""A stateful Jira of ours, Cloud or Data Center: issues, comments with properties, transitions, remote links.

After https://developer.atlassian.com/cloud/jira/platform/rest/v3/.
"""

from __future__ import annotations

import base64
import json
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from functools import cache
from typing import Any

import jsonschema

from testing.fixtures_of_others import folder_of_fixtures
from testing.rest_server import NO_CONTENT, Answer, Json, RestServer

BOT = "712020:bot"
MAX_FOUND = 5
"""Of issues on one page, so that tests read several."""
MAX_HISTORIES = 3
"""That Cloud gives together with an issue."""
TOKEN = "jira-token-of-tests"
EMAIL = "bot@example.com"
PROJECTS = ("APP", "OPS")
WORKFLOW = {
    "To Do": ("In Progress", "Done"),
    "In Progress": ("To Do", "In Review", "Done"),
    "In Review": ("In Progress", "Done"),
    "Done": ("In Progress",),
}


@dataclass
class Issue:
    """One issue."""

    id: str
    key: str
    status: str = "To Do"
    comments: list[dict[str, Any]] = field(default_factory=list)
    links: dict[str, dict[str, Any]] = field(default_factory=dict)
    fields: dict[str, Any] = field(default_factory=dict)
    histories: list[dict[str, Any]] = field(default_factory=list)
    work: list[dict[str, Any]] = field(default_factory=list)
    created: float = 0.0
    updated: float = 0.0


class JiraServer(RestServer):
    """``changes`` counts what was changed, by issue and kind of change; ``moves`` are the statuses of each issue.

    ``clock`` is its own time, told in ``zone``; ``filters`` are conditions of JQL that it knows, by what they say.
    ``base_url`` is what it calls itself, and ``forbidden`` are the permissions that our account lacks; ``no_projects``
    are keys that it knows nothing of when it searches.
    ``checked``: documents are checked against Atlassian's schema where it is there (`adf_checks`), half a second each.
    """

    def __init__(self, *, cloud: bool = True) -> None:
        super().__init__()
        self.cloud = cloud
        self.checked = False
        self.people = {"ada": "Ada Lovelace"}
        self.base_url = ""
        self.forbidden: set[str] = set()
        self.no_projects: set[str] = set()
        self.issues: dict[str, Issue] = {}
        self.changes: Counter[tuple[str, str]] = Counter()
        self.moves: dict[str, list[str]] = {}
        self.zone = timezone(timedelta(hours=-8))
        self.filters: dict[str, Callable[[Issue], bool]] = {}
        self._next = 10_000

    @property
    def site(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self.port}"

    def opens(self, key: str = "", status: str = "To Do") -> Issue:
        """A new issue."""
        self._next += 1
        now = self.clock()
        issue = Issue(id=str(self._next), key=key or f"APP-{self._next}", status=status, created=now, updated=now)
        self.issues[issue.id] = self.issues[issue.key] = issue
        return issue

    def thread(self, issue: Issue) -> str:
        """As deliveries name the issue."""
        return f"jira:{self.site}#{issue.id}"

    def says(self, issue: Issue, body: Json, properties: list[Any], author: str = "ada") -> dict[str, Any]:
        """Somebody comments."""
        self._next += 1
        who = {"accountId": author} if self.cloud else {"name": author, "key": f"key-{author}"}
        issue.updated = self.clock()
        at = self._told(issue.updated)
        comment = {"id": str(self._next), "author": who, "body": body, "properties": properties}
        comment |= {
            "created": at,
            "updated": at,
            "updateAuthor": who,
            "self": f"{self._self(issue)}/comment/{self._next}",
        }
        issue.comments.append(comment)
        return comment

    def rewords(self, issue: Issue, comment: dict[str, Any], body: Json) -> None:
        """The author edits a comment."""
        issue.updated = self.clock()
        comment |= {"body": body, "updated": self._told(issue.updated)}

    def changes_of(self, issue: Issue, author: str, *items: dict[str, Any]) -> dict[str, Any]:
        """Somebody changes fields of an issue in one go; answers with what its history says of it."""
        self._next += 1
        issue.updated = self.clock()
        for item in items:
            value = item["toString"]
            match item["field"]:
                case "status":
                    issue.status = value
                case "labels":
                    issue.fields["labels"] = value.split()
                case "assignee":
                    issue.fields["assignee"] = {"accountId": item["to"]} if item["to"] else None
                case "resolution":
                    issue.fields["resolution"] = {"name": value} if value else None
                case name:
                    issue.fields[name] = value
        told = {
            "id": str(self._next),
            "created": self._told(issue.updated),
            "author": self._person(author),
            "items": list(items),
        }
        issue.histories.append(told)
        return told

    def delivery(self, event: str, issue: Issue, author: str = "ada", **more: Any) -> bytes:
        """The body of the webhook about it."""
        told = {"id": issue.id, "key": issue.key, "self": self._self(issue), "fields": self._fields(issue)}
        stamp = int(self.clock() * 1000)
        body = {"webhookEvent": event, "timestamp": stamp, "user": self._person(author), "issue": told, **more}
        return json.dumps(body).encode()

    def _permissions(self, wanted: list[str]) -> dict[str, Any]:
        """Data Center tells all there are."""
        names = wanted if self.cloud else [*wanted, "ADMINISTER"]
        return {
            key: {"key": key, "name": key.replace("_", " ").capitalize(), "havePermission": key not in self.forbidden}
            for key in names
        }

    def _person(self, name: str) -> dict[str, str]:
        return {"accountId": name} if self.cloud else {"name": name, "key": f"key-{name}"}

    def _self(self, issue: Issue) -> str:
        return f"{self.url}/rest/api/2/issue/{issue.id}"

    def _told(self, at: float) -> str:
        told = datetime.fromtimestamp(at, self.zone)
        return f"{told:%Y-%m-%dT%H:%M:%S}.{told.microsecond // 1000:03d}{told:%z}"

    def _fields(self, issue: Issue) -> dict[str, Any]:
        category = {"To Do": "new", "Done": "done"}.get(issue.status, "indeterminate")
        return {
            "summary": "It drops",
            "description": "It does.",
            "labels": [],
            "assignee": None,
            "resolution": None,
            "reporter": self._person("ada"),
            "creator": self._person("ada"),
            "status": {"name": issue.status, "statusCategory": {"key": category}},
            "project": {"key": issue.key.partition("-")[0]},
            "created": self._told(issue.created),
            "updated": self._told(issue.updated),
            **issue.fields,
        }

    def answer(self, method: str, path: str, query: dict[str, str], headers: dict[str, str], body: Json) -> Answer:
        pair = base64.b64encode(f"{EMAIL}:{TOKEN}".encode()).decode()
        if headers.get("authorization") != (f"Basic {pair}" if self.cloud else f"Bearer {TOKEN}"):
            return 401, {"errorMessages": ["You are not authenticated."]}
        found = re.fullmatch(rf"/rest/api/{'[23]' if self.cloud else 2}/(.+)", path)
        if found is None:
            return 404, {"errorMessages": ["No such route."]}
        match method, found[1].split("/"):
            case "GET", ["myself"]:
                return 200, {"accountId": BOT} if self.cloud else {"name": BOT, "key": f"key-{BOT}"}
            case "GET", ["serverInfo"]:
                return 200, {"serverTime": self._told(self.clock()), "baseUrl": self.base_url or self.url}
            case "GET", ["mypermissions"] if query.get("projectKey") in PROJECTS:
                return 200, {"permissions": self._permissions(query["permissions"].split(","))}
            case "GET", ["project", key, "statuses"] if key in PROJECTS:
                return 200, [{"id": "1", "name": "Bug", "statuses": [{"name": name} for name in WORKFLOW]}]
            case "GET", ["search", *rest] if rest == (["jql"] if self.cloud else []):
                return self._found(query)
            case "GET", ["user"] if query.get("accountId") in self.people:
                return 200, {"accountId": query["accountId"], "displayName": self.people[query["accountId"]]}
            case "POST", ["comment", "list"] if self.cloud:
                return 200, {"values": self._listed(body["ids"], "properties" in query.get("expand", ""))}
            case _, ["issue", id, *rest] if id in self.issues:
                return self._of_issue(method, self.issues[id], rest, query, body)
            case _:
                return 404, {"errorMessages": ["Issue does not exist or you do not have permission to see it."]}

    def _found(self, query: dict[str, str]) -> Answer:
        """By conditions that are joined with AND; what is unknown is refused, as there."""
        condition, _, order = query["jql"].partition(" ORDER BY ")
        found = list({issue.id: issue for issue in self.issues.values()}.values())
        for part in condition.split(" AND "):
            minutes = re.fullmatch(r"updated >= -(\d+)m", part)
            project = re.fullmatch(r'\(?project (?:=|in) \(?("[^)]+")\)*(?: OR labels in \(("[^)]+")\)\))?', part)
            if minutes is not None:
                after = self.clock() - 60 * int(minutes[1])
                found = [each for each in found if each.updated >= after]
            elif project is not None:
                keys, labels = (set(re.findall(r'"([^"]+)"', each or "")) for each in project.groups())
                for key in keys & self.no_projects:
                    return 400, {"errorMessages": [f"The value '{key}' does not exist for the field 'project'."]}
                found = [
                    each
                    for each in found
                    if each.key.partition("-")[0] in keys or labels & set(each.fields.get("labels") or ())
                ]
            elif part.strip("()") in self.filters:
                found = [each for each in found if self.filters[part.strip("()")](each)]
            else:
                return 400, {"errorMessages": [f"Error in the JQL Query: {part}"]}
        if order != "updated DESC":
            return 400, {"errorMessages": [f"Error in the JQL Query: {order}"]}
        ordered = sorted(found, key=lambda each: each.updated, reverse=True)
        start = int(query.get("nextPageToken" if self.cloud else "startAt", 0))
        page = ordered[start : start + min(int(query.get("maxResults", 50)), MAX_FOUND)]
        wanted = query.get("fields", "").split(",")
        told: dict[str, Any] = {
            "issues": [
                {"id": each.id, "fields": {name: self._fields(each)[name] for name in wanted if name}} for each in page
            ]
        }
        if not self.cloud:
            return 200, told | {"total": len(ordered), "startAt": start}
        ends = start + len(page)
        return 200, told if ends >= len(ordered) else told | {"nextPageToken": str(ends)}

    def _listed(self, ids: list[int], whole: bool) -> list[dict[str, Any]]:
        all_of_them = {each["id"]: each for issue in self.issues.values() for each in issue.comments}
        return [all_of_them[str(id)] if whole else _thin(all_of_them[str(id)]) for id in ids if str(id) in all_of_them]

    def _of_issue(self, method: str, issue: Issue, rest: list[str], query: dict[str, str], body: Json) -> Answer:
        match method, rest:
            case "GET", []:
                wanted = query.get("fields", "").split(",")
                fields = {name: value for name, value in self._fields(issue).items() if name in wanted}
                told = {"id": issue.id, "key": issue.key, "self": self._self(issue), "fields": fields}
                if query.get("expand") == "changelog":
                    # Cloud gives the newest ones only, the newest first.
                    part = issue.histories[: -MAX_HISTORIES - 1 : -1] if self.cloud else issue.histories
                    told["changelog"] = {"histories": part, "total": len(issue.histories)}
                return 200, told
            case "GET", ["changelog"] if self.cloud:
                start, most = int(query.get("startAt", 0)), min(int(query.get("maxResults", 50)), 100)
                return 200, {"values": issue.histories[start : start + most], "total": len(issue.histories)}
            case "GET", ["comment"]:
                start, most = int(query.get("startAt", 0)), min(int(query.get("maxResults", 50)), 100)
                ordered = issue.comments[::-1] if query.get("orderBy") == "-created" else issue.comments
                page = [_thin(each) for each in ordered[start : start + most]]
                return 200, {"comments": page, "total": len(issue.comments), "startAt": start}
            case "POST", ["comment"]:
                if problem := self._problem(body["body"]):
                    return 400, {"errorMessages": [problem]}
                self.changes[issue.id, "comment"] += 1
                return 201, _thin(self.says(issue, body["body"], body.get("properties", []), BOT))
            case "PUT", ["comment", id]:
                return self._edited(issue, id, body)
            case "GET", ["transitions"]:
                return 200, {"transitions": [self._transition(issue, to) for to in WORKFLOW[issue.status]]}
            case "POST", ["transitions"]:
                to = next((to for to in WORKFLOW[issue.status] if _id(to) == body["transition"]["id"]), None)
                if to is None:
                    return 400, {"errorMessages": ["It is not valid for this issue."]}
                issue.status = to
                self.moves.setdefault(issue.id, []).append(to)
                return NO_CONTENT
            case "GET", ["worklog"]:
                start = int(query.get("startAt", 0)) if self.cloud else 0
                whole = self.cloud and query.get("expand") == "properties"
                page = issue.work[start : start + MAX_FOUND] if self.cloud else issue.work
                return 200, {"worklogs": page if whole else [_thin(each) for each in page], "total": len(issue.work)}
            case "POST", ["worklog"]:
                return self._logged(issue, query, body)
            case "POST", ["remotelink"]:
                self._next += 1
                made = issue.links.setdefault(body["globalId"], {"id": self._next})
                made["object"] = body["object"]
                return 201, {"id": made["id"]}
            case _:
                return 404, {"errorMessages": ["No such route."]}

    def _logged(self, issue: Issue, query: dict[str, str], body: Json) -> Answer:
        if problem := self._problem(body["comment"]):
            return 400, {"errorMessages": [problem]}
        if body["timeSpentSeconds"] < 60 or query.get("adjustEstimate") != "leave":
            return 400, {"errorMessages": ["Worklog must have a minute or more, and leave the estimate."]}
        datetime.strptime(body["started"], "%Y-%m-%dT%H:%M:%S.%f%z")
        self._next += 1
        issue.work.append({"id": str(self._next), "author": self._person(BOT), "properties": [], **body})
        return 201, _thin(issue.work[-1])

    def _edited(self, issue: Issue, id: str, body: Json) -> Answer:
        comment = next((each for each in issue.comments if each["id"] == id), None)
        if comment is None:
            words = "Can not find a comment for the id"
            return (404, {"errorMessages": ["Not found."]}) if self.cloud else (400, {"errorMessages": [words]})
        if BOT not in comment["author"].values():
            return 403, {"errorMessages": ["You do not have the permission to edit this comment."]}
        if problem := self._problem(body["body"]):
            return 400, {"errorMessages": [problem]}
        self.changes[issue.id, "edit"] += 1
        comment["body"] = body["body"]
        return 200, _thin(comment)

    def _transition(self, issue: Issue, to: str) -> dict[str, Any]:
        return {"id": _id(to), "name": f"Go to {to}", "to": {"id": _id(to), "name": to}}

    def _problem(self, body: Json) -> str:
        if isinstance(body, str) is self.cloud:
            return "Operation value must be " + ("an Atlassian Document" if self.cloud else "a string")
        if len(str(body)) > 32_767 and not self.cloud:
            return "The entered text is too long. It exceeds the allowed limit of 32,767 characters."
        checks = adf_checks() if self.cloud and self.checked else None
        if checks is not None and (error := next(checks.iter_errors(body), None)) is not None:
            return f"INVALID_INPUT: {error.message[:200]} at {list(error.path)}"
        return ""


@cache
def adf_checks() -> Any:
    """The validator of Atlassian's schema, or None where nobody names the folder of fixtures."""
    folder = folder_of_fixtures()
    path = folder / "schemas" / "adf-full.schema.json" if folder else None
    if path is None or not path.exists():
        return None
    schema = json.loads(path.read_text())
    return jsonschema.validators.validator_for(schema)(schema)


def _thin(comment: dict[str, Any]) -> dict[str, Any]:
    """As lists of an issue's comments have it."""
    return {key: value for key, value in comment.items() if key != "properties"}


def _id(status: str) -> str:
    return str(sorted(WORKFLOW).index(status) * 10 + 11)
