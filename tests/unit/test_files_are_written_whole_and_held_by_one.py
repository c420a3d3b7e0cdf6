from __future__ import annotations

import hashlib
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from shared.ops.files import lock_file, sha256_of, write_atomically


def test_a_reader_sees_the_old_file_or_the_new_one_and_no_half(tmp_path: Path) -> None:
    path = tmp_path / "state"
    contents = [bytes([number]) * 300_000 for number in range(1, 9)]
    write_atomically(path, contents[0])
    seen: set[bytes] = set()
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            seen.add(path.read_bytes())

    reader = threading.Thread(target=read)
    reader.start()
    for content in contents * 20:
        write_atomically(path, content)
    done.set()
    reader.join()
    assert seen <= set(contents)
    assert [each.name for each in tmp_path.iterdir()] == ["state"]


def test_what_a_killed_writer_left_does_not_decide_who_may_read_the_file(tmp_path: Path) -> None:
    (tmp_path / "secret.tmp").write_bytes(b"half")
    (tmp_path / "secret.tmp").chmod(0o666)
    write_atomically(tmp_path / "secret", b"whole", mode=0o600)
    assert (tmp_path / "secret").read_bytes() == b"whole"
    assert (tmp_path / "secret").stat().st_mode & 0o777 == 0o600


def test_a_lock_file_has_one_holder_also_inside_one_process(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with lock_file(path), pytest.raises(BlockingIOError), lock_file(path):
        pass
    with lock_file(path):
        pass


def test_a_lock_goes_with_the_process_that_held_it(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    code = (
        "import sys, pathlib; from shared.ops.files import lock_file\n"
        f"with lock_file(pathlib.Path({str(path)!r})): print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None and other.stdout.readline() == b"held\n"
        with pytest.raises(BlockingIOError), lock_file(path):
            pass
        other.kill()
        other.wait()
    with lock_file(path):
        pass


def test_the_hash_of_a_file_is_that_of_its_bytes(tmp_path: Path) -> None:
    path = tmp_path / "large"
    path.write_bytes(bytes(range(256)) * 4096)
    assert sha256_of(path) == hashlib.sha256(path.read_bytes()).hexdigest()
