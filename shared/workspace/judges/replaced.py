"""What a change puts in the place of the judge itself: a module, a program or an installed package by which tests are
run, and settings that make another one of it.

A check that a change's own judge has passed proves nothing. Configuration of tests is no judge, see `configuration`.
"""

from __future__ import annotations

import json
import posixpath
import re
import sys
import tomllib
from collections.abc import Callable, Collection, Iterator
from typing import Any, Final

from shared.workspace.detect.folder import table
from shared.workspace.judges.weakened import is_test
from shared.workspace.programs import PLAIN, STARTERS, TEST_RUNNERS

_SUFFIX: Final = r"(?:\.py[cod]?|(?:\.[\w-]+)?\.so|/__(?:init|main)__(?:\.py[co]?|(?:\.[\w-]+)?\.so))"
_RUNNERS: Final = re.compile(rf"(?P<folder>(?:.*/)?)(?:_?pytest|unittest|pluggy)(?:{_SUFFIX})?")
_HELPERS: Final = re.compile(
    r"(?P<folder>(?:.*/)?)(?:iniconfig|nose2?|xdist|pytest_(?:cov|asyncio|xdist|django|mock)|coverage|hypothesis|ward"
    rf"|tox|nox){_SUFFIX}"
)
"""Modules of test runners, and what they load of packages."""
_BEGINS: Final = re.compile(rf"(?:.*/)?(?:(?:site|user)customize(?:{_SUFFIX})?|pyvenv\.cfg|[^/]+\.pth)")
"""What Python runs before all else."""
_PYTHONS_OWN: Final = re.compile(rf"(?P<folder>(?:.*/)?)(?P<name>(?!__)\w+?){_SUFFIX}")
_OWN_NAMES: Final = sys.stdlib_module_names - {"test", "this", "antigravity", "idlelib", "turtledemo", "__main__"}
_INSTALLED: Final = re.compile(
    r"(?:.*/)?(?:\.venv|\.tox|\.nox|node_modules|site-packages|dist-packages|__pypackages__)(?:/.+)?"
    r"|vendor/(?:bundle|bin|composer|phpunit|pestphp)/.+|vendor/autoload\.php"
    r"|vendor/(?:github\.com/(?:stretchr/testify|onsi/|google/go-cmp)|gotest\.tools|go\.uber\.org/mock).+"
)
_ROOTS: Final = frozenset({"", "src/", "lib/", "python/"})
"""Folders in which Python looks for modules."""
_EXAMPLES: Final = re.compile(r"(?:.*/)?(?:__)?(?:fixtures?|testdata|test[-_]data|examples?)(?:__)?/.+")
"""What tests look at, and nothing runs."""
_LIBRARIES: Final = re.compile(
    r"(?:.*/)?(?:org/(?:junit|testng|hamcrest|assertj|mockito)|junit/framework|kotlin/test|io/kotest|spock/lang)/.+"
    r"\.(?:java|kt|groovy|scala|class)|(?:.*/)?META-INF/services/org\.(?:junit|testng|spockframework)\..+"
    r"|(?:.*/)?(?:minitest|minitest/(?:autorun|test|spec)|rspec|rspec/(?:core|autorun|expectations)|test/unit"
    r"|test/unit/autorunner)\.rb|(?:.*/)?ex_unit(?:/.+)?\.ex|(?:.*/)?(?:gtest/gtest|gmock/gmock|catch(?:_all|2)?"
    r"|doctest|assert)\.(?:h|hpp)"
)
"""Sources that take the place of a library by which tests assert."""
_BROUGHT: Final = {
    "gradlew": re.compile(r"(?:.*/)?gradle/wrapper/.+"),
    "mvnw": re.compile(r"(?:.*/)?\.mvn/wrapper/.+"),
    "mvn": re.compile(r"\.mvn/extensions\.xml"),
    "yarn": re.compile(r"\.yarn/(?:releases|plugins)/.+"),
    "pnpm": re.compile(r"\.pnpmfile\.[cm]?js"),
}
"""What a repository brings of a program that is named in the checks."""
_LINES: Final = {
    ".npmrc": re.compile(r"^\s*(?:script-shell|node-options|shell)\s*=", re.I),
    ".yarnrc": re.compile(r"yarn-path|script-shell"),
    ".yarnrc.yml": re.compile(r"^\s*(?:yarnPath|plugins|- path|scriptShell|NODE_OPTIONS)\b"),
    "pnpm-workspace.yaml": re.compile(r"^\s*(?:scriptShell|nodeOptions|shellEmulator)\b"),
    "config.toml": re.compile(r"\b(?:runner|rustc|rustdoc|rustc-wrapper|rustc-workspace-wrapper|linker)\b\s*=|\[alias"),
    "rust-toolchain.toml": re.compile(r"^\s*path\s*="),
    "jvm.config": re.compile(r"-javaagent|-Xbootclasspath|--patch-module"),
    "gradle.properties": re.compile(r"-javaagent|-Xbootclasspath|--patch-module"),
    "Gemfile": re.compile(r"^\s*gem\s*\(?\s*[\"'](?:rspec|minitest|test-unit|rake)\b.*\b(?:path|git|github)\b"),
    "go.mod": re.compile(r"\breplace\s+\S*(?:testify|gomega|ginkgo|go-cmp|gotest)|^\s+\S*(?:testify|gomega)\S*\s.*=>"),
    "setup.py": re.compile(r"\bname\s*=\s*[\"'](?:pytest|pluggy|nose2?|coverage)[\"']"),
}
"""Lines of files, by their name, that have another program run or installed than the one of that name."""
_REQUIREMENTS: Final = re.compile(r"(?:.*/)?(?:[\w-]*requirements[\w-]*|requirements/[\w-]+)\.(?:txt|in)")
_RUNNER_FROM_ELSEWHERE: Final = re.compile(r"^\s*(?:pytest|pluggy|coverage|nose2?|tox|nox)[\w\[\],-]*\s*@", re.I | re.M)
_JS_RUNNERS: Final = frozenset(
    {"jest", "jest-cli", "vitest", "mocha", "ava", "tap", "jasmine", "karma", "playwright", "@playwright/test", "c8"}
    | {"cypress", "chai", "expect", "react-scripts", "@jest/core", "@jest/globals", "@vitest/runner", "node", "npm"}
    | {"tsx", "ts-node", "cross-env", "nyc", "uvu", "jest-circus", "@jest/expect", "@vitest/expect", "run-s", "run-p"}
)
_FROM_REGISTRY: Final = re.compile(r"[\^~<>=\s\w.*|+-]*|catalog:.*")
_PY_RUNNERS: Final = frozenset({"pytest", "pluggy", "nose", "nose2", "coverage", "tox", "nox"})
_MODULE: Final = "module that takes the place of the test runner"
_PROGRAM: Final = "program that takes the place of one that the checks run"
_SETTING: Final = "setting that puts another program in the place of the test runner"

Read = Callable[[str], str]


class Replaced:
    """``texts`` is what the checks run before and after the change: their commands, targets and scripts."""

    def __init__(self, base: Read, result: Read, texts: Collection[str] = ()) -> None:
        self._base = base
        self._result = result
        self._lines = [line for text in texts for line in text.splitlines()]

    def by_path(self, path: str) -> str | None:
        """What a changed file is that takes the judge's place; None where it is nothing such."""
        if _EXAMPLES.fullmatch(path):
            return None
        if _INSTALLED.fullmatch(path):
            return "installed package"
        if _LIBRARIES.fullmatch(path):
            return "file that takes the place of the library by which tests assert"
        if any(each.fullmatch(path) and self._names(name) for name, each in _BROUGHT.items()):
            return "part of the program that runs the checks"
        if _BEGINS.fullmatch(path) or self._is_runner(path):
            return _MODULE
        if self._is_module(path, _PYTHONS_OWN) and not self._base(path):
            return "module that takes the place of one of Python's own"
        return _PROGRAM if self._is_program(path) else None

    def by_text(self, path: str) -> str | None:
        """The same of a file with other things in it, of which the text tells."""
        name = posixpath.basename(path)
        before, after = self._base(path), self._result(path)
        if (pattern := _LINES.get(name)) is not None and (name != "config.toml" or "/.cargo/" in f"/{path}"):
            return _SETTING if set(_lines(pattern, after)) - set(_lines(pattern, before)) else None
        if _REQUIREMENTS.fullmatch(path):
            found = set(_RUNNER_FROM_ELSEWHERE.findall(after)) - set(_RUNNER_FROM_ELSEWHERE.findall(before))
            return _SETTING if found else None
        told = {"package.json": _of_package, "pyproject.toml": _of_pyproject, "Cargo.toml": _of_cargo}.get(name)
        return _SETTING if told is not None and set(told(after)) - set(told(before)) else None

    def _is_runner(self, path: str) -> bool:
        if (found := _RUNNERS.fullmatch(path)) is not None and not is_test(path):
            is_link = not re.search(r"[./]", path.removeprefix(found["folder"]))
            return found["folder"] in _ROOTS if is_link else not self._is_in_package(found["folder"])
        return self._is_module(path, _RUNNERS) or self._is_module(path, _HELPERS)

    def _is_module(self, path: str, names: re.Pattern[str]) -> bool:
        """Whether Python finds it by that name alone."""
        if (found := names.fullmatch(path)) is None or found.groupdict().get("name", "re") not in _OWN_NAMES:
            return False
        folder = found["folder"]
        return folder in _ROOTS or (self._looks_in(folder.rstrip("/")) and not self._is_in_package(folder))

    def _is_in_package(self, folder: str) -> bool:
        return bool(folder) and self._result(f"{folder}__init__.py") != ""

    def _looks_in(self, folder: str) -> bool:
        """Whether a command begins in that folder, or has Python look there."""
        words = (
            r"\bcd\s+['\"]?(?:\./)?",
            r"PYTHONPATH\S*[=:/]",
            r"(?:-C|--directory|--rootdir|--chdir)[ =]['\"]?(?:\./)?",
        )
        return any(re.search(f"{word}{re.escape(folder)}(?![\\w-])", line) for line in self._lines for word in words)

    def _is_program(self, path: str) -> bool:
        folder, _, name = path.rpartition("/")
        if name in TEST_RUNNERS or STARTERS.fullmatch(name):
            return not folder or self._names(folder)
        return name in PLAIN and any("PATH" in line and _names(line, folder or ".") for line in self._lines)

    def _names(self, word: str) -> bool:
        return any(_names(line, word) for line in self._lines)


def _names(line: str, word: str) -> bool:
    return re.search(rf"(?<![\w.-]){re.escape(word)}(?![\w-])", line) is not None


def _lines(pattern: re.Pattern[str], text: str) -> Iterator[str]:
    return (line.strip() for line in text.splitlines() if pattern.search(line))


def _of_package(text: str) -> Iterator[str]:
    """Packages of test runners that are no package of a registry, and those that call themselves so."""
    try:
        package = table(json.loads(text or "{}"))
    except (ValueError, RecursionError):
        return
    if str(package.get("name")) in _JS_RUNNERS:
        yield "name"
    own = package.get("bin")
    yield from (f"bin {name}" for name in own if name in _JS_RUNNERS) if isinstance(own, dict) else ()
    needs = [table(package, key) for key in ("dependencies", "devDependencies", "overrides", "resolutions")]
    for name, version in (
        (name, each[name]) for each in (*needs, table(package, "pnpm", "overrides")) for name in each
    ):
        if (name in _JS_RUNNERS or name.rpartition("/")[2] in _JS_RUNNERS) and not _FROM_REGISTRY.fullmatch(
            str(version)
        ):
            yield f"{name} {version}"


def _of_pyproject(text: str) -> Iterator[str]:
    try:
        project = tomllib.loads(text)
    except (ValueError, RecursionError):
        return
    if str(table(project, "project").get("name")).lower() in _PY_RUNNERS:
        yield "name"
    yield from (f"source {name}" for name in table(project, "tool", "uv", "sources") if name in _PY_RUNNERS)
    yield from (line.strip(" \t\"',") for line in re.split(r"[\n,\[]", text) if _from_elsewhere(line))


def _from_elsewhere(line: str) -> bool:
    name, _, rest = line.strip(" \t\"'").partition("=")
    is_table = rest.lstrip().startswith("{") and bool(re.search(r"\b(?:path|git|url)\b", rest))
    return (name.strip(" \t\"'") in _PY_RUNNERS and is_table) or bool(
        _RUNNER_FROM_ELSEWHERE.match(line.strip(" \t\"'"))
    )


def _of_cargo(text: str) -> Iterator[str]:
    """Tests that are run by a program of their own instead of Rust's."""
    try:
        manifest: Any = tomllib.loads(text)
    except (ValueError, RecursionError):
        return
    tests = manifest.get("test")
    for each in [manifest.get("lib"), *(tests if isinstance(tests, list) else ())]:
        if table(each).get("harness") is False:
            yield f"harness {table(each).get('name')}"
