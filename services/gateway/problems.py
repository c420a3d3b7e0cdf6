"""Errors as RFC 9457 problem details, each with a stable ``code`` and one sentence that says what to do."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Any, Final, cast

import msgspec
import structlog
from litestar import Request, Response
from litestar.enums import MediaType, ScopeType
from litestar.exceptions import HTTPException, MethodNotAllowedException, NotFoundException, ValidationException
from litestar.openapi.datastructures import ResponseSpec
from litestar.types import Scope, Send

from shared.contracts.decider import Rejected
from shared.contracts.subjects import BadAddress
from shared.event_store.envelope import TooLarge
from shared.event_store.journal import LogDamaged, LogFull, LogUnavailable
from shared.nats.idempotency import KeyReused
from shared.nats.objects import ArtifactLost, ConversationLost
from shared.runtime.acknowledge import TRANSIENT
from shared.runtime.actor_host import UnknownKind
from shared.runtime.client import NoAnswer, QueryFailed

MEDIA_TYPE: Final = "application/problem+json"
RETRY_AFTER_S: Final = 5

_QUERY_STATUS: Final = {
    "not-found": 404,
    "projector-away": 503,
    "not-caught-up": 503,
    "busy": 503,
    "answer-unreadable": 503,
    "replay-over": 410,
}

_NAMED_FIELD: Final = re.compile(r"(?:required|unknown) field `([^`]+)`")

log = structlog.get_logger(__name__)


class FieldError(msgspec.Struct, frozen=True):
    """One field that is wrong: its name as sent (``budget_microusd``), and what it must be."""

    field: str
    message: str


class ProblemDetails(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The body of every error."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    instance: str = ""
    errors: tuple[FieldError, ...] = ()


class Problem(Exception):
    """An error that a caller can do something about."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        errors: tuple[FieldError, ...] = (),
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.errors = errors
        self.headers = headers or {}

    def body(self, instance: str) -> bytes:
        """The problem details as JSON; ``instance`` is the path that was asked for."""
        return msgspec.json.encode(
            ProblemDetails(
                type=f"urn:journeyman:problem:{self.code}",
                title=HTTPStatus(self.status).phrase,
                status=self.status,
                detail=self.detail,
                code=self.code,
                instance=instance,
                errors=self.errors,
            )
        )


def documented(description: str) -> ResponseSpec:
    """A problem as the OpenAPI document has it."""
    # Litestar takes any media type, and its annotation names some.
    media_type = cast(MediaType, MEDIA_TYPE)
    return ResponseSpec(ProblemDetails, description=description, generate_examples=False, media_type=media_type)


def unavailable(code: str, detail: str) -> Problem:
    """503, and when to come again."""
    return Problem(503, code, detail, headers={"Retry-After": str(RETRY_AFTER_S)})


def problem_of(error: Exception) -> Problem:
    """The problem that an exception means to the caller; what nobody foresaw is a plain 500."""
    match error:
        case Problem():
            return error
        case Rejected(
            code="task-unknown"
            | "check-unknown"
            | "step-unknown"
            | "delivery-unknown"
            | "webhook-unknown"
            | "user-unknown"
            | "token-unknown"
            | "session-unknown"
            | "message-unknown"
            | "proposal-unknown"
        ):
            return Problem(404, error.code, error.sentence)
        case Rejected(code="role-lacking" | "scope-lacking" | "user-disabled"):
            return Problem(403, error.code, error.sentence)
        case Rejected(code="too-large"):
            return Problem(413, error.code, error.sentence)
        case TooLarge():
            return Problem(413, "too-large", str(error))
        case Rejected(
            code="command-invalid"
            | "text-empty"
            | "text-too-long"
            | "retry-contradictory"
            | "agent-unknown"
            | "repo-unknown"
            | "repo-unnamed"
            | "webhook-name"
            | "webhook-unusable"
            | "expression-invalid"
            | "sample-unreadable"
            | "secret-length"
            | "secret-malformed"
            | "secret-unused"
            | "user-name"
            | "token-name"
            | "token-role"
            | "token-scope"
        ):
            return Problem(400, error.code, error.sentence)
        case Rejected():
            return Problem(409, error.code, error.sentence)
        case BadAddress():
            return Problem(404, "not-found", str(error))
        case NoAnswer():
            return Problem(504, "no-answer", str(error))
        case QueryFailed():
            status = _QUERY_STATUS.get(error.code, 400)
            return unavailable(error.code, error.detail) if status == 503 else Problem(status, error.code, error.detail)
        case KeyReused():
            return Problem(422, "idempotency-key-reused", str(error))
        case ArtifactLost():
            return Problem(410, "artifact-lost", str(error))
        case ConversationLost():
            return Problem(410, "conversation-lost", str(error))
        case LogFull():
            return unavailable("log-full", str(error))
        case LogUnavailable():
            return unavailable("log-unavailable", str(error))
        case LogDamaged():
            return Problem(500, "log-damaged", str(error))
        case UnknownKind():
            return Problem(404, "not-found", str(error))
        case HTTPException():
            return _http_problem(error)
        case _ if isinstance(error, TRANSIENT):
            return unavailable("nats-away", "NATS does not answer: check that it runs, then try again.")
        case _:
            return Problem(500, "internal-error", "Something went wrong in the gateway; its log has the details.")


def _http_problem(error: HTTPException) -> Problem:
    match error:
        case ValidationException():
            errors = _field_errors(error.extra)
            first = f"{errors[0].field}: {errors[0].message}" if errors else error.detail
            return Problem(400, "invalid-request", f"The request does not fit: {first}.", errors=errors)
        case NotFoundException():
            return Problem(404, "not-found", "There is nothing at this address.")
        case MethodNotAllowedException():
            allowed = dict(error.headers or {})
            return Problem(405, "method-not-allowed", "This address does not take this method.", headers=allowed)
        case _ if error.status_code == 413:
            return Problem(413, "too-large", "The body is larger than this address takes.")
        case _:
            phrase = HTTPStatus(error.status_code).phrase
            sentence = (error.detail or phrase).rstrip(".") + "."
            return Problem(error.status_code, phrase.lower().replace(" ", "-"), sentence)


def _field_errors(extra: Any) -> tuple[FieldError, ...]:
    if not isinstance(extra, list):
        return ()
    return tuple(_field_error(each) for each in extra if isinstance(each, dict))


def _field_error(extra: dict[str, Any]) -> FieldError:
    message = str(extra.get("message", "is wrong"))
    key = str(extra.get("key") or "body")
    # A missing or unknown field is reported of the whole body, with its name in the sentence.
    named = _NAMED_FIELD.search(message) if key in ("data", "body") else None
    # A parameter whose name is a word of Python has an underscore behind it.
    return FieldError(field=named.group(1) if named else key.rstrip("_"), message=message)


def handle(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """Litestar's exception handler for everything."""
    problem = problem_of(error)
    if problem.status >= 500 and problem.code == "internal-error":
        log.error("request failed", method=request.method, path=request.url.path, exc_info=error)
    return Response(
        problem.body(request.url.path),
        status_code=problem.status,
        media_type=MEDIA_TYPE,
        headers=problem.headers,
    )


async def refuse(problem: Problem, scope: Scope, send: Send) -> None:
    """Answer with a problem before any route is asked, and close the connection."""
    if scope["type"] == ScopeType.WEBSOCKET:
        # Before the handshake: the browser sees 403.
        await send({"type": "websocket.close", "code": 1008, "reason": problem.code})
        return
    body = problem.body(scope["path"])
    await send(
        {
            "type": "http.response.start",
            "status": problem.status,
            "headers": [
                (b"content-type", MEDIA_TYPE.encode()),
                (b"content-length", str(len(body)).encode()),
                (b"connection", b"close"),
                *((name.lower().encode(), value.encode()) for name, value in problem.headers.items()),
            ],
        }
    )
    await send({"type": "http.response.body", "body": body, "more_body": False})
