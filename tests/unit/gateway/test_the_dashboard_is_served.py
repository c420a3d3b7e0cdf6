from __future__ import annotations

import os
from pathlib import Path

import pytest

from services.gateway.web import CHECK_FIRST, IMMUTABLE, Web


@pytest.fixture
def build(tmp_path: Path) -> Path:
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text("<html>one</html>")
    (tmp_path / "assets" / "index-abc.js").write_text("x" * 5000)
    (tmp_path / "secret").symlink_to(Path(__file__))
    return tmp_path


def test_every_page_begins_with_the_one_page(build: Path) -> None:
    web = Web(build)
    for path in ("", "index.html", "tasks/01JX", "settings"):
        asset = web.find(path)
        assert asset is not None
        assert asset.body == b"<html>one</html>"
        assert asset.cache_control == CHECK_FIRST


def test_a_hashed_file_may_be_kept_for_ever_and_comes_compressed(build: Path) -> None:
    asset = Web(build).find("assets/index-abc.js")
    assert asset is not None
    assert asset.cache_control == IMMUTABLE
    assert 0 < len(asset.zipped) < len(asset.body)


@pytest.mark.parametrize("path", ["assets/gone.js", "assets/gone", "favicon.ico", "../web.py", "assets/../../x.py"])
def test_a_file_that_is_not_in_the_build_is_not_there(build: Path, path: str) -> None:
    assert Web(build).find(path) is None


def test_a_link_out_of_the_build_is_not_followed(build: Path) -> None:
    asset = Web(build).find("secret")
    assert asset is not None
    assert asset.body == b"<html>one</html>"


def test_a_new_build_shows_without_a_restart(build: Path) -> None:
    web = Web(build)
    web.find("")
    (build / "index.html").write_text("<html>two</html>")
    os.utime(build / "index.html", ns=(1, 1))
    asset = web.find("")
    assert asset is not None
    assert asset.body == b"<html>two</html>"


def test_without_a_build_there_is_nothing(tmp_path: Path) -> None:
    web = Web(tmp_path / "none")
    assert not web.is_built
    assert web.find("") is None
