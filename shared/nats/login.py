"""How a connection to NATS proves who it is, and which server it trusts."""

from __future__ import annotations

import base64
import re
import ssl
from pathlib import Path
from typing import Any, Final

import msgspec
import nats.errors
from nats.aio.client import Client
from pydantic import SecretStr

from shared.ops.settings import Settings, variable_of

_JWT: Final = re.compile(r"-{3,}BEGIN NATS USER JWT-{3,}\s+(\S+)")
_SEED: Final = re.compile(r"-{3,}BEGIN USER NKEY SEED-{3,}\s+(\S+)")


class BadLogin(Exception):
    """A file of the login cannot be used; the text names it and the mend, and repeats nothing of what is in it."""


class NoTls(nats.errors.Error):
    """The address says ``tls://``, and the server would take everything in clear."""


class Login(msgspec.Struct, frozen=True, kw_only=True):
    """One way to log in, or none, and what TLS needs.

    Files are read at each connection: a renewed one counts from the next reconnect on.
    """

    user: str = ""
    password: SecretStr = SecretStr("")
    creds: Path | None = None
    nkey: Path | None = None
    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None

    @property
    def words(self) -> str:
        """What it shows to the server, for people; empty when it shows nothing."""
        match self:
            case Login(creds=Path() as file):
                return f"the credentials in {file}"
            case Login(nkey=Path() as file):
                return f"the nkey in {file}"
            case Login(user=str() as user) if user:
                return f"the password of {user}"
            case _:
                return ""

    @property
    def secret_files(self) -> tuple[Path, ...]:
        """The files that nobody else may read."""
        return tuple(each for each in (self.creds, self.nkey, self.key) if each is not None)


NO_LOGIN: Final = Login()


def login_of(settings: Settings) -> Login:
    """The login of ``JOURNEYMAN_NATS_URL``; it belongs to no other address."""
    return Login(
        user=settings.nats_user,
        password=settings.nats_password,
        creds=settings.nats_creds,
        nkey=settings.nats_nkey,
        ca=settings.nats_ca,
        cert=settings.nats_cert,
        key=settings.nats_key,
    )


class LoginClient(Client):
    """A client that logs in with a `Login`; for ``tls://`` it says nothing to a server without TLS."""

    def __init__(self, login: Login) -> None:
        super().__init__()
        self._login = login

    def login_options(self) -> dict[str, Any]:
        """What nats-py is given for it; raises `BadLogin` for a file that cannot be used."""
        login = self._login
        options: dict[str, Any] = {}
        if login.user:
            options |= {"user": login.user, "password": login.password.get_secret_value()}
        if login.creds is not None or login.nkey is not None:
            self._sign("checked once, before anything is sent")
            # nats-py's own readers loop for ever over a file without a JWT, and end their reconnecting on errors.
            options["signature_cb"] = self._sign
        if login.creds is not None:
            options["user_jwt_cb"] = self._jwt
        if login.nkey is not None:
            self._public_nkey = bytes(_key_pair(_seed_of(login)).public_key).decode()
        if login.ca is not None or login.cert is not None:
            options["tls"] = _tls_of(login)
        return options

    def _connect_command(self) -> bytes:
        # nats-py uses TLS where the server asks for it, whatever the address says: whoever sits between could say no.
        server = self._current_server
        if server is not None and server.uri.scheme == "tls" and not self._server_info.get("tls_required"):
            raise NoTls
        try:
            return super()._connect_command()
        except BadLogin as error:  # an error of NATS is tried again
            raise nats.errors.Error(str(error)) from error

    def _sign(self, nonce: str) -> bytes:
        pair = _key_pair(_seed_of(self._login))
        signed = base64.b64encode(pair.sign(nonce.encode()))
        pair.wipe()
        return signed

    def _jwt(self) -> bytes:
        assert self._login.creds is not None
        return _found(_JWT, self._login.creds).encode()


def _seed_of(login: Login) -> bytearray:
    if login.creds is not None:
        _found(_JWT, login.creds)
        return bytearray(_found(_SEED, login.creds).encode())
    assert login.nkey is not None
    return bytearray(_read(login.nkey, "nats_nkey").strip().encode())


def _found(pattern: re.Pattern[str], creds: Path) -> str:
    if (found := pattern.search(_read(creds, "nats_creds"))) is None:
        raise BadLogin(
            f"{variable_of('nats_creds')}: {creds} is no credentials file of NATS: it holds a user's JWT and the seed "
            "of its key, as `nsc generate creds` writes them."
        )
    return found[1]


def _read(file: Path, setting: str) -> str:
    try:
        return file.read_text()
    except OSError as error:
        raise BadLogin(f"{variable_of(setting)}: {file} cannot be read ({error.strerror}): mend that.") from error
    except UnicodeDecodeError as error:
        raise BadLogin(f"{variable_of(setting)}: {file} is no text: name the right file.") from error


def _key_pair(seed: bytearray) -> Any:
    import nkeys  # with its cryptography it costs every start, and few need it

    try:
        return nkeys.from_seed(seed)
    except (nkeys.NkeysError, ValueError) as error:
        raise BadLogin(
            f"{variable_of('nats_creds')} or {variable_of('nats_nkey')}: the file holds no seed of a user's nkey: a "
            "seed begins with SU and is one line."
        ) from error


def _tls_of(login: Login) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=None if login.ca is None else str(login.ca))
    except (OSError, ssl.SSLError) as error:
        raise BadLogin(
            f"{variable_of('nats_ca')}: {login.ca} holds no certificate that can be read: name a file in PEM."
        ) from error
    if login.cert is not None:
        try:
            context.load_cert_chain(login.cert, login.key)
        except (OSError, ssl.SSLError) as error:
            raise BadLogin(
                f"{variable_of('nats_cert')}, {variable_of('nats_key')}: {login.cert} and {login.key} are no "
                "certificate with its key: name two files in PEM that belong together, the key without a passphrase."
            ) from error
    return context
