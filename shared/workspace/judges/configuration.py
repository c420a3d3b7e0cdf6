"""Files that configure tests, runners of tests and CI, and of files with other things in them the parts that do."""

from __future__ import annotations

import configparser
import json
import posixpath
import re
import tomllib
from collections.abc import Callable
from typing import Any, Final

_CI: Final = re.compile(
    r"\.github/(?:workflows|actions)/.+|\.gitlab-ci\.ya?ml|\.gitlab/.+|\.circleci/.+|\.buildkite/.+|\.woodpecker/.+"
    r"|\.woodpecker\.ya?ml|\.drone\.ya?ml|\.travis\.ya?ml|appveyor\.ya?ml|\.appveyor\.ya?ml|bitbucket-pipelines\.ya?ml"
    r"|azure-pipelines.*\.ya?ml|\.azure-pipelines/.+|\.forgejo/workflows/.+|\.gitea/workflows/.+|\.cirrus\.ya?ml"
    r"|(?:.*/)?Jenkinsfile.*|\.?ci/.+|\.jenkins/.+"
)
_TESTS: Final = re.compile(
    r"conftest\.py|\.?pytest\.ini|tox\.ini|noxfile\.py|\.coveragerc|\.testr\.conf|\.stestr\.conf"
    r"|(?:jest|vitest|karma|wdio|ava|playwright|cypress|protractor|web-test-runner)[.-](?:config|conf|setup|preset)"
    r"(?:[.-]\w+)*\.(?:[cm]?[jt]sx?|json)|cypress\.json"
    r"|vitest\.workspace\.\w+|\.mocharc(?:\.\w+)?|\.taprc|\.nycrc(?:\.\w+)?|bunfig\.toml|\.jasmine\.\w+|jasmine\.json"
    r"|setup-?[tT]ests?\.[cm]?[jt]sx?"
    r"|phpunit(?:\.dist)?\.xml(?:\.dist)?|Pest\.php|\.rspec|(?:spec|rails|test)_helper\.(?:rb|exs)"
    r"|nextest\.toml|testng(?:\.\w+)?\.xml|junit-platform\.properties|surefire.*\.xml|maven\.config|jvm\.config"
    r"|.+\.runsettings|xunit\.runner\.json|CTestConfig\.cmake|CTestCustom\.cmake|dart_test\.yaml"
)
_MANIFESTS: Final = re.compile(
    r"pom\.xml|(?:build|settings)\.gradle(?:\.kts)?|gradle\.properties|build\.sbt|CMakeLists\.txt|meson\.build"
    r"|Cargo\.toml|.+\.(?:cs|fs|vb)proj|Directory\.Build\.(?:props|targets)|mix\.exs|Package\.swift|[Rr]akefile(?:\.rb)?"
    r"|vite\.config\.\w+|angular\.json|deno\.jsonc?|\.npmrc|\.yarnrc(?:\.yml)?|build\.zig|rebar\.config|project\.clj"
)
"""Files of which the lines that speak of tests are compared."""
_SPEAKS_OF_TESTS: Final = re.compile(
    r"test|spec\b|surefire|failsafe|junit|coverage|jacoco|ignore-scripts|script-shell", re.I
)
_PACKAGE_KEYS: Final = ("jest", "mocha", "vitest", "ava", "tap", "nyc", "c8", "karma", "jasmine", "playwright", "bun")
_PACKAGE_SCRIPTS: Final = re.compile(r"test|spec|check|lint|e2e|coverage|verify|(?:^|[:-])ci(?:$|[:-])", re.IGNORECASE)
_PYPROJECT_TOOLS: Final = ("pytest", "coverage", "tox", "nox", "poe", "hatch", "pdm", "taskipy", "mutmut")
_SHADOWS: Final = re.compile(
    r"(?:src/)?(?:pytest|unittest|_pytest|pluggy|nose2?|sitecustomize|usercustomize)(?:\.py|/__init__\.py)"
)
_INSTALLED: Final = re.compile(r"(?:.*/)?(?:\.venv|node_modules)/.+")

Read = Callable[[str], str]


def judge(path: str, base: Read, result: Read) -> str | None:
    """What the changed file is where it judges the work; None where it does not, or where that part is unchanged."""
    name = posixpath.basename(path)
    if _CI.fullmatch(path):
        return "CI configuration"
    if _SHADOWS.fullmatch(path):
        return "module that takes the place of the test runner"
    if _INSTALLED.fullmatch(path):
        return "installed package"
    if _TESTS.fullmatch(name):
        return "test configuration"
    part = _part_of(name)
    return "test configuration" if part and part(base(path)) != part(result(path)) else None


def _part_of(name: str) -> Callable[[str], object] | None:
    match name:
        case "pyproject.toml":
            return _of_pyproject
        case "setup.cfg":
            return _of_setup_cfg
        case "package.json" | "composer.json":
            return _of_package
        case _:
            return _lines_about_tests if _MANIFESTS.fullmatch(name) else None


def _of_pyproject(text: str) -> object:
    try:
        tools: Any = tomllib.loads(text).get("tool", {})
    except (ValueError, RecursionError):
        return text  # any change of what nobody can read counts
    return {key: tools.get(key) for key in _PYPROJECT_TOOLS} if isinstance(tools, dict) else tools


def _of_setup_cfg(text: str) -> object:
    found = configparser.RawConfigParser(strict=False)
    try:
        found.read_string(text)
    except configparser.Error:
        return text
    chosen = [name for name in found.sections() if re.match(r"tool:pytest|pytest|coverage|aliases|nosetests|tox", name)]
    return {name: found.items(name) for name in chosen}


def _of_package(text: str) -> object:
    try:
        package: Any = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return text
    if not isinstance(package, dict):
        return package
    scripts = package.get("scripts")
    chosen = {k: v for k, v in scripts.items() if _PACKAGE_SCRIPTS.search(k)} if isinstance(scripts, dict) else scripts
    return chosen or None, {key: package.get(key) for key in _PACKAGE_KEYS}


def _lines_about_tests(text: str) -> object:
    return [line.strip() for line in text.splitlines() if _SPEAKS_OF_TESTS.search(line)]
