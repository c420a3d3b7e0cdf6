"""The gateway's own certificate: whether its files can be used, and how this machine knows its gateway again by it."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Final

import httpx
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization

_SPKI: Final = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def certificate_problem(cert: Path, key: Path) -> str:
    """Why a server cannot use these files, in a sentence with the mend; empty where it can."""
    try:
        return _pair_problem(cert, key)
    except OSError as error:
        return f"{error.filename or cert} cannot be read ({error.strerror}): let the gateway's account read it."


def _pair_problem(cert: Path, key: Path) -> str:
    try:
        own = x509.load_pem_x509_certificates(cert.read_bytes())[0].public_key().public_bytes(*_SPKI)
    except ValueError:
        return f"{cert} holds no certificate: it takes PEM, the gateway's own first, then those of its authorities."
    try:
        private = serialization.load_pem_private_key(key.read_bytes(), password=None)
    except TypeError:
        return f"{key} has a passphrase, which nobody could type: take it off (`openssl pkey -in … -out …`)."
    except (ValueError, UnsupportedAlgorithm):
        return f"{key} holds no private key: it takes PEM."
    if private.public_key().public_bytes(*_SPKI) != own:
        return f"{key} is not the key of the first certificate in {cert}: name the two that were made together."
    try:
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(cert, key)
    except ssl.SSLError as error:
        return f"{cert} cannot be used ({error.reason}): make another certificate."
    return ""


def trust_in(certificate: Path | None) -> ssl.SSLContext:
    """What a client of a gateway trusts: what browsers and this system trust, or with a file that certificate alone.

    Here a gateway is reached as 127.0.0.1, a name that its certificate hardly ever has; so it is known by the
    certificate itself. A file that cannot be read leaves it at what the system trusts.
    """
    usual = httpx.create_ssl_context(trust_env=False)
    usual.load_default_certs()
    if certificate is None:
        return usual
    try:
        own = x509.load_pem_x509_certificates(certificate.read_bytes())[0]
    except (OSError, ValueError):
        return usual
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    # The first one alone: whoever has one of the same authority is not this gateway.
    context.load_verify_locations(cadata=own.public_bytes(serialization.Encoding.PEM).decode())
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return context
