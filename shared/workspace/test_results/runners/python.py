"""pytest and unittest: what their output says about failures."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from shared.workspace.test_results.reading import Reading

_SUMMARY: Final = re.compile(r"^(?:FAILED|ERROR|SUBFAIL(?:ED)?([\[(][^\])]{0,200}[\])])) (\S.*)$")
_VERBOSE: Final = re.compile(r" (?:FAILED|ERROR)(?: +\[ *\d+%\])?$")
_WORKER: Final = re.compile(r"^\[gw\d+\] (?:\[ *\d+%\] )?(?:FAILED|ERROR) (\S.*)$")
_TOTALS: Final = re.compile(
    r"^(?:=+ )?(\d+ (?:failed|passed|skipped|deselected|x|warning|error|rerun|sub).*) in [\d.]+s"
)
_COUNT: Final = re.compile(r"\b(\d{1,9}) (failed|passed|errors?)\b")
_CONFTEST: Final = re.compile(r"^ImportError while loading conftest '([^']+)'")
_USAGE: Final = re.compile(
    r"^(?:ERROR: (?=file or directory not found|not found: |found no coll|Wrong expr)"
    r"|\S{0,80}pytest\S{0,20}: error: )(.+)$"
)
_UNITTEST: Final = re.compile(r"^(?:FAIL|ERROR): (\S+) \(([^()\s]+)\)(.*)$")
_RAN: Final = re.compile(r"^Ran (\d{1,9}) tests? in ")
_NOT_PASSED: Final = re.compile(r"\b(failures|errors|skipped|expected failures)=(\d{1,9})")
_NOT_LOADED: Final = (".loader._FailedTest", ".loader.ModuleImportFailure", ".loader.LoadTestsFailure")


def pytest(lines: Sequence[str]) -> Reading:
    """Names as in pytest's JUnit XML, with a dot for ``::``: ``tests.test_calc.TestAdd.test_sum[1-2]``.

    The summary names every failure; the lines of ``-v`` and the headers count only where there is no summary.
    """
    found = Reading(runner="pytest")
    summary, verbose = Reading(runner="pytest"), Reading(runner="pytest")
    inside = False
    for index, line in enumerate(lines):
        if line.startswith(("=", "!")):
            inside = "short test summary info" in line
        if inside and (match := _SUMMARY.match(line)):
            _add(summary, match[2], match[1] or "", index)
        elif line.endswith(("FAILED", "ERROR", "%]")) and (tail := _VERBOSE.search(line)):
            _add_test(verbose, line[: tail.start()].rstrip(), index)
        elif line.startswith("[gw") and (match := _WORKER.match(line)):
            _add_test(verbose, match[1], index)
        elif line.startswith("____") and (parts := line.strip("_ ").split("ERROR collecting "))[0] == "" and parts[1:]:
            found.break_(not_collected(dotted(parts[1])), index)
        elif match := _CONFTEST.match(line):
            found.break_(f"{match[1]} (not loaded)", index)
        elif line.startswith("INTERNALERROR> ") and line[15:16].isalpha() and not line.startswith("INTERNALERROR> Tra"):
            found.break_(f"pytest: {line}", index)
        elif line.startswith(("=", "no tests ran")) and "no tests ran in " in line:
            found.break_("pytest: no tests ran", index)
        elif match := _TOTALS.match(line):
            _count(found, match[1])
        elif ("ERROR: " in line or ": error: " in line) and (match := _USAGE.match(line)):
            found.break_(f"pytest: {match[1]}", index)
    named = summary if summary.failed or summary.broken else verbose
    if not named.failed and not named.broken:
        _add_headers(named, lines)
        found.vague = True
    found.failed += named.failed
    found.broken += named.broken
    found.lines += named.lines
    return found


def dotted(node: str) -> str:
    """A node id as pytest's JUnit XML writes it: ``tests/test_a.py::TestB::test_c[x::y]`` has its parameters whole."""
    address, bracket, parameters = node.partition("[")
    path, *rest = address.split("::")
    module = path.removeprefix("./").removesuffix(".py").replace("/", ".")
    return f"{'.'.join([module, *rest])}{bracket}{parameters}"


def not_collected(module: str) -> str:
    """The name of a module whose tests pytest could not collect."""
    return f"{module} (not collected)"


def _add(reading: Reading, text: str, subtest: str, index: int) -> None:
    node = _node_of(text)
    if "::" in node:
        reading.fail(f"{dotted(node)} {subtest}".rstrip(), index)
    elif "/" in node or node.endswith(".py") or " " not in node:
        reading.break_(not_collected(dotted(node)), index)


def _add_test(reading: Reading, node: str, index: int) -> None:
    # A path with a space is rarer than a line of another runner: cargo writes "test module::name ... FAILED".
    if "::" in node and " " not in node.partition("::")[0]:
        reading.fail(dotted(node), index)


def _node_of(text: str) -> str:
    """The node id before `` - reason``: parameters in brackets may hold the same dash."""
    dash, bracket = text.find(" - "), text.find("[")
    if bracket >= 0 and (dash < 0 or bracket < dash):
        close = text.find("] - ", bracket)
        if close >= 0 or text.endswith("]"):
            return text[: close + 1] if close >= 0 else text
    return text if dash < 0 else text[:dash]


def _add_headers(reading: Reading, lines: Sequence[str]) -> None:
    inside = False
    for index, line in enumerate(lines):
        if line.startswith("===="):
            inside = line.strip("= ") in {"FAILURES", "ERRORS"}
        elif inside and line.startswith("__") and line.endswith("__") and "ERROR collecting " not in line:
            title = line.strip("_ ")
            reading.fail(title.partition(" of ")[2] if title.startswith("ERROR at ") else title, index)


def _count(reading: Reading, totals: str) -> None:
    counts = {word.rstrip("s"): int(number) for number, word in _COUNT.findall(totals)}
    reading.count(counts.get("passed", 0), counts.get("failed", 0) + counts.get("error", 0))


def unittest(lines: Sequence[str]) -> Reading:
    """Names as Python 3.11 and later give them, ``module.Class.test``, with the parameters of a subtest behind."""
    found = Reading(runner="unittest")
    for index, name, loaded in _unittest_headers(lines):
        if loaded:
            found.fail(name, index)
        else:
            found.break_(f"{name} (not imported)", index)
    ran = 0
    for index, line in enumerate(lines):
        if match := _RAN.match(line):
            ran = int(match[1])
            if ran == 0:
                found.break_("unittest: no tests ran", index)
        elif ran and line.startswith(("OK", "FAILED")):
            counts = {word: int(number) for word, number in _NOT_PASSED.findall(line)}
            failures = counts.get("failures", 0) + counts.get("errors", 0)
            found.count(max(0, ran - sum(counts.values())), failures)
            ran = 0
    return found


def _unittest_headers(lines: Sequence[str]) -> Iterator[tuple[int, str, bool]]:
    for index, line in enumerate(lines):
        if not line.startswith(("FAIL: ", "ERROR: ")) or index == 0 or not lines[index - 1].startswith("======"):
            continue
        if match := _UNITTEST.match(line):
            method, owner, subtest = match[1], match[2], match[3]
            if any(f"{failed}." in f".{owner}." for failed in _NOT_LOADED):
                yield index, method, False
            else:
                name = owner if owner.endswith(f".{method}") else f"{owner}.{method}"
                yield index, f"{name}{subtest}", True
