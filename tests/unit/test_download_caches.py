from __future__ import annotations

import os
import uuid
from pathlib import Path

from shared.ops.download_caches import cache_variables, trim
from shared.workspace.checks import check_environment, run_checks


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


async def test_what_one_check_downloads_is_there_for_the_next_and_its_home_is_not(tmp_path: Path) -> None:
    caches = tmp_path / "caches"

    async def run(command: str) -> None:
        async with check_environment(tmp_path / "home", caches=caches) as environment:
            (result,) = await run_checks([command], tmp_path, environment, 60, f"test-{uuid.uuid4().hex}")
        assert result.exit_code == 0, result

    await run("mkdir -p $PIP_CACHE_DIR && echo 1 >$PIP_CACHE_DIR/a && echo 2 >~/.cargo/registry/b && echo 3 >~/c")
    await run("cat $PIP_CACHE_DIR/a ~/.cargo/registry/b >both && ! test -e ~/c")
    assert (tmp_path / "both").read_text() == "1\n2\n"
    assert (caches / "cargo" / "registry" / "b").read_text() == "2\n"


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
