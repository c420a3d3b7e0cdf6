"""Every way a run can end has one stable code and a sentence that says what to do."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from shared.claude.conversation.outcome import SENTENCES, Outcome, outcome_of
from shared.claude.conversation.stream import Limit, Result, read_line
from tests.recordings.recorded_runs import RecordedRun, RecordedRuns


def _judged(recorded: RecordedRun, *, stderr: str = "", schema_asked: bool = False) -> Outcome:
    last, resets_at = None, None
    for line in map(read_line, recorded.lines):
        match line:
            case Result():
                last = line
            case Limit(resets_at=when):
                resets_at = when
    return outcome_of(recorded.exit_code, last, stderr, schema_asked, resets_at)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("plain", "ok"),
        ("failed-tool", "ok"),
        ("permission-denied", "ok"),
        ("api-sse-error", "ok"),
        ("api-429-529-then-success", "ok"),
        ("api-401", "agent-auth"),
        ("api-403", "agent-auth"),
        ("auth-none", "agent-auth"),
        ("api-429-forever", "agent-rate-limited"),
        ("rate-limit-apikey-429-retryafter-long", "agent-rate-limited"),
        ("rate-limit-oauth-rejected", "agent-rate-limited"),
        ("api-529-forever", "agent-overloaded"),
        ("api-credit", "agent-billing"),
        ("api-400", "agent-error"),
        ("max-turns", "agent-max-turns"),
        ("budget-exceeded", "agent-budget"),
        ("budget-exceeded-single-turn", "agent-budget"),
        ("stop-interrupt-control", "agent-interrupted"),
        ("stop-sigint", "agent-interrupted"),
        ("interrupt-mid-stream", "agent-interrupted"),
        ("stop-sigterm", "agent-killed"),
        ("stop-sigkill", "agent-killed"),
        ("left-bg", "agent-killed"),
        ("startup-failure", "agent-start-failed"),
        ("resume-5-unknown", "agent-start-failed"),
        ("bad-flag", "agent-start-failed"),
    ],
)
def test_a_recorded_end_has_its_code(recordings: RecordedRuns, name: str, code: str) -> None:
    outcome = _judged(recordings[name])
    assert (outcome.ok, outcome.code) == (code == "ok", code)
    assert outcome.message.startswith(SENTENCES[code])


def test_an_answer_in_the_form_asked_for_is_success_and_none_is_not(recordings: RecordedRuns) -> None:
    given = _judged(recordings["structured-output"], schema_asked=True)
    never = _judged(recordings["structured-output-never"], schema_asked=True)
    assert (given.ok, given.structured) == (True, {"name": "x", "n": 3})
    assert (never.ok, never.code) == (False, "agent-no-structured-output")


def test_success_on_the_line_but_another_exit_code_is_no_success(recordings: RecordedRuns) -> None:
    plain = recordings["plain"]
    assert _judged(plain._replace(exit_code=3)).code == "agent-error"
    assert _judged(plain._replace(exit_code=137)).code == "agent-killed"
    assert _judged(plain._replace(exit_code=None)).code == "agent-killed"


def test_a_limit_says_when_it_is_lifted(recordings: RecordedRuns) -> None:
    outcome = _judged(recordings["rate-limit-oauth-rejected"])
    assert outcome.retry_at == datetime.fromtimestamp(1795334137, UTC)


def test_a_start_that_failed_gives_the_reason_from_stderr(recordings: RecordedRuns) -> None:
    outcome = _judged(recordings["bad-flag"], stderr="warning\nerror: unknown option '--nope'\n")
    assert outcome.message.endswith("Reason: error: unknown option '--nope'")


def test_a_missing_cli_is_named(recordings: RecordedRuns) -> None:
    assert outcome_of(127, None).code == "agent-cli-missing"


def test_denied_tools_are_told(recordings: RecordedRuns) -> None:
    assert _judged(recordings["permission-denied"]).denials


def test_a_session_that_ends_without_a_turn_of_the_model_is_no_work() -> None:
    outcome = outcome_of(0, Result(subtype="success", is_error=False, text="Error: No messages to compact", turns=0))
    assert (outcome.ok, outcome.code, outcome.text) == (False, "agent-no-turn", "")
    assert not outcome.retryable
    assert outcome_of(0, Result(subtype="success", is_error=False, turns=1)).ok


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("Connection refused — a firewall or proxy may be blocking it (ECONNREFUSED)", "agent-unreachable"),
        ("Can't reach the API server — check your internet or DNS (ENOTFOUND)", "agent-unreachable"),
        ("No internet route — check your connection or VPN (EHOSTUNREACH)", "agent-unreachable"),
        ("Unable to connect to API (ETIMEDOUT)", "agent-unreachable"),
        ("Unable to connect to API. Check your internet connection", "agent-unreachable"),
        ("Unable to connect to API: SSL certificate verification failed (CERT_HAS_EXPIRED).", "agent-error"),
        ("Couldn't connect through your proxy (ERR_PROXY_TUNNEL) — the proxy refused the tunnel", "agent-error"),
    ],
)
def test_a_network_that_is_away_may_come_back_and_what_is_configured_wrong_does_not(said: str, code: str) -> None:
    outcome = outcome_of(1, Result(subtype="success", is_error=True, text=f"API Error: {said}", turns=3))
    assert (outcome.code, outcome.retryable) == (code, code == "agent-unreachable")
