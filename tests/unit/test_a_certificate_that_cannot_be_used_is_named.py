"""The gateway's own certificate: what is wrong with its files is one sentence, and this machine knows its own alone."""

from __future__ import annotations

import shutil
import ssl
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from shared.ops.certificate import certificate_problem, trust_in
from testing.nats_logins import Authority

Pair = tuple[Path, Path]


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "authority")


@pytest.fixture
def pair(authority: Authority) -> Pair:
    """The files of a certificate and of its key."""
    return authority.signs("gateway")


def test_a_certificate_and_its_key_are_no_problem_also_with_those_of_its_authorities(
    authority: Authority, pair: Pair
) -> None:
    cert, key = pair
    assert certificate_problem(cert, key) == ""
    cert.write_bytes(cert.read_bytes() + authority.ca.read_bytes())
    assert certificate_problem(cert, key) == ""


def test_a_key_of_another_certificate_is_named(authority: Authority, pair: Pair) -> None:
    cert, _ = pair
    _, other = authority.signs("other")
    assert certificate_problem(cert, other).startswith(f"{other} is not the key of the first certificate in {cert}")
    cert.write_bytes(authority.ca.read_bytes() + cert.read_bytes())
    assert "the first certificate" in certificate_problem(cert, pair[1]), "the chain is the wrong way round"


def test_files_that_cannot_be_read_or_hold_something_else_are_named(pair: Pair, tmp_path: Path) -> None:
    cert, key = pair
    gone, nothing = tmp_path / "gone.pem", tmp_path / "nothing.pem"
    nothing.write_text("-----BEGIN CERTIFICATE-----\nbm9uZQ==\n-----END CERTIFICATE-----\n")
    assert certificate_problem(cert, gone).startswith(f"{gone} cannot be read (No such file or directory)")
    assert certificate_problem(tmp_path, key).startswith(f"{tmp_path} cannot be read (Is a directory)")
    assert certificate_problem(nothing, key).startswith(f"{nothing} holds no certificate")
    assert certificate_problem(cert, cert).startswith(f"{cert} holds no private key")
    assert certificate_problem(key, key).startswith(f"{key} holds no certificate")


def test_a_key_with_a_passphrase_is_refused_and_nobody_is_asked_for_it(pair: Pair) -> None:
    cert, key = pair
    private = serialization.load_pem_private_key(key.read_bytes(), password=None)
    locked = serialization.BestAvailableEncryption(b"hush")
    key.write_bytes(private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, locked))
    assert certificate_problem(cert, key).startswith(f"{key} has a passphrase")


def shake_hands(client: ssl.SSLContext, cert: Path, key: Path) -> None:
    """TLS between a client and a server that are here both; raises `ssl.SSLError`."""
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(cert, key)
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    sides = [
        client.wrap_bio(to_client, to_server, server_hostname="127.0.0.1"),
        server.wrap_bio(to_server, to_client, server_side=True),
    ]
    for _ in range(4):
        for side in sides:
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
    assert sides[0].getpeercert(binary_form=True)


def test_a_gateway_is_known_by_its_certificate_and_another_of_the_same_authority_is_not(
    authority: Authority, pair: Pair
) -> None:
    cert, key = pair
    cert.write_bytes(cert.read_bytes() + authority.ca.read_bytes())
    shake_hands(trust_in(cert), cert, key)
    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(trust_in(cert), *authority.signs("other"))
    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(trust_in(None), cert, key)
    shutil.copy(cert, cert.with_suffix(".moved"))
    cert.unlink()
    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(trust_in(cert), cert.with_suffix(".moved"), key)
