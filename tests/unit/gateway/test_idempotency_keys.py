from __future__ import annotations

import pytest

from services.gateway.api.idempotency import read_key
from services.gateway.problems import Problem
from shared.nats.idempotency import fingerprint


@pytest.mark.parametrize(
    ("sent", "key"),
    [
        ("8e03978e-40d5-43dd-bc93-6894a57f9324", "8e03978e-40d5-43dd-bc93-6894a57f9324"),
        ('"8e03978e-40d5-43dd-bc93-6894a57f9324"', "8e03978e-40d5-43dd-bc93-6894a57f9324"),
        (r'"a\"b\\c"', 'a"b\\c'),
        ("a.*>$", "a.*>$"),
        ("k" * 255, "k" * 255),
        ('"' + "k" * 255 + '"', "k" * 255),
    ],
)
def test_a_key_is_a_quoted_string_or_a_bare_word(sent: str, key: str) -> None:
    assert read_key([sent]) == key


@pytest.mark.parametrize(
    "sent",
    ["", '""', " ", "a b", '"a b"', "k" * 256, '"open', '"a"b"', '"a\\b"', "schlüssel", "a\tb", "a\x7f"],
)
def test_a_malformed_key_is_refused_with_its_code(sent: str) -> None:
    with pytest.raises(Problem) as refusal:
        read_key([sent])
    assert (refusal.value.status, refusal.value.code) == (400, "idempotency-key-malformed")
    assert refusal.value.detail.endswith(".")


def test_two_keys_in_one_request_are_refused() -> None:
    with pytest.raises(Problem) as refusal:
        read_key(["a", "a"])
    assert (refusal.value.status, refusal.value.code) == (400, "idempotency-key-malformed")


def test_only_the_same_request_has_the_same_fingerprint() -> None:
    assert fingerprint(["text", "title"]) == fingerprint(["text", "title"])
    assert fingerprint(["text", "title"]) != fingerprint(["texttitle", ""])
