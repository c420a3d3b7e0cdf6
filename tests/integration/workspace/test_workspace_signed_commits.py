from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from shared.workspace.git import GitFailed, git
from shared.workspace.result_inspection import Signature, signed_by

US = Signature(name="journeyman[bot]", email="1+journeyman[bot]@users.noreply.github.com")


@pytest.fixture
def key(tmp_path: Path) -> Path:
    """A new private key that everybody may read, as a container's secrets are."""
    path = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(path)], check=True)
    path.chmod(0o644)
    return path


@pytest.fixture
async def repository(tmp_path: Path) -> Path:
    """A repository with one commit of somebody's."""
    where = tmp_path / "repo.git"
    await git("init", "--quiet", "--bare", str(where))
    return where


async def commit_in(repository: Path) -> str:
    who = {f"GIT_{role}_{what}": "ada" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    date = {f"GIT_{role}_DATE": "1700000000 +0000" for role in ("AUTHOR", "COMMITTER")}
    tree = (await git(f"--git-dir={repository}", "mktree", input=b"")).strip()
    return (await git(f"--git-dir={repository}", "commit-tree", tree, "-m", "x", env=who | date)).strip()


async def test_a_commit_is_signed_with_the_same_tree_time_and_id_each_time(repository: Path, key: Path) -> None:
    commit = await commit_in(repository)
    signed = await signed_by(repository, commit, US, "Mend it\n\nCo-authored-by: Ada <ada@x>", signing_key=key)
    assert signed == await signed_by(repository, commit, US, "Mend it\n\nCo-authored-by: Ada <ada@x>", signing_key=key)
    where = f"--git-dir={repository}"
    allowed = key.with_name("allowed")
    allowed.write_text(f"{US.email} {key.with_suffix('.pub').read_text()}")
    config = ("-c", "gpg.format=ssh", "-c", f"gpg.ssh.allowedSignersFile={allowed}")
    shown = await git(where, *config, "log", "-1", "--format=%G?|%T|%an|%ae|%at|%B", signed)
    tree = (await git(where, "rev-parse", f"{commit}^{{tree}}")).strip()
    assert shown.startswith(f"G|{tree}|{US.name}|{US.email}|1700000000|Mend it\n\nCo-authored-by: Ada <ada@x>")
    assert not (repository / "signing-key").exists()


async def test_a_key_that_signs_nothing_fails_the_commit_and_is_not_left(repository: Path, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("no key\n")
    with pytest.raises(GitFailed):
        await signed_by(repository, await commit_in(repository), US, "x", signing_key=tmp_path / "key")
    assert not (repository / "signing-key").exists()
