from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from services.brain.actors.webhook import DECIDER
from shared.contracts.webhook import (
    Change,
    Changed,
    Create,
    Created,
    Definition,
    Disable,
    Disabled,
    Enable,
    Enabled,
    RotateSecret,
    Scheme,
    SecretRotated,
    Verification,
)
from testing.given import given

SIGNED = Definition(verification=Verification(scheme=Scheme.HMAC, header="X-Signature"))
MADE = Created(definition=SIGNED, fingerprint="one")
NOW = datetime(2026, 1, 2, tzinfo=UTC)
UNTIL = NOW + timedelta(days=1)


def test_a_webhook_is_made_once_and_changed_after_that() -> None:
    create = Create(definition=SIGNED, fingerprint="one")
    given(DECIDER).when(create).then(MADE)
    given(DECIDER, MADE).when(create).nothing()
    given(DECIDER, MADE).when(replace(create, fingerprint="two")).is_rejected("webhook-exists")
    other = replace(SIGNED, filters=("action",))
    given(DECIDER, MADE).when(Change(definition=other)).then(Changed(definition=other))
    given(DECIDER, MADE).when(Change(definition=SIGNED)).nothing()
    given(DECIDER).when(Change(definition=SIGNED)).is_rejected("webhook-unknown")


@pytest.mark.parametrize(
    ("verification", "fingerprint"),
    [
        (Verification(scheme=Scheme.HMAC), "one"),
        (Verification(scheme=Scheme.HMAC, header="X", algorithm="sha1"), "one"),
        (Verification(scheme=Scheme.HMAC, header="X", encoding="base32"), "one"),
        (Verification(scheme=Scheme.HMAC, header="X"), ""),
        (Verification(scheme=Scheme.BASIC), "one"),
        (Verification(scheme=Scheme.BEARER), ""),
        (Verification(scheme=Scheme.JWT), ""),
        (Verification(scheme=Scheme.JWT, jwks_url="http://keys.test", audience="us"), ""),
        (Verification(scheme=Scheme.JWT, jwks_url="https://keys.test"), ""),
    ],
)
def test_a_webhook_that_could_not_be_verified_is_refused(verification: Verification, fingerprint: str) -> None:
    create = Create(definition=Definition(verification=verification), fingerprint=fingerprint)
    given(DECIDER).when(create).is_rejected("webhook-unusable")


def test_two_secrets_count_while_one_replaces_the_other() -> None:
    rotated = SecretRotated(fingerprint="two", overlap_until=UNTIL)
    given(DECIDER, MADE).when(RotateSecret(fingerprint="two", overlap_until=UNTIL)).then(rotated)
    given(DECIDER, MADE).when(RotateSecret(fingerprint="one", overlap_until=UNTIL)).nothing()
    webhook = given(DECIDER, MADE, rotated).state
    assert webhook is not None
    assert webhook.fingerprints(NOW) == ("two", "one")
    assert webhook.fingerprints(UNTIL) == ("two",)


def test_a_secret_that_is_not_ours_is_not_replaced_by_us() -> None:
    elsewhere = Created(definition=replace(SIGNED, verification=replace(SIGNED.verification, secret_file="/run/s")))
    given(DECIDER, elsewhere).when(RotateSecret(fingerprint="x", overlap_until=UNTIL)).is_rejected("secret-elsewhere")


def test_a_webhook_without_a_secret_gets_one_before_it_is_verified_by_it() -> None:
    none = Created(definition=Definition(verification=Verification(scheme=Scheme.NONE)))
    given(DECIDER, none).when(Change(definition=SIGNED)).is_rejected("webhook-unusable")
    rotated = SecretRotated(fingerprint="x", overlap_until=UNTIL)
    given(DECIDER, none).when(RotateSecret(fingerprint="x", overlap_until=UNTIL)).then(rotated)
    given(DECIDER, none, rotated).when(Change(definition=SIGNED)).then(Changed(definition=SIGNED))


@pytest.mark.parametrize(
    "how",
    [
        {"header": "X-Sig: a\r\nX-Other"},
        {"header": "x" * 101},
        {"prefix": "sha256=\n"},
        {"prefix": "ü"},
        {"scheme": Scheme.BASIC, "username": "a:b"},
        {"scheme": Scheme.BASIC, "username": "a\nb"},
    ],
)
def test_what_can_stand_in_no_header_is_refused(how: dict[str, str]) -> None:
    definition = replace(SIGNED, verification=replace(SIGNED.verification, **how))
    given(DECIDER).when(Create(definition=definition, fingerprint="f")).is_rejected("webhook-unusable")


def test_a_webhook_is_switched_off_and_on() -> None:
    given(DECIDER, MADE).when(Disable()).then(Disabled())
    given(DECIDER, MADE, Disabled()).when(Disable()).nothing()
    given(DECIDER, MADE, Disabled()).when(Enable()).then(Enabled())
    given(DECIDER, MADE).when(Enable()).nothing()
