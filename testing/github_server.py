"""A GitHub of ours for tests: stateful, on loopback, with the rules that matter to who writes to it.

It keeps a journal of every change of content, so that a test can say "exactly once"; it signs and sends webhooks,
and it answers with GitHub's own refusals (a second pull request of a branch, a reaction that is there, a text that is
too long, a limit that is used up). What it answers is written after GitHub's documentation: https://docs.github.com/en/rest

``python -m testing.github_server --repo octo/hello --webhook http://127.0.0.1:8080/webhooks/github`` runs one.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import hmac
import json
import re
import secrets
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any, Final, Self
from urllib.parse import parse_qs, quote, unquote, urlsplit

import httpx
import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from testing.stored_texts import StoredTexts

Json = dict[str, Any]

MAX_TEXT: Final = 65_536
MAX_ANNOTATIONS: Final = 50
REACTIONS: Final = frozenset({"+1", "-1", "laugh", "confused", "heart", "hooray", "rocket", "eyes"})
LEVELS: Final = {"none": 0, "read": 1, "triage": 1, "write": 2, "maintain": 2, "admin": 3}
SITE: Final = "https://github.com"
APP_PERMISSIONS: Final = {
    "actions": "read",
    "checks": "write",
    "contents": "write",
    "issues": "write",
    "members": "read",
    "metadata": "read",
    "pull_requests": "write",
    "statuses": "write",
}
APP_EVENTS: Final = (
    *("issues", "issue_comment", "pull_request", "pull_request_review", "pull_request_review_comment"),
    *("check_run", "check_suite", "workflow_run", "status", "repository", "member"),
)


class Answered(Exception):
    """A request ends with an error of GitHub's shape."""

    def __init__(self, status: int, message: str, *, errors: Any = None, headers: Mapping[str, str] | None = None):
        super().__init__(message)
        self.status = status
        self.body = {"message": message, "documentation_url": "https://docs.github.com/rest", "status": str(status)}
        if errors is not None:
            self.body["errors"] = errors
        self.headers = dict(headers or {})


@dataclass(frozen=True)
class Change:
    """One change of content. ``what`` is such as ``comment.created``; ``number`` that of the issue or pull request."""

    what: str
    by: str
    repo: str
    number: int = 0
    id: int = 0
    name: str = ""
    """What a second one of the same kind would share: a reaction's content, a branch, a check's or status' name."""
    text: str = ""


@dataclass
class Repo:
    """One repository. ``git`` is the bare repository with its branches; without it `GitHubServer.push` tells them."""

    id: int
    full_name: str
    default_branch: str = "main"
    private: bool = False
    git: Path | None = None
    people: dict[str, str] = field(default_factory=dict)
    issues: dict[int, Json] = field(default_factory=dict)
    pulls: dict[int, Json] = field(default_factory=dict)
    comments: dict[int, Json] = field(default_factory=dict)
    reviews: dict[int, list[Json]] = field(default_factory=dict)
    review_comments: dict[int, Json] = field(default_factory=dict)
    reactions: dict[tuple[str, int], list[Json]] = field(default_factory=dict)
    check_runs: dict[int, Json] = field(default_factory=dict)
    statuses: dict[str, list[Json]] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)
    protected: set[str] = field(default_factory=set)
    """Branches into which only a pull request with an approving review may be merged."""
    logs: dict[int, bytes] = field(default_factory=dict)
    """By the number of their job; an empty one has expired."""
    files: dict[str, bytes] = field(default_factory=dict)
    """Of the default branch."""
    hooks: dict[int, Hook] = field(default_factory=dict)
    archived: bool = False

    @property
    def owner(self) -> str:
        return self.full_name.partition("/")[0]


@dataclass
class Hook:
    """Where events are sent to. ``deliveries`` are the attempts, oldest first; ``bodies`` what each delivery sends."""

    id: int
    url: str
    secret: str
    events: tuple[str, ...] = APP_EVENTS
    deliveries: list[Json] = field(default_factory=list)
    bodies: dict[str, tuple[str, bytes]] = field(default_factory=dict)


@dataclass
class App:
    """A GitHub App with one installation. ``repos`` are the repositories that it is installed on; empty means all."""

    id: int
    slug: str
    private_key: str = field(repr=False)
    permissions: dict[str, str] = field(default_factory=lambda: dict(APP_PERMISSIONS))
    installation: int = 100
    repos: set[str] = field(default_factory=set)
    suspended: bool = False
    hook: Hook | None = None

    @property
    def login(self) -> str:
        return f"{self.slug}[bot]"

    def has(self, repo: str) -> bool:
        """Whether it is installed there."""
        return not self.repos or repo in self.repos


@dataclass(frozen=True)
class Caller:
    """Who asks: a user with a token, an installation of an App, or the App by its JWT."""

    login: str
    app: App | None = None
    installed: bool = False
    repos: frozenset[str] | None = None
    permissions: Mapping[str, str] | None = None
    key: str = ""


@dataclass(frozen=True)
class Call:
    """One request, with what its address says."""

    by: Caller
    values: tuple[str, ...] = ()
    query: Mapping[str, str] = field(default_factory=dict)
    body: Json = field(default_factory=dict)


Handler = Callable[["GitHubServer", Call], Any]
_routes: list[tuple[str, re.Pattern[str], str, Handler]] = []


def route(method: str, path: str, needs: str = "") -> Callable[[Handler], Handler]:
    """Register a handler. ``{}`` in the path is one part; ``needs`` is such as ``issues:write`` of the repository.

    A handler answers with the body, or with a status and the body.
    """
    pattern = re.compile(
        re.escape(path).replace(r"\{repo\}", "([^/]+/[^/]+)").replace(r"\{\}", "([^/]+)").replace(r"\{path\}", "(.+)")
    )

    def register(handler: Handler) -> Handler:
        _routes.append((method, pattern, needs, handler))
        return handler

    return register


@cache
def app_key() -> str:
    """A private key in PEM, made once in a process: making one takes a tenth of a second."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


@cache
def _public(private_key: str) -> rsa.RSAPublicKey:
    key = serialization.load_pem_private_key(private_key.encode(), None).public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    return key


class GitHubServer:
    """The server. Seed it, enter it, give ``url`` to who calls it."""

    def __init__(
        self, *, port: int = 0, rate_limit: int = 5000, changes_a_minute: int = 80, changes_an_hour: int = 500
    ) -> None:
        self.port = port
        self.rate_limit = rate_limit
        self.changes_a_minute = changes_a_minute
        self.changes_an_hour = changes_an_hour
        self.repos: dict[str, Repo] = {}
        self.users: dict[str, Json] = {}
        self.teams: dict[tuple[str, str], set[str]] = {}
        self.apps: dict[int, App] = {}
        self.tokens: dict[str, Caller] = {}
        self.clock: Callable[[], float] = time.time
        """When something is delivered, in seconds since 1970."""
        self.journal: list[Change] = []
        self.requests: deque[tuple[str, str, int]] = deque(maxlen=10_000)
        """Method, path and status of each request, oldest first."""
        self._ids = count(1000)
        self.expires: dict[str, float] = {}
        self._used: dict[str, list[float]] = {}
        self._changes: dict[str, deque[float]] = {}
        self.trees: dict[str, str] = {}
        self._renamed: dict[str, str] = {}
        self.manifests: dict[str, Json] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self.storage = StoredTexts()
        self.outbox: asyncio.Queue[tuple[Hook, str, bool]] = asyncio.Queue()

    # Seeds

    def user(self, login: str, *, type: str = "User") -> str:
        """Somebody; answers with a token of theirs."""
        self.users.setdefault(
            login.lower(),
            {
                "login": login,
                "id": next(self._ids),
                "node_id": f"U_{login}",
                "type": type,
                "html_url": f"{SITE}/{login}",
                "site_admin": False,
            },
        )
        token = f"github_pat_{secrets.token_hex(12)}"
        self.tokens[token] = Caller(login, key=f"user:{login}")
        return token

    def repo(self, full_name: str, *, people: Mapping[str, str] | None = None, **fields: Any) -> Repo:
        """A repository; ``people`` maps logins to admin, maintain, write, triage or read."""
        owner = full_name.partition("/")[0]
        if owner.lower() not in self.users:
            self.user(owner, type="Organization")
        made = self.repos[full_name.lower()] = Repo(next(self._ids), full_name, **fields)
        for login, permission in (people or {}).items():
            self.collaborator(full_name, login, permission)
        return made

    def collaborator(self, repo: str, login: str, permission: str) -> None:
        """What somebody may do in a repository from now on; ``none`` takes them out."""
        if login.lower() not in self.users:
            self.user(login)
        self.repo_of(repo).people[login.lower()] = permission

    def app(self, slug: str = "journeyman-test", *, id: int = 4242, **fields: Any) -> App:
        """An App that is installed."""
        made = self.apps[id] = App(id, slug, fields.pop("private_key", "") or app_key(), **fields)
        self.user(made.login, type="Bot")
        return made

    def webhook(self, url: str, secret: str, *, repo: str = "", app: App | None = None) -> Hook:
        """Send events to an address: those of a repository, or of an App."""
        hook = Hook(next(self._ids), url, secret)
        if app is not None:
            app.hook = hook
        else:
            self.repo_of(repo).hooks[hook.id] = hook
        return hook

    def push(self, repo: str, branch: str, sha: str) -> None:
        """Somebody pushed: the branch is at a commit. Pull requests from it are told as synchronized."""
        there = self.repo_of(repo)
        before = there.branches.get(branch, "0" * 40)
        there.branches[branch] = sha
        for pull in there.pulls.values():
            if pull["head"]["ref"] == branch and pull["state"] == "open":
                pull["head"]["sha"] = sha
                self.tell(
                    there,
                    "pull_request",
                    "synchronize",
                    pull["user"]["login"],
                    before=before,
                    after=sha,
                    **of_pull(pull),
                )

    def checked(
        self,
        repo: str,
        branch: str,
        name: str,
        conclusion: str,
        *,
        app: str = "ci",
        log: bytes | None = None,
        annotations: Iterable[Json] = (),
        summary: str | None = None,
    ) -> int:
        """A check of the branch's commit has ended, by an App of somebody else's; answers with its number.

        One with a log is a job of Actions.
        """
        if log is not None:
            app = "github-actions"
        there = self.repo_of(repo)
        if f"{app}[bot]" not in self.users:
            self.user(f"{app}[bot]", type="Bot")
        id, sha = next(self._ids), self.sha_of(there, branch)
        run = {
            "id": id,
            "node_id": f"CR_{id}",
            "name": name,
            "head_sha": sha,
            "status": "completed",
            "conclusion": conclusion,
            "completed_at": now(),
            "html_url": f"{SITE}/{there.full_name}/runs/{id}",
            "output": {"title": None, "summary": summary, "text": None, "annotations_count": 0},
            "check_suite": {"id": id, "node_id": f"CS_{id}", "head_branch": branch, "head_sha": sha},
            "app": {"id": 1, "slug": app, "name": app},
            "pull_requests": [],
        }
        there.check_runs[id] = {**run, "external_id": "", "annotations": list(annotations)}
        if log is not None:
            there.logs[id] = log
        self.tell(there, "check_run", "completed", f"{app}[bot]", check_run=run)
        return id

    def rename(self, repo: str, name: str) -> None:
        """Give a repository another name; calls to the old one are redirected, as GitHub does for a while."""
        there = self.repos.pop(repo.lower())
        there.full_name, self.repos[name.lower()] = name, there
        for token, by in self.tokens.items():
            if by.repos is not None and repo.lower() in by.repos:
                self.tokens[token] = replace(by, repos=by.repos - {repo.lower()} | {name.lower()})
        self._renamed[repo.lower()] = name

    def person(self, login: str) -> Person:
        """Somebody who acts by hand."""
        if login.lower() not in self.users:
            self.user(login)
        return Person(self, login)

    def changes(self, what: str, **fields: Any) -> list[Change]:
        """The journal's entries of one kind whose fields are as given."""
        return [
            each
            for each in self.journal
            if each.what == what and all(getattr(each, name) == value for name, value in fields.items())
        ]

    # Life

    @property
    def url(self) -> str:
        """The API's address."""
        return f"http://127.0.0.1:{self.port}"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, limit=1 << 16)
        self.port = self._server.sockets[0].getsockname()[1]
        await self.storage.__aenter__()
        self._http = httpx.AsyncClient(timeout=10.0, trust_env=False, verify=False)
        self._sending = asyncio.create_task(self._deliver())
        self._tasks.add(self._sending)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.storage.__aexit__()
        await self._http.aclose()

    async def delivered(self) -> None:
        """Wait until every webhook has been sent. Raises what ended the sending."""
        if self._sending.done():
            self._sending.result()
        async with asyncio.timeout(60.0):
            await self.outbox.join()

    # HTTP

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
                while True:
                    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
                    method, target, _ = head[0].split(" ")
                    headers = {
                        name.strip().lower(): value.strip()
                        for name, _, value in (line.partition(":") for line in head[1:])
                    }
                    body = await reader.readexactly(int(headers.get("content-length") or 0))
                    status, answer, more = self.handle(method, target, headers, body)
                    self.requests.append((method, target, status))
                    content = b"" if answer is None else json.dumps(answer).encode()
                    lines = [f"HTTP/1.1 {status} -", f"content-length: {len(content)}"]
                    lines += [f"{name}: {value}" for name, value in more.items()]
                    if content:
                        lines.append("content-type: application/json; charset=utf-8")
                    writer.write("\r\n".join([*lines, "", ""]).encode() + content)
                    await writer.drain()
        except asyncio.CancelledError:
            pass  # the server ends
        finally:
            self._tasks.discard(task)
            writer.close()

    def handle(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, Any, dict[str, str]]:
        """Status, answer and headers of one request."""
        parts = urlsplit(target)
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        limits: dict[str, str] = {}
        if method == "POST" and parts.path.endswith("/settings/apps/new"):
            return self._made_by_hand(query, body)
        try:
            by, limits = self._caller(headers.get("authorization", ""), parts.path)
            try:
                given = json.loads(body) if body else {}
            except ValueError:
                raise Answered(400, "Problems parsing JSON") from None
            status, answer = self.routed(method, parts.path, Call(by, (), query, given))
        except Answered as error:
            return error.status, error.body, {**limits, **error.headers}
        if isinstance(answer, Page):
            return status, answer.here, {**limits, **answer.link(self.url, parts.path, query)}
        return status, answer, limits

    def _made_by_hand(self, query: Mapping[str, str], body: bytes) -> tuple[int, Any, dict[str, str]]:
        """Somebody has posted a manifest and clicked: the App is there, and the browser goes back with a code."""
        told = json.loads(parse_qs(body.decode())["manifest"][0])
        app = self.app(told["name"], id=next(self._ids), permissions=told["default_permissions"])
        secret = secrets.token_hex(8)
        if "hook_attributes" in told:
            self.webhook(told["hook_attributes"]["url"], secret, app=app).events = tuple(told["default_events"])
        code = secrets.token_hex(8)
        shown = {"id": app.id, "slug": app.slug, "pem": app.private_key, "webhook_secret": secret, "client_id": "Iv1.x"}
        self.manifests[code] = {**shown, "html_url": f"{SITE}/apps/{app.slug}"}
        state = quote(query.get("state", ""))
        return 302, None, {"location": f"{told['redirect_url']}?code={code}&state={state}"}

    def _caller(self, authorization: str, path: str) -> tuple[Caller, dict[str, str]]:
        kind, _, token = authorization.partition(" ")
        if path.startswith("/app-manifests/"):
            return Caller("", key="anonymous"), {}
        if kind.lower() not in ("bearer", "token") or not token:
            raise Answered(401, "Requires authentication")
        if token.count(".") == 2:
            by = self._app_of(token)
        elif token in self.tokens and self.expires.get(token, time.time() + 1) > time.time():
            by = self.tokens[token]
        else:
            raise Answered(401, "Bad credentials")
        return by, self._limited(by)

    def _limited(self, by: Caller) -> dict[str, str]:
        now = time.time()
        used = self._used.setdefault(by.key, [now + 3600, 0])
        if used[0] <= now:
            used[:] = [now + 3600, 0]
        used[1] += 1
        headers = {
            "x-ratelimit-limit": str(self.rate_limit),
            "x-ratelimit-remaining": str(max(int(self.rate_limit - used[1]), 0)),
            "x-ratelimit-reset": str(int(used[0])),
            "x-ratelimit-resource": "core",
        }
        if used[1] > self.rate_limit:
            raise Answered(403, f"API rate limit exceeded for {by.key}.", headers=headers)
        return headers

    def _app_of(self, token: str) -> Caller:
        try:
            app = self.apps[int(jwt.decode(token, options={"verify_signature": False})["iss"])]
            claims = jwt.decode(token, _public(app.private_key), algorithms=["RS256"])
        except (jwt.PyJWTError, KeyError, ValueError):
            raise Answered(401, "A JSON web token could not be decoded") from None
        if claims["exp"] - claims["iat"] > 600:
            raise Answered(401, "'Expiration time' claim ('exp') is too far in the future")
        return Caller(app.login, app=app, key=f"app:{app.id}")

    def routed(self, method: str, path: str, call: Call) -> tuple[int, Any]:
        for verb, pattern, needs, handler in _routes:
            if verb == method and (found := pattern.fullmatch(path)):
                values = tuple(unquote(each) for each in found.groups())
                if values and (moved := self._renamed.get(values[0].lower())):
                    where = self.url + path.replace(values[0], moved, 1)
                    code = 301 if method == "GET" else 307
                    raise Answered(code, "Moved Permanently", headers={"location": where})
                if needs:
                    self._allowed(call.by, values[0], needs)
                elif _is_of_the_app(path) and (call.by.app is None or call.by.installed):
                    raise Answered(401, "A JSON web token could not be decoded")
                if method in ("POST", "PATCH", "PUT") and needs and not path.endswith("/attempts"):
                    self._count_change(call.by)
                answer = handler(self, Call(call.by, values, call.query, call.body))
                return answer if isinstance(answer, tuple) else (204 if answer is None else 200, answer)
        raise Answered(404, "Not Found")

    def _allowed(self, by: Caller, repo: str, needs: str) -> None:
        there = self.repos.get(repo.lower())
        permission, _, level = needs.partition(":")
        if there is None or (by.app is not None and not by.installed):
            raise Answered(404, "Not Found")
        if by.installed:
            if by.repos is not None and there.full_name.lower() not in by.repos:
                raise Answered(404, "Not Found")
            if LEVELS[(by.permissions or {}).get(permission, "none")] < LEVELS[level]:
                raise Answered(
                    403,
                    "Resource not accessible by integration",
                    headers={"x-accepted-github-permissions": f"{permission}={level}"},
                )
            return
        if permission == "checks" and level == "write":
            raise Answered(403, "You must authenticate via a GitHub App.")
        has = LEVELS[there.people.get(by.login.lower(), "none" if there.private else "read")]
        if has == 0:
            raise Answered(404, "Not Found")
        # Who can read may also write issues, comments and reactions, and open pull requests from what they may push.
        wanted = LEVELS[level] if permission in ("contents", "statuses", "administration") else 1
        if permission == "administration":
            wanted = LEVELS["admin"]
        if has < wanted:
            raise Answered(403, "Resource not accessible by personal access token")

    def _count_change(self, by: Caller) -> None:
        now = time.time()
        made = self._changes.setdefault(by.key, deque())
        while made and made[0] < now - 3600:
            made.popleft()
        if len(made) >= self.changes_an_hour or sum(each > now - 60 for each in made) >= self.changes_a_minute:
            raise Answered(
                403,
                "You have exceeded a secondary rate limit and have been temporarily blocked from content creation.",
                headers={"retry-after": "60"},
            )
        made.append(now)

    # Webhooks

    def tell(self, repo: Repo, event: str, action: str, by: str, **parts: Any) -> None:
        """Send an event to the hooks of the repository and of every App that is installed there."""
        payload = {"action": action, **parts, "repository": self.shown_repo(repo), "sender": self.shown_user(by)}
        for hook in repo.hooks.values():
            self._post(hook, event, payload)
        for app in self.apps.values():
            if app.hook is not None and app.has(repo.full_name):
                self._post(app.hook, event, {**payload, "installation": {"id": app.installation, "node_id": "I"}})

    def _post(self, hook: Hook, event: str, payload: Json) -> None:
        if event not in hook.events:
            return
        guid = str(uuid.uuid4())
        hook.bodies[guid] = (event, json.dumps(payload, ensure_ascii=False).encode())
        self.outbox.put_nowait((hook, guid, False))

    async def _deliver(self) -> None:
        while True:
            hook, guid, again = await self.outbox.get()
            try:
                await self._attempt(hook, guid, again)
            finally:
                self.outbox.task_done()

    async def _attempt(self, hook: Hook, guid: str, again: bool) -> None:
        event, body = hook.bodies[guid]
        headers = {
            "content-type": "application/json",
            "user-agent": "GitHub-Hookshot/test",
            "x-github-event": event,
            "x-github-delivery": guid,
            "x-github-hook-id": str(hook.id),
        }
        if hook.secret:
            headers["x-hub-signature-256"] = "sha256=" + hmac.digest(hook.secret.encode(), body, "sha256").hex()
        try:
            answer = await self._http.post(hook.url, content=body, headers=headers)
            status, code = (
                ("OK" if answer.is_success else f"Invalid HTTP Response: {answer.status_code}"),
                answer.status_code,
            )
        except httpx.HTTPError as error:
            status, code = f"failed to connect to host ({type(error).__name__})", 0
        payload = json.loads(body)
        hook.deliveries.append(
            {
                "id": next(self._ids),
                "guid": guid,
                "delivered_at": datetime.fromtimestamp(self.clock(), UTC).isoformat(timespec="milliseconds"),
                "redelivery": again,
                "duration": 0.1,
                "status": status,
                "status_code": code,
                "event": event,
                "action": payload.get("action"),
                "installation_id": payload.get("installation", {}).get("id"),
                "repository_id": payload.get("repository", {}).get("id"),
            }
        )

    # What things look like

    def repo_of(self, name: str) -> Repo:
        there = self.repos.get(name.lower())
        if there is None:
            raise Answered(404, "Not Found")
        return there

    def shown_user(self, login: str) -> Json:
        return self.users[login.lower()]

    def shown_repo(self, repo: Repo) -> Json:
        """A repository as answers and webhooks have it."""
        return {
            "id": repo.id,
            "node_id": f"R_{repo.id}",
            "name": repo.full_name.partition("/")[2],
            "full_name": repo.full_name,
            "owner": self.shown_user(repo.owner),
            "private": repo.private,
            "fork": False,
            "archived": repo.archived,
            "default_branch": repo.default_branch,
            "html_url": f"{SITE}/{repo.full_name}",
            "clone_url": f"{SITE}/{repo.full_name}.git",
            "url": f"{self.url}/repos/{repo.full_name}",
        }

    def association(self, repo: Repo, login: str) -> str:
        return "COLLABORATOR" if LEVELS[repo.people.get(login.lower(), "none")] else "NONE"

    def shown_author(self, by: Caller) -> Json:
        app = by.app if by.installed else None
        return {
            "user": self.shown_user(by.login),
            "performed_via_github_app": None if app is None else {"id": app.id, "slug": app.slug, "name": app.slug},
        }

    def sha_of(self, repo: Repo, branch: str, *, fork: str = "") -> str:
        """The commit of a branch; empty where there is no such branch.

        The branches of ``fork``'s fork are refs ``refs/forks/<fork>/<branch>`` here: GitHub, too, keeps the objects of
        all forks in one place, and gives them to whoever names a commit.
        """
        if repo.git is None:
            return repo.branches.get(f"{fork}:{branch}" if fork else branch, "")
        name = f"refs/forks/{fork}/{branch}" if fork else f"refs/heads/{branch}"
        loose = repo.git / name
        if loose.is_file():
            return loose.read_text().strip()
        packed = repo.git / "packed-refs"
        for line in packed.read_text().splitlines() if packed.is_file() else ():
            sha, _, ref = line.partition(" ")
            if ref == name:
                return sha
        return ""

    def seen_pull(self, repo: Repo, pull: Json) -> Json:
        """A pull request with the commits that its branches are at by now."""
        owner = pull["head"]["label"].partition(":")[0]
        fork = owner if owner != repo.owner else ""
        if pull["state"] == "open" and (sha := self.sha_of(repo, pull["head"]["ref"], fork=fork)):
            pull["head"]["sha"] = sha
        return pull

    def note(self, what: str, by: Caller, repo: Repo, **fields: Any) -> None:
        self.journal.append(Change(what, by.login, repo.full_name, **fields))

    def issue_of(self, repo: Repo, number: str) -> Json:
        found = repo.issues.get(int(number)) if number.isdigit() else None
        if found is None:
            raise Answered(404, "Not Found")
        return found

    def pull_of(self, repo: Repo, number: str) -> Json:
        found = repo.pulls.get(int(number)) if number.isdigit() else None
        if found is None:
            raise Answered(404, "Not Found")
        return self.seen_pull(repo, found)


class Page(list[Any]):
    """A list that is answered in pages."""

    def cut(self, query: Mapping[str, str]) -> Page:
        size, self.number = min(int(query.get("per_page", 30)), 100), max(int(query.get("page", 1)), 1)
        self.here = list(self[(self.number - 1) * size : self.number * size])
        self.more = len(self) > self.number * size
        return self

    def link(self, base: str, path: str, query: Mapping[str, str]) -> dict[str, str]:
        if not self.more:
            return {}
        rest = "&".join(f"{name}={value}" for name, value in {**query, "page": str(self.number + 1)}.items())
        return {"link": f'<{base}{path}?{rest}>; rel="next"'}


def _is_of_the_app(path: str) -> bool:
    return path == "/app" or path.startswith("/app/") or path.endswith("/installation")


def now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def text_of(body: Json, name: str = "body", *, needed: bool = True) -> str:
    text = body.get(name)
    if needed and (not isinstance(text, str) or not text.strip()):
        raise Answered(422, "Validation Failed", errors=[{"field": name, "code": "missing_field"}])
    if text is not None and len(text) > MAX_TEXT:
        raise Answered(
            422,
            "Validation Failed",
            errors=[
                {"field": name, "code": "custom", "message": f"{name} is too long (maximum is {MAX_TEXT} characters)"}
            ],
        )
    return text or ""


def invalid(field: str, message: str) -> Answered:
    return Answered(
        422,
        "Validation Failed",
        errors=[{"resource": "PullRequest", "field": field, "code": "custom", "message": message}],
    )


def of_pull(pull: Json) -> Json:
    return {"number": pull["number"], "pull_request": pull}


class Person:
    """Somebody who acts by hand: the same rules, journal and webhooks as over HTTP."""

    def __init__(self, server: GitHubServer, login: str) -> None:
        self._server = server
        self.login = login

    def does(self, method: str, path: str, **body: Any) -> Any:
        """Send a request as this person; answers with the body. Raises `Answered`."""
        by = Caller(self.login, key=f"hand:{self.login}")
        _, answer = self._server.routed(method, path, Call(by, (), {}, body))
        return answer

    def opens_issue(self, repo: str, title: str, body: str = "", labels: Iterable[str] = ()) -> int:
        """Answers with the issue's number."""
        number: int = self.does("POST", f"/repos/{repo}/issues", title=title, body=body, labels=list(labels))["number"]
        return number

    def comments(self, repo: str, number: int, body: str) -> int:
        """Answers with the comment's id."""
        id: int = self.does("POST", f"/repos/{repo}/issues/{number}/comments", body=body)["id"]
        return id

    def edits(self, repo: str, comment: int, body: str) -> None:
        """A comment, to another text."""
        self.does("PATCH", f"/repos/{repo}/issues/comments/{comment}", body=body)

    def closes(self, repo: str, number: int) -> None:
        """An issue or a pull request."""
        kind = "pulls" if number in self._server.repo_of(repo).pulls else "issues"
        self.does("PATCH", f"/repos/{repo}/{kind}/{number}", state="closed")

    def reviews(
        self, repo: str, number: int, body: str = "", *, event: str = "COMMENT", comments: Iterable[Json] = ()
    ) -> int:
        """Answers with the review's id; each comment has path, line and body."""
        path = f"/repos/{repo}/pulls/{number}/reviews"
        id: int = self.does("POST", path, body=body, event=event, comments=list(comments))["id"]
        return id

    def merges(self, repo: str, number: int) -> None:
        """A pull request; a draft is made ready before."""
        self._server.pull_of(self._server.repo_of(repo), str(number))["draft"] = False
        self.does("PUT", f"/repos/{repo}/pulls/{number}/merge")


async def _run(options: argparse.Namespace) -> None:
    server = GitHubServer(port=options.port)
    app = server.app()
    for name in options.repo:
        server.repo(name, people={options.writer: "write"})
        if options.webhook:
            server.webhook(options.webhook, options.secret, app=app)
    async with server:
        print(json.dumps({"url": server.url, "app_id": app.id, "token": server.user(options.writer)}), flush=True)  # noqa: T201
        await asyncio.Event().wait()


def main() -> None:
    """Run a server until it is ended."""
    parser = argparse.ArgumentParser(description="A GitHub of ours for tests")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--repo", action="append", default=[])
    parser.add_argument("--writer", default="mona")
    parser.add_argument("--webhook", default="")
    parser.add_argument("--secret", default="")
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_run(parser.parse_args()))


# They register themselves with `route`, and need what stands above.
from testing import github_routes as _github_routes  # noqa: E402, F401

if __name__ == "__main__":
    from testing.github_server import main as run  # the module whose routes are registered, which this one is not

    run()
