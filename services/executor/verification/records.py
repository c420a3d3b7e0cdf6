"""What is known of base commits: how they say they are checked, and what their checks said. Kept for all tasks.

One file for each repository, base commit and list of commands. A check that could not run is not remembered: what was
in its way may be gone.
"""

from __future__ import annotations

import hashlib
import re
import time
from pathlib import Path
from typing import Final

import msgspec

from shared.ops.crash_points import crash_point
from shared.ops.files import write_atomically
from shared.workspace.test_results import Findings

FOLDER: Final = "verdicts"
"""The folder in a data directory."""
KEPT_S: Final = 14 * 24 * 3600.0
"""Seconds after which a record is made anew: the machine's tools change."""
EXCUSES_S: Final = 3600.0
"""Seconds for which a red run excuses what fails in the same way; then it is asked again whether that is so today."""
MOST_RECORDS: Final = 500
_FORM: Final = "7"
"""Of what is kept. It changes with the rules by which commands are found and outputs are read."""
_PASSES: Final = re.compile(
    r"connection (?:refused|reset|timed out)|\bE(?:CONN(?:REFUSED|RESET)|TIMEDOUT|ADDRINUSE|NOTFOUND|NOSPC|MFILE)\b"
    r"|EAI_AGAIN|address already in use|port is already|temporary failure|could not resolve host|no such host"
    r"|no route to host|network is unreachable|no space left|too many open files|deadline exceeded"
    r"|\btimed out\b|timeout(?:error|exception)|rate limit|service unavailable|bad gateway",
    re.IGNORECASE,
)
"""Words of a service, a network or a machine that is not well: the very same test may pass an hour later."""
OUTPUT_CHARS: Final = 128 * 1024
"""Of an output's end, which is what outputs are compared by where tests have no names."""


class Commands(msgspec.Struct, frozen=True):
    """How a repository is set up and checked: shell commands."""

    setup: tuple[str, ...]
    checks: tuple[str, ...]


class BaseRun(msgspec.Struct, frozen=True, kw_only=True):
    """What a command said at the base commit. ``output`` is the end of its output, ``output_cut`` that there is more.

    ``checkout`` is the path it ran at, and ``home`` was its ``HOME``: the output may name them. ``hindrance`` says why
    it could not run, if so. ``at`` is when it ran, in seconds of the epoch.
    """

    exit_code: int
    output: str = ""
    output_cut: bool = False
    findings: Findings = Findings()
    checkout: str = ""
    home: str = ""
    hindrance: str = ""
    at: float = 0.0

    @property
    def tells_of_failure(self) -> bool:
        """Whether something fails, whatever the exit code."""
        return bool(self.exit_code or self.findings.hidden or self.findings.failed_count)

    @property
    def may_be_over(self) -> bool:
        """Whether another run may say something else by now: it is old, or names what comes and goes."""
        return time.time() - self.at > EXCUSES_S or _PASSES.search(self.output) is not None


class Record(msgspec.Struct, frozen=True):
    """What is known of one base commit."""

    commands: Commands | None = None
    runs: dict[str, BaseRun] = {}


class BaseRecords:
    """The records in ``folder``. Whoever writes last wins: all write what they saw of the same commit."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def load(self, *key: str) -> Record:
        """The record of a key; an empty one where there is none, or none that can be read."""
        file = self._file(key)
        try:
            if time.time() - file.stat().st_mtime < KEPT_S:
                return msgspec.json.decode(file.read_bytes(), type=Record)
        except (OSError, msgspec.MsgspecError):
            pass
        return Record()

    def save(self, record: Record, *key: str) -> None:
        """Keep the record of a key; the oldest ones go when there are too many."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_atomically(self._file(key), msgspec.json.encode(record))
        crash_point("verification.record-saved")
        files = sorted(self._folder.glob("*.json"), key=_age, reverse=True)
        for old in files[MOST_RECORDS:]:
            old.unlink(missing_ok=True)

    def _file(self, key: tuple[str, ...]) -> Path:
        return self._folder / f"{hashlib.sha256(msgspec.json.encode((_FORM, *key))).hexdigest()[:32]}.json"


def _age(file: Path) -> float:
    try:
        return file.stat().st_mtime
    except OSError:  # another executor removed it
        return 0.0
