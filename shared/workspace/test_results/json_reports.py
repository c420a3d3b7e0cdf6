"""The JSON reports of jest, vitest and mocha, and the events of ``go test -json`` in a file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import msgspec

from shared.workspace.test_results.reading import Reading
from shared.workspace.test_results.runners.go import go
from shared.workspace.test_results.runners.javascript import not_loaded
from shared.workspace.test_results.text import lines_of, plain

_START: Final = re.compile(r'^\{(?:"(?:numTotalTestSuites|numFailedTestSuites)":|$)', re.MULTILINE)


class _Assertion(msgspec.Struct):
    title: str = ""
    status: str = ""
    ancestors: list[str] = msgspec.field(name="ancestorTitles", default_factory=list)


class _File(msgspec.Struct):
    name: str = ""
    status: str = ""
    assertions: list[_Assertion] = msgspec.field(name="assertionResults", default_factory=list)


class _Jest(msgspec.Struct):
    """jest's ``--json`` (its documentation: "testResultsProcessor"); vitest's reporter "json" writes the same form."""

    files: list[_File] = msgspec.field(name="testResults")
    runtime_errors: int | None = msgspec.field(name="numRuntimeErrorTestSuites", default=None)
    passed: int = msgspec.field(name="numPassedTests", default=0)
    failures: int = msgspec.field(name="numFailedTests", default=0)


class _MochaTest(msgspec.Struct):
    title: str = msgspec.field(name="fullTitle")


class _MochaStats(msgspec.Struct):
    passes: int = 0
    failures: int = 0


class _Mocha(msgspec.Struct):
    stats: _MochaStats
    failures: list[_MochaTest]


_JEST: Final = msgspec.json.Decoder(_Jest)
_MOCHA: Final = msgspec.json.Decoder(_Mocha)


def read_json(data: bytes) -> Reading | None:
    """The failures of one report file, or None for what is none of these."""
    for decode in (_read_jest, _read_mocha):
        try:
            return decode(data)
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            continue
    if b'"Action":' in data[:4096]:
        events = go(lines_of(plain(data.decode("utf-8", "replace"))))
        return None if events.empty else events
    return None


def in_output(text: str) -> Iterator[Reading]:
    """The reports that stand in an output, each beginning on a line of its own: at most four are tried."""
    for match in list(_START.finditer(text))[:4]:
        end = text.find("\n}\n", match.start()) if match[0] == "{" else text.find("\n", match.start())
        report = text[match.start() : len(text) if end < 0 else end + (2 if match[0] == "{" else 0)]
        if (reading := read_json(report.encode("utf-8", "replace"))) is not None:
            yield reading


def _read_jest(data: bytes) -> Reading:
    report = _JEST.decode(data)
    found = Reading(runner="vitest" if report.runtime_errors is None else "jest")
    for file in report.files:
        if file.status == "failed" and not file.assertions:
            found.broken.append(not_loaded(file.name))
        for test in file.assertions:
            if test.status in ("passed", "failed"):
                name = " > ".join([file.name, *test.ancestors, test.title])
                found.ran.append(name)
                if test.status == "failed":
                    found.failed.append(name)
    found.count(report.passed, report.failures)
    return found


def _read_mocha(data: bytes) -> Reading:
    report = _MOCHA.decode(data)
    found = Reading(runner="mocha", failed=[test.title for test in report.failures])
    found.count(report.stats.passes, report.stats.failures)
    return found
