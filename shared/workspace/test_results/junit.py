"""JUnit XML, as pytest, surefire, gradle, phpunit, jest-junit, vitest, nextest, rspec, gotestsum and ctest write it."""

from __future__ import annotations

from pathlib import Path
from typing import Final
from xml.parsers import expat

import msgspec

from shared.workspace.test_results.reading import Reading
from shared.workspace.test_results.runners.javascript import not_loaded
from shared.workspace.test_results.runners.python import not_collected

_PRODUCERS: Final = {
    "pytest": "pytest",
    "pytest tests": "pytest",
    "jest tests": "jest",
    "vitest tests": "vitest",
    "Mocha Tests": "mocha",
    "nextest-run": "nextest",
    "rspec": "rspec",
}
"""Runners by the name of their outermost suites."""
_MAX_CASES: Final = 200_000


class _Case(msgspec.Struct):
    attributes: dict[str, str]
    failed: bool = False
    skipped: bool = False
    message: str = ""
    kind: str = ""


class _Refused(Exception):
    """The file declares a document type: no runner does, and entities can be made to fill the memory."""


class _Reader:
    def __init__(self, runner: str) -> None:
        self.reading = Reading(runner=runner)
        self._case: _Case | None = None
        self._cases = 0

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        match tag:
            case "testsuites" | "testsuite" if not self.reading.runner:
                self.reading.runner = _PRODUCERS.get(attributes.get("name", ""), "")
            case "testcase" if self._cases < _MAX_CASES:
                self._cases += 1
                self._case = _Case(attributes)
            case "failure" | "error" if self._case is not None:
                self._case.failed = True
                self._case.message = self._case.message or attributes.get("message", "")
                self._case.kind = self._case.kind or attributes.get("type", "")
            case "skipped" if self._case is not None:
                self._case.skipped = True
            case "property" if attributes.get("name") == "go.version" and not self.reading.runner:
                self.reading.runner = "go"

    def end(self, tag: str) -> None:
        if tag != "testcase" or (case := self._case) is None:
            return
        self._case = None
        if case.attributes.get("assertions") and case.attributes.get("class") and not self.reading.runner:
            self.reading.runner = "phpunit"
        if case.kind.endswith("RiskyTestError"):
            return
        if case.failed:
            self._fail(case)
        elif not case.skipped:
            self.reading.count(passed=1)
            name, owner = case.attributes.get("name", ""), case.attributes.get("classname", "")
            self.reading.ran.append(_name(self.reading.runner, case.attributes, name, owner))

    def _fail(self, case: _Case) -> None:
        name, owner = case.attributes.get("name", ""), case.attributes.get("classname", "")
        match self.reading.runner:
            case "pytest" if case.message == "collection failure":
                self.reading.broken.append(not_collected(f"{owner}.{name}".strip(".")))
            case "vitest" if name == owner:
                self.reading.broken.append(not_loaded(name))
            case _:
                self.reading.failed.append(_name(self.reading.runner, case.attributes, name, owner))
                self.reading.ran.append(self.reading.failed[-1])
                self.reading.count(passed=0, failures=1)


def read_junit(data: bytes, path: Path) -> Reading | None:
    """The failures of one file, or None for what is no JUnit XML: not well-formed, or with a document type.

    ``path`` tells who wrote it where the file itself does not.
    """
    reader = _Reader(_by_place(path))
    parser = expat.ParserCreate(namespace_separator=None)
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.StartDoctypeDeclHandler = _refuse
    parser.EntityDeclHandler = _refuse
    try:
        parser.Parse(data, True)
    except (expat.ExpatError, _Refused, LookupError, ValueError):
        return None
    return None if reader.reading.empty else reader.reading


def _refuse(*_: object) -> None:
    raise _Refused


def _by_place(path: Path) -> str:
    if "surefire-reports" in path.parts or "failsafe-reports" in path.parts:
        return "surefire"
    if "test-results" in path.parts and "build" in path.parts:
        return "gradle"
    return ""


def _name(runner: str, attributes: dict[str, str], name: str, owner: str) -> str:
    """The name that the runner's text gives too."""
    match runner:
        case "phpunit":
            return f"{attributes.get('class', owner)}::{name}"
        case "mocha" | "ctest" | "jest":
            return name
        case "vitest":
            return f"{owner} > {name}"
        case "nextest":
            return f"{owner} {name}"
        case "rspec":
            return f"{attributes.get('file', owner).removeprefix('./')}: {name}"
        case _ if not owner or (runner != "pytest" and f"{name} ".startswith((f"{owner} ", f"{owner}."))):
            return name
        case _:
            return f"{owner}.{name}"
