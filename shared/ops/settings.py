"""Settings: from the environment and `.env`, checked at start-up. A wrong one names itself and the mend."""

from __future__ import annotations

import ipaddress
import os
import re
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar
from urllib.parse import urlsplit

from pydantic import (
    AliasChoices,
    BaseModel,
    Field,
    PrivateAttr,
    SecretStr,
    ValidationError,
    create_model,
    field_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.ops.addresses import NATS_ADDRESS, nats_problem
from shared.ops.limits import Limits, past
from shared.ops.senders import SENDERS, secret_setting
from shared.ops.setting_sources import FILE, PREFIX, env_files, unknown, values_in

_NATS_FILES = ("nats_creds", "nats_nkey", "nats_ca", "nats_cert", "nats_key")
_NAMED = ("config", "agents_dir", *_NATS_FILES)
"""Settings that name a file or a folder which must be there."""

Model = TypeVar("Model", bound=BaseModel)


class BadSettings(Exception):
    """One or more settings are wrong; one line for each."""


def _shared_with_cli(name: str) -> Any:
    """A setting that the Claude CLI's own variable may give as well."""
    return AliasChoices(f"{PREFIX}{name}", name)


def variable_of(setting: str) -> str:
    """The environment variable of a setting: ``JOURNEYMAN_HTTP_PORT`` of ``http_port``."""
    return f"{PREFIX}{setting.upper()}"


def _with_webhook_secrets(model: type[Model]) -> type[Model]:
    """The model with one more field for each sender of `SENDERS`: its webhook's secret."""
    fields: dict[str, Any] = {
        secret_setting(name): (SecretStr, Field(SecretStr(""), description=f"Secret of the {title} webhook"))
        for name, title in SENDERS.items()
    }
    return create_model(model.__name__, __base__=model, __module__=model.__module__, __doc__=model.__doc__, **fields)


@_with_webhook_secrets
class Settings(Limits, BaseSettings):
    """Every setting of every service. Names here are without the prefix ``JOURNEYMAN_``.

    How much of anything there may be is in `Limits`; `webhook_secret` reads the fields that each sender adds.
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, extra="ignore", frozen=True, populate_by_name=True
    )
    _env_files: tuple[Path, ...] = PrivateAttr(())

    nats_url: str = Field(
        "nats://127.0.0.1:4222",
        description="Where a NATS of yours listens, several servers with commas; once it is set, also to this default, "
        "`up` starts none of its own",
    )
    nats_user: str = Field("", description="Who logs in to that NATS, where its address does not say")
    nats_password: SecretStr = Field(SecretStr(""), description="The password of that user")
    nats_creds: Path | None = Field(
        None, description="A credentials file for that NATS: a user's JWT and the seed of its key"
    )
    nats_nkey: Path | None = Field(None, description="A file with the seed of a user's nkey for that NATS")
    nats_ca: Path | None = Field(
        None, description="Certificates (PEM) of the authority that signed that NATS's own; TLS is asked for by tls://"
    )
    nats_cert: Path | None = Field(None, description="Our own certificate (PEM), where that NATS asks for one")
    nats_key: Path | None = Field(None, description="The key of our own certificate (PEM)")
    nats_monitor: str = Field(
        "",
        description="That NATS's monitoring, http://host:8222: by it `doctor` and the start see whether events are on "
        "the disk before they are acknowledged",
    )
    url: str = Field(
        "",
        description="Which system the client commands act on: nats://… or the dashboard's http://… of one on this "
        "machine; default: the one that runs in this folder",
    )
    data_dir: Path = Field(
        Path(".journeyman"), description="Where this machine keeps repositories, runs and read models"
    )
    http_host: str = Field("127.0.0.1", description="Where the gateway listens")
    http_open: bool = Field(
        False,
        description="1 lets the gateway listen elsewhere than on loopback: it has no login, so whoever reaches it can "
        "approve plans and read everything",
    )
    http_port: int = Field(8080, ge=0, le=65535, description="The gateway's port; 0 picks a free one")
    health_host: str = Field("127.0.0.1", description="Where the other services answer /health and /metrics")
    health_port: int = Field(
        9100,
        ge=0,
        le=65535,
        description="Their port; under `up` the brain's, and the planner, executor and projector have the next three; "
        "0 picks free ones",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least level that is logged")
    log_format: Literal["console", "json"] = Field("console", description="For people, or for machines")
    machine_id: str = Field(
        default_factory=socket.gethostname,
        pattern=r"^[A-Za-z0-9._-]{1,64}$",
        description="This machine's name in events",
    )
    run_timeout_seconds: int = Field(3600, ge=10, le=86400, description="Longest time for one agent's work")
    silence_timeout_seconds: int = Field(
        180, ge=5, le=3600, description="Longest silence of an agent before it is stopped"
    )
    run_budget_usd: float = Field(5.0, gt=0, le=1000, description="Most that one agent may spend")
    drain_seconds: int = Field(
        0,
        ge=0,
        le=86400,
        description="How long agents may work on when their service is asked to leave; then another takes over",
    )
    max_turns: int = Field(100, ge=1, le=1000, description="Most turns of one agent")
    approval: Literal["required", "auto", "always"] = Field(
        "required",
        description="Who approves a plan. required: a person, but who may steer can ask for the work without a plan "
        "(`@agent implement`, `--directive implement`); always: a person, and nothing is done without a plan; "
        "auto: nobody, where a trusted author asks",
    )
    approval_timeout_hours: float = Field(
        168, ge=0, le=8760, description="How long a plan waits for approval before its task is cancelled; 0 is for ever"
    )
    demo_model: bool = Field(
        False,
        description="1 runs the real CLI against the scripted local model, which `up` starts; "
        "with ANTHROPIC_BASE_URL against the one there",
    )
    public_url: str = Field("", description="The dashboard's address as people reach it, behind a proxy")
    config: Path | None = Field(None, description="journeyman.toml; default: in the data directory")
    agents_dir: Path | None = Field(None, description="The agents' folder; default: the one that comes with Journeyman")
    ready_file: Path | None = Field(None, description="Written when the service is ready; the supervisor reads it")

    anthropic_api_key: SecretStr = Field(
        SecretStr(""),
        validation_alias=_shared_with_cli("ANTHROPIC_API_KEY"),
        description="Key of the model API; without one agents cannot run and tasks wait",
    )
    anthropic_base_url: str = Field(
        "",
        validation_alias=_shared_with_cli("ANTHROPIC_BASE_URL"),
        description="Another address of the model API",
    )
    claude_cli: str = Field(
        "",
        validation_alias=_shared_with_cli("CLAUDE_CLI"),
        description="Another Claude Code CLI than the one that comes with Journeyman",
    )

    github_api_url: str = Field(
        "https://api.github.com",
        description="GitHub's API; of GitHub Enterprise Server https://HOST/api/v3",
    )
    github_token: SecretStr = Field(
        SecretStr(""),
        description="A fine-grained token by which results and answers reach GitHub; an App is better, "
        "see JOURNEYMAN_GITHUB_APP_ID",
    )
    github_app_id: str = Field(
        "",
        pattern=r"^[A-Za-z0-9._-]{0,64}$",
        description="The GitHub App by which results and answers reach GitHub (its id, or its client id); "
        "`journeyman github setup` makes one. It goes before a token",
    )
    github_app_private_key_file: Path | None = Field(
        None, description="The file with the App's private key, PEM; only the gateway reads it"
    )

    signing_key_file: Path | None = Field(
        None,
        description="The file with a private SSH key (Ed25519, without a passphrase) that signs the commits of pull "
        "requests; only the gateway reads it",
    )
    jira_url: str = Field(
        "", description="Jira as people reach it, such as https://acme.atlassian.net; what we say reaches it there"
    )
    jira_email: str = Field("", description="Whose API token it is on Jira Cloud; empty on Data Center")
    jira_token: SecretStr = Field(
        SecretStr(""),
        description="By which comments and transitions reach Jira: an API token of that account on Cloud, a personal "
        "access token on Data Center",
    )
    sentry_url: str = Field("https://sentry.io", description="Sentry as people reach it")
    sentry_organization: str = Field(
        "", pattern=r"^[A-Za-z0-9_-]{0,100}$", description="The short name of our organization on Sentry"
    )
    sentry_token: SecretStr = Field(
        SecretStr(""),
        description="By which notes reach Sentry: the token of an internal integration that may write events",
    )

    secret_key: SecretStr = Field(
        SecretStr(""),
        description="Seals the secrets of webhooks that people make, 32 or more letters, the same for every gateway; "
        "default: one that the gateway makes in its data directory",
    )

    jwks_hosts: str = Field(
        "",
        description="Hosts inside of our own network that may be asked for the keys of webhooks with a JWT, with "
        "commas; public ones may be anyway",
    )

    @field_validator("secret_key")
    @classmethod
    def _long_enough(cls, key: SecretStr) -> SecretStr:
        if 0 < len(key.get_secret_value()) < 32:
            raise ValueError("it is too short; make one with `openssl rand -base64 32`")
        return key

    @field_validator("http_host", "health_host")
    @classmethod
    def _host(cls, host: str) -> str:
        if re.fullmatch(r"[\d.]+", host):
            try:
                ipaddress.ip_address(host)
            except ValueError:
                raise ValueError("it is no address of a machine; write one such as 127.0.0.1") from None
        return host

    @field_validator("github_api_url")
    @classmethod
    def _api(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme == "http" and parts.hostname in ("127.0.0.1", "::1", "localhost"):
            return url.rstrip("/")
        if parts.scheme != "https" or not parts.hostname or parts.username or parts.query or parts.fragment:
            raise ValueError("it is no address of an API; write one such as https://api.github.com")
        return url.rstrip("/")

    @field_validator("jira_url", "sentry_url")
    @classmethod
    def _site(cls, url: str) -> str:
        return cls._api(url) if url else url

    @field_validator("data_dir", "ready_file", "github_app_private_key_file", "signing_key_file", *_NAMED)
    @classmethod
    def _absolute(cls, path: Path | None) -> Path | None:
        return None if path is None else path.expanduser().resolve()

    @field_validator("nats_url")
    @classmethod
    def _nats_servers(cls, url: str) -> str:
        servers = url.split(",")
        for number, server in enumerate(servers, 1):
            if problem := nats_problem(server):
                which = "the address" if len(servers) == 1 else f"address {number} of {len(servers)}"
                raise ValueError(f"{which} {problem}; {NATS_ADDRESS}")
        return url

    @field_validator("nats_monitor")
    @classmethod
    def _monitor(cls, url: str) -> str:
        if url and (not url.startswith(("http://", "https://")) or "@" in url):
            raise ValueError("write http://host:8222, without credentials")
        return url.rstrip("/")

    @property
    def env_files(self) -> tuple[Path, ...]:
        """The `.env` files that were read, the one that goes before the other last."""
        return self._env_files

    @property
    def config_path(self) -> Path:
        """Where journeyman.toml is looked for."""
        return self.config or self.data_dir / "journeyman.toml"

    @property
    def agents_path(self) -> Path:
        """Where the agents' folders are."""
        return self.agents_dir or Path(__file__).resolve().parents[2] / "agents"

    def webhook_secret(self, sender: str) -> SecretStr:
        """The secret of a sender's webhook; empty when none is set. Raises AttributeError for an unknown sender."""
        secret: SecretStr = getattr(self, secret_setting(sender))
        return secret

    @property
    def worker(self) -> str:
        """What claims carry as ``worker``: machine and process."""
        return f"{self.machine_id}:{os.getpid()}"


def load_settings(environment: Mapping[str, str] | None = None, **overrides: Any) -> Settings:
    """Read and check the settings; raises `BadSettings` with one line for each wrong one.

    ``JOURNEYMAN_<NAME>_FILE`` names a file that holds the value, as container secrets come. The environment goes before
    `.env`, and the `.env` beside the data directory before that of the working directory.
    """
    environment = os.environ if environment is None else environment
    files = () if "_env_file" in overrides else env_files(_data_dir(environment, overrides))
    from_files = {name: value for file in files for name, value in values_in(file).items()}
    wrong = unknown({**from_files, **environment}, Settings.model_fields)
    try:
        settings = Settings(**{"_env_file": files, **_from_files(environment, from_files), **overrides})
    except ValidationError as error:
        raise BadSettings("\n".join(wrong + [_line(each) for each in error.errors()])) from error
    if wrong := wrong + _missing(settings, overrides) + _logins(settings) + _reachable(settings):
        raise BadSettings("\n".join(wrong))
    settings._env_files = files
    return settings


def _data_dir(environment: Mapping[str, str], overrides: Mapping[str, Any]) -> Path:
    """Where the data directory is, as far as that can be told before the `.env` beside it is read."""
    name = variable_of("data_dir")
    default = Settings.model_fields["data_dir"].default
    named = overrides.get("data_dir") or environment.get(name) or values_in(Path(".env")).get(name) or default
    return Path(named).expanduser().resolve()


def _missing(settings: Settings, overrides: Mapping[str, Any]) -> list[str]:
    """A line for each file or folder that a setting names and that is not there."""
    named = {name: getattr(settings, name) for name in _NAMED if name not in overrides}
    return [
        f"{variable_of(name)}: {path} is not there. Name what is, or take the setting away."
        for name, path in named.items()
        if path is not None and not path.exists()
    ]


def _reachable(settings: Settings) -> list[str]:
    """A line where the gateway would be open to others, and nobody has said that it may be."""
    host = settings.http_host
    if settings.http_open or host == "localhost" or host.endswith(".localhost"):
        return []
    try:
        if ipaddress.ip_address(host).is_loopback:
            return []
    except ValueError:
        pass
    return [
        f"{variable_of('http_host')} is {host!r}, which others can reach, and the gateway has no login: leave it on "
        f"127.0.0.1 with a proxy in front (docs/reverse-proxy.md), or set {variable_of('http_open')}=1 where nobody "
        "reaches it but those who may approve plans and read everything."
    ]


def _logins(settings: Settings) -> list[str]:
    """A line for each part of a login to NATS that lacks its other half, and for more than one login."""
    user, password = bool(settings.nats_user), bool(settings.nats_password.get_secret_value())
    found = [
        f"{variable_of(one)} is set without {variable_of(other)}: set both."
        for one, other, only in (
            ("nats_user", "nats_password", user and not password),
            ("nats_password", "nats_user", password and not user),
            ("nats_cert", "nats_key", bool(settings.nats_cert) and not settings.nats_key),
            ("nats_key", "nats_cert", bool(settings.nats_key) and not settings.nats_cert),
        )
        if only
    ]
    in_address = "nats_url" if "@" in settings.nats_url else ""
    ways = [
        variable_of(name)
        for name in (in_address, "nats_user" if user else "", *(each for each in ("nats_creds", "nats_nkey")))
        if name and getattr(settings, name)
    ]
    if len(ways) > 1:
        found.append(f"{' and '.join(ways)} log in to NATS in different ways: keep one of them.")
    return found


def _from_files(environment: Mapping[str, str], dotenv: Mapping[str, str]) -> dict[str, str]:
    """What ``…_FILE`` variables name; a value that is given itself goes before."""
    values = {}
    for source in (dotenv, environment):
        for key, path in source.items():
            name = key.removeprefix(PREFIX).removesuffix(FILE)
            if (
                not (key.startswith(PREFIX) and key.endswith(FILE) and path)
                or name.lower() not in Settings.model_fields
            ):
                continue
            if name.lower() in _NATS_FILES:
                # Its value would be taken for a path, and shown.
                raise BadSettings(f"{key}: {PREFIX}{name} names the file itself; write it without {FILE}.")
            if source.get(f"{PREFIX}{name}") or (source is dotenv and environment.get(f"{PREFIX}{name}")):
                continue
            try:
                value = Path(path).expanduser().read_text().strip()
            except OSError as error:
                raise BadSettings(f"{key}: {path} cannot be read ({error.strerror}); name a readable file.") from error
            if value:
                values[name.lower()] = value
    return values


def _line(error: Any) -> str:
    name = str(error["loc"][0]) if error["loc"] else "settings"
    setting = name if name.isupper() else variable_of(name)
    field = Settings.model_fields.get(name.removeprefix(PREFIX).lower())
    meaning = f" ({field.description})" if field is not None and field.description else ""
    # An address of NATS that cannot be read may have its password anywhere.
    hidden = any(word in name.lower() for word in ("secret", "token", "key", "nats_url")) or "@" in str(
        error.get("input")
    )
    given = ":" if hidden else f" is {str(error.get('input'))[:60]!r}:"
    problem = error["msg"].removeprefix("Value error, ")
    return f"{setting}{given} {problem}. Set it right in the environment or in .env{meaning}."


def example() -> str:
    """`.env.example`: every setting with its meaning and default, commented out."""
    lines = ["# Journeyman's settings. Copy to .env and take the # away where you set something.", ""]
    fields = sorted(Settings.model_fields.items(), key=lambda each: each[0] in Limits.model_fields)
    for name, field in fields:
        default = field.get_default(call_default_factory=False)
        shown = default.get_secret_value() if isinstance(default, SecretStr) else default
        text = "" if shown is None or field.is_required() or field.default_factory is not None else str(shown)
        text = {"True": "1", "False": "0"}.get(text, text)
        alias = isinstance(field.validation_alias, AliasChoices)
        more = f"; past it: {past(name)}" if name in Limits.model_fields else ""
        lines += [f"# {field.description}{more}.", f"#{name.upper() if alias else variable_of(name)}={text}", ""]
    return "\n".join(lines).rstrip() + "\n"
