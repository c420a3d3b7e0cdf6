"""The App, its installation, its webhook and what that delivered."""

from __future__ import annotations

import secrets
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from testing.github_server import (
    APP_EVENTS,
    LEVELS,
    SITE,
    Answered,
    App,
    Call,
    Caller,
    GitHubServer,
    Hook,
    Json,
    Page,
    Repo,
    now,
    route,
)


@route("GET", "/app")
def _app(server: GitHubServer, call: Call) -> Any:
    app = call.by.app
    assert app is not None
    return {
        "id": app.id,
        "slug": app.slug,
        "name": app.slug,
        "html_url": f"{SITE}/apps/{app.slug}",
        "permissions": app.permissions,
        "events": list(app.hook.events if app.hook else ()),
    }


def _installation_json(server: GitHubServer, app: App, repo: Repo) -> Json:
    return {
        "id": app.installation,
        "account": server.shown_user(repo.owner),
        "app_id": app.id,
        "app_slug": app.slug,
        "permissions": app.permissions,
        "events": list(APP_EVENTS),
        "suspended_at": now() if app.suspended else None,
    }


@route("GET", "/repos/{repo}/installation")
def _installation(server: GitHubServer, call: Call) -> Any:
    repo, app = server.repo_of(call.values[0]), call.by.app
    assert app is not None
    if not app.has(repo.full_name):
        raise Answered(404, "Not Found")
    return _installation_json(server, app, repo)


@route("POST", "/app/installations/{}/access_tokens")
def _access_token(server: GitHubServer, call: Call) -> Any:
    app = call.by.app
    assert app is not None
    if call.values[0] != str(app.installation):
        raise Answered(404, "Not Found")
    if app.suspended:
        raise Answered(403, "This installation has been suspended")
    wanted = call.body.get("permissions") or app.permissions
    if any(LEVELS[app.permissions.get(name, "none")] < LEVELS[level] for name, level in wanted.items()):
        raise Answered(422, "The permissions requested are not granted to this installation.")
    names = call.body.get("repositories")
    known = {repo.full_name.partition("/")[2].lower(): repo.full_name for repo in server.repos.values()}
    if names and not all(name.lower() in known and app.has(known[name.lower()]) for name in names):
        raise Answered(
            422, "There is at least one repository that does not exist or is not accessible to the installation."
        )
    ids = set(call.body.get("repository_ids") or ())
    names = names or [repo.full_name.partition("/")[2] for repo in server.repos.values() if repo.id in ids]
    if ids and len(names) != len(ids):
        raise Answered(422, "There is at least one repository that does not exist or is not accessible.")
    repos = frozenset(known[name.lower()].lower() for name in names) if names else None
    token = f"ghs_{secrets.token_hex(18)}"
    server.tokens[token] = Caller(
        app.login, app, True, repos, {"metadata": "read", **wanted}, f"installation:{app.installation}"
    )
    server.expires[token] = time.time() + 3600
    expires = (datetime.now(UTC) + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    return 201, {"token": token, "expires_at": expires, "permissions": {"metadata": "read", **wanted}}


@route("GET", "/app/hook/deliveries")
def _app_deliveries(server: GitHubServer, call: Call) -> Any:
    hook = call.by.app.hook if call.by.app else None
    return Page(reversed(hook.deliveries if hook else [])).cut(call.query)


@route("GET", "/app/hook/config")
def _app_hook(server: GitHubServer, call: Call) -> Any:
    hook = call.by.app.hook if call.by.app else None
    if hook is None:
        raise Answered(404, "Not Found")
    return {"url": hook.url, "content_type": "json", "insecure_ssl": "0", "secret": "********"}


@route("POST", "/app/hook/deliveries/{}/attempts")
def _app_attempt(server: GitHubServer, call: Call) -> Any:
    return _again(server, call.by.app.hook if call.by.app else None, call.values[0])


@route("GET", "/repos/{repo}/hooks", "administration:read")
def _hooks(server: GitHubServer, call: Call) -> Any:
    hooks = server.repo_of(call.values[0]).hooks.values()
    return Page(
        {
            "id": each.id,
            "active": True,
            "events": list(each.events),
            "config": {"url": each.url, "content_type": "json", "insecure_ssl": "0"},
        }
        for each in hooks
    ).cut(call.query)


@route("GET", "/repos/{repo}/hooks/{}/deliveries", "administration:read")
def _hook_deliveries(server: GitHubServer, call: Call) -> Any:
    return Page(reversed(_hook_of(server, call).deliveries)).cut(call.query)


@route("POST", "/repos/{repo}/hooks/{}/deliveries/{}/attempts", "administration:read")
def _hook_attempt(server: GitHubServer, call: Call) -> Any:
    return _again(server, _hook_of(server, call), call.values[2])


def _hook_of(server: GitHubServer, call: Call) -> Hook:
    hook = server.repo_of(call.values[0]).hooks.get(int(call.values[1]))
    if hook is None:
        raise Answered(404, "Not Found")
    return hook


def _again(server: GitHubServer, hook: Hook | None, delivery: str) -> Any:
    found = next((each for each in (hook.deliveries if hook else ()) if str(each["id"]) == delivery), None)
    if hook is None or found is None:
        raise Answered(404, "Not Found")
    server.outbox.put_nowait((hook, found["guid"], True))
    return 202, {}


@route("POST", "/app-manifests/{}/conversions")
def _manifest(server: GitHubServer, call: Call) -> Any:
    manifest = server.manifests.pop(call.values[0], None)
    if manifest is None:
        raise Answered(404, "Not Found")
    return 201, manifest
