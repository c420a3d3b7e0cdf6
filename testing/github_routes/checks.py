"""Check runs and commit statuses."""

from __future__ import annotations

from typing import Any

from testing.github_server import (
    MAX_ANNOTATIONS,
    SITE,
    Answered,
    Call,
    GitHubServer,
    Json,
    Page,
    now,
    route,
    text_of,
)


@route("POST", "/repos/{repo}/check-runs", "checks:write")
def _make_check(server: GitHubServer, call: Call) -> Any:
    repo = server.repo_of(call.values[0])
    id = next(server._ids)
    if not call.body.get("name") or not call.body.get("head_sha"):
        raise Answered(422, 'Invalid request. "name", "head_sha" weren\'t supplied.')
    app = call.by.app
    assert app is not None
    run = repo.check_runs[id] = {
        "id": id,
        "node_id": f"CR_{id}",
        "status": "queued",
        "conclusion": None,
        "external_id": "",
        "details_url": "",
        "html_url": f"{SITE}/{repo.full_name}/runs/{id}",
        "pull_requests": [],
        "output": {"title": None, "summary": None, "text": None, "annotations_count": 0},
        "annotations": [],
        "app": {"id": app.id, "slug": app.slug, "name": app.slug},
    }
    _change_check(run, call.body)
    server.note("check.created", call.by, repo, id=id, name=f"{run['name']}@{run['head_sha']}")
    return 201, run


def _change_check(run: Json, body: Json) -> None:
    output = body.get("output") or {}
    annotations = output.get("annotations", ())
    if len(annotations) > MAX_ANNOTATIONS:
        raise Answered(422, f"Only {MAX_ANNOTATIONS} annotations are allowed in one request.")
    if output and not (output.get("title") and output.get("summary")):
        raise Answered(422, 'Invalid request. "title", "summary" weren\'t supplied.')
    for name in ("summary", "text"):
        text_of(output, name, needed=False)
    run["annotations"] += annotations
    run |= {name: value for name, value in body.items() if name not in ("output", "annotations")}
    run["output"] = {**run["output"], **output, "annotations_count": len(run["annotations"])}
    run["output"].pop("annotations", None)
    if body.get("conclusion"):
        run["status"] = "completed"


@route("PATCH", "/repos/{repo}/check-runs/{}", "checks:write")
def _edit_check(server: GitHubServer, call: Call) -> Any:
    repo = server.repo_of(call.values[0])
    run = repo.check_runs.get(int(call.values[1]))
    if run is None:
        raise Answered(404, "Not Found")
    _change_check(run, call.body)
    server.note("check.updated", call.by, repo, id=run["id"], name=f"{run['name']}@{run['head_sha']}")
    return run


@route("GET", "/repos/{repo}/commits/{}/check-runs", "checks:read")
def _list_checks(server: GitHubServer, call: Call) -> Any:
    repo = server.repo_of(call.values[0])
    sha = server.sha_of(repo, call.values[1]) or call.values[1]
    name = call.query.get("check_name")
    runs = [each for each in repo.check_runs.values() if each["head_sha"] == sha and name in (None, each["name"])]
    return {"total_count": len(runs), "check_runs": runs[:100]}


@route("GET", "/repos/{repo}/check-runs/{}/annotations", "checks:read")
def _annotations(server: GitHubServer, call: Call) -> Any:
    run = server.repo_of(call.values[0]).check_runs.get(int(call.values[1]))
    if run is None:
        raise Answered(404, "Not Found")
    return Page(run["annotations"]).cut(call.query)


@route("POST", "/repos/{repo}/statuses/{}", "statuses:write")
def _make_status(server: GitHubServer, call: Call) -> Any:
    repo, sha = server.repo_of(call.values[0]), call.values[1]
    if call.body.get("state") not in ("error", "failure", "pending", "success"):
        raise Answered(422, "Validation Failed", errors=[{"field": "state", "code": "invalid"}])
    if len(call.body.get("description") or "") > 140:
        raise Answered(
            422,
            "Validation Failed",
            errors=[
                {
                    "field": "description",
                    "code": "custom",
                    "message": "description is too long (maximum is 140 characters)",
                }
            ],
        )
    made = {
        "id": next(server._ids),
        "context": "default",
        **call.body,
        "creator": server.shown_user(call.by.login),
        "created_at": now(),
    }
    repo.statuses.setdefault(sha, []).insert(0, made)
    server.note("status.created", call.by, repo, id=made["id"], name=f"{made['context']}@{sha}", text=made["state"])
    return 201, made


@route("GET", "/repos/{repo}/commits/{}/statuses", "statuses:read")
def _list_statuses(server: GitHubServer, call: Call) -> Any:
    repo = server.repo_of(call.values[0])
    return Page(repo.statuses.get(server.sha_of(repo, call.values[1]) or call.values[1], ())).cut(call.query)
