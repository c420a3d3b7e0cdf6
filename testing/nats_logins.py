"""Keys, certificates and credentials for NATS servers of tests, as `nsc` and a certificate authority make them."""

from __future__ import annotations

import base64
import datetime
import hashlib
import ipaddress
import json
import os
from pathlib import Path
from typing import Any, Final

import nkeys
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_FAR: Final = datetime.timedelta(days=2)


class Authority:
    """A certificate authority whose certificate is the file ``ca``."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "an authority of a test")])
        certificate = (
            self._builder(self._name, self._key.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(self._key, hashes.SHA256())
        )
        self.ca = folder / "ca.pem"
        self.ca.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))

    def signs(self, name: str) -> tuple[Path, Path]:
        """The files of a certificate for 127.0.0.1 and of its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        here = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
        certificate = (
            self._builder(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]), key.public_key())
            .add_extension(here, critical=False)
            .sign(self._key, hashes.SHA256())
        )
        cert, key_file = self._folder / f"{name}.pem", self._folder / f"{name}.key"
        cert.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        key_file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        return cert, key_file

    def _builder(self, subject: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        now = datetime.datetime.now(datetime.UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - _FAR)
            .not_valid_after(now + _FAR)
        )


class Key:
    """An nkey: its public name and its seed."""

    def __init__(self, prefix: int) -> None:
        self._pair = nkeys.from_seed(nkeys.encode_seed(os.urandom(32), prefix))
        self.seed = bytes(self._pair.seed).decode()
        self.public = bytes(self._pair.public_key).decode()

    def claims(self, subject: Key, name: str, nats: dict[str, Any]) -> str:
        """A JWT that this key signs for ``subject``."""
        body = {"iss": self.public, "sub": subject.public, "name": name, "iat": 0, "nats": {**nats, "version": 2}}
        body["jti"] = base64.b32encode(hashlib.sha256(json.dumps(body).encode()).digest()).decode().rstrip("=")
        signed = f"{_part({'typ': 'JWT', 'alg': 'ed25519-nkey'})}.{_part(body)}"
        return f"{signed}.{_encoded(bytes(self._pair.sign(signed.encode())))}"


def user_key() -> Key:
    """A user's key."""
    return Key(nkeys.PREFIX_BYTE_USER)


def operator_mode(creds: Path) -> str:
    """The configuration of a server that knows accounts by their JWT; writes one user's credentials."""
    operator, user = Key(nkeys.PREFIX_BYTE_OPERATOR), user_key()
    account, system = Key(nkeys.PREFIX_BYTE_ACCOUNT), Key(nkeys.PREFIX_BYTE_ACCOUNT)
    unlimited = {"subs": -1, "data": -1, "payload": -1, "imports": -1, "exports": -1, "conn": -1, "leaf": -1}
    files = {"mem_storage": 1 << 20, "disk_storage": 2 << 30, "streams": -1, "consumer": -1, "wildcards": True}
    operator_jwt = operator.claims(operator, "operator", {"type": "operator"})
    account_jwt = operator.claims(account, "journeyman", {"type": "account", "limits": {**unlimited, **files}})
    system_jwt = operator.claims(system, "SYS", {"type": "account", "limits": unlimited})
    user_jwt = account.claims(user, "journeyman", {"type": "user", "subs": -1, "data": -1, "payload": -1})
    creds.write_text(
        f"-----BEGIN NATS USER JWT-----\n{user_jwt}\n------END NATS USER JWT------\n\n"
        f"-----BEGIN USER NKEY SEED-----\n{user.seed}\n------END USER NKEY SEED------\n"
    )
    accounts = f"{account.public}: {account_jwt}, {system.public}: {system_jwt}"
    return (
        f"operator: {operator_jwt}\nsystem_account: {system.public}\n"
        f"resolver: MEMORY\nresolver_preload: {{ {accounts} }}\n"
    )


def _part(value: dict[str, Any]) -> str:
    return _encoded(json.dumps(value).encode())


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
