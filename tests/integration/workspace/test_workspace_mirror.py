from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from shared.workspace.git import GitFailed, ask
from shared.workspace.mirror import Mirror, UnknownRef, source_of
from testing.eventually import eventually
from tests.integration.workspace.workspace_support import sh_git


async def test_no_ref_means_the_default_branch_of_the_remote(mirror: Mirror, target: Path) -> None:
    assert await mirror.resolve(None) == sh_git(target, "rev-parse", "main")
    assert await mirror.resolve("HEAD") == await mirror.resolve("main")


async def test_branches_tags_and_commits_resolve_to_commit_ids(mirror: Mirror, target: Path) -> None:
    first = sh_git(target, "rev-parse", "v1")
    for ref in ("side", "v1", "refs/heads/side", "refs/tags/v1", first, first[:10]):
        assert await mirror.resolve(ref) == first


@pytest.mark.parametrize(
    "ref",
    [
        *(
            "",
            "nowhere",
            "--all",
            "-h",
            "main~1",
            "main..side",
            "@{-1}",
            "main@{0}",
            "main^",
            "a b",
            "main\n",
            ":app.py",
        ),
        *("0" * 40, "refs/journeyman/remote-head", "x" * 5_000, "ma\0in", "--output=/etc/x"),
    ],
)
async def test_what_is_not_a_branch_tag_or_commit_is_refused_in_one_sentence(mirror: Mirror, ref: str) -> None:
    with pytest.raises(UnknownRef) as refusal:
        await mirror.resolve(ref)
    assert "\n" not in str(refusal.value)


async def test_a_fetch_brings_new_commits_and_drops_deleted_branches(mirror: Mirror, target: Path) -> None:
    sh_git(target, "branch", "-D", "side")
    sh_git(target, "commit", "--quiet", "--allow-empty", "--message=third")
    await mirror.fetch()
    assert await mirror.resolve("main") == sh_git(target, "rev-parse", "HEAD")
    with pytest.raises(UnknownRef):
        await mirror.resolve("side")


async def test_a_commit_that_left_every_branch_is_still_found_by_its_id(mirror: Mirror, target: Path) -> None:
    old = sh_git(target, "rev-parse", "main")
    sh_git(target, "reset", "--quiet", "--hard", "v1")
    await mirror.fetch()
    assert await mirror.resolve(None) != old
    assert await mirror.resolve(old) == old


async def test_many_tasks_may_fetch_one_mirror_at_once(tmp_path: Path, target: Path) -> None:
    mirrors = [Mirror(tmp_path / "mirrors", str(target)) for _ in range(6)]
    await asyncio.gather(*(mirror.fetch() for mirror in mirrors))
    assert len({mirror.path for mirror in mirrors}) == 1
    assert {await mirror.resolve(None) for mirror in mirrors} == {sh_git(target, "rev-parse", "main")}


def test_two_processes_may_fetch_one_mirror_at_once(tmp_path: Path, target: Path) -> None:
    code = (
        "import asyncio, sys\nfrom pathlib import Path\nfrom shared.workspace.mirror import Mirror\n"
        "mirror = Mirror(Path(sys.argv[1]), sys.argv[2])\nasyncio.run(mirror.fetch())\n"
        "print(asyncio.run(mirror.resolve(None)))\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "mirrors"), str(target)]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path(__file__).parents[3]) for _ in range(2)]
    answers = [process.communicate(timeout=120)[0].decode().strip() for process in processes]
    assert answers == [sh_git(target, "rev-parse", "main")] * 2


async def test_a_half_made_mirror_is_mended_by_the_next_fetch(mirror: Mirror, target: Path) -> None:
    (mirror.path / "HEAD").unlink()
    (mirror.path / "config").write_text("[broken")
    await mirror.fetch()
    assert await mirror.resolve(None) == sh_git(target, "rev-parse", "main")


async def test_configuration_written_into_a_mirror_is_gone_before_git_reads_it(
    mirror: Mirror, trap: tuple[str, Callable[[], bool]]
) -> None:
    command, sprung = trap
    hook = mirror.path / "hooks" / "reference-transaction"
    hook.parent.mkdir(exist_ok=True)
    hook.symlink_to(command)
    with (mirror.path / "config").open("a") as config:
        config.write(f"[core]\n\tsshCommand = {command}\n\tfsmonitor = {command}\n\talternateRefsCommand = {command}\n")
    await mirror.fetch()
    assert not sprung()
    assert command not in (mirror.path / "config").read_text()


async def test_an_empty_repository_can_be_mirrored_and_says_that_it_has_no_commit(tmp_path: Path) -> None:
    sh_git(tmp_path, "init", "--quiet", "--bare", "empty.git")
    mirror = Mirror(tmp_path / "mirrors", str(tmp_path / "empty.git"))
    await mirror.fetch()
    with pytest.raises(UnknownRef, match="no commit"):
        await mirror.resolve(None)


async def test_a_shallow_clone_can_be_mirrored(tmp_path: Path, target: Path) -> None:
    sh_git(tmp_path, "clone", "--quiet", "--depth=1", f"file://{target}", "shallow")
    mirror = Mirror(tmp_path / "mirrors", str(tmp_path / "shallow"))
    await mirror.fetch()
    assert await mirror.resolve(None) == sh_git(target, "rev-parse", "main")


async def test_a_repository_of_another_user_can_be_mirrored(tmp_path: Path, bare: Path) -> None:
    if os.getuid() != 0:
        pytest.skip("changing a file's owner needs root")
    for path in (bare, *bare.rglob("*")):
        os.chown(path, 65534, 65534)
    mirror = Mirror(tmp_path / "mirrors", str(bare))
    await mirror.fetch()
    assert await mirror.resolve(None)


async def test_a_missing_source_is_one_sentence_without_the_password(tmp_path: Path) -> None:
    mirror = Mirror(tmp_path / "mirrors", "http://user:s3cret@127.0.0.1:9/nothing.git")
    with pytest.raises(GitFailed) as failure:
        await mirror.fetch()
    assert "127.0.0.1" in str(failure.value)
    assert "s3cret" not in str(failure.value) + failure.value.detail
    assert "s3cret" not in str(mirror.path)
    assert "\n" not in str(failure.value)


@pytest.mark.parametrize(
    "address", ["", "ext::sh -c id", "fd::7", "--upload-pack=id", "-x", "git://host/x", "a\nb", "javascript:alert::x"]
)
def test_an_address_git_could_take_for_a_command_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="neither"):
        source_of(address)


@pytest.mark.parametrize(
    "address", ["https://example.org/a/b.git", "ssh://git@example.org/a", "git@example.org:a/b.git"]
)
def test_usual_addresses_are_taken_as_they_are(address: str) -> None:
    assert source_of(address) == address


def test_two_repositories_of_one_name_have_two_mirrors(tmp_path: Path) -> None:
    one = Mirror(tmp_path, "https://example.org/a/app.git")
    two = Mirror(tmp_path, "https://example.org/b/app.git")
    assert one.path != two.path
    assert one.path.parent == two.path.parent == tmp_path


async def test_a_git_that_is_stopped_half_way_leaves_no_lock_behind(mirror: Mirror) -> None:
    reads, writes = os.pipe()
    try:
        commit = await mirror.resolve("main")
        os.write(writes, f"start\nupdate refs/journeyman/kept {commit}\nprepare\n".encode())
        stopped = asyncio.create_task(ask(f"--git-dir={mirror.path}", "update-ref", "--stdin", input=reads))
        lock = mirror.path / "refs" / "journeyman" / "kept.lock"
        await eventually(lock.exists)
        stopped.cancel()
        with pytest.raises(asyncio.CancelledError):
            await stopped
        assert not lock.exists()
    finally:
        os.close(reads)
        os.close(writes)
    await mirror.git("update-ref", "refs/journeyman/kept", commit)
