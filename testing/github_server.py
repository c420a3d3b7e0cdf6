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
from base64 import b64encode
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any, Final, Self
from urllib.parse import parse_qs, quote, unquote, urlsplit

import httpx
import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

Json = dict[str, Any]

MAX_TEXT: Final = 65_536
MAX_ANNOTATIONS: Final = 50
REACTIONS: Final = frozenset({"+1", "-1", "laugh", "confused", "heart", "hooray", "rocket", "eyes"})
LEVELS: Final = {"none": 0, "read": 1, "triage": 1, "write": 2, "maintain": 2, "admin": 3}
SITE: Final = "https://github.com"
APP_PERMISSIONS: Final = {
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
    files: dict[str, bytes] = field(default_factory=dict)
    """Of the default branch."""
    hooks: dict[int, Hook] = field(default_factory=dict)

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
        self._expires: dict[str, float] = {}
        self._used: dict[str, list[float]] = {}
        self._changes: dict[str, deque[float]] = {}
        self._trees: dict[str, str] = {}
        self._renamed: dict[str, str] = {}
        self._manifests: dict[str, Json] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._outbox: asyncio.Queue[tuple[Hook, str, bool]] = asyncio.Queue()

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
        self._repo(repo).people[login.lower()] = permission

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
            self._repo(repo).hooks[hook.id] = hook
        return hook

    def push(self, repo: str, branch: str, sha: str) -> None:
        """Somebody pushed: the branch is at a commit. Pull requests from it are told as synchronized."""
        there = self._repo(repo)
        before = there.branches.get(branch, "0" * 40)
        there.branches[branch] = sha
        for pull in there.pulls.values():
            if pull["head"]["ref"] == branch and pull["state"] == "open":
                pull["head"]["sha"] = sha
                self._tell(
                    there,
                    "pull_request",
                    "synchronize",
                    pull["user"]["login"],
                    before=before,
                    after=sha,
                    **_of_pull(pull),
                )

    def checked(self, repo: str, branch: str, name: str, conclusion: str, *, app: str = "ci") -> None:
        """A check of the branch's commit has ended, by an App of somebody else's."""
        there = self._repo(repo)
        if f"{app}[bot]" not in self.users:
            self.user(f"{app}[bot]", type="Bot")
        id, sha = next(self._ids), self._sha(there, branch)
        run = {
            "id": id,
            "node_id": f"CR_{id}",
            "name": name,
            "head_sha": sha,
            "status": "completed",
            "conclusion": conclusion,
            "completed_at": _now(),
            "html_url": f"{SITE}/{there.full_name}/runs/{id}",
            "output": {"title": None, "summary": None, "text": None, "annotations_count": 0},
            "check_suite": {"id": id, "node_id": f"CS_{id}", "head_branch": branch, "head_sha": sha},
            "app": {"id": 1, "slug": app, "name": app},
            "pull_requests": [],
        }
        self._tell(there, "check_run", "completed", f"{app}[bot]", check_run=run)

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
        self._http = httpx.AsyncClient(timeout=10.0, trust_env=False, verify=False)
        self._sending = asyncio.create_task(self._deliver())
        self._tasks.add(self._sending)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._http.aclose()

    async def delivered(self) -> None:
        """Wait until every webhook has been sent. Raises what ended the sending."""
        if self._sending.done():
            self._sending.result()
        async with asyncio.timeout(60.0):
            await self._outbox.join()

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
            status, answer = self._routed(method, parts.path, Call(by, (), query, given))
        except Answered as error:
            return error.status, error.body, {**limits, **error.headers}
        if isinstance(answer, _Page):
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
        self._manifests[code] = {**shown, "html_url": f"{SITE}/apps/{app.slug}"}
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
        elif token in self.tokens and self._expires.get(token, time.time() + 1) > time.time():
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

    def _routed(self, method: str, path: str, call: Call) -> tuple[int, Any]:
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

    def _tell(self, repo: Repo, event: str, action: str, by: str, **parts: Any) -> None:
        """Send an event to the hooks of the repository and of every App that is installed there."""
        payload = {"action": action, **parts, "repository": self.shown_repo(repo), "sender": self._user(by)}
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
        self._outbox.put_nowait((hook, guid, False))

    async def _deliver(self) -> None:
        while True:
            hook, guid, again = await self._outbox.get()
            try:
                await self._attempt(hook, guid, again)
            finally:
                self._outbox.task_done()

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

    def _repo(self, name: str) -> Repo:
        there = self.repos.get(name.lower())
        if there is None:
            raise Answered(404, "Not Found")
        return there

    def _user(self, login: str) -> Json:
        return self.users[login.lower()]

    def shown_repo(self, repo: Repo) -> Json:
        """A repository as answers and webhooks have it."""
        return {
            "id": repo.id,
            "node_id": f"R_{repo.id}",
            "name": repo.full_name.partition("/")[2],
            "full_name": repo.full_name,
            "owner": self._user(repo.owner),
            "private": repo.private,
            "fork": False,
            "archived": False,
            "default_branch": repo.default_branch,
            "html_url": f"{SITE}/{repo.full_name}",
            "clone_url": f"{SITE}/{repo.full_name}.git",
            "url": f"{self.url}/repos/{repo.full_name}",
        }

    def _association(self, repo: Repo, login: str) -> str:
        return "COLLABORATOR" if LEVELS[repo.people.get(login.lower(), "none")] else "NONE"

    def _by(self, by: Caller) -> Json:
        app = by.app if by.installed else None
        return {
            "user": self._user(by.login),
            "performed_via_github_app": None if app is None else {"id": app.id, "slug": app.slug, "name": app.slug},
        }

    def _sha(self, repo: Repo, branch: str) -> str:
        """The commit of a branch; empty where there is no such branch."""
        if repo.git is None:
            return repo.branches.get(branch, "")
        loose = repo.git / "refs" / "heads" / branch
        if loose.is_file():
            return loose.read_text().strip()
        packed = repo.git / "packed-refs"
        for line in packed.read_text().splitlines() if packed.is_file() else ():
            sha, _, ref = line.partition(" ")
            if ref == f"refs/heads/{branch}":
                return sha
        return ""

    def _seen_pull(self, repo: Repo, pull: Json) -> Json:
        """A pull request with the commits that its branches are at by now."""
        if pull["state"] == "open" and (sha := self._sha(repo, pull["head"]["ref"])):
            pull["head"]["sha"] = sha
        return pull

    def _note(self, what: str, by: Caller, repo: Repo, **fields: Any) -> None:
        self.journal.append(Change(what, by.login, repo.full_name, **fields))

    def _issue_of(self, repo: Repo, number: str) -> Json:
        found = repo.issues.get(int(number)) if number.isdigit() else None
        if found is None:
            raise Answered(404, "Not Found")
        return found

    def _pull_of(self, repo: Repo, number: str) -> Json:
        found = repo.pulls.get(int(number)) if number.isdigit() else None
        if found is None:
            raise Answered(404, "Not Found")
        return self._seen_pull(repo, found)


class _Page(list[Any]):
    """A list that is answered in pages."""

    def cut(self, query: Mapping[str, str]) -> _Page:
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


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _text(body: Json, name: str = "body", *, needed: bool = True) -> str:
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


def _invalid(field: str, message: str) -> Answered:
    return Answered(
        422,
        "Validation Failed",
        errors=[{"resource": "PullRequest", "field": field, "code": "custom", "message": message}],
    )


def _of_pull(pull: Json) -> Json:
    return {"number": pull["number"], "pull_request": pull}


# The App and its installation


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
        "account": server._user(repo.owner),
        "app_id": app.id,
        "app_slug": app.slug,
        "permissions": app.permissions,
        "events": list(APP_EVENTS),
        "suspended_at": _now() if app.suspended else None,
    }


@route("GET", "/repos/{repo}/installation")
def _installation(server: GitHubServer, call: Call) -> Any:
    repo, app = server._repo(call.values[0]), call.by.app
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
    repos = frozenset(known[name.lower()].lower() for name in names) if names else None
    token = f"ghs_{secrets.token_hex(18)}"
    server.tokens[token] = Caller(
        app.login, app, True, repos, {"metadata": "read", **wanted}, f"installation:{app.installation}"
    )
    server._expires[token] = time.time() + 3600
    expires = (datetime.now(UTC) + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    return 201, {"token": token, "expires_at": expires, "permissions": {"metadata": "read", **wanted}}


@route("GET", "/app/hook/deliveries")
def _app_deliveries(server: GitHubServer, call: Call) -> Any:
    hook = call.by.app.hook if call.by.app else None
    return _Page(reversed(hook.deliveries if hook else [])).cut(call.query)


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
    hooks = server._repo(call.values[0]).hooks.values()
    return _Page(
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
    return _Page(reversed(_hook_of(server, call).deliveries)).cut(call.query)


@route("POST", "/repos/{repo}/hooks/{}/deliveries/{}/attempts", "administration:read")
def _hook_attempt(server: GitHubServer, call: Call) -> Any:
    return _again(server, _hook_of(server, call), call.values[2])


def _hook_of(server: GitHubServer, call: Call) -> Hook:
    hook = server._repo(call.values[0]).hooks.get(int(call.values[1]))
    if hook is None:
        raise Answered(404, "Not Found")
    return hook


def _again(server: GitHubServer, hook: Hook | None, delivery: str) -> Any:
    found = next((each for each in (hook.deliveries if hook else ()) if str(each["id"]) == delivery), None)
    if hook is None or found is None:
        raise Answered(404, "Not Found")
    server._outbox.put_nowait((hook, found["guid"], True))
    return 202, {}


@route("POST", "/app-manifests/{}/conversions")
def _manifest(server: GitHubServer, call: Call) -> Any:
    manifest = server._manifests.pop(call.values[0], None)
    if manifest is None:
        raise Answered(404, "Not Found")
    return 201, manifest


# Repositories and people


@route("GET", "/user")
def _me(server: GitHubServer, call: Call) -> Any:
    if call.by.installed or call.by.app is not None:
        raise Answered(403, "Resource not accessible by integration")
    return server._user(call.by.login)


@route("GET", "/users/{}")
def _user(server: GitHubServer, call: Call) -> Any:
    if call.values[0].lower() not in server.users:
        raise Answered(404, "Not Found")
    return server._user(call.values[0])


@route("GET", "/repos/{repo}", "metadata:read")
def _repository(server: GitHubServer, call: Call) -> Any:
    repo = server._repo(call.values[0])
    level = LEVELS[repo.people.get(call.by.login.lower(), "read")]
    return {**server.shown_repo(repo), "permissions": {"admin": level > 2, "push": level > 1, "pull": level > 0}}


@route("GET", "/repos/{repo}/collaborators/{}/permission", "metadata:read")
def _permission(server: GitHubServer, call: Call) -> Any:
    repo, login = server._repo(call.values[0]), call.values[1].lower()
    if login not in server.users:
        raise Answered(404, f"{call.values[1]} is not a user")
    role = repo.people.get(login, "none" if repo.private else "read")
    told = {"maintain": "write", "triage": "read"}.get(role, role)
    return {"permission": told, "role_name": role, "user": server._user(login)}


@route("GET", "/orgs/{}/teams/{}/memberships/{}")
def _membership(server: GitHubServer, call: Call) -> Any:
    org, team, login = call.values
    if login.lower() not in server.teams.get((org.lower(), team.lower()), set()):
        raise Answered(404, "Not Found")
    return {"state": "active", "role": "member", "url": ""}


@route("GET", "/repos/{repo}/branches/{}", "contents:read")
def _branch(server: GitHubServer, call: Call) -> Any:
    repo, name = server._repo(call.values[0]), call.values[1]
    sha = server._sha(repo, name)
    if not sha:
        raise Answered(404, "Branch not found")
    return {"name": name, "commit": {"sha": sha}, "protected": name in repo.protected}


@route("GET", "/repos/{repo}/git/ref/heads/{}", "contents:read")
def _ref(server: GitHubServer, call: Call) -> Any:
    sha = server._sha(server._repo(call.values[0]), call.values[1])
    if not sha:
        raise Answered(404, "Not Found")
    return {"ref": f"refs/heads/{call.values[1]}", "object": {"type": "commit", "sha": sha}}


@route("GET", "/repos/{repo}/git/commits/{}", "contents:read")
def _commit(server: GitHubServer, call: Call) -> Any:
    sha = call.values[1]
    return {"sha": sha, "tree": {"sha": server._trees.get(sha, sha[::-1])}}


@route("POST", "/repos/{repo}/git/commits", "contents:write")
def _make_commit(server: GitHubServer, call: Call) -> Any:
    sha = secrets.token_hex(20)
    server._trees[sha] = call.body["tree"]
    return 201, {"sha": sha, "tree": {"sha": call.body["tree"]}}


@route("POST", "/repos/{repo}/git/refs", "contents:write")
def _make_ref(server: GitHubServer, call: Call) -> Any:
    repo, name = server._repo(call.values[0]), call.body["ref"].removeprefix("refs/heads/")
    if name in repo.branches:
        raise Answered(422, "Reference already exists")
    repo.branches[name] = call.body["sha"]
    server._note("branch.created", call.by, repo, name=name)
    return 201, {"ref": call.body["ref"], "object": {"type": "commit", "sha": call.body["sha"]}}


@route("DELETE", "/repos/{repo}/git/refs/heads/{}", "contents:write")
def _delete_ref(server: GitHubServer, call: Call) -> Any:
    repo = server._repo(call.values[0])
    if repo.branches.pop(call.values[1], None) is None:
        raise Answered(422, "Reference does not exist")
    server._note("branch.deleted", call.by, repo, name=call.values[1])


@route("GET", "/repos/{repo}/contents/{path}", "contents:read")
def _file(server: GitHubServer, call: Call) -> Any:
    content = server._repo(call.values[0]).files.get(call.values[1])
    if content is None:
        raise Answered(404, "Not Found")
    return {"type": "file", "encoding": "base64", "size": len(content), "content": b64encode(content).decode()}


# Issues and conversations


@route("POST", "/repos/{repo}/issues", "issues:write")
def _open_issue(server: GitHubServer, call: Call) -> Any:
    repo = server._repo(call.values[0])
    number = max([0, *repo.issues, *repo.pulls]) + 1
    issue = repo.issues[number] = {
        **_issue_fields(server, repo, number, call, f"{SITE}/{repo.full_name}/issues/{number}"),
        "title": _text(call.body, "title"),
    }
    for label in call.body.get("labels", ()):
        issue["labels"].append({"id": next(server._ids), "name": label})
    server._note("issue.opened", call.by, repo, number=number, text=issue["title"])
    server._tell(repo, "issues", "opened", call.by.login, issue=issue)
    return 201, issue


def _issue_fields(server: GitHubServer, repo: Repo, number: int, call: Call, url: str) -> Json:
    return {
        "id": next(server._ids),
        "node_id": f"I_{repo.id}_{number}",
        "number": number,
        "html_url": url,
        "body": _text(call.body, needed=False) or None,
        "state": "open",
        "state_reason": None,
        "created_at": _now(),
        "updated_at": _now(),
        "closed_at": None,
        "comments": 0,
        "labels": [],
        "assignees": [],
        "author_association": server._association(repo, call.by.login),
        **server._by(call.by),
    }


@route("GET", "/repos/{repo}/issues/{}", "issues:read")
def _get_issue(server: GitHubServer, call: Call) -> Any:
    return server._issue_of(server._repo(call.values[0]), call.values[1])


@route("PATCH", "/repos/{repo}/issues/{}", "issues:write")
def _edit_issue(server: GitHubServer, call: Call) -> Any:
    repo = server._repo(call.values[0])
    issue = server._issue_of(repo, call.values[1])
    was: Json = {
        name: {"from": issue[name]}
        for name in ("title", "body")
        if name in call.body and issue[name] != call.body[name]
    }
    issue.update({name: call.body[name] for name in ("title", "body", "state", "state_reason") if name in call.body})
    issue["updated_at"] = _now()
    action = {"closed": "closed", "open": "reopened"}.get(call.body.get("state", ""), "edited")
    more: Json = {"changes": was} if action == "edited" else {}
    server._note(f"issue.{action}", call.by, repo, number=issue["number"])
    server._tell(repo, "issues", action, call.by.login, issue=issue, **more)
    return issue


@route("GET", "/repos/{repo}/issues/{}/comments", "issues:read")
def _list_comments(server: GitHubServer, call: Call) -> Any:
    repo = server._repo(call.values[0])
    number = server._issue_of(repo, call.values[1])["number"]
    since = call.query.get("since", "")
    return _Page(
        each
        for each in repo.comments.values()
        if each["issue_url"].endswith(f"/issues/{number}") and each["updated_at"] >= since
    ).cut(call.query)


@route("POST", "/repos/{repo}/issues/{}/comments", "issues:write")
def _comment(server: GitHubServer, call: Call) -> Any:
    repo = server._repo(call.values[0])
    issue = server._issue_of(repo, call.values[1])
    id = next(server._ids)
    comment = repo.comments[id] = {
        "id": id,
        "node_id": f"IC_{id}",
        "body": _text(call.body),
        "html_url": f"{issue['html_url']}#issuecomment-{id}",
        "issue_url": f"{server.url}/repos/{repo.full_name}/issues/{issue['number']}",
        "created_at": _now(),
        "updated_at": _now(),
        "author_association": server._association(repo, call.by.login),
        **server._by(call.by),
    }
    issue["comments"] += 1
    server._note("comment.created", call.by, repo, number=issue["number"], id=id, text=comment["body"])
    server._tell(repo, "issue_comment", "created", call.by.login, issue=issue, comment=comment)
    return 201, comment


def _comment_of(repo: Repo, id: str) -> Json:
    found = repo.comments.get(int(id)) if id.isdigit() else None
    if found is None:
        raise Answered(404, "Not Found")
    return found


@route("GET", "/repos/{repo}/issues/comments/{}", "issues:read")
def _get_comment(server: GitHubServer, call: Call) -> Any:
    return _comment_of(server._repo(call.values[0]), call.values[1])


@route("PATCH", "/repos/{repo}/issues/comments/{}", "issues:write")
def _edit_comment(server: GitHubServer, call: Call) -> Any:
    repo = server._repo(call.values[0])
    comment = _comment_of(repo, call.values[1])
    _may_change(repo, call.by, comment)
    before, comment["body"], comment["updated_at"] = comment["body"], _text(call.body), _now()
    number = int(comment["issue_url"].rpartition("/")[2])
    server._note("comment.edited", call.by, repo, number=number, id=comment["id"], text=comment["body"])
    server._tell(
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
    repo = server._repo(call.values[0])
    comment = _comment_of(repo, call.values[1])
    _may_change(repo, call.by, comment)
    del repo.comments[comment["id"]]
    number = int(comment["issue_url"].rpartition("/")[2])
    server._note("comment.deleted", call.by, repo, number=number, id=comment["id"])
    server._tell(repo, "issue_comment", "deleted", call.by.login, issue=repo.issues[number], comment=comment)


def _may_change(repo: Repo, by: Caller, thing: Json) -> None:
    writer = LEVELS[repo.people.get(by.login.lower(), "none")] >= LEVELS["write"]
    if thing["user"]["login"].lower() != by.login.lower() and not writer:
        raise Answered(403, "Must have admin rights to Repository.")


@route("POST", "/repos/{repo}/issues/{}/labels", "issues:write")
def _add_labels(server: GitHubServer, call: Call) -> Any:
    repo = server._repo(call.values[0])
    issue = server._issue_of(repo, call.values[1])
    for name in call.body.get("labels", ()):
        if name not in [each["name"] for each in issue["labels"]]:
            label = {"id": next(server._ids), "name": name}
            issue["labels"].append(label)
            server._note("label.added", call.by, repo, number=issue["number"], name=name)
            event = "pull_request" if "pull_request" in issue else "issues"
            shown = _of_pull(repo.pulls[issue["number"]]) if event == "pull_request" else {"issue": issue}
            server._tell(repo, event, "labeled", call.by.login, label=label, **shown)
    return issue["labels"]


@route("DELETE", "/repos/{repo}/issues/{}/labels/{}", "issues:write")
def _remove_label(server: GitHubServer, call: Call) -> Any:
    repo = server._repo(call.values[0])
    issue = server._issue_of(repo, call.values[1])
    if call.values[2] not in [each["name"] for each in issue["labels"]]:
        raise Answered(404, "Label does not exist")
    issue["labels"] = [each for each in issue["labels"] if each["name"] != call.values[2]]
    server._note("label.removed", call.by, repo, number=issue["number"], name=call.values[2])
    return issue["labels"]


@route("POST", "/repos/{repo}/issues/{}/assignees", "issues:write")
def _assign(server: GitHubServer, call: Call) -> Any:
    repo = server._repo(call.values[0])
    issue = server._issue_of(repo, call.values[1])
    for login in call.body.get("assignees", ()):
        if login.lower() in server.users:
            issue["assignees"].append(server._user(login))
            server._tell(repo, "issues", "assigned", call.by.login, issue=issue, assignee=server._user(login))
    return 201, issue


# Reactions


def _reacted(server: GitHubServer, call: Call, kind: str, id: int) -> Any:
    repo = server._repo(call.values[0])
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
        "created_at": _now(),
        "user": server._user(call.by.login),
    }
    there.append(made)
    server._note("reaction.created", call.by, repo, number=id if kind == "issue" else 0, id=id, name=content)
    return 201, made


def _unreacted(server: GitHubServer, call: Call, kind: str, id: int, reaction: int) -> None:
    repo = server._repo(call.values[0])
    there = repo.reactions.get((kind, id), [])
    found = next((each for each in there if each["id"] == reaction), None)
    if found is None:
        raise Answered(404, "Not Found")
    if found["user"]["login"] != call.by.login:
        raise Answered(403, "Must have admin rights to Repository.")
    there.remove(found)
    server._note("reaction.deleted", call.by, repo, number=id if kind == "issue" else 0, id=id, name=found["content"])


def _subject_of(repo: Repo, kind: str, id: str) -> int:
    known = {"issue": repo.issues, "comment": repo.comments, "review-comment": repo.review_comments}[kind]
    if not id.isdigit() or int(id) not in known:
        raise Answered(404, "Not Found")
    return int(id)


def _reaction_routes(kind: str, path: str, permission: str) -> None:
    @route("GET", f"{path}/reactions", f"{permission}:read")
    def _list(server: GitHubServer, call: Call) -> Any:
        repo = server._repo(call.values[0])
        there = repo.reactions.get((kind, _subject_of(repo, kind, call.values[1])), [])
        wanted = call.query.get("content")
        return _Page(each for each in there if wanted in (None, each["content"])).cut(call.query)

    @route("POST", f"{path}/reactions", f"{permission}:write")
    def _create(server: GitHubServer, call: Call) -> Any:
        return _reacted(server, call, kind, _subject_of(server._repo(call.values[0]), kind, call.values[1]))

    @route("DELETE", f"{path}/reactions/{{}}", f"{permission}:write")
    def _delete(server: GitHubServer, call: Call) -> Any:
        _unreacted(
            server, call, kind, _subject_of(server._repo(call.values[0]), kind, call.values[1]), int(call.values[2])
        )


_reaction_routes("issue", "/repos/{repo}/issues/{}", "issues")
_reaction_routes("comment", "/repos/{repo}/issues/comments/{}", "issues")
_reaction_routes("review-comment", "/repos/{repo}/pulls/comments/{}", "pull_requests")


# Pull requests


@route("GET", "/repos/{repo}/pulls", "pull_requests:read")
def _list_pulls(server: GitHubServer, call: Call) -> Any:
    repo = server._repo(call.values[0])
    head, base, state = call.query.get("head", ""), call.query.get("base", ""), call.query.get("state", "open")
    return _Page(
        server._seen_pull(repo, each)
        for each in sorted(repo.pulls.values(), key=lambda pull: -int(pull["number"]))
        if head in ("", each["head"]["label"]) and base in ("", each["base"]["ref"]) and state in ("all", each["state"])
    ).cut(call.query)


@route("POST", "/repos/{repo}/pulls", "pull_requests:write")
def _open_pull(server: GitHubServer, call: Call) -> Any:
    repo = server._repo(call.values[0])
    head, base = call.body.get("head", "").rpartition(":")[2], call.body.get("base", "")
    title = _text(call.body, "title")
    sha, base_sha = server._sha(repo, head), server._sha(repo, base)
    for name, there in (("head", sha), ("base", base_sha)):
        if not there:
            raise Answered(
                422, "Validation Failed", errors=[{"resource": "PullRequest", "field": name, "code": "invalid"}]
            )
    label = f"{repo.owner}:{head}"
    if any(
        each["head"]["label"] == label and each["base"]["ref"] == base and each["state"] == "open"
        for each in repo.pulls.values()
    ):
        raise _invalid("head", f"A pull request already exists for {label}.")
    if sha == base_sha:
        raise _invalid("head", f"No commits between {base} and {head}")
    number = max([0, *repo.issues, *repo.pulls]) + 1
    url = f"{SITE}/{repo.full_name}/pull/{number}"
    issue = repo.issues[number] = {
        **_issue_fields(server, repo, number, call, url),
        "title": title,
        "pull_request": {"html_url": url, "url": f"{server.url}/repos/{repo.full_name}/pulls/{number}"},
    }
    where = server.shown_repo(repo)
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
        "head": {"ref": head, "sha": sha, "label": label, "repo": where},
        "base": {"ref": base, "sha": base_sha, "label": f"{repo.owner}:{base}", "repo": where},
    }
    server._note("pull.opened", call.by, repo, number=number, name=head, text=title)
    server._tell(repo, "pull_request", "opened", call.by.login, **_of_pull(pull))
    return 201, pull


@route("GET", "/repos/{repo}/pulls/{}", "pull_requests:read")
def _get_pull(server: GitHubServer, call: Call) -> Any:
    return server._pull_of(server._repo(call.values[0]), call.values[1])


@route("PATCH", "/repos/{repo}/pulls/{}", "pull_requests:write")
def _edit_pull(server: GitHubServer, call: Call) -> Any:
    repo = server._repo(call.values[0])
    pull = server._pull_of(repo, call.values[1])
    if "body" in call.body:
        _text(call.body, needed=False)
    if call.body.get("state") == "open" and pull["merged"]:
        raise _invalid("state", "state cannot be changed. The pull request was merged.")
    changed: Json = {name: call.body[name] for name in ("title", "body", "state") if name in call.body}
    action = {"closed": "closed", "open": "reopened"}.get(call.body.get("state", ""), "edited")
    pull |= {**changed, "updated_at": _now()}
    repo.issues[pull["number"]] |= changed
    if action == "closed":
        pull["closed_at"] = _now()
    server._note(f"pull.{action}", call.by, repo, number=pull["number"], name=pull["head"]["ref"])
    server._tell(repo, "pull_request", action, call.by.login, **_of_pull(pull))
    return pull


@route("PUT", "/repos/{repo}/pulls/{}/merge", "contents:write")
def _merge(server: GitHubServer, call: Call) -> Any:
    repo = server._repo(call.values[0])
    pull = server._pull_of(repo, call.values[1])
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
        "merged_at": _now(),
        "closed_at": _now(),
        "merged_by": server._user(call.by.login),
        "merge_commit_sha": pull["head"]["sha"],
    }
    repo.issues[pull["number"]]["state"] = "closed"
    repo.branches[pull["base"]["ref"]] = pull["head"]["sha"]
    server._note("pull.merged", call.by, repo, number=pull["number"], name=pull["head"]["ref"])
    server._tell(repo, "pull_request", "closed", call.by.login, **_of_pull(pull))
    return {"sha": pull["merge_commit_sha"], "merged": True, "message": "Pull Request successfully merged"}


@route("POST", "/repos/{repo}/pulls/{}/requested_reviewers", "pull_requests:write")
def _reviewers(server: GitHubServer, call: Call) -> Any:
    repo = server._repo(call.values[0])
    pull = server._pull_of(repo, call.values[1])
    for login in call.body.get("reviewers", ()):
        if login.lower() == pull["user"]["login"].lower():
            raise Answered(422, "Review cannot be requested from pull request author.")
        if not LEVELS[repo.people.get(login.lower(), "none")]:
            raise Answered(
                422,
                "Reviews may only be requested from collaborators.",
            )
        if login.lower() not in [each["login"].lower() for each in pull["requested_reviewers"]]:
            pull["requested_reviewers"].append(server._user(login))
            server._note("reviewer.requested", call.by, repo, number=pull["number"], name=login)
            server._tell(
                repo,
                "pull_request",
                "review_requested",
                call.by.login,
                requested_reviewer=server._user(login),
                **_of_pull(pull),
            )
    return 201, pull


@route("GET", "/repos/{repo}/pulls/{}/files", "pull_requests:read")
def _files(server: GitHubServer, call: Call) -> Any:
    return _Page(server._pull_of(server._repo(call.values[0]), call.values[1]).get("_files", ())).cut(call.query)


@route("GET", "/repos/{repo}/pulls/{}/reviews", "pull_requests:read")
def _list_reviews(server: GitHubServer, call: Call) -> Any:
    repo = server._repo(call.values[0])
    return _Page(repo.reviews.get(server._pull_of(repo, call.values[1])["number"], ())).cut(call.query)


@route("POST", "/repos/{repo}/pulls/{}/reviews", "pull_requests:write")
def _review(server: GitHubServer, call: Call) -> Any:
    repo = server._repo(call.values[0])
    pull = server._pull_of(repo, call.values[1])
    event, comments = call.body.get("event", ""), call.body.get("comments") or []
    state = {"APPROVE": "APPROVED", "REQUEST_CHANGES": "CHANGES_REQUESTED", "COMMENT": "COMMENTED"}.get(event)
    if state is None:
        raise Answered(422, "Validation Failed", errors=["Event is invalid"])
    if event != "COMMENT" and pull["user"]["login"].lower() == call.by.login.lower():
        raise Answered(422, f"Can not {event.lower().replace('_', ' ')} your own pull request")
    if event != "APPROVE" and not comments:
        _text(call.body)
    for each in comments:
        if not each.get("path") or not each.get("body") or not (each.get("line") or each.get("position")):
            raise Answered(
                422, "Validation Failed", errors=["Pull request review thread line must be part of the diff"]
            )
    id = next(server._ids)
    review = {
        "id": id,
        "node_id": f"PRR_{id}",
        "body": _text(call.body, needed=False),
        "state": state,
        "commit_id": call.body.get("commit_id") or pull["head"]["sha"],
        "html_url": f"{pull['html_url']}#pullrequestreview-{id}",
        "submitted_at": _now(),
        "author_association": server._association(repo, call.by.login),
        **server._by(call.by),
    }
    repo.reviews.setdefault(pull["number"], []).append(review)
    server._note("review.submitted", call.by, repo, number=pull["number"], id=id, name=state, text=review["body"])
    for each in comments:
        _line_comment(server, repo, pull, call.by, each, review=id)
    server._tell(
        repo,
        "pull_request_review",
        "submitted",
        call.by.login,
        review={**review, "state": state.lower()},
        pull_request=pull,
    )
    return review


def _line_comment(server: GitHubServer, repo: Repo, pull: Json, by: Caller, said: Json, *, review: int) -> Json:
    id = next(server._ids)
    made = repo.review_comments[id] = {
        "id": id,
        "node_id": f"PRRC_{id}",
        "pull_request_review_id": review,
        "body": _text(said),
        "path": said.get("path", ""),
        "line": said.get("line"),
        "original_line": said.get("line"),
        "start_line": said.get("start_line"),
        "side": said.get("side", "RIGHT"),
        "diff_hunk": said.get("diff_hunk", "@@ -1 +1 @@"),
        "commit_id": pull["head"]["sha"],
        "in_reply_to_id": said.get("in_reply_to_id", 0),
        "html_url": f"{pull['html_url']}#discussion_r{id}",
        "pull_request_url": f"{server.url}/repos/{repo.full_name}/pulls/{pull['number']}",
        "created_at": _now(),
        "updated_at": _now(),
        "author_association": server._association(repo, by.login),
        **server._by(by),
    }
    server._note("review-comment.created", by, repo, number=pull["number"], id=id, text=made["body"])
    server._tell(repo, "pull_request_review_comment", "created", by.login, comment=made, pull_request=pull)
    return made


@route("GET", "/repos/{repo}/pulls/{}/comments", "pull_requests:read")
def _list_line_comments(server: GitHubServer, call: Call) -> Any:
    repo = server._repo(call.values[0])
    server._pull_of(repo, call.values[1])
    return _Page(
        each for each in repo.review_comments.values() if each["pull_request_url"].endswith(f"/pulls/{call.values[1]}")
    ).cut(call.query)


@route("GET", "/repos/{repo}/pulls/{}/reviews/{}/comments", "pull_requests:read")
def _comments_of_review(server: GitHubServer, call: Call) -> Any:
    repo = server._repo(call.values[0])
    return _Page(
        each for each in repo.review_comments.values() if str(each["pull_request_review_id"]) == call.values[2]
    ).cut(call.query)


@route("POST", "/repos/{repo}/pulls/{}/comments/{}/replies", "pull_requests:write")
def _reply(server: GitHubServer, call: Call) -> Any:
    repo = server._repo(call.values[0])
    pull = server._pull_of(repo, call.values[1])
    first = repo.review_comments.get(int(call.values[2]))
    if first is None:
        raise Answered(404, "Not Found")
    said = {**first, "body": _text(call.body), "in_reply_to_id": first["id"]}
    return 201, _line_comment(server, repo, pull, call.by, said, review=first["pull_request_review_id"])


# Checks and statuses


@route("POST", "/repos/{repo}/check-runs", "checks:write")
def _make_check(server: GitHubServer, call: Call) -> Any:
    repo = server._repo(call.values[0])
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
    server._note("check.created", call.by, repo, id=id, name=f"{run['name']}@{run['head_sha']}")
    return 201, run


def _change_check(run: Json, body: Json) -> None:
    output = body.get("output") or {}
    annotations = output.get("annotations", ())
    if len(annotations) > MAX_ANNOTATIONS:
        raise Answered(422, f"Only {MAX_ANNOTATIONS} annotations are allowed in one request.")
    if output and not (output.get("title") and output.get("summary")):
        raise Answered(422, 'Invalid request. "title", "summary" weren\'t supplied.')
    for name in ("summary", "text"):
        _text(output, name, needed=False)
    run["annotations"] += annotations
    run |= {name: value for name, value in body.items() if name not in ("output", "annotations")}
    run["output"] = {**run["output"], **output, "annotations_count": len(run["annotations"])}
    run["output"].pop("annotations", None)
    if body.get("conclusion"):
        run["status"] = "completed"


@route("PATCH", "/repos/{repo}/check-runs/{}", "checks:write")
def _edit_check(server: GitHubServer, call: Call) -> Any:
    repo = server._repo(call.values[0])
    run = repo.check_runs.get(int(call.values[1]))
    if run is None:
        raise Answered(404, "Not Found")
    _change_check(run, call.body)
    server._note("check.updated", call.by, repo, id=run["id"], name=f"{run['name']}@{run['head_sha']}")
    return run


@route("GET", "/repos/{repo}/commits/{}/check-runs", "checks:read")
def _list_checks(server: GitHubServer, call: Call) -> Any:
    repo = server._repo(call.values[0])
    sha = server._sha(repo, call.values[1]) or call.values[1]
    name = call.query.get("check_name")
    runs = [each for each in repo.check_runs.values() if each["head_sha"] == sha and name in (None, each["name"])]
    return {"total_count": len(runs), "check_runs": runs[:100]}


@route("POST", "/repos/{repo}/statuses/{}", "statuses:write")
def _make_status(server: GitHubServer, call: Call) -> Any:
    repo, sha = server._repo(call.values[0]), call.values[1]
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
        "creator": server._user(call.by.login),
        "created_at": _now(),
    }
    repo.statuses.setdefault(sha, []).insert(0, made)
    server._note("status.created", call.by, repo, id=made["id"], name=f"{made['context']}@{sha}", text=made["state"])
    return 201, made


@route("GET", "/repos/{repo}/commits/{}/statuses", "statuses:read")
def _list_statuses(server: GitHubServer, call: Call) -> Any:
    repo = server._repo(call.values[0])
    return _Page(repo.statuses.get(server._sha(repo, call.values[1]) or call.values[1], ())).cut(call.query)


class Person:
    """Somebody who acts by hand: the same rules, journal and webhooks as over HTTP."""

    def __init__(self, server: GitHubServer, login: str) -> None:
        self._server = server
        self.login = login

    def does(self, method: str, path: str, **body: Any) -> Any:
        """Send a request as this person; answers with the body. Raises `Answered`."""
        by = Caller(self.login, key=f"hand:{self.login}")
        _, answer = self._server._routed(method, path, Call(by, (), {}, body))
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
        kind = "pulls" if number in self._server._repo(repo).pulls else "issues"
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
        self._server._pull_of(self._server._repo(repo), str(number))["draft"] = False
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


if __name__ == "__main__":
    main()
