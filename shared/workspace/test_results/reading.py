"""What one parser has found in one output or one report file."""

from __future__ import annotations

import msgspec


class Reading(msgspec.Struct, kw_only=True):
    """Failures as one runner names them. ``lines`` are the indexes of the lines that name them.

    ``passed`` and ``failures`` are the runner's own counts, None where it gives none. ``vague`` tells that the names
    are shorter than those that the runner gives elsewhere. ``ran`` are the tests that passed or failed, where the
    runner names those that passed.
    """

    runner: str
    failed: list[str] = msgspec.field(default_factory=list)
    broken: list[str] = msgspec.field(default_factory=list)
    lines: list[int] = msgspec.field(default_factory=list)
    passed: int | None = None
    failures: int | None = None
    vague: bool = False
    ran: list[str] = msgspec.field(default_factory=list)

    def fail(self, name: str, line: int) -> None:
        """A test has failed."""
        self.failed.append(name)
        self.lines.append(line)

    def break_(self, name: str, line: int) -> None:
        """Something could not be built, loaded or collected."""
        self.broken.append(name)
        self.lines.append(line)

    def count(self, passed: int | None = None, failures: int | None = None) -> None:
        """Add the counts of one run: an output may hold several runs of the runner. None is no count."""
        if passed is not None:
            self.passed = (self.passed or 0) + passed
        if failures is not None:
            self.failures = (self.failures or 0) + failures

    @property
    def empty(self) -> bool:
        """Whether the runner has said nothing at all."""
        return not self.failed and not self.broken and self.passed is None and self.failures is None
