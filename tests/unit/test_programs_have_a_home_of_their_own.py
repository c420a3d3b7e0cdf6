"""Code that an agent or a repository wrote runs in an empty home: no credential in it, and every toolchain works."""

from __future__ import annotations

import os
import shutil
import sys
import uuid
from pathlib import Path

import pytest

from shared.ops import own_home
from shared.sandbox.confinement import HOME, TEMP
from shared.workspace.check_sandbox import CheckSandbox
from shared.workspace.checks import run_checks
from testing.confined import sandbox

CANARY = "canary-7d20"
FILES = {
    ".netrc": f"machine example.org login me password {CANARY}\n",
    ".ssh/id_ed25519": CANARY,
    ".git-credentials": f"https://me:{CANARY}@example.org\n",
    ".aws/credentials": f"[default]\naws_secret_access_key = {CANARY}\n",
    ".npmrc": f"registry=https://npm.example/simple/\n//npm.example/:_authToken={CANARY}\n_password={CANARY}\n",
    ".config/pip/pip.conf": f"[global]\nindex-url = https://me:{CANARY}@pip.example/simple\npassword = {CANARY}\n",
    ".config/uv/uv.toml": f'[[index]]\nname = "ours"\nurl = "https://me:{CANARY}@uv.example/simple"\n',
    ".config/go/env": f"GOPROXY=https://me:{CANARY}@go.example\nGOAUTH=git {CANARY}\nSECRET={CANARY}\n",
    ".cargo/config.toml": (
        '[source.crates-io]\nreplace-with = "ours"\n[source.ours]\ndirectory = "/no/such/vendor"\n'
        f'[registries.ours]\nindex = "sparse+https://me:{CANARY}@cargo.example/"\ntoken = "{CANARY}"\n'
        f'[env]\nDEPLOY = "{CANARY}"\n'
    ),
    ".cargo/credentials.toml": f'[registry]\ntoken = "{CANARY}"\n',
    ".m2/settings.xml": (
        f"<settings><servers><server><id>ours</id><password>{CANARY}</password></server></servers>"
        "<mirrors><mirror><id>ours</id><mirrorOf>*</mirrorOf><url>https://maven.example/</url></mirror></mirrors>"
        f"<proxies><proxy><host>proxy</host><password>{CANARY}</password></proxy></proxies></settings>"
    ),
}


@pytest.fixture
def account(tmp_path: Path) -> dict[str, str]:
    """The environment of an account with credentials in its home."""
    home = tmp_path / "account"
    for name, text in FILES.items():
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(text)
    real = Path(os.environ.get("HOME", "/nonexistent"))
    roots = {"PYENV_ROOT": str(real / ".pyenv"), "RUSTUP_HOME": str(real / ".rustup")}
    kept = ("PATH", "PYENV_ROOT", "RUSTUP_HOME", "SSL_CERT_FILE")
    environment = {**roots, **{name: os.environ[name] for name in kept if name in os.environ}, "HOME": str(home)}
    # In a shell with an active virtual environment, which would not look at what the account has installed.
    programs = environment["PATH"].split(os.pathsep)
    environment["PATH"] = os.pathsep.join(each for each in programs if Path(each) != Path(sys.prefix) / "bin")
    return environment


async def _said(tmp_path: Path, account: dict[str, str], *commands: str) -> list[str]:
    tree = tmp_path / "tree"
    tree.mkdir(exist_ok=True)
    async with CheckSandbox.opened(sandbox(), tree, tmp_path / "home", source=account) as inside:
        results = await run_checks(commands, inside, 90, f"test-{uuid.uuid4().hex}")
    assert [result.exit_code for result in results] == [0] * len(commands), results
    return [result.output.strip() for result in results]


async def test_no_credential_of_the_account_is_within_reach_of_a_check_by_default_paths(
    tmp_path: Path, account: dict[str, str]
) -> None:
    account |= {"CARGO_HOME": f"{account['HOME']}/.cargo", "XDG_CONFIG_HOME": f"{account['HOME']}/.config"}
    account |= {"PIP_INDEX_URL": f"https://me:{CANARY}@pip.example/simple", "AWS_SECRET_ACCESS_KEY": CANARY}
    found, environment, files = await _said(
        tmp_path, account, f"grep -rl {CANARY} ~ || true", "env", "cd ~ && find . -type f | sort"
    )
    assert found == ""
    assert CANARY not in environment
    assert str(Path(account["HOME"])) not in environment
    assert files.split() == [
        *("./.cargo/config.toml", "./.config/go/env", "./.config/pip/pip.conf", "./.config/uv/uv.toml"),
        *("./.m2/settings.xml", "./.npmrc"),
    ]


@pytest.mark.parametrize(
    ("tool", "command", "answer"),
    [
        ("pip3", "pip3 config list", "https://pip.example/simple"),
        ("npm", "npm config get registry", "https://npm.example/simple/"),
        ("go", "go env GOPROXY", "https://go.example"),
        ("cargo", "cargo init -q --name x . && cargo add serde --offline 2>&1 || true", "/no/such/vendor"),
        ("mvn", "mvn -X -o validate 2>&1 | grep 'user settings'", f"{HOME}/.m2/settings.xml"),
    ],
)
async def test_a_package_client_still_sees_where_its_packages_are(
    tmp_path: Path, account: dict[str, str], tool: str, command: str, answer: str
) -> None:
    if shutil.which(tool) is None:
        pytest.skip(f"{tool} is not on this machine")
    (said,) = await _said(tmp_path, account, command)
    assert answer in said
    assert CANARY not in said


async def test_what_a_check_writes_to_its_home_or_scratch_is_not_there_for_the_next(
    tmp_path: Path, account: dict[str, str]
) -> None:
    write = (
        "mkdir ~/cache && touch ~/cache/x && chmod 555 ~/cache && echo x >~/.bashrc && echo x >$TMPDIR/y; echo $TMPDIR"
    )
    assert await _said(tmp_path, account, write) == [str(TEMP)]
    assert not (TEMP / "y").exists()
    (left,) = await _said(tmp_path, account, "find ~ $TMPDIR -name cache -o -name .bashrc -o -name y")
    assert left == ""
    assert not (Path(account["HOME"]) / ".bashrc").exists()
    assert not (tmp_path / "home").exists()


def test_the_root_of_a_version_manager_in_the_home_is_given_by_its_variable(tmp_path: Path) -> None:
    (tmp_path / ".pyenv").mkdir()
    (tmp_path / ".rustup").mkdir()
    account = {"HOME": str(tmp_path), "GOPATH": str(tmp_path / "go"), "GOCACHE": "/var/cache/go", "JAVA_HOME": "/jdk"}
    given = own_home.variables(tmp_path / "own", account)
    assert given["PYENV_ROOT"] == str(tmp_path / ".pyenv")
    assert given["RUSTUP_HOME"] == str(tmp_path / ".rustup")
    assert (given["GOCACHE"], given["JAVA_HOME"]) == ("/var/cache/go", "/jdk")
    assert "GOPATH" not in given  # modules would be written to the account's home
    assert "CARGO_HOME" not in given


def test_the_root_of_a_version_manager_that_cannot_be_looked_at_is_left_out(tmp_path: Path) -> None:
    # Also root cannot look at this one; without `su -` it is that of the account one came from.
    unseen = f"/{'x' * 300}/.pyenv"
    assert "PYENV_ROOT" not in own_home.variables(tmp_path, {"HOME": str(tmp_path), "PYENV_ROOT": unseen})


async def test_what_pip_installed_for_the_account_can_be_imported_and_is_not_written_to(
    tmp_path: Path, account: dict[str, str]
) -> None:
    base = "import site; print(site.getusersitepackages())"
    version = (await _said(tmp_path, account, f'python3 -c "{base}"'))[0].rsplit("/", 2)[-2]
    packages = Path(account["HOME"]) / ".local" / "lib" / version / "site-packages"
    packages.mkdir(parents=True)
    (packages / "installed_for_the_account.py").write_text("print('imported')\n")
    said, where = await _said(
        tmp_path, account, "python3 -c 'import installed_for_the_account'", f'python3 -c "{base}"'
    )
    assert said == "imported"
    assert where.startswith(str(HOME))


def test_settings_that_cannot_be_understood_are_left_out(tmp_path: Path) -> None:
    (tmp_path / ".cargo").mkdir()
    (tmp_path / ".cargo" / "config.toml").write_text(f"token = {CANARY}")
    own_home.furnish(tmp_path / "own", {"HOME": str(tmp_path)})
    assert list((tmp_path / "own").iterdir()) == []
