"""Services without credentials get the objects of remote repositories from the gateway, and nothing else."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import msgspec
import pytest

from services.gateway.git.repository_access import RepositoryAccess
from services.gateway.git.server import GitServer
from services.gateway.git.transfers import FOLDER, IDLE_S, Transfers
from services.gateway.outbound.standing import Standing
from shared.contracts.git_queries import FETCH, LOOK, PART, PART_BYTES, FetchRepo, LookAtRepo, ReadPart
from shared.nats.bus import Bus, Message
from shared.nats.journal import NatsJournal
from shared.ops.config import Config
from shared.workspace.bundle import has_commit
from shared.workspace.credentials import ConfiguredCredentials
from shared.workspace.gateway_git import GatewayGit, RepositoryRefused
from shared.workspace.git import GitFailed
from shared.workspace.mirror import Mirror, UnknownRef
from testing import git_http
from testing.git_http import GitHttpServer, git_http_server
from testing.programs import NO_GIT_HTTP
from tests.integration.workspace.workspace_support import sh_git

pytestmark = pytest.mark.skipif(git_http.MISSING, reason=NO_GIT_HTTP)
CANARY = "ghp_canaryCANARY0123456789abcdefABCDEF"
READER = "a-token-that-may-only-read"
REPO = "acme/web"


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Loopback is never asked of a proxy of this machine."""
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "127.0.0.1")


@pytest.fixture
def origin(tmp_path: Path) -> Path:
    """A bare repository with a branch, a tag and 1.5 MB that nothing makes smaller."""
    work = tmp_path / "work"
    work.mkdir()
    sh_git(work, "init", "--quiet", "--initial-branch=main")
    (work / "big").write_bytes(random.Random(10).randbytes(3 * PART_BYTES))
    sh_git(work, "add", "--all")
    sh_git(work, "commit", "--quiet", "--message=first")
    sh_git(work, "branch", "old")
    sh_git(work, "tag", "-a", "v1", "-m", "one")
    sh_git(tmp_path, "clone", "--quiet", "--bare", str(work), "web.git")
    sh_git(work, "remote", "add", "origin", str(tmp_path / "web.git"))
    return tmp_path / "web.git"


@pytest.fixture
def server(tmp_path: Path, origin: Path) -> Iterator[GitHttpServer]:
    with git_http_server(tmp_path) as running:
        running.writers, running.readers = {CANARY}, {READER}
        yield running


class Gateway:
    """The gateway's part that answers, over its own data directory; ``now`` is its clock, in seconds."""

    def __init__(self, bus: Bus, server: GitHttpServer, data: Path) -> None:
        self.token, self.now, self.data = CANARY, 0.0, data
        host = server.url.partition("://")[2]
        config = Config.model_validate(
            {"repos": {REPO: {"url": f"{server.url}/web.git"}}, "credentials": {host: {"token_env": "TOKEN"}}}
        )
        gateway = self

        class Environment(dict[str, str]):
            def get(self, key: str, default: str = "") -> str:  # type: ignore[override]
                return gateway.token

        credentials = ConfiguredCredentials(lambda: config, Environment())
        self.access = RepositoryAccess(lambda: config, credentials, clock=lambda: self.now)
        self.transfers = Transfers(data, lambda: config, credentials, "gw1", clock=lambda: self.now)
        self._server = GitServer(bus, self.access, self.transfers, "gw1", standing=Standing(NatsJournal(bus), {}))
        self.repo = config.repos[REPO]

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[Gateway]:
        task = asyncio.create_task(self._server.run())
        await asyncio.sleep(0)
        try:
            yield self
        finally:
            self._server.drain()
            await task

    def files(self) -> list[Path]:
        """What others are reading."""
        return list((self.data / FOLDER).glob("*/*"))


@pytest.fixture
async def gateway(bus: Bus, server: GitHttpServer, tmp_path: Path) -> AsyncIterator[Gateway]:
    async with Gateway(bus, server, tmp_path / "gateway").running() as running:
        await bus.nc.flush()
        yield running


def mirror_of(gateway: Gateway, bus: Bus, data: Path) -> Mirror:
    """A mirror of somebody who has no credentials."""
    return Mirror(data / "mirrors", gateway.repo.target, supply=GatewayGit(bus, away_s=0).supply(REPO))


def refs(repository: Path) -> str:
    return sh_git(repository, "for-each-ref", "--format=%(refname) %(objectname)", "refs/heads", "refs/tags")


async def test_a_mirror_elsewhere_becomes_what_the_remote_repository_is(
    gateway: Gateway, bus: Bus, origin: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.gateway.git.transfers.ANSWER_S", 0.02)  # the work goes on behind several answers
    said: list[bytes] = []

    async def hear(message: Message) -> None:
        said.append(message.data)

    await bus.nc.subscribe(">", cb=hear)
    mirror = mirror_of(gateway, bus, tmp_path / "planner")
    await mirror.fetch()
    assert refs(mirror.path) == refs(origin)
    assert await mirror.resolve(None) == sh_git(origin, "rev-parse", "main")
    sh_git(mirror.path, "fsck", "--strict")
    whole = sum(map(len, said))
    assert whole > 3 * PART_BYTES
    assert gateway.files() == []

    work = tmp_path / "work"
    (work / "more.txt").write_text("more\n")
    sh_git(work, "add", "--all")
    sh_git(work, "commit", "--quiet", "--message=second")
    sh_git(work, "push", "--quiet", "origin", "main", ":old")
    said.clear()
    await mirror.ensure(sh_git(work, "rev-parse", "HEAD"))
    assert refs(mirror.path) == refs(origin) and "refs/heads/old" not in refs(origin)
    assert sum(map(len, said)) < PART_BYTES, "what is there already came once more"

    await mirror.fetch()  # nothing is new: no branch is lost by that
    assert refs(mirror.path) == refs(origin)
    assert not any(CANARY.encode() in each for each in said)
    assert not any(CANARY.encode() in file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())


async def test_a_commit_that_no_branch_reaches_comes_by_its_name(
    gateway: Gateway, bus: Bus, origin: Path, tmp_path: Path
) -> None:
    sh_git(origin, "config", "uploadpack.allowAnySHA1InWant", "true")
    work = tmp_path / "work"
    sh_git(work, "commit", "--quiet", "--allow-empty", "--message=lost")
    lost = sh_git(work, "rev-parse", "HEAD")
    sh_git(work, "push", "--quiet", "origin", "HEAD:refs/pull/1/head")
    mirror = mirror_of(gateway, bus, tmp_path / "planner")
    await mirror.ensure(lost)
    assert await has_commit(mirror.path, lost)
    with pytest.raises(GitFailed):
        await mirror.ensure("1" * 40)
    with pytest.raises(UnknownRef):
        await mirror.resolve("2" * 40)


async def test_a_mirror_that_is_the_gateways_own_needs_nothing_moved(gateway: Gateway, bus: Bus, origin: Path) -> None:
    said: list[str] = []

    async def hear(message: Message) -> None:
        said.append(message.subject)

    await bus.nc.subscribe(f"{PART}.>", cb=hear)
    mirror = mirror_of(gateway, bus, gateway.data)
    await mirror.fetch()
    assert refs(mirror.path) == refs(origin)
    assert said == []


async def test_only_configured_repositories_are_answered_for(gateway: Gateway, bus: Bus) -> None:
    for subject, asked in (
        (LOOK, LookAtRepo(repo="acme/other")),
        (FETCH, FetchRepo(repo="acme/other", mirror="m")),
        (FETCH, FetchRepo(repo="/etc", mirror="m")),
    ):
        answer = (await bus.request(subject, msgspec.json.encode(asked))).data
        assert b"is in journeyman.toml" in answer or b"is not in journeyman.toml" in answer
    for body in (
        b"",
        b"[]",
        b'{"repo":"acme/web","mirror":"../x"}',
        b'{"repo":"acme/web","mirror":"m","url":"file:///"}',
    ):
        assert b"bad-parameter" in (await bus.request(FETCH, body)).data
    assert (await bus.request(f"{PART}.gw1", msgspec.json.encode(ReadPart(transfer="guessed", offset=0)))).data == b""


async def test_a_file_that_nobody_reads_any_more_goes(gateway: Gateway, bus: Bus) -> None:
    await bus.request(FETCH, msgspec.json.encode(FetchRepo(repo=REPO, mirror="m")), timeout=30)
    assert len(gateway.files()) == 1
    gateway.now = IDLE_S / 2
    gateway.transfers.tidy()
    assert len(gateway.files()) == 1
    gateway.now = IDLE_S + 1
    gateway.transfers.tidy()
    assert gateway.files() == []


async def test_work_is_refused_before_it_is_paid_for_and_the_mend_counts_soon(
    gateway: Gateway, bus: Bus, server: GitHttpServer, origin: Path
) -> None:
    git = GatewayGit(bus, away_s=0)
    gateway.token = READER
    for _ in range(2):
        with pytest.raises(RepositoryRefused, match=r"cannot be written with the token in the variable TOKEN"):
            await git.start_of_work(REPO, gateway.repo)
    # One try is two requests: git brings credentials when it is asked for them.
    assert sum("git-receive-pack" in each for each in server.requests) == 2, "it is asked again for every task"
    refused = await gateway.access.look_at_all()
    assert list(refused) == [REPO] and "Mend: " in refused[REPO]
    gateway.token = CANARY
    gateway.now = 11.0
    assert await gateway.access.look_at_all() == {}
    assert await git.start_of_work(REPO, gateway.repo) == sh_git(origin, "rev-parse", "main")
    gateway.token = READER
    gateway.now = 70.0
    await git.start_of_work(REPO, gateway.repo)
    gateway.now = 72.0
    with pytest.raises(RepositoryRefused):
        await git.start_of_work(REPO, gateway.repo)
    gateway.token = "wrong"
    with pytest.raises(RepositoryRefused, match=r"cannot be read with the token in the variable TOKEN"):
        await git.start_of_work(REPO, gateway.repo)


async def test_a_gateway_that_is_away_is_named(bus: Bus, server: GitHttpServer, tmp_path: Path) -> None:
    away = Gateway(bus, server, tmp_path / "gateway")
    with pytest.raises(GitFailed, match="The gateway does not answer, and it alone reaches remote repositories"):
        await mirror_of(away, bus, tmp_path / "planner").fetch()
