"""Private repositories behind real servers: tokens over HTTP(S), deploy keys over ssh, helpers; where a token shows."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from shared.ops.config import Config, load_config
from shared.workspace.credentials import ConfiguredCredentials, credential_for, unusable
from shared.workspace.git import GitFailed
from shared.workspace.mirror import Mirror
from shared.workspace.publish import publish_branch
from shared.workspace.remote import commit_at, try_to_write
from shared.workspace.remote_failures import AccessRefused
from shared.workspace.worktree import Worktree
from testing import git_http
from testing.git_http import GitHttpServer, git_http_server
from testing.git_ssh import SSHD, GitSshServer, git_ssh_server
from testing.programs import NO_GIT_HTTP, NO_SSHD
from tests.integration.workspace.workspace_support import ADA, NOON, sh_git

CANARY = "ghp_canaryCANARY0123456789abcdefABCDEF"
READER = "a-token-that-may-only-read"
needs_http = pytest.mark.skipif(git_http.MISSING, reason=NO_GIT_HTTP)
needs_sshd = pytest.mark.skipif(SSHD is None, reason=NO_SSHD)


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Loopback is never asked of a proxy of this machine."""
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "127.0.0.1")


@pytest.fixture
def server(tmp_path: Path, bare: Path) -> Iterator[GitHttpServer]:
    with git_http_server(tmp_path) as running:
        running.writers, running.readers = {CANARY}, {READER}
        yield running


@pytest.fixture(scope="module")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GitSshServer]:
    with git_ssh_server(tmp_path_factory.mktemp("ssh") / "keys") as running:
        yield running


def credentials(server: str, **entry: Any) -> ConfiguredCredentials:
    """The only entry of a configuration, for the host of this address."""
    host = server.partition("://")[2].rpartition("@")[2]
    config = Config.model_validate({"credentials": {host.partition(":")[0] if "ssh" in server else host: entry}})
    return ConfiguredCredentials(lambda: config, {"TOKEN": CANARY})


def token_file(folder: Path, token: str) -> Path:
    file = folder / "token"
    file.write_text(f"{token}\n")
    return file


async def fetch_and_publish(url: str, known: ConfiguredCredentials, tmp_path: Path) -> Mirror:
    """A change on a branch of a remote repository, the way the gateway's parts make it."""
    await try_to_write(url, known)
    mirror = Mirror(tmp_path / "mirrors", url, credentials=known)
    await mirror.fetch()
    worktree = await Worktree.create(mirror, tmp_path / "w", await commit_at(url, "main", known))
    (worktree.path / "app.py").write_text("fixed\n")
    commit = await worktree.commit("fix", ADA, at=NOON)
    assert commit is not None
    await worktree.bundle(commit.id, out=tmp_path / "b")
    await publish_branch(url, tmp_path / "b", commit.id, "journeyman/x", None, credentials=known)
    return mirror


@needs_http
async def test_a_token_reads_and_writes_and_is_seen_nowhere(server: GitHttpServer, bare: Path, tmp_path: Path) -> None:
    seen: list[bytes] = []
    remotes = 0

    def look_at_processes() -> None:
        nonlocal remotes
        for process in Path("/proc").glob("[0-9]*"):
            try:
                command, environment = (process / "cmdline").read_bytes(), (process / "environ").read_bytes()
            except OSError:
                continue
            remotes += b"remote-http" in command
            seen.extend((command, environment))

    server.looked = look_at_processes
    known = credentials(server.url, token_file=str(token_file(tmp_path, CANARY)))
    mirror = await fetch_and_publish(f"{server.url}/bare.git", known, tmp_path)
    assert sh_git(bare, "show", "journeyman/x:app.py") == "fixed"
    assert sh_git(bare, "for-each-ref", "--format=%(refname)", "refs/heads/journeyman") == "refs/heads/journeyman/x"
    assert remotes, "nobody was looked at"
    assert not any(CANARY.encode() in each for each in seen)
    for folder in (mirror.path, tmp_path / "w", tmp_path / "w.git", bare):
        for file in (each for each in folder.rglob("*") if each.is_file()):
            assert CANARY.encode() not in file.read_bytes()
    assert CANARY not in repr(await known.access(f"{server.url}/bare.git", "read"))  # type: ignore[arg-type]


@needs_http
async def test_who_is_not_let_in_is_told_so_with_the_mend_and_without_the_token(
    server: GitHttpServer, tmp_path: Path
) -> None:
    url, server.echo = f"{server.url}/bare.git", True
    host = server.url.partition("://")[2]
    for entry, what, mend in (
        (None, "without credentials", f'[credentials."{host}"]'),
        ({"token_env": "TOKEN", "username": "bot"}, "the token in the variable TOKEN", "valid"),
    ):
        known = ConfiguredCredentials(Config) if entry is None else credentials(server.url, **entry)
        server.writers = {"another"}
        with pytest.raises(AccessRefused) as refused:
            await Mirror(tmp_path / "mirrors", url, credentials=known).fetch()
        assert (
            what in str(refused.value)
            and mend in str(refused.value)
            and "docs/git-credentials.md" in str(refused.value)
        )
        assert entry is None or "You are not let in with bot:***, that is Basic ***." in refused.value.detail
        assert CANARY not in f"{refused.value} {refused.value.detail}"
        assert "Ym90OmdocF" not in f"{refused.value} {refused.value.detail}"  # the same, as base64


@needs_http
async def test_a_token_that_may_only_read_is_found_out_before_the_work(server: GitHttpServer, tmp_path: Path) -> None:
    url = f"{server.url}/bare.git"
    reader = credentials(server.url, token_file=str(token_file(tmp_path, READER)))
    assert await commit_at(url, None, reader)
    with pytest.raises(AccessRefused, match=r"cannot be written with the token in .*/token.* Mend: see that"):
        await try_to_write(url, reader)


@needs_http
async def test_a_token_that_is_replaced_counts_at_once(server: GitHttpServer, tmp_path: Path) -> None:
    known = credentials(server.url, token_file=str(token_file(tmp_path, "old")))
    with pytest.raises(AccessRefused):
        await commit_at(f"{server.url}/bare.git", None, known)
    token_file(tmp_path, CANARY)
    assert await commit_at(f"{server.url}/bare.git", None, known)


@needs_http
async def test_a_token_goes_to_no_server_that_another_one_names(server: GitHttpServer, tmp_path: Path) -> None:
    known = credentials(server.url, token_file=str(token_file(tmp_path, CANARY)))
    server.readers, server.writers = set(), set()  # it asks for nothing, so that the other one is the first to ask
    with git_http_server(tmp_path) as other:
        other.writers, server.elsewhere = {CANARY}, other.url
        with pytest.raises(AccessRefused):
            await commit_at(f"{server.url}/bare.git", None, known)
    assert other.brought
    assert not any(other.brought)


@needs_http
async def test_a_helper_that_is_named_is_asked(server: GitHttpServer, tmp_path: Path) -> None:
    (tmp_path / "stored").write_text(f"http://bot:{CANARY}@{server.url.partition('://')[2]}\n")
    known = credentials(server.url, helper=f"store --file '{tmp_path / 'stored'}'")
    await try_to_write(f"{server.url}/bare.git", known)


def self_signed(folder: Path) -> tuple[Path, Path]:
    """A certificate for loopback and its key."""
    made = (folder / "cert.pem", folder / "key.pem")
    subject = ("-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2")
    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-keyout", str(made[1]))
    command = ["openssl", "req", "-x509", "-nodes", *key, "-out", str(made[0]), *subject]
    subprocess.run(command, check=True, capture_output=True)
    return made


@needs_http
@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is missing")
async def test_a_server_with_a_certificate_of_its_own_needs_its_authority_named(tmp_path: Path, bare: Path) -> None:
    made = self_signed(tmp_path)
    token = str(token_file(tmp_path, CANARY))
    with git_http_server(tmp_path, certificate=made) as server:
        server.writers = {CANARY}
        url = f"{server.url}/bare.git"
        with pytest.raises(AccessRefused, match="ca_file"):
            await commit_at(url, None, credentials(server.url, token_file=token))
        await try_to_write(url, credentials(server.url, token_file=token, ca_file=str(made[0])))


@needs_sshd
async def test_a_deploy_key_fetches_and_may_push(sshd: GitSshServer, bare: Path, tmp_path: Path) -> None:
    writer = credentials(sshd.address, ssh_key_file=str(sshd.writer), known_hosts_file=str(sshd.known_hosts))
    mirror = Mirror(tmp_path / "mirrors", f"{sshd.address}{bare}", credentials=writer)
    await mirror.fetch()
    assert await mirror.resolve(None) == sh_git(bare, "rev-parse", "main")
    await try_to_write(mirror.source, writer)


@needs_sshd
@pytest.mark.parametrize(
    ("key", "host_is_known", "told"),
    [
        ("reader", True, r"cannot be written with the key .*reader.* marked as read only.* Mend: see that"),
        ("stranger", True, r"cannot be written with the key .*stranger.*Permission denied.* Mend: see that"),
        ("writer", False, r"Mend: add the host's key to the known_hosts_file of \[credentials"),
    ],
)
async def test_a_key_that_does_not_do_is_told_with_the_mend(
    sshd: GitSshServer, bare: Path, tmp_path: Path, key: str, host_is_known: bool, told: str
) -> None:
    (tmp_path / "nobody").touch()
    known_hosts = sshd.known_hosts if host_is_known else tmp_path / "nobody"
    known = credentials(sshd.address, ssh_key_file=str(getattr(sshd, key)), known_hosts_file=str(known_hosts))
    with pytest.raises(AccessRefused, match=told):
        await try_to_write(f"{sshd.address}{bare}", known)


@pytest.mark.parametrize(
    ("entry", "url", "told"),
    [
        ('token_file = "gone"', "https://a.example/r", "token_file .*gone is not there"),
        ('token_file = "empty"', "https://a.example/r", "there is no token in .*empty"),
        ('token_env = "NOT_SET"', "https://a.example/r", "Set NOT_SET in the environment"),
        ('token_file = "token"', "http://a.example/r", "without encryption"),
        ('token_file = "token"', "git@a.example:r", "login for https, but the address is one of ssh"),
        ('ssh_key_file = "open"\nknown_hosts_file = "empty"', "git@a.example:r", "chmod 600"),
        ('ssh_key_file = "open"\nknown_hosts_file = "empty"', "https://a.example/r", "write ssh://git@host"),
    ],
)
def test_credentials_that_cannot_be_used_are_told_before_anything_runs(
    tmp_path: Path, entry: str, url: str, told: str
) -> None:
    for name, text in (("token", CANARY), ("empty", ""), ("open", "a key")):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o644)
    (tmp_path / "journeyman.toml").write_text(f'[repos.r]\nurl = "{url}"\n[credentials."a.example"]\n{entry}\n')
    (line,) = unusable(load_config(tmp_path / "journeyman.toml"), {})
    assert line.startswith("r: ")
    with pytest.raises(GitFailed, match=told):
        raise GitFailed(line)
    assert CANARY not in line


def test_the_longest_entry_that_fits_an_address_counts() -> None:
    config = Config.model_validate(
        {"credentials": {place: {"token_env": "A"} for place in ("a.example", "a.example/acme", "a.example/acme/web")}}
    )
    for url, place in (
        ("https://a.example/acme/web.git", "a.example/acme/web"),
        ("git@A.example:Acme/web-app.git", "a.example/acme"),
        ("ssh://git@a.example:2222/acmes/web", "a.example"),
        ("https://b.example/acme/web", None),
        ("https://a.example.org/acme/web", None),
        ("https://a.example:8443/acme/web", None),
    ):
        found = credential_for(config, url)
        assert (found[0] if found else None) == place
