"""What is known of programs that checks run: which are one step and no more, and which only handle text and files.

A program that nobody knows may run others, and stop at the first that fails: a driver in Python, ``just``, ``nox``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


PLAIN: Final = _words(
    "[ [[ : . alias awk base64 basename break cat cd chmod chown cksum command continue cp curl cut date declare df "
    "diff cmp comm dirname du echo egrep env exit expand expr export false fgrep find fmt fold grep gunzip gzip hash "
    "head id install jobs jq kill less let ln local ls md5sum mkdir mkfifo mktemp mv nl nproc od paste popd printenv "
    "printf ps pushd pwd read readlink readonly realpath return rm rmdir sed seq set sha1sum sha256sum shasum shift "
    "shopt sleep sort source split stat stty sum sync tac tail tar tee test touch tr trap true type ulimit umask uname "
    "uniq unset unzip wait wc wget which whoami yes yq zip"
)
"""Programs that handle text and files, and judge nothing by themselves."""

TEST_RUNNERS: Final = _words(
    "pytest py.test unittest nose2 nosetests go gotestsum cargo nextest cargo-nextest jest vitest mocha node phpunit "
    "pest rspec mix dotnet ctest bun mvn mvnw gradle gradlew tox"
)
"""Programs whose words for a failing test are read, see `shared.workspace.test_results`."""
_COUNT: Final = frozenset(
    {"pytest", "py.test", "unittest", "jest", "vitest", "mocha", "node", "cargo", "phpunit", "rspec"}
)
"""Those that always tell how many tests have passed."""
_TELL: Final = frozenset({"make", "gmake", "tox", "just", "task", "nox", "pre-commit"})
"""Programs that name each step that has failed, in words that are read."""
_ONE_STEP: Final = TEST_RUNNERS | _words(
    "ward trial doctest compileall py_compile pyright basedpyright mypy ruff flake8 black isort pylint bandit pyflakes "
    "pycodestyle pydocstyle codespell vulture yamllint djlint sphinx-build mkdocs pip pip-audit coverage "
    "ava tap jasmine karma playwright cypress eslint prettier tsc vue-tsc stylelint biome oxlint standard xo tslint "
    "svelte-check deno react-scripts vue-cli-service ng next "
    "golangci-lint staticcheck gofmt goimports gosec govulncheck rustc rustfmt sbt lein javac kotlinc scalac ktlint "
    "checkstyle rubocop standardrb cucumber rails phpstan psalm phpcs php-cs-fixer codecept "
    "gcc g++ cc c++ clang clang++ cppcheck clang-tidy clang-format swift swiftlint dart flutter zig stack cabal hlint "
    "crystal gleam busted luacheck prove bats shellcheck shfmt hadolint actionlint markdownlint markdownlint-cli2 vale "
    "terraform tflint helm buf sqlfluff ansible-lint typos lychee git"
)
_SUBCOMMANDS: Final = {
    "cargo": frozenset({"test", "t", "nextest", "check", "c", "clippy", "fmt", "doc", "build", "b", "bench"}),
    "go": frozenset({"test", "vet", "build", "fmt", "mod", "list"}),
    "mix": frozenset({"test", "format", "compile", "credo", "dialyzer"}),
    "dotnet": frozenset({"test", "build", "format"}),
    "bun": frozenset({"test"}),
    "deno": frozenset({"test", "lint", "fmt", "check"}),
    "node": frozenset({"--test"}),
    "rails": frozenset({"test"}),
    "swift": frozenset({"test", "build"}),
    "dart": frozenset({"test", "analyze", "format"}),
    "flutter": frozenset({"test", "analyze"}),
    "zig": frozenset({"test"}),
    "ng": frozenset({"test", "lint"}),
    "next": frozenset({"lint"}),
    "coverage": frozenset({"report", "xml", "html", "combine", "erase"}),
    "crystal": frozenset({"spec"}),
    "stack": frozenset({"test"}),
    "cabal": frozenset({"test"}),
}
"""What such a program does as one step: its other subcommands may run what others have written."""

STARTERS: Final = re.compile(
    r"(?:python|pypy)[\d.]*|py|node|deno|npm|npx|pnpm|yarn|bunx|ruby|bundle|rake|php|composer|java|javac|kotlinc?|sh|bash"
    r"|dash|zsh|g?make|cmake|ninja|just|task|uvx?|poetry|pdm|pipenv|nox|rustc|rustdoc|gcc|g\+\+|cc|c\+\+|clang(?:\+\+)?"
    r"|mypy|ruff|flake8|pylint|eslint|tsc|golangci-lint"
)
"""Programs that start others, or judge in another way than by tests."""
_WRAPPERS: Final = frozenset(
    {"env", "command", "exec", "time", "npx", "bunx", "uvx", "nice", "ionice", "nohup", "stdbuf", "unbuffer", "sudo"}
    | {"xvfb-run", "timeout", "gtimeout", "cross-env", "c8", "nyc", "setsid", "dotenv", "xargs", "winpty"}
)
_TWO_WORDS: Final = frozenset(
    {("uv", "run"), ("poetry", "run"), ("pipenv", "run"), ("pdm", "run"), ("rye", "run"), ("bundle", "exec")}
    | {("npm", "exec"), ("pnpm", "exec"), ("yarn", "exec"), ("pnpm", "dlx"), ("yarn", "dlx"), ("coverage", "run")}
)
_WITH_VALUE: Final = frozenset(
    {"-n", "-k", "-s", "-c", "-u", "-I", "-P", "-L", "-p", "--package", "--with", "--group", "--extra", "--python"}
)
"""Options of wrappers that take the next word."""
_LENGTH: Final = re.compile(r"[\d.]+[smhd]?")
_PYTHON: Final = re.compile(r"(?:python|pypy)[\d.]*|py")
_PYTHON_WITH_VALUE: Final = frozenset({"-W", "-X"})


def called(words: Sequence[str]) -> list[str]:
    """The program itself and its arguments, without what starts it: ``env A=1 timeout 60 uv run python -m pytest``."""
    rest = list(words)
    while rest:
        name = rest[0].rpartition("/")[2]
        if (name, *rest[1:2]) in _TWO_WORDS:
            rest = _behind_options(rest[2:])
        elif name in _WRAPPERS and len(rest) > 1:
            rest = _behind_options(rest[1:])
        elif _PYTHON.fullmatch(name) and (module := _module(rest[1:])):
            rest = module
        else:
            return rest
    return rest


def is_one_step(words: Sequence[str]) -> bool:
    """Whether these `called` words are one step: a program that goes on by itself behind what fails inside it."""
    name, arguments = words[0].rpartition("/")[2], words[1:]
    if name in PLAIN:
        return "-exec" not in arguments
    if name in _SUBCOMMANDS:
        return any(each in _SUBCOMMANDS[name] for each in arguments)
    return name in _ONE_STEP or (name == "php" and "-l" in arguments)


def is_test_runner(words: Sequence[str]) -> bool:
    """Whether these `called` words run tests whose outcome is read from what they write."""
    name = words[0].rpartition("/")[2] if words else ""
    return name in TEST_RUNNERS and (name not in _SUBCOMMANDS or bool({"test", "t", "nextest", "--test"} & {*words}))


def counts_tests(words: Sequence[str]) -> bool:
    """Whether these `called` words run tests, and tell how many of them have passed."""
    return is_test_runner(words) and words[0].rpartition("/")[2] in _COUNT and not {"--version", "--help"} & {*words}


def names_failed_steps(words: Sequence[str]) -> bool:
    """Whether these `called` words run steps of which each that fails is read from what they write."""
    return bool(words) and words[0].rpartition("/")[2] in _TELL


def _behind_options(words: list[str]) -> list[str]:
    """Without the options, assignments and lengths of time that a wrapper takes."""
    at = 0
    while at < len(words):
        word = words[at]
        if word in _WITH_VALUE:
            at += 2
        elif word.startswith("-") or _LENGTH.fullmatch(word) or re.match(r"[A-Za-z_]\w*=", word):
            at += 1
        else:
            break
    return words[at:]


def _module(words: list[str]) -> list[str]:
    """The module behind ``-m`` and its arguments; nothing where Python runs a script."""
    at = 0
    while at < len(words) and words[at].startswith("-"):
        if words[at] == "-m":
            return words[at + 1 :]
        if words[at] == "-c":
            return []
        at += 2 if words[at] in _PYTHON_WITH_VALUE else 1
    return []
