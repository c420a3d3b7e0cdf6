from __future__ import annotations

import pytest

from shared.contracts.evidence import Check, CheckVerdict, Evidence, Outcome
from shared.contracts.sentences.evidence import NOT_OBSERVED, class_of, observed

PASSED = Check(command="ruff", exit_code=0, duration_ms=1, verdict=CheckVerdict.PASSED)
BEFORE = Check(command="mypy", exit_code=1, duration_ms=1, verdict=CheckVerdict.FAILED_BEFORE)
ODD = Check(command="mvn", exit_code=127, duration_ms=1, verdict=CheckVerdict.COULD_NOT_RUN, reason="There is no mvn.")
FEWER = Check(
    command="pytest",
    exit_code=0,
    duration_ms=1,
    verdict=CheckVerdict.PASSED,
    reason="It ends with 0, but 1 test less ran.",
)
BROKEN = Check(command="pytest", exit_code=1, duration_ms=1, verdict=CheckVerdict.FAILED, reason="test_a fails anew.")


@pytest.mark.parametrize(
    ("evidence", "checks", "sentence"),
    [
        (None, (), NOT_OBSERVED),
        (None, (PASSED,), "1 check passed."),
        (Evidence.VERIFIED, (PASSED, PASSED), "Verified: 2 checks passed, in a clean checkout of the result."),
        (
            Evidence.NO_NEW_FAILURES,
            (PASSED, BEFORE),
            "No new failures: 1 check passed, 1 check failed before too, in the same way.",
        ),
        (Evidence.FAILING, (PASSED, BROKEN), "Failing: the work breaks pytest (test_a fails anew)."),
        (
            Evidence.UNVERIFIED,
            (PASSED, ODD),
            "Not verified: 1 check passed, 1 check could not run. mvn (There is no mvn).",
        ),
        (
            Evidence.UNVERIFIED,
            (PASSED, FEWER),
            "Not verified: 2 checks passed. pytest (It ends with 0, but 1 test less ran).",
        ),
        (Evidence.UNVERIFIED, (PASSED,), "Not verified: 1 check passed."),
    ],
)
def test_what_was_observed_is_told_with_what_it_rests_on(
    evidence: Evidence | None, checks: tuple[Check, ...], sentence: str
) -> None:
    assert observed(evidence, checks) == sentence


def test_a_result_without_checks_says_how_to_name_them() -> None:
    assert "Name them in journeyman.toml" in observed(Evidence.UNVERIFIED, ())


@pytest.mark.parametrize(
    ("evidence", "outcome", "words"),
    [
        (Evidence.UNVERIFIED, Outcome.CHANGED, "not verified"),
        ("", Outcome.NOTHING_TO_CHANGE, "nothing to change"),
        ("", Outcome.CHANGED, ""),
        ("of-a-later-version", "", "of-a-later-version"),
    ],
)
def test_a_class_of_evidence_or_an_outcome_is_a_word_or_two(evidence: str, outcome: str, words: str) -> None:
    assert class_of(evidence, outcome) == words
