"""Pull requests, their reviews and comments on lines."""

from __future__ import annotations

from typing import Any

from testing.github_routes.diffs import check_place, has_commit, lines_shown
from testing.github_routes.issues import issue_fields
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
    invalid,
    now,
    of_pull,
    route,
    text_of,
)


@route("GET", "/repos/{repo}/pulls", "pull_requests:read")
def _list_pulls(server: GitHubServer, call: Call) -> Any:
    repo = server.repo_of(call.values[0])
    head, base, state = call.query.get("head", ""), call.query.get("base", ""), call.query.get("state", "open")
    return Page(
        server.seen_pull(repo, each)
        for each in sorted(repo.pulls.values(), key=lambda pull: -int(pull["number"]))
        if head in ("", each["head"]["label"]) and base in ("", each["base"]["ref"]) and state in ("all", each["state"])
    ).cut(call.query)


@route("POST", "/repos/{repo}/pulls", "pull_requests:write")
def _open_pull(server: GitHubServer, call: Call) -> Any:
    repo = server.repo_of(call.values[0])
    owner, _, head = call.body.get("head", "").rpartition(":")
    base, fork = call.body.get("base", ""), owner if owner != repo.owner else ""
    title = text_of(call.body, "title")
    sha, base_sha = server.sha_of(repo, head, fork=fork), server.sha_of(repo, base)
    for name, there in (("head", sha), ("base", base_sha)):
        if not there:
            raise Answered(
                422, "Validation Failed", errors=[{"resource": "PullRequest", "field": name, "code": "invalid"}]
            )
    label = f"{fork or repo.owner}:{head}"
    if any(
        each["head"]["label"] == label and each["base"]["ref"] == base and each["state"] == "open"
        for each in repo.pulls.values()
    ):
        raise invalid("head", f"A pull request already exists for {label}.")
    if sha == base_sha:
        raise invalid("head", f"No commits between {base} and {head}")
    number = max([0, *repo.issues, *repo.pulls]) + 1
    url = f"{SITE}/{repo.full_name}/pull/{number}"
    issue = repo.issues[number] = {
        **issue_fields(server, repo, number, call, url),
        "title": title,
        "pull_request": {"html_url": url, "url": f"{server.url}/repos/{repo.full_name}/pulls/{number}"},
    }
    where = server.shown_repo(repo)
    home = {**where, "id": next(server._ids), "full_name": f"{fork}/{where['name']}", "fork": True} if fork else where
    pull = repo.pulls[number] = {
        **{
            name: issue[name]
            for name in (
                "number",
                "html_url",
                "title",
                "body",
                "state",
                "user",
                "author_association",
                "created_at",
                "updated_at",
            )
        },
        "id": next(server._ids),
        "node_id": f"PR_{repo.id}_{number}",
        "draft": bool(call.body.get("draft")),
        "merged": False,
        "merged_at": None,
        "merged_by": None,
        "merge_commit_sha": None,
        "mergeable": True,
        "mergeable_state": "clean",
        "closed_at": None,
        "labels": issue["labels"],
        "requested_reviewers": [],
        "requested_teams": [],
        "head": {"ref": head, "sha": sha, "label": label, "repo": home},
        "base": {"ref": base, "sha": base_sha, "label": f"{repo.owner}:{base}", "repo": where},
    }
    server.note("pull.opened", call.by, repo, number=number, name=head, text=title)
    server.tell(repo, "pull_request", "opened", call.by.login, **of_pull(pull))
    return 201, pull


@route("GET", "/repos/{repo}/pulls/{}", "pull_requests:read")
def _get_pull(server: GitHubServer, call: Call) -> Any:
    repo = server.repo_of(call.values[0])
    return server.pull_of(repo, call.values[1])


@route("PATCH", "/repos/{repo}/pulls/{}", "pull_requests:write")
def _edit_pull(server: GitHubServer, call: Call) -> Any:
    repo = server.repo_of(call.values[0])
    pull = server.pull_of(repo, call.values[1])
    if "body" in call.body:
        text_of(call.body, needed=False)
    if call.body.get("state") == "open" and pull["merged"]:
        raise invalid("state", "state cannot be changed. The pull request was merged.")
    changed: Json = {name: call.body[name] for name in ("title", "body", "state") if name in call.body}
    action = {"closed": "closed", "open": "reopened"}.get(call.body.get("state", ""), "edited")
    pull |= {**changed, "updated_at": now()}
    repo.issues[pull["number"]] |= changed
    if action == "closed":
        pull["closed_at"] = now()
    server.note(f"pull.{action}", call.by, repo, number=pull["number"], name=pull["head"]["ref"])
    server.tell(repo, "pull_request", action, call.by.login, **of_pull(pull))
    return pull


@route("PUT", "/repos/{repo}/pulls/{}/merge", "contents:write")
def _merge(server: GitHubServer, call: Call) -> Any:
    repo = server.repo_of(call.values[0])
    pull = server.pull_of(repo, call.values[1])
    approved = any(each["state"] == "APPROVED" for each in repo.reviews.get(pull["number"], ()))
    if pull["state"] != "open" or pull["draft"]:
        raise Answered(405, "Pull Request is not mergeable")
    if pull["base"]["ref"] in repo.protected and not approved:
        raise Answered(405, "At least 1 approving review is required by reviewers with write access.")
    if call.body.get("sha") not in (None, pull["head"]["sha"]):
        raise Answered(409, "Head branch was modified. Review and try the merge again.")
    pull |= {
        "state": "closed",
        "merged": True,
        "merged_at": now(),
        "closed_at": now(),
        "merged_by": server.shown_user(call.by.login),
        "merge_commit_sha": pull["head"]["sha"],
    }
    repo.issues[pull["number"]]["state"] = "closed"
    repo.branches[pull["base"]["ref"]] = pull["head"]["sha"]
    server.note("pull.merged", call.by, repo, number=pull["number"], name=pull["head"]["ref"])
    server.tell(repo, "pull_request", "closed", call.by.login, **of_pull(pull))
    return {"sha": pull["merge_commit_sha"], "merged": True, "message": "Pull Request successfully merged"}


@route("POST", "/repos/{repo}/pulls/{}/requested_reviewers", "pull_requests:write")
def _reviewers(server: GitHubServer, call: Call) -> Any:
    repo = server.repo_of(call.values[0])
    pull = server.pull_of(repo, call.values[1])
    for login in call.body.get("reviewers", ()):
        if login.lower() == pull["user"]["login"].lower():
            raise Answered(422, "Review cannot be requested from pull request author.")
        if not LEVELS[repo.people.get(login.lower(), "none")]:
            raise Answered(
                422,
                "Reviews may only be requested from collaborators.",
            )
        if login.lower() not in [each["login"].lower() for each in pull["requested_reviewers"]]:
            pull["requested_reviewers"].append(server.shown_user(login))
            server.note("reviewer.requested", call.by, repo, number=pull["number"], name=login)
            server.tell(
                repo,
                "pull_request",
                "review_requested",
                call.by.login,
                requested_reviewer=server.shown_user(login),
                **of_pull(pull),
            )
    return 201, pull


@route("GET", "/repos/{repo}/pulls/{}/files", "pull_requests:read")
def _files(server: GitHubServer, call: Call) -> Any:
    return Page(server.pull_of(server.repo_of(call.values[0]), call.values[1]).get("_files", ())).cut(call.query)


@route("GET", "/repos/{repo}/pulls/{}/reviews", "pull_requests:read")
def _list_reviews(server: GitHubServer, call: Call) -> Any:
    repo = server.repo_of(call.values[0])
    return Page(repo.reviews.get(server.pull_of(repo, call.values[1])["number"], ())).cut(call.query)


@route("POST", "/repos/{repo}/pulls/{}/reviews", "pull_requests:write")
def _review(server: GitHubServer, call: Call) -> Any:
    repo = server.repo_of(call.values[0])
    pull = server.pull_of(repo, call.values[1])
    event, comments = call.body.get("event", ""), call.body.get("comments") or []
    if repo.archived:
        raise Answered(403, "Repository was archived so is read-only.")
    state = {"APPROVE": "APPROVED", "REQUEST_CHANGES": "CHANGES_REQUESTED", "COMMENT": "COMMENTED"}.get(event)
    if state is None:
        raise Answered(422, "Validation Failed", errors=["Event is invalid"])
    if event != "COMMENT" and pull["user"]["login"].lower() == call.by.login.lower():
        raise Answered(422, f"Can not {event.lower().replace('_', ' ')} your own pull request")
    if event != "APPROVE" and not comments:
        text_of(call.body)
    commit = call.body.get("commit_id") or pull["head"]["sha"]
    if not has_commit(repo, pull, commit):
        raise Answered(422, "Unprocessable Entity", errors=["commit_id is not part of the pull request"])
    shown = lines_shown(repo, pull, commit) if comments else None
    for each in comments:
        check_place(shown, each)
    id = next(server._ids)
    review = {
        "id": id,
        "node_id": f"PRR_{id}",
        "body": text_of(call.body, needed=False),
        "state": state,
        "commit_id": commit,
        "html_url": f"{pull['html_url']}#pullrequestreview-{id}",
        "submitted_at": now(),
        "author_association": server.association(repo, call.by.login),
        **server.shown_author(call.by),
    }
    repo.reviews.setdefault(pull["number"], []).append(review)
    server.note("review.submitted", call.by, repo, number=pull["number"], id=id, name=state, text=review["body"])
    for each in comments:
        _line_comment(server, repo, pull, call.by, each, review=id, commit=commit)
    server.tell(
        repo,
        "pull_request_review",
        "submitted",
        call.by.login,
        review={**review, "state": state.lower()},
        pull_request=pull,
    )
    return review


def _line_comment(
    server: GitHubServer, repo: Repo, pull: Json, by: Caller, said: Json, *, review: int, commit: str = ""
) -> Json:
    id = next(server._ids)
    made = repo.review_comments[id] = {
        "id": id,
        "node_id": f"PRRC_{id}",
        "pull_request_review_id": review,
        "body": text_of(said),
        "path": said.get("path", ""),
        "line": said.get("line"),
        "original_line": said.get("line"),
        "start_line": said.get("start_line"),
        "side": said.get("side", "RIGHT"),
        "diff_hunk": said.get("diff_hunk", "@@ -1 +1 @@"),
        "commit_id": commit or pull["head"]["sha"],
        "in_reply_to_id": said.get("in_reply_to_id", 0),
        "html_url": f"{pull['html_url']}#discussion_r{id}",
        "pull_request_url": f"{server.url}/repos/{repo.full_name}/pulls/{pull['number']}",
        "created_at": now(),
        "updated_at": now(),
        "author_association": server.association(repo, by.login),
        **server.shown_author(by),
    }
    server.note("review-comment.created", by, repo, number=pull["number"], id=id, text=made["body"])
    server.tell(repo, "pull_request_review_comment", "created", by.login, comment=made, pull_request=pull)
    return made


@route("GET", "/repos/{repo}/pulls/{}/comments", "pull_requests:read")
def _list_line_comments(server: GitHubServer, call: Call) -> Any:
    repo = server.repo_of(call.values[0])
    server.pull_of(repo, call.values[1])
    return Page(
        each for each in repo.review_comments.values() if each["pull_request_url"].endswith(f"/pulls/{call.values[1]}")
    ).cut(call.query)


@route("GET", "/repos/{repo}/pulls/{}/reviews/{}/comments", "pull_requests:read")
def _comments_of_review(server: GitHubServer, call: Call) -> Any:
    repo = server.repo_of(call.values[0])
    return Page(
        each for each in repo.review_comments.values() if str(each["pull_request_review_id"]) == call.values[2]
    ).cut(call.query)


@route("POST", "/repos/{repo}/pulls/{}/comments/{}/replies", "pull_requests:write")
def _reply(server: GitHubServer, call: Call) -> Any:
    repo = server.repo_of(call.values[0])
    pull = server.pull_of(repo, call.values[1])
    first = repo.review_comments.get(int(call.values[2]))
    if first is None:
        raise Answered(404, "Not Found")
    said = {**first, "body": text_of(call.body), "in_reply_to_id": first["id"]}
    return 201, _line_comment(server, repo, pull, call.by, said, review=first["pull_request_review_id"])
