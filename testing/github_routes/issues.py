"""Issues and conversations, which pull requests have as well."""

from __future__ import annotations

from typing import Any

from testing.github_server import (
    LEVELS,
    SITE,
    Answered,
    Call,
    Caller,
    GitHubServer,
    Json,
    Page,
    Repo,
    now,
    of_pull,
    route,
    text_of,
)


@route("POST", "/repos/{repo}/issues", "issues:write")
def _open_issue(server: GitHubServer, call: Call) -> Any:
    repo = server.repo_of(call.values[0])
    number = max([0, *repo.issues, *repo.pulls]) + 1
    issue = repo.issues[number] = {
        **issue_fields(server, repo, number, call, f"{SITE}/{repo.full_name}/issues/{number}"),
        "title": text_of(call.body, "title"),
    }
    for label in call.body.get("labels", ()):
        issue["labels"].append({"id": next(server._ids), "name": label})
    server.note("issue.opened", call.by, repo, number=number, text=issue["title"])
    server.tell(repo, "issues", "opened", call.by.login, issue=issue)
    return 201, issue


def issue_fields(server: GitHubServer, repo: Repo, number: int, call: Call, url: str) -> Json:
    return {
        "id": next(server._ids),
        "node_id": f"I_{repo.id}_{number}",
        "number": number,
        "html_url": url,
        "body": text_of(call.body, needed=False) or None,
        "state": "open",
        "state_reason": None,
        "created_at": now(),
        "updated_at": now(),
        "closed_at": None,
        "comments": 0,
        "labels": [],
        "assignees": [],
        "author_association": server.association(repo, call.by.login),
        **server.shown_author(call.by),
    }


@route("GET", "/repos/{repo}/issues/{}", "issues:read")
def _get_issue(server: GitHubServer, call: Call) -> Any:
    return server.issue_of(server.repo_of(call.values[0]), call.values[1])


@route("PATCH", "/repos/{repo}/issues/{}", "issues:write")
def _edit_issue(server: GitHubServer, call: Call) -> Any:
    repo = server.repo_of(call.values[0])
    issue = server.issue_of(repo, call.values[1])
    was: Json = {
        name: {"from": issue[name]}
        for name in ("title", "body")
        if name in call.body and issue[name] != call.body[name]
    }
    issue.update({name: call.body[name] for name in ("title", "body", "state", "state_reason") if name in call.body})
    issue["updated_at"] = now()
    action = {"closed": "closed", "open": "reopened"}.get(call.body.get("state", ""), "edited")
    more: Json = {"changes": was} if action == "edited" else {}
    server.note(f"issue.{action}", call.by, repo, number=issue["number"])
    server.tell(repo, "issues", action, call.by.login, issue=issue, **more)
    return issue


@route("GET", "/repos/{repo}/issues/{}/comments", "issues:read")
def _list_comments(server: GitHubServer, call: Call) -> Any:
    repo = server.repo_of(call.values[0])
    number = server.issue_of(repo, call.values[1])["number"]
    since = call.query.get("since", "")
    return Page(
        each
        for each in repo.comments.values()
        if each["issue_url"].endswith(f"/issues/{number}") and each["updated_at"] >= since
    ).cut(call.query)


@route("POST", "/repos/{repo}/issues/{}/comments", "issues:write")
def _comment(server: GitHubServer, call: Call) -> Any:
    repo = server.repo_of(call.values[0])
    issue = server.issue_of(repo, call.values[1])
    id = next(server._ids)
    comment = repo.comments[id] = {
        "id": id,
        "node_id": f"IC_{id}",
        "body": text_of(call.body),
        "html_url": f"{issue['html_url']}#issuecomment-{id}",
        "issue_url": f"{server.url}/repos/{repo.full_name}/issues/{issue['number']}",
        "created_at": now(),
        "updated_at": now(),
        "author_association": server.association(repo, call.by.login),
        **server.shown_author(call.by),
    }
    issue["comments"] += 1
    server.note("comment.created", call.by, repo, number=issue["number"], id=id, text=comment["body"])
    server.tell(repo, "issue_comment", "created", call.by.login, issue=issue, comment=comment)
    return 201, comment


def _comment_of(repo: Repo, id: str) -> Json:
    found = repo.comments.get(int(id)) if id.isdigit() else None
    if found is None:
        raise Answered(404, "Not Found")
    return found


@route("GET", "/repos/{repo}/issues/comments/{}", "issues:read")
def _get_comment(server: GitHubServer, call: Call) -> Any:
    return _comment_of(server.repo_of(call.values[0]), call.values[1])


@route("PATCH", "/repos/{repo}/issues/comments/{}", "issues:write")
def _edit_comment(server: GitHubServer, call: Call) -> Any:
    repo = server.repo_of(call.values[0])
    comment = _comment_of(repo, call.values[1])
    _may_change(repo, call.by, comment)
    before, comment["body"], comment["updated_at"] = comment["body"], text_of(call.body), now()
    number = int(comment["issue_url"].rpartition("/")[2])
    server.note("comment.edited", call.by, repo, number=number, id=comment["id"], text=comment["body"])
    server.tell(
        repo,
        "issue_comment",
        "edited",
        call.by.login,
        issue=repo.issues[number],
        comment=comment,
        changes={"body": {"from": before}},
    )
    return comment


@route("DELETE", "/repos/{repo}/issues/comments/{}", "issues:write")
def _delete_comment(server: GitHubServer, call: Call) -> Any:
    repo = server.repo_of(call.values[0])
    comment = _comment_of(repo, call.values[1])
    _may_change(repo, call.by, comment)
    del repo.comments[comment["id"]]
    number = int(comment["issue_url"].rpartition("/")[2])
    server.note("comment.deleted", call.by, repo, number=number, id=comment["id"])
    server.tell(repo, "issue_comment", "deleted", call.by.login, issue=repo.issues[number], comment=comment)


def _may_change(repo: Repo, by: Caller, thing: Json) -> None:
    writer = LEVELS[repo.people.get(by.login.lower(), "none")] >= LEVELS["write"]
    if thing["user"]["login"].lower() != by.login.lower() and not writer:
        raise Answered(403, "Must have admin rights to Repository.")


@route("POST", "/repos/{repo}/issues/{}/labels", "issues:write")
def _add_labels(server: GitHubServer, call: Call) -> Any:
    repo = server.repo_of(call.values[0])
    issue = server.issue_of(repo, call.values[1])
    for name in call.body.get("labels", ()):
        if name not in [each["name"] for each in issue["labels"]]:
            label = {"id": next(server._ids), "name": name}
            issue["labels"].append(label)
            server.note("label.added", call.by, repo, number=issue["number"], name=name)
            event = "pull_request" if "pull_request" in issue else "issues"
            shown = of_pull(repo.pulls[issue["number"]]) if event == "pull_request" else {"issue": issue}
            server.tell(repo, event, "labeled", call.by.login, label=label, **shown)
    return issue["labels"]


@route("DELETE", "/repos/{repo}/issues/{}/labels/{}", "issues:write")
def _remove_label(server: GitHubServer, call: Call) -> Any:
    repo = server.repo_of(call.values[0])
    issue = server.issue_of(repo, call.values[1])
    if call.values[2] not in [each["name"] for each in issue["labels"]]:
        raise Answered(404, "Label does not exist")
    issue["labels"] = [each for each in issue["labels"] if each["name"] != call.values[2]]
    server.note("label.removed", call.by, repo, number=issue["number"], name=call.values[2])
    return issue["labels"]


@route("POST", "/repos/{repo}/issues/{}/assignees", "issues:write")
def _assign(server: GitHubServer, call: Call) -> Any:
    repo = server.repo_of(call.values[0])
    issue = server.issue_of(repo, call.values[1])
    for login in call.body.get("assignees", ()):
        if login.lower() in server.users:
            issue["assignees"].append(server.shown_user(login))
            server.tell(repo, "issues", "assigned", call.by.login, issue=issue, assignee=server.shown_user(login))
    return 201, issue
