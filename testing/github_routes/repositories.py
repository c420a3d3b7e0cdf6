"""Repositories, people, branches, commits and files."""

from __future__ import annotations

import secrets
from base64 import b64encode
from typing import Any

from testing.github_server import LEVELS, Answered, Call, GitHubServer, route


@route("GET", "/user")
def _me(server: GitHubServer, call: Call) -> Any:
    if call.by.installed or call.by.app is not None:
        raise Answered(403, "Resource not accessible by integration")
    return server.shown_user(call.by.login)


@route("GET", "/users/{}")
def _user(server: GitHubServer, call: Call) -> Any:
    if call.values[0].lower() not in server.users:
        raise Answered(404, "Not Found")
    return server.shown_user(call.values[0])


@route("GET", "/repos/{repo}", "metadata:read")
def _repository(server: GitHubServer, call: Call) -> Any:
    repo = server.repo_of(call.values[0])
    level = LEVELS[repo.people.get(call.by.login.lower(), "read")]
    return {**server.shown_repo(repo), "permissions": {"admin": level > 2, "push": level > 1, "pull": level > 0}}


@route("GET", "/repos/{repo}/collaborators/{}/permission", "metadata:read")
def _permission(server: GitHubServer, call: Call) -> Any:
    repo, login = server.repo_of(call.values[0]), call.values[1].lower()
    if login not in server.users:
        raise Answered(404, f"{call.values[1]} is not a user")
    role = repo.people.get(login, "none" if repo.private else "read")
    told = {"maintain": "write", "triage": "read"}.get(role, role)
    return {"permission": told, "role_name": role, "user": server.shown_user(login)}


@route("GET", "/orgs/{}/teams/{}/memberships/{}")
def _membership(server: GitHubServer, call: Call) -> Any:
    org, team, login = call.values
    if login.lower() not in server.teams.get((org.lower(), team.lower()), set()):
        raise Answered(404, "Not Found")
    return {"state": "active", "role": "member", "url": ""}


@route("GET", "/repos/{repo}/branches/{}", "contents:read")
def _branch(server: GitHubServer, call: Call) -> Any:
    repo, name = server.repo_of(call.values[0]), call.values[1]
    sha = server.sha_of(repo, name)
    if not sha:
        raise Answered(404, "Branch not found")
    return {"name": name, "commit": {"sha": sha}, "protected": name in repo.protected}


@route("GET", "/repos/{repo}/git/ref/heads/{}", "contents:read")
def _ref(server: GitHubServer, call: Call) -> Any:
    sha = server.sha_of(server.repo_of(call.values[0]), call.values[1])
    if not sha:
        raise Answered(404, "Not Found")
    return {"ref": f"refs/heads/{call.values[1]}", "object": {"type": "commit", "sha": sha}}


@route("GET", "/repos/{repo}/git/commits/{}", "contents:read")
def _commit(server: GitHubServer, call: Call) -> Any:
    sha = call.values[1]
    return {"sha": sha, "tree": {"sha": server.trees.get(sha, sha[::-1])}}


@route("POST", "/repos/{repo}/git/commits", "contents:write")
def _make_commit(server: GitHubServer, call: Call) -> Any:
    sha = secrets.token_hex(20)
    server.trees[sha] = call.body["tree"]
    return 201, {"sha": sha, "tree": {"sha": call.body["tree"]}}


@route("POST", "/repos/{repo}/git/refs", "contents:write")
def _make_ref(server: GitHubServer, call: Call) -> Any:
    repo, name = server.repo_of(call.values[0]), call.body["ref"].removeprefix("refs/heads/")
    if name in repo.branches:
        raise Answered(422, "Reference already exists")
    repo.branches[name] = call.body["sha"]
    server.note("branch.created", call.by, repo, name=name)
    return 201, {"ref": call.body["ref"], "object": {"type": "commit", "sha": call.body["sha"]}}


@route("DELETE", "/repos/{repo}/git/refs/heads/{}", "contents:write")
def _delete_ref(server: GitHubServer, call: Call) -> Any:
    repo = server.repo_of(call.values[0])
    if repo.branches.pop(call.values[1], None) is None:
        raise Answered(422, "Reference does not exist")
    server.note("branch.deleted", call.by, repo, name=call.values[1])


@route("GET", "/repos/{repo}/contents/{path}", "contents:read")
def _file(server: GitHubServer, call: Call) -> Any:
    content = server.repo_of(call.values[0]).files.get(call.values[1])
    if content is None:
        raise Answered(404, "Not Found")
    return {"type": "file", "encoding": "base64", "size": len(content), "content": b64encode(content).decode()}
