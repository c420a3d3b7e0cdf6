"""Reactions at issues, comments and comments on lines."""

from __future__ import annotations

from typing import Any

from testing.github_server import REACTIONS, Answered, Call, GitHubServer, Page, Repo, now, route


def _reacted(server: GitHubServer, call: Call, kind: str, id: int) -> Any:
    repo = server.repo_of(call.values[0])
    content = call.body.get("content")
    if content not in REACTIONS:
        raise Answered(422, "Validation Failed", errors=[{"field": "content", "code": "invalid"}])
    there = repo.reactions.setdefault((kind, id), [])
    for each in there:
        if each["content"] == content and each["user"]["login"] == call.by.login:
            return 200, each
    made = {
        "id": next(server._ids),
        "node_id": "REA",
        "content": content,
        "created_at": now(),
        "user": server.shown_user(call.by.login),
    }
    there.append(made)
    server.note("reaction.created", call.by, repo, number=id if kind == "issue" else 0, id=id, name=content)
    return 201, made


def _unreacted(server: GitHubServer, call: Call, kind: str, id: int, reaction: int) -> None:
    repo = server.repo_of(call.values[0])
    there = repo.reactions.get((kind, id), [])
    found = next((each for each in there if each["id"] == reaction), None)
    if found is None:
        raise Answered(404, "Not Found")
    if found["user"]["login"] != call.by.login:
        raise Answered(403, "Must have admin rights to Repository.")
    there.remove(found)
    server.note("reaction.deleted", call.by, repo, number=id if kind == "issue" else 0, id=id, name=found["content"])


def _subject_of(repo: Repo, kind: str, id: str) -> int:
    known = {"issue": repo.issues, "comment": repo.comments, "review-comment": repo.review_comments}[kind]
    if not id.isdigit() or int(id) not in known:
        raise Answered(404, "Not Found")
    return int(id)


def _reaction_routes(kind: str, path: str, permission: str) -> None:
    @route("GET", f"{path}/reactions", f"{permission}:read")
    def _list(server: GitHubServer, call: Call) -> Any:
        repo = server.repo_of(call.values[0])
        there = repo.reactions.get((kind, _subject_of(repo, kind, call.values[1])), [])
        wanted = call.query.get("content")
        return Page(each for each in there if wanted in (None, each["content"])).cut(call.query)

    @route("POST", f"{path}/reactions", f"{permission}:write")
    def _create(server: GitHubServer, call: Call) -> Any:
        return _reacted(server, call, kind, _subject_of(server.repo_of(call.values[0]), kind, call.values[1]))

    @route("DELETE", f"{path}/reactions/{{}}", f"{permission}:write")
    def _delete(server: GitHubServer, call: Call) -> Any:
        _unreacted(
            server, call, kind, _subject_of(server.repo_of(call.values[0]), kind, call.values[1]), int(call.values[2])
        )


_reaction_routes("issue", "/repos/{repo}/issues/{}", "issues")
_reaction_routes("comment", "/repos/{repo}/issues/comments/{}", "issues")
_reaction_routes("review-comment", "/repos/{repo}/pulls/comments/{}", "pull_requests")
