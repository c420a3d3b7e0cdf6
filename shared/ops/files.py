"""Files that are written whole, files that one process holds at a time, and the hash of a file."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path


def write_atomically(path: Path, content: bytes, *, mode: int = 0o666) -> None:
    """Replace a file whole, so that no reader sees half of it; a new file gets ``mode`` less the umask.

    For one writer at a time. A power cut may leave the older content: nothing is synced to the disk.
    """
    draft = path.with_name(f"{path.name}.tmp")
    draft.unlink(missing_ok=True)  # of a writer that was killed, and perhaps with another mode
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode), "wb") as file:
        file.write(content)
    draft.replace(path)


def sha256_of(path: Path) -> str:
    """The SHA-256 in lower-case hex of a file's bytes, which are never in memory all at once."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextlib.contextmanager
def lock_file(path: Path) -> Iterator[int]:
    """Hold a lock file, made where it is missing; gives its descriptor, for reading and writing.

    Raises BlockingIOError at once when somebody holds it. The lock goes with the process, and each call is a holder of
    its own: it also keeps two tasks of one process apart.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield descriptor
    finally:
        os.close(descriptor)
