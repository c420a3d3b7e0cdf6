"""Finding the system that a command acts on."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec

from cli import contexts
from cli.failures import Failure
from cli.supervisor import record
from cli.supervisor.record import Record
from cli.systems import Choice, chosen
from shared.nats.login import NO_LOGIN, Login, login_of
from shared.ops.addresses import NATS_ADDRESS, nats_problem, without_credentials
from shared.ops.proc import arguments_of, open_files_of, owner_of, pids
from shared.ops.settings import Settings, load_settings

_MEND: Final = "Name one with --data, --url or --context"


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """A system: its NATS, its dashboard where one is known, and the data directory that goes with it.

    ``pid`` is the process that runs it in that directory, 0 when it runs elsewhere. ``context`` is the name by which it
    was chosen once and for all. ``person`` is who we are there, empty where that is who we are here, and ``token`` lets
    us in at the dashboard. ``certificate`` is what the gateway is known by where it runs here with one of its own.
    """

    nats: str
    http: str
    data: Path
    login: Login = NO_LOGIN
    pid: int = 0
    context: str = ""
    person: str = ""
    token: str = ""
    certificate: Path | None = None


class Neighbour(msgspec.Struct, frozen=True, kw_only=True):
    """A system that runs on this machine. ``record`` is None where another user's may not be read."""

    pid: int
    owner: str
    data: Path | None = None
    record: Record | None = None

    def __str__(self) -> str:
        who = f"started by {self.owner}, process {self.pid}"
        if self.data is None or self.record is None:
            return f"one of {self.owner} (process {self.pid})"
        return f"{self.data} at {self.record.http or without_credentials(self.record.nats)} ({who})"


class NoSystem(Failure):
    """No system was named, and none runs here. ``settings`` are those of this folder."""

    def __init__(self, sentence: str, settings: Settings) -> None:
        super().__init__(sentence)
        self.settings = settings


def find_endpoint() -> tuple[Endpoint, Settings]:
    """The system that is named by an option, a setting or this folder, and its settings; raises `NoSystem`, `Failure`.

    A system that somebody has chosen once and for all counts only where the folder holds none of its own.
    """
    choice = chosen()
    if choice.context:
        return _named(choice.context)
    if choice != Choice():
        return _at(choice)
    settings = load_settings()
    if settings.url:
        return _at(Choice(url=settings.url))
    if "nats_url" in settings.model_fields_set:
        return _elsewhere(settings, settings.nats_url), settings
    if (here := running_in(settings)) is not None:
        return here, settings
    name = "" if settings.data_dir.exists() else contexts.read().chosen
    if name:
        found, its = _named(name)
        return msgspec.structs.replace(found, context=name), its
    raise NoSystem(_none_here(settings), settings)


def running_in(settings: Settings) -> Endpoint | None:
    """The `up` of the data directory, or the demo's in it."""
    for data in (settings.data_dir, settings.data_dir / "demo"):
        found = record.read(data)
        if found is not None and found.alive and found.nats:
            # The record of a running system has no password in it.
            same = without_credentials(settings.nats_url) == found.nats
            nats = settings.nats_url if same else found.nats
            login = login_for(settings, nats) if same else NO_LOGIN
            return Endpoint(
                nats=nats, http=found.http, data=data, login=login, pid=found.pid, certificate=_file(found.certificate)
            )
    return None


def neighbours() -> list[Neighbour]:
    """The systems that run on this machine."""
    found = []
    for pid in pids():
        if not _is_up(arguments_of(pid)) or not (owner := owner_of(pid)):
            continue
        files = open_files_of(pid)
        data = next((each.parents[1] for each in files if each.parts[-2:] == record.LOCK.parts), None)
        if data is not None:
            found.append(Neighbour(pid=pid, owner=owner, data=data, record=record.read(data)))
        elif not files:  # another user's; one of ours without the lock only waits for the real one, as `timeout` does
            found.append(Neighbour(pid=pid, owner=owner))
    return found


def _is_up(arguments: list[bytes]) -> bool:
    names = [argument.rpartition(b"/")[2] for argument in arguments]
    return b"journeyman" in names and b"up" in names[names.index(b"journeyman") + 1 :]


def _named(name: str) -> tuple[Endpoint, Settings]:
    context = contexts.read()[name]
    if not context.data and not context.url:
        settings = load_settings()
        found = Endpoint(nats="", http=context.http, data=settings.data_dir)
    else:
        found, settings = _at(Choice(data=Path(context.data)) if context.data else Choice(url=context.url))
    if context.url:
        found = msgspec.structs.replace(found, login=context.login)
    if context.token:
        found = msgspec.structs.replace(
            found, http=context.http, token=context.token, person=context.person, certificate=None
        )
    return found, settings


def _at(choice: Choice) -> tuple[Endpoint, Settings]:
    if choice.data is not None:
        settings = load_settings(data_dir=choice.data)
        if (found := running_in(settings)) is None:
            raise NoSystem(f"No system runs in {settings.data_dir}. {_those_that_run()}", settings)
        return found, settings
    if choice.url.startswith(("http://", "https://")):
        return _with_dashboard(choice.url)
    if problem := nats_problem(choice.url):
        raise Failure(f"The address of the system {problem}; {NATS_ADDRESS}.")
    settings = load_settings()
    return _elsewhere(settings, choice.url), settings


def _elsewhere(settings: Settings, nats: str) -> Endpoint:
    host = "127.0.0.1" if settings.http_host in ("0.0.0.0", "::") else settings.http_host
    scheme = "https" if settings.tls_cert else "http"
    here = f"{scheme}://{host}:{settings.http_port}"
    return Endpoint(
        nats=nats,
        http=settings.public_url or here,
        data=settings.data_dir,
        login=login_for(settings, nats),
        certificate=None if settings.public_url else settings.tls_cert,
    )


def _file(path: str) -> Path | None:
    return Path(path) if path else None


def login_for(settings: Settings, nats: str) -> Login:
    """The settings' login where the address is theirs: it is shown to no other server."""
    ours = without_credentials(nats) == without_credentials(settings.nats_url)
    return login_of(settings) if ours and "nats_url" in settings.model_fields_set else NO_LOGIN


def _with_dashboard(url: str) -> tuple[Endpoint, Settings]:
    if (data := data_of_dashboard(url)) is not None:
        return _at(Choice(data=data))
    raise Failure(
        f"No system of this machine has its dashboard at {url}: give the address of its NATS, such as "
        f"nats://host:4222. {_those_that_run()}"
    )


def data_of_dashboard(url: str) -> Path | None:
    """The data directory of the system of this machine that has its dashboard at an address."""
    for each in neighbours():
        if each.data is not None and each.record is not None and same_dashboard(each.record.http, url):
            return each.data
    return None


def same_dashboard(one: str, other: str) -> bool:
    """Whether two addresses lead to the same dashboard, as far as one can see."""
    return _plain(one) == _plain(other)


def _plain(http: str) -> str:
    return http.rstrip("/").replace("//localhost:", "//127.0.0.1:")


def _none_here(settings: Settings) -> str:
    if settings.data_dir.exists():
        here = f"The system of this folder ({settings.data_dir}) does not run: start it with `make up`."
    else:
        here = f"There is no system in this folder ({settings.data_dir} is not there)."
    return f"{here} {_those_that_run()}"


def _those_that_run() -> str:
    found = neighbours()
    if not found:
        return f"None runs on this machine. {_MEND}."
    return f"Running on this machine: {'; '.join(map(str, found))}. {_MEND}."
