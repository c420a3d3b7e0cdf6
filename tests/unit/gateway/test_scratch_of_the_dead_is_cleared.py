from __future__ import annotations

from pathlib import Path

import pytest

from shared.ops.temp_dirs import clear_temp_dirs, temp_dir


def test_a_directory_goes_with_its_work_whatever_came_of_that(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), temp_dir(tmp_path) as own:
        (own / "result.bundle").write_text("x")
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_has_left_goes_and_what_others_work_with_stays(tmp_path: Path) -> None:
    left = tmp_path / "left"
    left.mkdir()
    (left / "result.bundle").write_text("x")
    with temp_dir(tmp_path) as own, temp_dir(tmp_path) as other:
        clear_temp_dirs(tmp_path)
        assert set(tmp_path.iterdir()) == {own, other}
