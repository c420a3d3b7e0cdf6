"""Of a failed check the agent gets what names the failure: few lines of a long log, without what nobody sees."""

from __future__ import annotations

import pytest

from services.gateway.inbound.check_report import (
    MAX_ANNOTATIONS,
    MAX_LOG,
    MAX_REPORT,
    Annotation,
    lines_of_failure,
    output_of,
    report,
)

STAMP = "2026-11-26T12:00:00.1234567Z "
LOG = "\n".join(
    f"{STAMP}{line}"
    for line in (
        "##[group]Run make test",
        *(f"collecting {number}" for number in range(500)),
        "tests/test_sum.py::test_cents FAILED",
        "\x1b[1m\x1b[31mE       assert 3 == 2\x1b[0m",
        "1 failed, 0 errors in 0.03s",
        "##[error]Process completed with exit code 1.",
        "##[group]Post job cleanup",
        *(f"cleaning {number}" for number in range(500)),
        "##[endgroup]",
    )
)


def test_the_lines_before_the_end_of_a_failed_step_are_taken_and_what_comes_after_is_not() -> None:
    lines = lines_of_failure(LOG).split("\n")
    at = lines.index("tests/test_sum.py::test_cents FAILED")
    assert lines[at + 1 : at + 4] == [
        "E       assert 3 == 2",
        "1 failed, 0 errors in 0.03s",
        "##[error]Process completed with exit code 1.",
    ]
    assert len(lines) < 30 and not any("cleaning 9" in line for line in lines)


def test_a_line_that_names_the_failure_far_from_the_end_is_taken_with_what_stands_around_it() -> None:
    log = "\n".join(["one", "two", "TypeError: no sum", "three", *["."] * 2_000, "##[error]exit code 1"])
    assert lines_of_failure(log).startswith("one\ntwo\nTypeError: no sum\nthree")
    assert "\n…\n" in lines_of_failure(log)


def test_a_log_that_names_nothing_is_told_by_its_end() -> None:
    assert lines_of_failure("a\nb\nc") == "a\nb\nc"
    assert lines_of_failure("ok, 0 errors\n" + "x\n" * 100 + "last") == "x\n" * 11 + "last"
    assert lines_of_failure("") == ""


@pytest.mark.parametrize(
    "log",
    [
        "error " + "x" * 100_000,
        "error: same\n" * 50_000,
        "\x1b]0;" * 20_000,
        "E " * 90_000,
        "error\n.\n.\n.\n.\n" * 9_000,
    ],
)
def test_what_is_taken_of_a_log_is_bounded_whatever_it_holds(log: str) -> None:
    assert len(lines_of_failure(log)) <= MAX_LOG


def test_the_end_of_a_long_log_counts_and_of_a_line_that_was_written_over_its_last_words() -> None:
    log = "building\n" * 200_000 + "10%\r50%\rFAILED test_sum\r\n##[error]exit code 1\r\n"
    assert lines_of_failure(log).endswith("building\nFAILED test_sum\n##[error]exit code 1")


def test_what_hides_or_steers_a_terminal_is_not_taken() -> None:
    said = report(output_of("a\u202eb", "\x1b[2Jgone<!-- hidden -->"), [], "error: \x1b]0;title\x07\u200bseen", "")
    assert said == "ab\ngone\n\nFrom its log:\nerror: seen"


def test_annotations_are_told_with_their_lines_and_those_that_say_nothing_are_not() -> None:
    said = report(
        "",
        [
            Annotation("failure", "assert 3 == 2", title="test_cents", path="tests/test_sum.py", line=7),
            Annotation("failure", "Process completed with exit code 1.", path=".github", line=12),
            Annotation("notice", "Node 20 is old"),
        ],
        "",
        "Its log could not be read: GitHub answered 410.",
    )
    assert said.split("\n") == [
        "Annotations:",
        "tests/test_sum.py:7: failure: test_cents: assert 3 == 2",
        "",
        "Its log could not be read: GitHub answered 410.",
    ]
    many = report("", [Annotation("warning", f"w{number} " + "x" * 999) for number in range(99)], LOG, "")
    assert len(many) <= MAX_REPORT and f"w{MAX_ANNOTATIONS - 2} " in many
