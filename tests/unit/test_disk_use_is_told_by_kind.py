from __future__ import annotations

from pathlib import Path

from shared.ops.disk_use import bytes_on_disk, disk_use, free_bytes, size_in_words


def test_what_a_data_directory_takes_is_told_by_kind_the_largest_first(tmp_path: Path) -> None:
    for place, size in {"mirrors/a.git/pack": 200_000, "runs/x/out": 8_000, "scratch/b": 8_000, "place": 8}.items():
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / place).write_bytes(b"x" * size)
    (tmp_path / "worktrees").symlink_to("/")
    found = {each.kind: each.bytes for each in disk_use(tmp_path)}
    assert list(found)[:2] == ["mirrors", "work in hand"]
    assert found["mirrors"] >= 200_000
    assert 16_000 <= found["work in hand"] < 100_000
    assert found["other"] > 0
    assert disk_use(tmp_path / "nowhere") == []
    assert free_bytes(tmp_path / "not" / "there") > 0


def test_a_file_with_two_names_counts_once(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x" * 100_000)
    once = bytes_on_disk(tmp_path)
    (tmp_path / "b").hardlink_to(tmp_path / "a")
    assert bytes_on_disk(tmp_path) == once


def test_sizes_are_told_in_words() -> None:
    assert [size_in_words(size) for size in (0, 1023, 1024, 5 << 20, 3 << 30)] == [
        "0 bytes",
        "1,023 bytes",
        "1.0 KiB",
        "5.0 MiB",
        "3.0 GiB",
    ]
