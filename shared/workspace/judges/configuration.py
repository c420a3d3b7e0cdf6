"""Files that configure tests, runners of tests and CI, and of files with other things in them the parts that do."""

from __future__ import annotations

import configparser
import json
import posixpath
import re
import tomllib
from collections.abc import Callable
from typing import Any, Final

from shared.workspace.detect.folder import table

_CI: Final = re.compile(
    r"\.github/(?:workflows|actions)/.+|\.gitlab-ci\.ya?ml|\.gitlab/.+|\.circleci/.+|\.buildkite/.+|\.woodpecker/.+"
    r"|\.woodpecker\.ya?ml|\.drone\.ya?ml|\.travis\.ya?ml|appveyor\.ya?ml|\.appveyor\.ya?ml|bitbucket-pipelines\.ya?ml"
    r"|azure-pipelines.*\.ya?ml|\.azure-pipelines/.+|\.forgejo/workflows/.+|\.gitea/workflows/.+|\.cirrus\.ya?ml"
    r"|(?:.*/)?Jenkinsfile.*|\.?ci/.+|\.jenkins/.+"
)
_TESTS: Final = re.compile(
    r"conftest\.py|\.?pytest\.(?:ini|toml)|tox\.ini|noxfile\.py|\.coveragerc|\.testr\.conf|\.stestr\.conf"
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
_LINTERS: Final = re.compile(
    r"[tj]sconfig(?:\.[\w-]+)*\.json|\.?eslint(?:rc|\.config|ignore)(?:\.\w+)?|\.stylelint(?:rc|ignore)(?:\.\w+)?"
    r"|\.prettier(?:rc|ignore)(?:\.\w+)?|biome\.jsonc?|\.oxlintrc\.json|\.?mypy\.ini|\.?ruff\.toml|\.?pylintrc(?:\.toml)?"
    r"|\.flake8|pyrightconfig\.json|\.golangci\.\w+|staticcheck\.conf|\.?clippy\.toml|\.?rustfmt\.toml|\.rubocop\w*\.yml"
    r"|phpstan(?:-baseline)?\.neon(?:\.dist)?|psalm\.xml(?:\.dist)?|detekt\.yml|checkstyle\.xml|\.clang-tidy"
    r"|\.pre-commit-config\.yaml"
)
_WORKSPACES: Final = re.compile(r"pnpm-workspace\.yaml|go\.work|lerna\.json|turbo\.json|nx\.json|rush\.json")
_PACKAGE_KEYS: Final = ("jest", "mocha", "vitest", "ava", "tap", "nyc", "c8", "karma", "jasmine", "playwright", "bun")
_PACKAGE_SCRIPTS: Final = re.compile(
    r"test|spec|check|lint|e2e|coverage|verify|(?:^|[:-])ci(?:$|[:-])|^(?:pre|post)?(?:install|prepare)$", re.IGNORECASE
)
"""Those of the installation run before the tests, and may write to them."""
_PYPROJECT_TOOLS: Final = ("pytest", "coverage", "tox", "nox", "poe", "hatch", "pdm", "taskipy", "mutmut")
_CARGO_MEMBERS: Final = ("members", "exclude", "default-members")
_NAMES_A_MODULE: Final = re.compile(r"<module>|\binclude(?:Build|Flat)?\b")
_PYPROJECT_LINTERS: Final = ("ruff", "mypy", "pyright", "basedpyright", "pylint", "flake8", "black", "isort", "bandit")

_TEST: Final = "test configuration"
_LINTER: Final = "configuration of a linter or type checker"
_LIST: Final = "list of the packages that belong together, and are tested so,"

Read = Callable[[str], str]


def judge(path: str, base: Read, result: Read) -> str | None:
    """What the changed file is where it judges the work; None where it does not, or where that part is unchanged."""
    name = posixpath.basename(path)
    if _CI.fullmatch(path):
        return "CI configuration"
    if _TESTS.fullmatch(name):
        return _TEST
    if _LINTERS.fullmatch(name):
        return _LINTER
    if name == "go.mod" and path != name and bool(base(path)) != bool(result(path)):
        return "border of a Go module, which the tests of the module around it leave out,"
    for part, kind in ((_part_of(name), _TEST), (_members_of(name), _LIST), (_lint_of(name), _LINTER)):
        if part and part(base(path)) != part(result(path)):
            return kind
    return None


def is_run(path: str, kind: str) -> bool:
    """Whether what `judge` has told is run with the tests, and says nothing of how the work itself is built."""
    return kind == _TEST and not _MANIFESTS.fullmatch(posixpath.basename(path))


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


def _members_of(name: str) -> Callable[[str], object] | None:
    """What reads which packages a command for all of them reaches."""
    match name:
        case "package.json":
            return lambda text: _json(text).get("workspaces")
        case "Cargo.toml":
            return lambda text: [table(_toml(text), "workspace").get(key) for key in _CARGO_MEMBERS]
        case "pyproject.toml":
            return lambda text: table(_toml(text), "tool", "uv").get("workspace")
        case "pom.xml" | "settings.gradle" | "settings.gradle.kts":
            return lambda text: [line.strip() for line in text.splitlines() if _NAMES_A_MODULE.search(line)]
        case _:
            return str if _WORKSPACES.fullmatch(name) else None


def _lint_of(name: str) -> Callable[[str], object] | None:
    if name != "pyproject.toml":
        return None
    return lambda text: [table(_toml(text), "tool").get(key) for key in _PYPROJECT_LINTERS]


def _json(text: str) -> dict[str, Any]:
    try:
        return table(json.loads(text or "{}"))
    except (ValueError, RecursionError):
        return {}


def _toml(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError):
        return {}


def _of_pyproject(text: str) -> object:
    try:
        project = tomllib.loads(text)
    except (ValueError, RecursionError):
        return text  # any change of what nobody can read counts
    tools: Any = project.get("tool", {})
    chosen = {key: tools.get(key) for key in _PYPROJECT_TOOLS} if isinstance(tools, dict) else tools
    return chosen, table(project, "project", "entry-points").get("pytest11")


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
