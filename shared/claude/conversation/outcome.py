"""How a run ended, as a code for programs and a sentence for people (pure)."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import msgspec

from shared.claude.conversation.stream import Result
from shared.contracts.task import BUDGET_REACHED
from shared.contracts.usage import ModelUsage


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """The end of one process.

    ``code`` is ``ok`` or one of the stable ``agent-…`` codes in `SENTENCES`. ``usage`` is everything the process used,
    ``unreported`` the part of it that no turn or step has handed over. ``unheard`` are the ids of messages that were
    sent but that the agent did not get to. ``retry_at`` is when a limit is lifted, where the API said so.
    """

    ok: bool
    code: str
    message: str
    text: str = ""
    structured: dict[str, object] | None = None
    turns: int = 0
    usage: tuple[ModelUsage, ...] = ()
    unreported: tuple[ModelUsage, ...] = ()
    session_id: str = ""
    cli_version: str = ""
    denials: tuple[str, ...] = ()
    unheard: tuple[str, ...] = ()
    retry_at: datetime | None = None

    @property
    def retryable(self) -> bool:
        """Whether the failure may pass by itself."""
        return self.code in PASSING


PASSING = frozenset({"agent-overloaded", "agent-unreachable", "agent-rate-limited", "agent-killed", "agent-silent"})
"""Codes of failures that another try, later, may not meet."""

SENTENCES = {
    "ok": "The agent finished.",
    "agent-auth": "The model API refused the key: set ANTHROPIC_API_KEY to a valid key and retry the task.",
    "agent-rate-limited": "The model API's rate limit was reached: retry later or raise the limit of the account.",
    "agent-overloaded": "The model API is overloaded or failing: retry in a few minutes.",
    "agent-unreachable": "The model API could not be reached from this machine: see its network, then retry.",
    "agent-billing": "The model account has no credit left: top it up and retry the task.",
    "agent-max-turns": "The agent used up its turns: retry to let it go on, or raise maxTurns in its CLAUDE.md.",
    BUDGET_REACHED: "The agent reached its budget: retry the task with a larger one (`--budget`), or, for triage and "
    "planning, raise JOURNEYMAN_RUN_BUDGET_USD first.",
    "agent-interrupted": "The agent was stopped on request.",
    "agent-killed": "The agent's process was killed from outside (out of memory?): retry to go on from its last turn.",
    "agent-silent": "The agent gave no sign of life for too long and was stopped: retry to go on from its last turn.",
    "agent-timeout": "The agent took longer than allowed and was stopped: raise RUN_TIMEOUT_SECONDS or split the task.",
    "agent-output": "The agent wrote more than allowed and was stopped: split the task, or raise "
    "JOURNEYMAN_MAX_AGENT_OUTPUT_BYTES.",
    "agent-start-failed": "The agent could not start: see the reason and correct the agent's folder or settings.",
    "agent-no-turn": "The agent ended without a word to its model, so nothing was done: retry the task in other words.",
    "agent-no-structured-output": "The agent did not answer in the form asked for: retry the task.",
    "agent-error": "The agent ended with an error: see the reason and retry.",
    "agent-cli-missing": "The Claude Code CLI was not found: run `make install` or set CLAUDE_CLI to it.",
}
"""What each code means for a person, with what to do."""

_REASON_LIMIT = 500
_UNREACHED = re.compile(
    r"\((econnre(set|fused)|econnaborted|epipe|connection(closed|refused)|err_socket_closed|und_err_socket|enotfound"
    r"|eai_again|failedtoopensocket|e(net|host)(unreach|down)|etimedout)\)|check your internet connection"
)
"""What the CLI says in lower case of a connection that it could not make, or that broke; it does not try for long."""


def outcome_of(
    exit_code: int | None,
    last_result: Result | None,
    stderr_tail: str = "",
    schema_asked: bool = False,
    resets_at: int | None = None,
) -> Outcome:
    """What the end of a process means.

    Success needs exit code 0 *and* a last result that is no error *and* a turn of the model *and* the structured output
    if one was asked for: an API failure is reported as ``subtype: "success"`` with ``is_error``, an unmet schema and a
    command that the CLI carried out by itself with neither. ``exit_code``
    None means that the process and its wrapper were killed; ``resets_at`` (seconds since the epoch) is the last limit
    announced.
    """
    if last_result is None:
        return _without_result(exit_code, stderr_tail)
    code, reason = _code(exit_code, last_result, schema_asked)
    retry_at = (
        datetime.fromtimestamp(resets_at, UTC) if resets_at is not None and code == "agent-rate-limited" else None
    )
    return Outcome(
        ok=code == "ok",
        code=code,
        message=_sentence(code, reason),
        text=last_result.text if code == "ok" else "",
        structured=last_result.structured,
        turns=last_result.turns,
        session_id=last_result.session_id,
        denials=last_result.denials,
        retry_at=retry_at,
    )


def ended_by_us(code: str, last_result: Result | None = None) -> Outcome:
    """The outcome when the service ended the run itself: interrupted, silent, timed out, or refused by the API."""
    return Outcome(
        ok=False,
        code=code,
        message=SENTENCES[code],
        turns=0 if last_result is None else last_result.turns,
        session_id="" if last_result is None else last_result.session_id,
        denials=() if last_result is None else last_result.denials,
    )


def _without_result(exit_code: int | None, stderr_tail: str) -> Outcome:
    reason = _last_line(stderr_tail)
    if exit_code in (126, 127):
        code = "agent-cli-missing"
    elif exit_code is None or exit_code > 128 or exit_code < 0:
        code, reason = "agent-killed", ""
    else:
        code = "agent-start-failed"
    return Outcome(ok=False, code=code, message=_sentence(code, reason))


def _code(exit_code: int | None, result: Result, schema_asked: bool) -> tuple[str, str]:
    reason = result.text or "; ".join(result.errors)
    match result.subtype:
        case "error_max_turns":
            return "agent-max-turns", ""
        case "error_max_budget_usd":
            return BUDGET_REACHED, ""
        case "error_max_structured_output_retries":
            return "agent-no-structured-output", ""
        case "success" if result.is_error:
            return _api_failure(result), reason
        case "success" if exit_code is None or exit_code > 128 or exit_code < 0:
            return "agent-killed", ""
        case "success" if exit_code != 0:
            return "agent-error", f"exit code {exit_code}"
        case "success" if result.turns == 0:
            return "agent-no-turn", ""
        case "success" if schema_asked and result.structured is None:
            return "agent-no-structured-output", ""
        case "success":
            return "ok", ""
        case _ if result.startup_failure is not None or (result.turns == 0 and result.terminal_reason is None):
            return "agent-start-failed", reason
        case _ if result.terminal_reason in ("aborted_tools", "aborted_streaming"):
            return "agent-interrupted", ""
        case _:
            return "agent-error", reason


def _api_failure(result: Result) -> str:
    text = result.text.lower()
    match result.api_error_status:
        case _ if "credit balance" in text or result.api_error_status == 402:
            return "agent-billing"
        case 401 | 403:
            return "agent-auth"
        case None if "not logged in" in text or "/login" in text:
            return "agent-auth"
        case 429:
            return "agent-rate-limited"
        case int(status) if status >= 500:
            return "agent-overloaded"
        case None if _UNREACHED.search(text):
            return "agent-unreachable"
        case _:
            return "agent-error"


def _sentence(code: str, reason: str) -> str:
    sentence = SENTENCES[code]
    reason = " ".join(reason.split())
    if not reason:
        return sentence
    return f"{sentence} Reason: {reason[:_REASON_LIMIT]}{'…' if len(reason) > _REASON_LIMIT else ''}"


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else ""
