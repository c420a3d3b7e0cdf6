from __future__ import annotations

import hashlib
import hmac
import importlib
import pkgutil

import pytest

from services.gateway import inbound
from services.gateway.inbound.registry import ADAPTERS
from services.gateway.inbound.sender import MAX_NAME_CHARS, Incoming, NotAuthentic, Sender, Unnamed, from_header
from services.gateway.inbound.signature import hmac_sha256
from shared.ops.senders import SENDERS

BODY = b'{"number": 7}'
HEX = hmac.new(b"s3cret", BODY, hashlib.sha256).hexdigest()


def incoming(webhook: str = "github", **headers: str) -> Incoming:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Incoming(webhook=webhook, headers=named, body=BODY)


def test_the_gateway_has_an_adapter_for_every_listed_sender_and_lists_every_adapter() -> None:
    modules = [
        importlib.import_module(f"{inbound.__name__}.{each.name}") for each in pkgutil.iter_modules(inbound.__path__)
    ]
    having = {each.__name__.rpartition(".")[2] for each in modules if isinstance(getattr(each, "SENDER", None), Sender)}
    assert having == set(ADAPTERS) == set(SENDERS)


def test_a_signature_in_a_senders_own_header_and_shape_is_verified() -> None:
    verify = hmac_sha256("Acme-Signature", prefix="")
    verify(incoming("acme", acme_signature=HEX), [b"old", b"s3cret"])
    with pytest.raises(NotAuthentic, match="JOURNEYMAN_ACME_WEBHOOK_SECRET"):
        verify(incoming("acme", acme_signature=f"sha256={HEX}"), [b"s3cret"])
    with pytest.raises(NotAuthentic, match="so that it sends Acme-Signature"):
        verify(incoming("acme"), [b"s3cret"])


@pytest.mark.parametrize("secrets", [[], [b"another"]])
def test_without_the_right_secret_no_signature_is_right(secrets: list[bytes]) -> None:
    with pytest.raises(NotAuthentic):
        hmac_sha256("Acme-Signature", prefix="")(incoming("acme", acme_signature=HEX), secrets)


def test_github_says_that_a_sha1_signature_does_not_count() -> None:
    with pytest.raises(NotAuthentic, match=r"Only SHA-256 signatures count \(X-Hub-Signature-256\)"):
        ADAPTERS["github"].verify(incoming(x_hub_signature="sha1=00"), [b"s3cret"])


def test_github_counts_the_sha256_signature_also_beside_a_sha1_one() -> None:
    ADAPTERS["github"].verify(incoming(x_hub_signature="sha1=00", x_hub_signature_256=f"sha256={HEX}"), [b"s3cret"])


@pytest.mark.parametrize("value", ["", "x" * (MAX_NAME_CHARS + 1)])
def test_a_name_that_is_missing_or_too_long_is_refused_by_its_header(value: str) -> None:
    with pytest.raises(Unnamed, match="The header Acme-Event is missing or too long"):
        from_header("Acme-Event")(incoming("acme", acme_event=value))
    assert from_header("Acme-Event")(incoming("acme", acme_event="x" * MAX_NAME_CHARS)) == "x" * MAX_NAME_CHARS
