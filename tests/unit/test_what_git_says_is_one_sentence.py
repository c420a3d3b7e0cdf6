"""What git and ssh say of a failure, without the advice that git adds to all of them."""

from __future__ import annotations

import pytest

from shared.workspace.git import Answer, failed

_ADVICE = "\nPlease make sure you have the correct access rights\nand the repository exists.\n"


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (
            f"git@host: Permission denied (publickey).\nfatal: Could not read from remote repository.\n{_ADVICE}",
            "git ls-remote failed (exit code 128): git@host: Permission denied (publickey).",
        ),
        (f"fatal: Could not read from remote repository.\n{_ADVICE}", "fatal: Could not read from remote repository."),
        (f"fatal: 'x' does not appear to be a git repository\n{_ADVICE}", "fatal: 'x' does not appear"),
        ("", "no reason given"),
    ],
)
def test_the_reason_ends_where_the_reason_ends(said: str, told: str) -> None:
    sentence = str(failed(("ls-remote", "x"), Answer(128, b"", said)))
    assert told in sentence
    assert "repository exists" not in sentence
    assert sentence.endswith(told) or "does not appear" in told
