"""``go test``, as text and with ``-json``, and gotestsum."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import msgspec

from shared.workspace.test_results.reading import Reading

_FAIL: Final = re.compile(r"--- FAIL: (\S+) \(")
_PASS: Final = re.compile(r"--- PASS: (\S+) \(")
_PACKAGE: Final = re.compile(r"^(FAIL|ok  |\?   )\t(\S+)(?:[ \t](.*))?$")
_SUM: Final = re.compile(r"^=== FAIL: (\S+) (\S+) \(")
_RUNNING: Final = re.compile(r"^\t+((?:Test|Fuzz|Example|Benchmark)\S*) \(")
_HEADER: Final = re.compile(r"^# \S+(?: \[\S+\])?$")
_MISTAKE: Final = re.compile(r"^(?:vet: )?(?:\./)?([^\s:]+\.go):\d+(?::\d+)?: (?!warning: )(.+)$")
_MODULE: Final = re.compile(
    r"^go: (?!downloading |finding |found |added |upgraded |creating |extracting |warning)(.+)$"
)


class _Event(msgspec.Struct):
    """A line of ``go test -json`` (``go doc cmd/test2json``)."""

    action: str = msgspec.field(name="Action", default="")
    package: str = msgspec.field(name="Package", default="")
    test: str = msgspec.field(name="Test", default="")
    output: str = msgspec.field(name="Output", default="")
    failed_build: str = msgspec.field(name="FailedBuild", default="")


_DECODER: Final = msgspec.json.Decoder(_Event)


def go(lines: Sequence[str]) -> Reading:
    """Names ``package.Test/subtest``; the package alone where it failed without a failing test (a panic, an exit)."""
    found = Reading(runner="go")
    events = [(index, event) for index, line in enumerate(lines) if (event := _event(line))]
    if events:
        _read_events(found, events)
    _read_text(found, lines)
    return found


def decoded(lines: Sequence[str]) -> list[str]:
    """The lines, where an event of ``go test -json`` is the output that it carries."""
    return [event.output.rstrip("\n") if (event := _event(line)) else line for line in lines]


def _event(line: str) -> _Event | None:
    if not line.startswith("{") or '"Action":' not in line:
        return None
    try:
        return _DECODER.decode(line.encode())
    except (msgspec.MsgspecError, UnicodeError):
        return None


def _read_events(found: Reading, events: Sequence[tuple[int, _Event]]) -> None:
    failing: set[str] = set()
    for index, event in events:
        match event:
            case _Event(action="output", test="") if match := _PACKAGE.match(event.output.rstrip()):
                if (broken := _broken(match)) is not None:
                    failing.add(event.package)
                    found.break_(broken, index)
            case _Event(action="build-output") if match := _MISTAKE.match(event.output.rstrip()):
                found.break_(f"{match[1]}: {match[2]}", index)
            case _Event(action="fail", test="") if event.package not in failing and event.package:
                found.fail(event.package, index)
            case _Event(action="fail") if event.test:
                failing.add(event.package)
                found.fail(f"{event.package}.{event.test}", index)
                found.ran.append(f"{event.package}.{event.test}")
                found.count(failures=1)
            case _Event(action="pass") if event.test:
                found.ran.append(f"{event.package}.{event.test}")
                found.count(passed=1)


def _broken(package: re.Match[str]) -> str | None:
    reason = package[3] or ""
    return f"{package[2]} {reason}" if package[1] == "FAIL" and reason.startswith("[") else None


def _read_text(found: Reading, lines: Sequence[str]) -> None:
    pending: list[tuple[int, str]] = []
    ran: list[str] = []
    compiling = running = False
    for index, line in enumerate(lines):
        if line.startswith("# "):
            compiling = _HEADER.match(line) is not None
        elif line and line[0] not in " \t" and not _MISTAKE.match(line):
            compiling = False
        if compiling and (match := _MISTAKE.match(line)):
            found.break_(f"{match[1]}: {match[2]}", index)
        elif "--- FAIL: " in line and not line.startswith("{") and (match := _FAIL.search(line)):
            pending.append((index, match[1]))
            ran.append(match[1])
            found.count(failures=1)
        elif "--- PASS: " in line and not line.startswith("{") and (match := _PASS.search(line)):
            ran.append(match[1])
            found.count(passed=1)
        elif line.startswith("=== FAIL: ") and (match := _SUM.match(line)):
            found.fail(f"{match[1]}.{match[2]}", index)
        elif line.startswith("\trunning tests:"):
            running = True
        elif running and (match := _RUNNING.match(line)):
            pending.append((index, match[1]))
        elif line.startswith(("FAIL\t", "ok  \t", "?   \t")) and (match := _PACKAGE.match(line)):
            running = False
            if (broken := _broken(match)) is not None:
                found.break_(broken, index)
            elif match[1] == "FAIL" and not pending:
                found.fail(match[2], index)
            for at, test in pending:
                found.fail(f"{match[2]}.{test}", at)
            found.ran += [f"{match[2]}.{test}" for test in ran]
            pending, ran = [], []
        elif line.startswith("go: ") and (match := _MODULE.match(line)):
            found.break_(f"go: {match[1]}", index)
    for at, test in pending:
        found.fail(test, at)
