"""A signed delivery of our own to our own webhook: whether secret, repository and receiver fit together, can be seen.

The delivery takes the way that GitHub's take: the same route, the same check of the signature, the same log.
"""

from __future__ import annotations

import hmac
import time
import uuid
from collections import deque
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import httpx
import msgspec

from services.gateway.inbound.github import SIGNATURE
from services.gateway.problems import Problem
from shared.contracts.delivery import SELF_TEST
from shared.contracts.ids import derived_task_id
from shared.ops.config import Config
from shared.ops.senders import secret_setting
from shared.ops.settings import variable_of

SENDER: Final = "github"
AUTHOR: Final = SELF_TEST
"""Nobody's account: GitHub's logins have no dot, so that nobody else is taken for us."""
MOST: Final = 5
PER_S: Final = 60.0
"""At most `MOST` deliveries in so many seconds: each may become a task, and a task costs money."""

TITLE: Final = "Test event from the dashboard"
TEXT: Final = (
    "{mention} This is a test event that the dashboard has sent to itself. "
    "What is this repository about? Answer in one sentence: nothing has to change."
)


class Delivered(msgspec.Struct, frozen=True, kw_only=True):
    """What the webhook answered: the id of the stored delivery and of the task that it becomes, else why not."""

    status: int
    delivery: str = ""
    task_id: str = ""
    reason: str = ""


class TrialLimit:
    """Counts what people try out: raises `Problem` for what is too much."""

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        *,
        code: str = "too-many-test-events",
        what: str = "test events",
    ) -> None:
        self._clock = clock
        self._code = code
        self._what = what
        self._sent: deque[float] = deque(maxlen=MOST)

    def count(self) -> None:
        """One more."""
        now = self._clock()
        if len(self._sent) == MOST and now - self._sent[0] < PER_S:
            wait = int(PER_S - (now - self._sent[0])) + 1
            raise Problem(
                429,
                self._code,
                f"{MOST} {self._what} a minute are enough: ask for the next one in {wait} s.",
                headers={"Retry-After": str(wait)},
            )
        self._sent.append(now)


class SelfDelivery:
    """Sends issues to our own webhook, signed with the first of ``secrets``."""

    def __init__(
        self, secrets: Sequence[bytes], config: Callable[[], Config], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._secrets = secrets
        self._config = config
        self._limit = TrialLimit(clock)

    async def send(self, app: Any, repo: str) -> Delivered:
        """Have ``app`` (an ASGI application) receive an issue of ``repo``; an empty name means the only repository.

        Raises `Problem` when there is no secret or no such repository, and after too many of them.
        """
        secret, config = self._secret(), self._config()
        name = _repository(config, repo)
        self._limit.count()
        opened = datetime.now(UTC).replace(microsecond=0)
        number = int(opened.timestamp())
        body = msgspec.json.encode(issue(name, number, opened, mention=config.policy.mention))
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://localhost", trust_env=False
        ) as http:
            answer = await http.post(f"/webhooks/{SENDER}", content=body, headers=signed(body, secret))
        return _told(answer, derived_task_id(number * 1000, f"{SENDER}:{name}#{number}"))

    def _secret(self) -> bytes:
        if self._secrets:
            return self._secrets[0]
        raise Problem(
            409,
            "webhook-not-configured",
            f"The webhook has no secret: set {variable_of(secret_setting(SENDER))} and restart the gateway.",
        )


def issue(repo: str, number: int, opened: datetime, *, mention: str) -> dict[str, Any]:
    """The body of ``issues`` ``opened``, as far as it is read. Its author is not trusted: no plan approves itself."""
    person = {"login": AUTHOR, "type": "User"}
    return {
        "action": "opened",
        "issue": {
            "number": number,
            "title": TITLE,
            "body": TEXT.format(mention=mention),
            "state": "open",
            "html_url": "",
            "user": person,
            "author_association": "NONE",
            "labels": [],
            "created_at": opened.strftime("%Y-%m-%dT%H:%M:%SZ"),
        },
        "repository": {"full_name": repo},
        "sender": person,
    }


def signed(body: bytes, secret: bytes) -> dict[str, str]:
    """The headers of a delivery."""
    return {
        "Content-Type": "application/json",
        "X-GitHub-Event": "issues",
        "X-GitHub-Delivery": str(uuid.uuid4()),
        SIGNATURE: "sha256=" + hmac.digest(secret, body, "sha256").hex(),
    }


def _repository(config: Config, name: str) -> str:
    """The full name of a configured repository; raises `Problem`."""
    if config.repo_for(name) is not None:
        return config.name_for(name)
    if not config.repos:
        raise Problem(409, "repo-unknown", 'No repository is configured: add [repos."owner/name"] to journeyman.toml.')
    names = ", ".join(sorted(config.repos))
    raise Problem(409, "repo-unknown", f"Name a configured repository; there are: {names}.")


def _told(answer: httpx.Response, task_id: str) -> Delivered:
    told = msgspec.json.decode(answer.content, type=dict[str, Any])
    if "delivery" in told:
        return Delivered(status=answer.status_code, delivery=str(told["delivery"]), task_id=task_id)
    return Delivered(status=answer.status_code, reason=str(told.get("reason") or told.get("detail") or ""))
