from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from shared.workspace.test_results import failing_lines, normalise
from tests.unit.test_results.recorded import OUTPUTS, text_of

DIFFERENT = [
    ("=== 4 failed in 2.26s ===", "=== 4 failed in 12.5s ==="),
    ("ok  \tpkg\t0.002s", "ok  \tpkg\t1.2s"),
    ("at 2026-11-26T20:02:13.471492+00:00 it", "at 2026-12-01T01:02:03Z it"),
    ("[20:00:01] start", "[21:13:59] start"),
    ("real 0m1.234s", "real 1m0.5s"),
    ("<Thing object at 0x7f9c67993010>", "<Thing object at 0x7eff0daa0ed0>"),
    ("thread 'a::b' (20091) panicked", "thread 'a::b' (7) panicked"),
    ("listening on 127.0.0.1:43211", "listening on 127.0.0.1:5000"),
    ("Error: connect ECONNREFUSED ::1, port 8080", "Error: connect ECONNREFUSED ::1, port 49152"),
    ("run 7b7cdbf6-2f0c-4d6f-9d06-3f0f0b6f1c11", "run 00000000-1111-4d6f-9d06-3f0f0b6f1c11"),
    ("Running target/debug/deps/calc-c6626fb655a8d231", "Running target/debug/deps/calc-00026fb655a8d2ab"),
    ("wrote /tmp/pytest-of-me/pytest-12/x0/out.txt", "wrote /tmp/tmpab12/out.txt"),
    ("Run options: --seed 37536", "Run options: --seed 1"),
    ("Using --randomly-seed=123456", "Using --randomly-seed=9"),
    ("(node:29762) Warning: x", "(node:1) Warning: x"),
    ("pid 4711 died", "pid 12 died"),
    ("[gw1] [ 33%] FAILED a", "[gw0] [ 50%] FAILED a"),
    ("HEAD is now at 2eb7c80 x", "HEAD is now at 5aacb02 x"),
    ("\x1b[31mred\x1b[0m", "red"),
    ("10%\r50%\r100% done", "100% done"),
    ("a   b", "a     b"),
    ("2026-11-26 20:02:13,471 ERROR expected 3, got 4", "2026-12-01 01:02:03,001 ERROR expected 3, got 4"),
    ("[20:02:13] 1 error", "[21:13:59] 1 error"),
    ("1 of 3 should pass (0.12 s)", "1 of 3 should pass (1.40 s)"),
    ("3 failed, as expected, in 0.3s", "3 failed, as expected, in 2.1s"),
    ("expected <Thing at 0x7f9c67993010>", "expected <Thing at 0x7eff0daa0ed0>"),
    ("expected /tmp/pytest-of-me/pytest-12/x0/out.txt", "expected /tmp/tmpab12/out.txt"),
]


@pytest.mark.parametrize(("one", "other"), DIFFERENT, ids=[one for one, _ in DIFFERENT])
def test_what_differs_by_chance_is_taken_out(one: str, other: str) -> None:
    assert normalise(one) == normalise(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("2 != 3", "2 != 4"),
        ("no file a.txt", "no file b.txt"),
        ("a\nb", "b\na"),
        ("exit 1", "exit 2"),
        ("feed", "fed"),
        ("a.c:42:11", "a.c:43:11"),
        ("case 5 s failed", "case 9 s failed"),
        ("case 5s failed", "case 9s failed"),
        ("process 12: wrong", "process 77: wrong"),
        ("user 12: wrong", "user 77: wrong"),
        ("expected 3f2a9b1c0d, got 9b1c3f2a0d", "expected 3f2a9b1c0d, got 00aa3f2a0d"),
        ("sha256 mismatch: 3f2a9b1c0d", "sha256 mismatch: 00aa3f2a0d"),
        ("a.bin: checksum 3f2a9b1c0d", "a.bin: checksum 00aa3f2a0d"),
        ("expected: 2026-01-01", "expected: 2026-01-02"),
        ("AssertionError: '10:30' != '10:31'", "AssertionError: '10:30' != '10:45'"),
        ("got 5ms", "got 9ms"),
        ("should be 5s", "should be 9s"),
        ("version 2026-01-01 wanted", "version 2026-01-02 wanted"),
        ("Error: address already in use 127.0.0.1:8080", "Error: address already in use 127.0.0.1:9090"),
        ("listen EADDRINUSE: localhost:80", "listen EADDRINUSE: localhost:81"),
        ("failed: 3:20", "failed: 4:20"),
        ("errors: 3 m", "errors: 4 m"),
        ("10:30 errors", "10:31 errors"),
    ],
)
def test_what_differs_for_a_reason_stays(one: str, other: str) -> None:
    assert normalise(one) != normalise(other)


def test_one_failing_program_in_two_folders_gives_one_text(tmp_path: Path) -> None:
    program = (
        "import os, pathlib, sys, tempfile, time\n"
        "print('started', time.time_ns() // 10**9 * 0, os.getpid() and 'pid', 'pid', os.getpid())\n"
        "print(object(), pathlib.Path.cwd(), tempfile.mkdtemp())\n"
        "sys.stdout.flush()\n"
        "assert pathlib.Path('a').exists(), pathlib.Path('a').absolute()\n"
    )
    outputs = []
    for folder in (tmp_path / "one", tmp_path / "other-and-longer"):
        folder.mkdir()
        (folder / "check.py").write_text(program)
        done = subprocess.run(
            [sys.executable, "check.py"], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        assert done.returncode == 1
        outputs.append(done.stdout)
    assert outputs[0] != outputs[1]
    folders = (tmp_path / "one", tmp_path / "other-and-longer")
    assert normalise(outputs[0], *folders) == normalise(outputs[1], *folders)
    assert "AssertionError: a" in normalise(outputs[0], *folders)


def test_a_folder_whose_name_begins_with_the_checkouts_is_another() -> None:
    assert normalise("/srv/work-2/a and /srv/work/a", "/srv/work") == "/srv/work-2/a and a"


@pytest.mark.parametrize("name", sorted(path.name for path in OUTPUTS.glob("*.txt")))
def test_normalising_twice_changes_nothing_more(name: str) -> None:
    once = normalise(text_of(name), "/srv/checkout")
    assert normalise(once) == once


def test_lines_of_an_unknown_tool_that_look_like_failures_are_found() -> None:
    output = "".join(f"building part {n}\n" for n in range(500)) + "widget.x: error: no gear\nfatal: giving up\n"
    assert failing_lines(output) == ("widget.x: error: no gear", "fatal: giving up")


def test_good_news_that_hold_the_word_are_left_out() -> None:
    assert failing_lines("0 errors\nok  errors pkg\nFound 2 errors, 0 failed\n") == ("Found 2 errors, 0 failed",)


def test_without_such_lines_the_end_stands_for_the_output() -> None:
    assert failing_lines("".join(f"line {n}\n" for n in range(100))) == tuple(f"line {n}" for n in range(80, 100))
    assert failing_lines("") == ()
