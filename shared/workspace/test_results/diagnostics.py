"""What could not be built, and what linters object to: ``file: message``, without lines, which every edit moves."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from shared.workspace.test_results.reading import Reading
from shared.workspace.test_results.text import either, numbered

_LOCATED: Final = tuple(
    re.compile(pattern)
    for pattern in (
        # gcc, clang, javac, mypy, swiftc and all who write like them
        r"^(?P<file>[^\s:]+(?::\\[^\s:]+)?)(?P<at>:\d+(?::\d+)?): (?:fatal )?error(?:\[[\w-]+\])?: (?P<what>.+)$",
        # tsc and csc; msbuild puts the project behind
        r"^(?P<file>[^\s()]+)(?P<at>\(\d+,\d+\)): error (?P<what>\w+: .+?)(?: \[[^\]]+proj\])?$",
        r"^(?P<file>[^\s:]+)(?P<at>:\d+:\d+) - error (?P<what>TS\d+: .+)$",
        r"^\[ERROR\] (?P<file>\S+\.(?:java|kt|scala|groovy))(?P<at>:\[\d+,\d+\]) (?P<what>.+)$",
        r"^\[error\] (?P<file>\S+\.(?:java|scala))(?P<at>:\d+(?::\d+)?): (?P<what>.+)$",
        r"^e: (?P<file>\S+?)(?P<at>:\d+:\d+|: \(\d+, \d+\):) (?P<what>.+)$",
        # ruff and flake8, golangci-lint
        r"^(?P<file>[^\s:]+)(?P<at>:\d+:\d+): (?P<what>[A-Z]{1,6}\d{1,5} .+)$",
        r"^(?P<file>[^\s:]+\.go)(?P<at>:\d+:\d+): (?P<what>.+ \([\w-]+\))$",
    )
)
_WITHOUT_PLACE: Final = tuple(
    (re.compile(pattern), name)
    for pattern, name in (
        (r"^CMake Error: (.+)$", r"CMake: \1"),
        (r"^.*(undefined reference to .+)$", r"\1"),
        (r"^(?:/bin/)?\w{0,8}sh: (?:line )?(?:\d+: )?(\S+): (?:command )?not found$", r"\1: command not found"),
        (r"^g?make(?:\[\d+\])?: (\S+): (?:No such file or directory|Command not found)$", r"\1: command not found"),
        (r"^(?:/usr/bin/)?env: \W?([\w./-]+)\W?: No such file or directory$", r"\1: command not found"),
        (r"^g?make(?:\[\d+\])?: \*\*\* ((?:No rule to make target|No targets) ?.*?)\.?(?:  Stop\.)?$", r"make: \1"),
        (r"^([^\s:]+):\d+: \*\*\* (.+?)\.?  Stop\.$", r"\1: \2"),
        (r"^npm (?:ERR!|error) (Missing script: .+)$", r"npm: \1"),
        (r"^\[ERROR\] Failed to execute goal on project (\S+): (Could not resolve dependencies).*$", r"maven: \1: \2"),
        (r"^\[ERROR\] (?:.* )?(The forked VM terminated without).*$", r"maven: \1 a goodbye"),
        (r"^== Compilation error in file (\S+) ==$", r"\1: compilation error"),
        (r"^(?:would reformat|Would reformat:) (\S+)$", r"\1: would be reformatted"),
        (r"^Diff in (\S+?)(?::\d+:?| at line \d+:)$", r"\1: would be reformatted"),
        (r"^(?:FAIL |ERROR: )?(?:Required test coverage of ([\d.]+)% not reached).*$", r"coverage is below \1%"),
        (r"^Coverage failure: total of [\d.]+ is less than fail-under=([\d.]+)", r"coverage is below \1%"),
        (r"^Jest: (\"[^\"]+\" coverage threshold for \w+ \([\d.]+%\)) not met", r"\1 not met"),
    )
)
_ANY: Final = either(pattern.pattern for pattern in (*_LOCATED, *(pattern for pattern, _ in _WITHOUT_PLACE)))
_RUSTC: Final = re.compile(r"^error(?:\[E\d+\])?: (?!could not compile|aborting due|test failed|doctest failed)(.+)$")
_RUFF: Final = re.compile(r"^([A-Z]{1,6}\d{1,5}) (?:\[\*\] )?(.+)$")
_ARROW: Final = re.compile(r"^ *--> ([^\s:]+)(:\d+:\d+)$")
_CMAKE: Final = re.compile(r"^CMake Error at ([^\s:]+):\d+ \((\w+)\):$")
_ESLINT_FILE: Final = re.compile(r"^\S*\.(?:[cm]?[jt]sx?|vue|svelte|astro)$")
_ESLINT: Final = re.compile(r"^ +(\d+:\d+) +error +(\S.*)$")
_LOADING: Final = re.compile(
    r"^((?:ModuleNotFoundError|ImportError|SyntaxError|IndentationError|TabError): .+"
    r"|Error(?: \[\w+\])?: Cannot find (?:module|package) .+)$"
)


def diagnostics(lines: Sequence[str]) -> Reading:
    """Everything that compilers, linters, make and shells complain about, as ``broken``.

    What is told twice in the same words at the same place is one; a second one elsewhere in the file is numbered.
    """
    told = {(index, place, name) for index, line in enumerate(lines) if line for place, name in _on(lines, index, line)}
    told |= set(_eslint(lines))
    first: dict[tuple[str, str], int] = {}
    for index, place, name in sorted(told):
        first.setdefault((place, name), index)
    return Reading(runner="", broken=numbered(name for _, name in first), lines=list(first.values()))


def loading_errors(lines: Sequence[str]) -> Reading:
    """Programs that could not be loaded. In the output of a test runner the same lines may be a test's own error."""
    found = Reading(runner="")
    for index, line in enumerate(lines):
        if match := _LOADING.match(line):
            found.break_(match[1], index)
    return found


def _on(lines: Sequence[str], index: int, line: str) -> Iterator[tuple[str, str]]:
    for pattern in _LOCATED if _ANY.match(line) else ():
        if match := pattern.match(line):
            yield (
                match["at"],
                f"{match['file']}: {' '.join(match['what'].split())}{_symbol(lines, index, match['what'])}",
            )
            return
    for pattern, name in _WITHOUT_PLACE if _ANY.match(line) else ():
        if match := pattern.match(line):
            yield "", " ".join(match.expand(name).split())
            return
    following = lines[index + 1] if index + 1 < len(lines) else ""
    if (match := _CMAKE.match(line)) is not None:
        yield "", f"{match[1]}: {match[2]}: {following.strip()}"
    elif (arrow := _ARROW.match(following)) and (match := _RUSTC.match(line) or _RUFF.match(line)):
        yield arrow[2], f"{arrow[1]}: {' '.join(match.groups())}"


def _symbol(lines: Sequence[str], index: int, what: str) -> str:
    """What javac could not find, which it tells on a line below."""
    if what != "cannot find symbol":
        return ""
    below = (line.removeprefix("[ERROR]").strip() for line in lines[index + 1 : index + 5])
    return next((f" ({' '.join(line.split()[1:])})" for line in below if line.startswith("symbol:")), "")


def _eslint(lines: Sequence[str]) -> Iterator[tuple[int, str, str]]:
    file = ""
    for index, line in enumerate(lines):
        if not line.startswith(" "):
            file = line if _ESLINT_FILE.match(line) else ""
        elif file and (match := _ESLINT.match(line)):
            yield index, match[1], f"{file}: {' '.join(match[2].split())}"
