from __future__ import annotations

import hashlib
import hmac

import pytest

from services.gateway.inbound.signature import is_signed, secrets_of

SECRET = "It's a Secret to Everybody"
BODY = b"Hello, World!"
SIGNATURE = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
"""GitHub's own example: https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries"""


def test_githubs_published_example_is_signed() -> None:
    assert is_signed(SIGNATURE, BODY, secrets_of(SECRET))


@pytest.mark.parametrize(
    "header",
    [
        "",
        "sha256=",
        SIGNATURE.upper(),
        SIGNATURE[:-1],
        SIGNATURE + "0",
        SIGNATURE.removeprefix("sha256="),
        "sha256=é" + SIGNATURE[8:],
        "sha1=" + hmac.new(SECRET.encode(), BODY, hashlib.sha1).hexdigest(),
        "sha256=" + hmac.new(SECRET.encode(), BODY, hashlib.sha1).hexdigest(),
    ],
)
def test_nothing_but_the_exact_sha256_signature_counts(header: str) -> None:
    assert not is_signed(header, BODY, secrets_of(SECRET))


def test_one_changed_byte_breaks_the_signature() -> None:
    assert not is_signed(SIGNATURE, BODY + b" ", secrets_of(SECRET))


@pytest.mark.parametrize("setting", [f"{SECRET},new", f"new, {SECRET}", f" {SECRET} "])
def test_during_a_rotation_either_secret_signs(setting: str) -> None:
    assert is_signed(SIGNATURE, BODY, secrets_of(setting))


def test_a_secret_may_have_a_comma_in_it() -> None:
    signature = "sha256=" + hmac.new(b"a,b", BODY, hashlib.sha256).hexdigest()
    assert is_signed(signature, BODY, secrets_of("a,b"))


@pytest.mark.parametrize("setting", ["", " ", ",", " , "])
def test_an_empty_setting_is_no_secret_rather_than_an_empty_one(setting: str) -> None:
    empty = "sha256=" + hmac.new(b"", BODY, hashlib.sha256).hexdigest()
    assert not is_signed(empty, BODY, secrets_of(setting))
