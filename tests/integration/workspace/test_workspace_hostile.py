"""What an agent may leave in its worktree, and what must not come of it."""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from shared.workspace import git as git_module
from shared.workspace.git import GitFailed, ask, commit_id, git
from shared.workspace.mirror import Mirror
from shared.workspace.worktree import Worktree
from testing.eventually import eventually
from testing.processes import alive
from tests.integration.workspace.workspace_support import ADA, CHECKPOINT, NOON, sh_git

Trap = tuple[str, Callable[[], bool]]


async def everything_we_do_with(worktree: Worktree, out: Path) -> None:
    """Each call of ours that meets the agent's files."""
    await worktree.snapshot("turn", CHECKPOINT, at=NOON)
    await worktree.changed_files()
    await worktree.diff()
    commit = await worktree.commit("done", ADA, at=NOON)
    assert commit is not None
    await worktree.bundle(commit.id, out=out)
    await worktree.mirror.fetch()
    await Worktree.create(worktree.mirror, worktree.path, worktree.base)


def hostile_config(command: str) -> str:
    return (
        f"[core]\n\tfsmonitor = {command}\n\thooksPath = hooks\n\tsshCommand = {command}\n\tpager = {command}\n"
        f"\teditor = {command}\n\taskPass = {command}\n\talternateRefsCommand = {command}\n"
        f'[filter "x"]\n\tclean = {command}\n\tsmudge = {command}\n\tprocess = {command}\n\trequired = true\n'
        f'[diff]\n\texternal = {command}\n[diff "x"]\n\tcommand = {command}\n\ttextconv = {command}\n'
        f'[merge "x"]\n\tdriver = {command}\n[gpg]\n\tprogram = {command}\n[commit]\n\tgpgSign = true\n'
        f"[credential]\n\thelper = !{command}\n[alias]\n\tadd = !{command}\n[status]\n\tsubmoduleSummary = true\n"
    )


def plant(git_dir: Path, command: str) -> None:
    with (git_dir / "config").open("a") as config:
        config.write(hostile_config(command))
    (git_dir / "hooks").mkdir(exist_ok=True)
    for hook in (
        "pre-commit",
        "post-checkout",
        "reference-transaction",
        "post-index-change",
        "pre-auto-gc",
        "pre-push",
    ):
        shutil.copy(command, git_dir / "hooks" / hook)


async def test_hooks_and_settings_in_the_agents_repository_do_not_run(
    worktree: Worktree, tmp_path: Path, trap: Trap
) -> None:
    command, sprung = trap
    plant(worktree.git_dir, command)
    (worktree.path / ".gitattributes").write_text("* filter=x diff=x merge=x\n")
    (worktree.path / "app.py").write_text("changed\n")
    await everything_we_do_with(worktree, tmp_path / "out.bundle")
    assert not sprung()
    sh_git(worktree.path, "status", check=False)
    assert sprung(), "the trap itself must work, else this test shows nothing"


async def test_a_repository_put_in_place_of_the_dot_git_file_does_not_run(
    worktree: Worktree, tmp_path: Path, trap: Trap
) -> None:
    command, sprung = trap
    (worktree.path / ".git").unlink()
    sh_git(worktree.path, "init", "--quiet")
    plant(worktree.path / ".git", command)
    (worktree.path / ".gitattributes").write_text("* filter=x diff=x\n")
    await everything_we_do_with(worktree, tmp_path / "out.bundle")
    assert not sprung()


async def test_a_nested_repository_does_not_run_and_is_taken_as_plain_files(
    worktree: Worktree, tmp_path: Path, trap: Trap
) -> None:
    command, sprung = trap
    deep = worktree.path / "vendor" / "lib" / "deeper"
    deep.mkdir(parents=True)
    for place, name in ((deep.parent, "a.txt"), (deep, "b.txt")):
        sh_git(place, "init", "--quiet")
        (place / name).write_text(f"{name}\n")
        (place / ".gitattributes").write_text("* filter=x\n")
    sh_git(deep.parent, "add", "a.txt")
    sh_git(deep.parent, "commit", "--quiet", "--message=inner")
    (worktree.path / "empty").mkdir()
    sh_git(worktree.path / "empty", "init", "--quiet")
    for place in (deep.parent, deep, worktree.path / "empty"):
        plant(place / ".git", command)
    await everything_we_do_with(worktree, tmp_path / "out.bundle")
    (deep / "b.txt").write_text("changed\n")
    commit = await worktree.commit("done", ADA, at=NOON)
    assert commit is not None
    assert commit.skipped == ()
    changed = {file.path for file in await worktree.changed_files()}
    names = {"a.txt", ".gitattributes", "deeper/b.txt", "deeper/.gitattributes"}
    assert changed == {f"vendor/lib/{name}" for name in names}
    assert not sprung()


@pytest.fixture
async def with_submodule(tmp_path: Path, target: Path) -> Worktree:
    """A worktree of a repository that has a submodule at `libs/inner`, not checked out as is usual."""
    inner = tmp_path / "inner"
    inner.mkdir()
    sh_git(inner, "init", "--quiet", "--initial-branch=main")
    (inner / "inner.txt").write_text("inner\n")
    sh_git(inner, "add", "--all")
    sh_git(inner, "commit", "--quiet", "--message=inner")
    sh_git(target, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(inner), "libs/inner")
    sh_git(target, "commit", "--quiet", "--message=submodule")
    mirror = Mirror(tmp_path / "data" / "mirrors", str(target))
    await mirror.fetch()
    return await Worktree.create(mirror, tmp_path / "data" / "worktrees" / "sub", await mirror.resolve(None))


async def test_an_untouched_submodule_is_no_change(with_submodule: Worktree) -> None:
    assert (with_submodule.path / "libs" / "inner").is_dir()
    assert await with_submodule.changed_files() == []
    (with_submodule.path / "app.py").write_text("x\n")
    assert [file.path for file in await with_submodule.changed_files()] == ["app.py"]


async def test_a_submodule_moves_with_its_checkout_and_its_settings_do_not_run(
    with_submodule: Worktree, tmp_path: Path, trap: Trap
) -> None:
    command, sprung = trap
    inner = with_submodule.path / "libs" / "inner"
    sh_git(tmp_path, "clone", "--quiet", str(tmp_path / "inner"), str(inner))
    (inner / "inner.txt").write_text("newer\n")
    sh_git(inner, "commit", "--quiet", "--all", "--message=newer")
    (inner / ".gitattributes").write_text("* filter=x\n")
    (inner / "inner.txt").write_text("dirty\n")
    plant(inner / ".git", command)
    await everything_we_do_with(with_submodule, tmp_path / "out.bundle")
    assert not sprung()
    (changed,) = await with_submodule.changed_files()
    assert changed.path == "libs/inner"
    commit = await with_submodule.commit("moved", ADA, at=NOON)
    assert commit is not None
    head = (inner / ".git" / "refs" / "heads" / "main").read_text().strip()
    assert f"160000 commit {head}\tlibs/inner" in await with_submodule.mirror.git("ls-tree", "-r", commit.id)


async def test_a_submodule_turned_into_plain_files_is_taken_as_plain_files(with_submodule: Worktree) -> None:
    (with_submodule.path / ".gitmodules").unlink()
    (with_submodule.path / "libs" / "inner" / "inner.txt").write_text("vendored\n")
    paths = {(file.path, file.status) for file in await with_submodule.changed_files()}
    assert paths == {(".gitmodules", "D"), ("libs/inner", "D"), ("libs/inner/inner.txt", "A")}


async def test_a_removed_submodule_is_a_deletion(with_submodule: Worktree) -> None:
    shutil.rmtree(with_submodule.path / "libs")
    assert [(file.path, file.status) for file in await with_submodule.changed_files()] == [("libs/inner", "D")]


async def test_names_git_refuses_cost_nothing_but_themselves_and_are_reported(worktree: Worktree) -> None:
    (worktree.path / ".GIT").mkdir()
    (worktree.path / ".GIT" / "config").write_text("x")
    (worktree.path / "git~1").write_text("x")
    os.mkfifo(worktree.path / "pipe")
    (worktree.path / "good.txt").write_text("good\n")
    commit = await worktree.commit("good", ADA, at=NOON)
    assert commit is not None
    assert set(commit.skipped) == {".GIT/config", "git~1"}
    assert [file.path for file in await worktree.changed_files()] == ["good.txt"]


async def test_a_pipe_called_gitmodules_or_gitignore_does_not_hang_us(worktree: Worktree) -> None:
    os.mkfifo(worktree.path / ".gitmodules")
    (worktree.path / "good.txt").write_text("good\n")
    assert await worktree.snapshot("turn", CHECKPOINT, at=NOON)


async def test_a_lock_an_agent_left_does_not_stop_us(worktree: Worktree) -> None:
    next((worktree.git_dir / "worktrees").iterdir()).joinpath("index.lock").touch()
    (worktree.path / "good.txt").write_text("good\n")
    assert await worktree.snapshot("turn", CHECKPOINT, at=NOON)


async def test_our_git_takes_nothing_from_the_environment_or_the_home(
    worktree: Worktree, tmp_path: Path, trap: Trap, monkeypatch: pytest.MonkeyPatch
) -> None:
    command, sprung = trap
    home = tmp_path / "home"
    (home / ".config" / "git").mkdir(parents=True)
    (home / ".gitconfig").write_text(hostile_config(command))
    (home / ".config" / "git" / "ignore").write_text("*.txt\n")
    (home / ".config" / "git" / "attributes").write_text("* filter=x\n")
    for name, value in {
        "HOME": str(home),
        "GIT_DIR": "/nowhere",
        "GIT_INDEX_FILE": "/nowhere/index",
        "GIT_EXTERNAL_DIFF": command,
        "GIT_SSH_COMMAND": command,
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "core.fsmonitor",
        "GIT_CONFIG_VALUE_0": command,
    }.items():
        monkeypatch.setenv(name, value)
    (worktree.path / "kept.txt").write_text("kept\n")
    await everything_we_do_with(worktree, tmp_path / "out.bundle")
    assert [file.path for file in await worktree.changed_files()] == ["kept.txt"]
    assert not sprung()


async def test_every_override_is_known_to_be_set_in_each_call() -> None:
    for key, value in git_module.OVERRIDES.items():
        last = (await git("config", "--get-all", key)).splitlines()
        assert last == [value], key


async def test_a_git_call_that_takes_too_long_is_ended_with_its_children(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    slow = f"!echo $$ > '{pid}'; exec sleep 60"
    with pytest.raises(GitFailed, match="longer than"):
        await git("-c", f"alias.slow={slow}", "slow", timeout=8.0)
    await eventually(lambda: not alive(int(pid.read_text())))


@pytest.mark.parametrize("attempt", range(5))
async def test_a_git_call_that_prints_too_much_is_ended(attempt: int) -> None:
    with pytest.raises(GitFailed, match="printed more than"):
        await ask("-c", "alias.endless=!yes", "endless", max_output=100_000)


async def test_a_helper_that_git_leaves_behind_does_not_hold_us_up(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    began = time.monotonic()
    try:
        left = f"!setsid sleep 300 & echo $! > '{pid}'; echo done"
        assert await git("-c", f"alias.left={left}", "left") == "done\n"
        assert time.monotonic() - began < 30
    finally:
        os.kill(int(pid.read_text()), signal.SIGKILL)


@pytest.mark.parametrize("text", ["", "HEAD", "-x", "a" * 39, "A" * 40, "a" * 40 + "\n", "--" + "a" * 38])
def test_only_full_commit_ids_pass_as_commit_ids(text: str) -> None:
    with pytest.raises(ValueError, match="commit id"):
        commit_id(text)
