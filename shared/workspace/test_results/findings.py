"""Which tests failed in one run, by its report files and its output."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

import msgspec

from shared.workspace.test_results.complaints import complaints_in
from shared.workspace.test_results.diagnostics import diagnostics, loading_errors
from shared.workspace.test_results.failing_lines import chosen
from shared.workspace.test_results.go_output import without_go_logs
from shared.workspace.test_results.json_reports import in_output, read_json
from shared.workspace.test_results.junit import read_junit
from shared.workspace.test_results.masked import lost_count, masked_errors
from shared.workspace.test_results.normalise import normalise
from shared.workspace.test_results.packages import packages
from shared.workspace.test_results.reading import Reading
from shared.workspace.test_results.report_files import MAX_BYTES
from shared.workspace.test_results.runners import read_all
from shared.workspace.test_results.runners.go import decoded
from shared.workspace.test_results.steps import failed_steps
from shared.workspace.test_results.stopped import has_stopped
from shared.workspace.test_results.text import (
    MAX_NAME,
    lines_of,
    plain,
    same_everywhere,
    stable,
    without_paths,
)
from shared.workspace.test_results.unreported import unreported

MAX_NAMES: Final = 2000
"""Names of each kind that are kept, the first in the alphabet."""
MAX_RAN: Final = 20_000
"""Tests that ran whose names are kept; of more, none."""
MAX_REPORT_BYTES: Final = 64 * 1024 * 1024
"""Bytes of all report files together that are read."""
_WORDS: Final = {
    "pytest": "pytest",
    "unittest": "unittest",
    "go test": "go",
    "gotestsum": "go",
    "jest": "jest",
    "vitest": "vitest",
    "mocha": "mocha",
    "nextest": "nextest",
    "cargo test": "cargo",
    "mvn": "surefire",
    "gradle": "gradle",
    "phpunit": "phpunit",
    "node --test": "node",
    "rspec": "rspec",
    "mix test": "exunit",
    "bun test": "bun",
    "dotnet test": "dotnet",
    "ctest": "ctest",
}
"""Runners by what a command calls them, for a run that has told nothing."""
COUNTING: Final = frozenset(
    {"pytest", "unittest", "jest", "vitest", "mocha", "node", "cargo", "nextest", "phpunit", "rspec", "surefire"}
)
"""Runners that tell how many tests have passed."""
_NAMED_BY_TEXT: Final = frozenset({"jest", "mocha"})
"""Runners whose JUnit XML names neither file nor suites of a test: it counts only where the text has no names."""
_SAME_WORDS: Final = frozenset({"pytest", "go", "vitest", "mocha", "nextest", "surefire", "phpunit"})
"""Runners whose reports and text give a test the same name."""


class Findings(msgspec.Struct, frozen=True, kw_only=True):
    """What one run of a check command says about its failures.

    ``runner`` is the name of a parser (``runners``): "pytest", "go", "jest" …, several of them with ``+`` between, or
    "" when nothing could be told. ``failed`` are tests, ``broken`` what could not be built, loaded or collected and
    what a linter objects to, ``steps`` the steps of make and the like that failed: sorted, the same in every folder and
    at every time. ``lines`` are the lines of the output that name failures and their reasons.
    ``stopped`` tells that the run gave up at its first failures. ``unreported`` are the lines of a failed run that look
    like failures and that no runner has told, see `unreported`.
    A run that ended with 0 has no failures. ``hidden`` are the tests, the steps and what could not be built or loaded
    that failed all the same: a pipe has lost the exit code, or the command ignores it.
    ``complaints`` are lines that speak of failures where nobody counts tests, see `complaints_in`.
    ``ran`` are the tests that passed or failed, where the runners name those that passed too.
    """

    runner: str = ""
    failed: tuple[str, ...] = ()
    broken: tuple[str, ...] = ()
    steps: tuple[str, ...] = ()
    passed_count: int | None = None
    failed_count: int | None = None
    lines: tuple[str, ...] = ()
    stopped: bool = False
    hidden: tuple[str, ...] = ()
    unreported: tuple[str, ...] = ()
    ran: tuple[str, ...] = ()
    complaints: tuple[str, ...] = ()

    @property
    def count(self) -> int:
        """Tests that ran, where they are counted."""
        return (self.passed_count or 0) + (self.failed_count or 0)

    @property
    def ran_nothing(self) -> bool:
        """Whether a runner that always counts its tests has counted none."""
        return not self.count and bool(COUNTING & set(self.runner.split("+")))

    @property
    def counts_tests(self) -> bool:
        """Whether each of its runners always tells at its end how many tests have passed."""
        return bool(self.runner) and COUNTING.issuperset(self.runner.split("+"))

    @property
    def runs_tests(self) -> bool:
        """Whether it has a test runner that runs no test where something is broken; go runs those of other packages."""
        return bool(self.runner) and "go" not in self.runner.split("+")

    @property
    def named(self) -> bool:
        """Whether a test or a thing that broke has a name."""
        return bool(self.failed or self.broken)


def read_failures(
    command: str, exit_code: int, output: str, reports: Sequence[Path], checkout: Path | None = None
) -> Findings:
    """Read the reports, and the output for what they do not tell. Never raises on what a command has written.

    ``checkout`` is where the command ran: names lose it. Without it, absolute paths are cut to their last two parts.
    """
    paths = () if checkout is None else (str(checkout), str(checkout.resolve()))
    text = without_paths(plain(output), paths)
    lines = without_go_logs(lines_of(text))
    parts = packages(lines)
    said = [part.placed(reading) for part in parts for reading in read_all("\n".join(part.lines), part.lines)]
    written = [*_read_reports(reports), *in_output(text)]
    complaints = [part.placed(diagnostics(part.lines)) for part in parts]
    failed = _failed(said, written)
    broken = [name for reading in (*complaints, *said, *written) for name in reading.broken]
    if not failed and not broken:
        complaints = [part.placed(loading_errors(part.lines)) for part in parts]
        broken = [name for reading in complaints for name in reading.broken]
    passed_count, failed_count = _counts(said, written)
    found = Findings(
        runner=_runner(command, (*said, *written)),
        failed=_bounded(failed, paths),
        # What compilers and tools say may hold a port or a time; the names of tests are theirs alone.
        broken=_bounded(map(normalise, broken), paths),
        steps=_bounded(failed_steps(lines), paths),
        passed_count=passed_count,
        failed_count=failed_count,
        lines=chosen(decoded(lines), (index for reading in (*complaints, *said) for index in reading.lines)),
        ran=_ran(said, written, paths),
        complaints=complaints_in(lines) if passed_count is None and failed_count is None else (),
    )
    if exit_code != 0:
        return msgspec.structs.replace(
            found, stopped=has_stopped(command, lines), unreported=unreported(decoded(lines))
        )
    # A compiler's word for a warning, or a linter's, is no failure; a runner's word for a test is one.
    tested = passed_count is not None or failed_count is not None
    masked = [name for part in parts for name in masked_errors(part.lines, tested=tested)]
    told = [*failed, *(name for reading in (*said, *written) for name in reading.broken)]
    hidden = _bounded([*told, *map(normalise, masked)], paths)
    failed_count = failed_count or (None if told else lost_count(lines)) or failed_count
    return msgspec.structs.replace(
        found,
        failed=(),
        broken=(),
        steps=(),
        failed_count=failed_count,
        lines=found.lines if hidden or failed_count else (),
        hidden=hidden,
    )


def _failed(said: Sequence[Reading], written: Sequence[Reading]) -> list[str]:
    """Names of reports, and those of the text of the same runner where both name a test in the same words.

    A second run may have overwritten the report of the first, or may have died before it wrote one. A report of an
    unknown runner counts where the text has no names: it may tell the same failures in other words.
    """
    told = {reading.runner for reading in said if reading.failed}
    reports = [reading for reading in written if reading.failed and reading.runner not in _NAMED_BY_TEXT & told]
    reported = {reading.runner for reading in reports}
    texts = [
        reading
        for reading in said
        if reading.runner not in reported or (reading.runner in _SAME_WORDS and not reading.vague)
    ]
    counted = (*texts, *(reading for reading in reports if reading.runner or not told))
    return [name for reading in counted for name in reading.failed]


def _ran(said: Sequence[Reading], written: Sequence[Reading], paths: Iterable[str]) -> tuple[str, ...]:
    """Tests that ran: of each runner by its reports, else by its text. All at once, as there may be many."""
    reported = {reading.runner for reading in written if reading.ran}
    readings = [*written, *(reading for reading in said if reading.runner not in reported)]
    names = {name for reading in readings for name in reading.ran}
    if len(names) > MAX_RAN:
        return ()
    text = same_everywhere(without_paths("\n".join(" ".join(name[:MAX_NAME].split()) for name in names), paths))
    return tuple(sorted(set(text.split("\n")) - {""}))


def _counts(said: Sequence[Reading], written: Sequence[Reading]) -> tuple[int | None, int | None]:
    """Passed and failed tests: of each runner by its text, else by its reports; None where nobody counts."""
    counted = {reading.runner for reading in said if reading.passed is not None}
    readings = [*said, *(reading for reading in written if reading.runner not in counted)]
    passed = [reading.passed for reading in readings if reading.passed is not None]
    failures = [reading.failures for reading in readings if reading.failures is not None]
    return (sum(passed) if passed else None, sum(failures) if failures else None)


def _runner(command: str, readings: Iterable[Reading]) -> str:
    spoken = dict.fromkeys(reading.runner for reading in readings if reading.runner)
    return "+".join(spoken) or next((runner for word, runner in _WORDS.items() if _calls(command, word)), "")


def _calls(command: str, word: str) -> bool:
    """Whether the command has the word, with the ``w`` of a wrapper or without, and not as a part of a longer one."""
    return word in command and re.search(rf"(?<![\w-]){re.escape(word)}w?(?![\w-])", command) is not None


def _bounded(names: Iterable[str], paths: Iterable[str]) -> tuple[str, ...]:
    stables = {stable(without_paths(name, paths)) for name in names}
    return tuple(sorted(stables - {""})[:MAX_NAMES])


def _read_reports(paths: Iterable[Path]) -> Iterator[Reading]:
    room = MAX_REPORT_BYTES
    for path in paths:
        data = _read_regular(path)
        if data is None or len(data) > room:
            continue
        room -= len(data)
        reading = read_json(data) if path.suffix == ".json" else read_junit(data, path)
        if reading is not None:
            yield reading


def _read_regular(path: Path) -> bytes | None:
    """The bytes of a regular file that is not too large, or None: what a check has left may be a link or a pipe."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError):
        return None
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return None
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            data = file.read(MAX_BYTES + 1)
    except OSError:
        return None
    finally:
        os.close(descriptor)
    return data if len(data) <= MAX_BYTES else None
