from __future__ import annotations

import os
import uuid
from pathlib import Path

import pytest

from shared.ops.download_caches import cache_variables, trim
from shared.sandbox.sandbox import Sandbox, Unconfined
from shared.workspace.check_sandbox import Access, CheckSandbox
from shared.workspace.checks import run_checks
from testing.confined import sandbox


def test_downloads_are_kept_below_one_directory() -> None:
    found = cache_variables(Path("/caches"), {"HOME": "/h"})
    assert found["PIP_CACHE_DIR"] == "/caches/pip"
    assert found["GOMODCACHE"] == "/caches/go-mod"
    assert {value for value in found.values() if not value.startswith("/caches/")} == {"true"}
    assert len(set(found.values())) == len(found)


def test_a_cache_that_the_operator_names_stays_where_it_is() -> None:
    found = cache_variables(Path("/caches"), {"PIP_CACHE_DIR": "/p", "NPM_CONFIG_CACHE": "/n", "GOPATH": "/go"})
    assert not {"PIP_CACHE_DIR", "npm_config_cache", "GOMODCACHE"} & found.keys()
    assert found["GOCACHE"] == "/caches/go-build"


@pytest.mark.parametrize("box", [sandbox(), Unconfined()], ids=["sandbox", "off"])
async def test_what_a_set_up_downloads_is_there_for_the_next_checkout_and_its_home_is_not(
    tmp_path: Path, box: Sandbox
) -> None:
    caches, tree = tmp_path / "caches", tmp_path / "tree"
    tree.mkdir()

    async def run(command: str, *, keeps: bool) -> None:
        async with CheckSandbox.opened(box, tree, tmp_path / "home", caches=caches) as commands:
            mark, access = f"test-{uuid.uuid4().hex}", Access(keeps_downloads=keeps)
            (result,) = await run_checks([command], commands, 60, mark, access=access)
        assert result.exit_code == 0, result

    fills = "mkdir -p $PIP_CACHE_DIR && echo 1 >$PIP_CACHE_DIR/a && echo 2 >~/.cargo/registry/b && echo 3 >~/c"
    await run(fills, keeps=True)
    await run("cat $PIP_CACHE_DIR/a ~/.cargo/registry/b >both && ! test -e ~/c", keeps=True)
    assert (tree / "both").read_text() == "1\n2\n"
    assert (caches / "cargo" / "registry" / "b").read_text() == "2\n"
    await run("echo 4 >$PIP_CACHE_DIR/a && rm ~/.cargo/registry/b && grep 4 $PIP_CACHE_DIR/a", keeps=False)
    if box.is_on:
        await run("cat $PIP_CACHE_DIR/a ~/.cargo/registry/b >both", keeps=False)
        assert (tree / "both").read_text() == "1\n2\n", "what a check writes there is its own"
    assert sorted(each.name for each in tmp_path.iterdir()) == ["caches", "tree"]


def test_whole_caches_are_emptied_from_the_largest_until_the_rest_fits(tmp_path: Path) -> None:
    for name, size in (("big", 400_000), ("middle", 200_000), ("small", 10_000)):
        (tmp_path / name / "deep").mkdir(parents=True)
        (tmp_path / name / "deep" / "file").write_bytes(os.urandom(size))
    (tmp_path / "big" / "deep").chmod(0o500)  # as Go leaves it
    (tmp_path / ".going-old").mkdir()
    assert trim(tmp_path, 1_000_000) == []
    assert trim(tmp_path, 250_000) == ["big"]
    assert sorted(each.name for each in tmp_path.iterdir()) == ["middle", "small"]
    assert trim(tmp_path, 0) == ["middle", "small"]
    assert trim(tmp_path / "nowhere", 0) == []


def test_a_file_with_two_names_in_a_cache_counts_once(tmp_path: Path) -> None:
    (tmp_path / "uv").mkdir()
    (tmp_path / "uv" / "a").write_bytes(os.urandom(100_000))
    (tmp_path / "uv" / "b").hardlink_to(tmp_path / "uv" / "a")
    (tmp_path / "uv" / "outside").symlink_to("/usr")
    assert trim(tmp_path, 150_000) == []
