"""Room for the files of one piece of work; what a killed gateway leaves of it, the next one clears away."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def temp_dir(folder: Path) -> Iterator[Path]:
    """A directory below ``folder`` for as long as the context lasts; what dead processes have left there goes first."""
    with _cleared(folder), contextlib.ExitStack() as own:
        path = Path(tempfile.mkdtemp(dir=folder))
        own.enter_context(_held(path, fcntl.LOCK_EX))
        kept = own.pop_all()
    with kept:
        try:
            yield path
        finally:
            shutil.rmtree(path, ignore_errors=True)


def clear_temp_dirs(folder: Path) -> None:
    """Remove what dead processes have left in ``folder``."""
    with _cleared(folder):
        pass


@contextlib.contextmanager
def _cleared(folder: Path) -> Iterator[None]:
    """Keep others from beginning there: nobody may see a directory that its owner does not hold yet."""
    folder.mkdir(parents=True, exist_ok=True)
    with _held(folder, fcntl.LOCK_EX):
        for each in folder.iterdir():
            with (
                contextlib.suppress(BlockingIOError, FileNotFoundError),
                _held(each, fcntl.LOCK_EX | fcntl.LOCK_NB),
            ):
                shutil.rmtree(each, ignore_errors=True)
        yield


@contextlib.contextmanager
def _held(directory: Path, how: int) -> Iterator[None]:
    """Lock a directory as long as this process lives; raises BlockingIOError where ``how`` says not to wait."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, how)
        yield
    finally:
        os.close(descriptor)
