"""Standard output and error, which lead to a pipe that its reader may close, or to a disk that may be full."""

from __future__ import annotations

import os
import sys


def finish_output() -> OSError | None:
    """Have written what was printed; returns what prevented it.

    What cannot be written is dropped, because Python would try again at its end and complain about it in lines of its
    own.
    """
    found: OSError | None = None
    for stream in (sys.__stdout__, sys.__stderr__):
        if stream is None or stream.closed:
            continue
        try:
            stream.flush()
        except OSError as error:
            found = found or error
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    return found
