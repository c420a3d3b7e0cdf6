from __future__ import annotations

from pathlib import Path

import pytest

from shared.claude.demo.repo import create_demo_repository
from shared.ops.config import Repo
from shared.workspace.detect import detect_setup
from tests.unit.test_checks_detect import UNITTEST, tree

VENV = "python3 -m venv .venv && echo '*' > .venv/.gitignore"
PIP = ".venv/bin/python -m pip install --quiet --disable-pip-version-check"
PROJECT = "[project]\nname = 'x'\n"
NPM = "npm ci --no-audit --no-fund"
DEPENDS = '{"devDependencies": {"x": "1"}}'


@pytest.mark.parametrize(
    ("files", "commands"),
    [
        ({}, []),
        ({"README.md": "hi", "srv.py": "", "Makefile": "test:\n\tpython3 srv.py\n"}, []),
        ({"pkg/__init__.py": "", "tests/__init__.py": "", "tests/test_f.py": UNITTEST}, []),
        ({"pyproject.toml": "[tool.pytest.ini_options]\n", "src/click/__init__.py": "", "tests/test_a.py": ""}, []),
        ({"pyproject.toml": PROJECT + "dependencies = []\n"}, []),
        ({"requirements.txt": "# none yet\n\n--index-url https://x.example\n"}, []),
        ({"tox.ini": "[tox]\n", "setup.py": "setup()"}, []),
        ({"pyproject.toml": PROJECT + "dependencies = ['y']\n"}, [VENV, f"{PIP} -e ."]),
        ({"setup.py": "setup(install_requires=['y'])", "conftest.py": ""}, [VENV, f"{PIP} -e . pytest"]),
        ({"requirements.txt": "y==1 --hash=sha256:0\n"}, [VENV, f"{PIP} -r requirements.txt"]),
        (
            {"requirements/dev.txt": "y\n", "pyproject.toml": PROJECT, "tests/conftest.py": ""},
            [VENV, f"{PIP} -r requirements/dev.txt", f"{PIP} -e . pytest"],
        ),
        (
            {"pyproject.toml": PROJECT + "[project.optional-dependencies]\ntest = ['y']\ndocs = ['z']\n"},
            [VENV, f"{PIP} -e '.[test]'"],
        ),
        (
            {
                "pyproject.toml": "[tool.pytest]\n[dependency-groups]\nbase = ['y>=1']\n"
                "tests = ['z', {include-group = 'base'}, {include-group = 'tests'}]\n"
            },
            [VENV, f"{PIP} z 'y>=1' pytest"],
        ),
        (
            {"requirements.txt": "y\n", "Makefile": "test:\n\tpytest\n"},
            [VENV, f"{PIP} -r requirements.txt", f"{PIP} pytest"],
        ),
        ({"uv.lock": 'name = "pytest"\n', "conftest.py": ""}, ["uv sync --frozen"]),
        (
            {"uv.lock": "", "pyproject.toml": "[tool.pytest]\n[dependency-groups]\ntests = []\ndocs = []\n"},
            ["uv sync --frozen --group tests", "uv pip install pytest"],
        ),
        ({"poetry.lock": ""}, ["POETRY_VIRTUALENVS_IN_PROJECT=true poetry install --no-interaction"]),
        ({"Pipfile.lock": "{}"}, ["PIPENV_VENV_IN_PROJECT=1 pipenv sync --dev"]),
        ({"package.json": '{"scripts": {"test": "node --test"}}'}, []),
        ({"package.json": '{"scripts": {"test": "x"}}', "package-lock.json": "{}"}, []),
        ({"package.json": DEPENDS, "package-lock.json": "{}"}, [NPM]),
        ({"package.json": DEPENDS, "npm-shrinkwrap.json": "{}"}, [NPM]),
        ({"package.json": DEPENDS}, ["npm install --no-package-lock --no-audit --no-fund"]),
        ({"package.json": DEPENDS, "pnpm-lock.yaml": ""}, ["pnpm install --frozen-lockfile"]),
        ({"package.json": DEPENDS, "yarn.lock": ""}, ["yarn install --frozen-lockfile --non-interactive"]),
        ({"package.json": DEPENDS, "yarn.lock": "", ".yarnrc.yml": ""}, ["yarn install --immutable"]),
        (
            {"package.json": DEPENDS, "yarn.lock": "\n__metadata:\n", ".yarn/cache/x.zip": ""},
            ["YARN_CACHE_FOLDER=.yarn/cache yarn install --immutable"],
        ),
        ({"package.json": DEPENDS, "bun.lock": ""}, ["bun install --frozen-lockfile"]),
        ({"deno.json": "{}", "deno.lock": "{}"}, ["deno install --frozen"]),
        ({"go.mod": "", "main.go": ""}, []),
        ({"go.mod": "", "go.sum": ""}, ["go mod download"]),
        ({"go.mod": "", "go.sum": "", "vendor/modules.txt": ""}, []),
        ({"go.work": "use ./a\n", "a/go.sum": "", "a/go.mod": ""}, ["go mod download"]),
        ({"Cargo.toml": "", "Cargo.lock": '[[package]]\nname = "own"\n'}, []),
        ({"Cargo.toml": "", "Cargo.lock": '[[package]]\nname = "a"\nsource = "r"\n'}, ["cargo fetch --locked"]),
        ({"Gemfile": "gem 'x'\n", "Gemfile.lock": ""}, ["BUNDLE_FROZEN=true BUNDLE_PATH=vendor/bundle bundle install"]),
        ({"Gemfile": "source 'x'\n"}, []),
        ({"composer.json": '{"require": {"php": ">=8", "ext-json": "*"}}'}, []),
        ({"composer.json": "{}", "composer.lock": "{}"}, ["composer install --no-interaction --no-progress"]),
        ({"pom.xml": "<project/>", "build.gradle": ""}, []),
        ({"App.sln": "", "src/App/packages.lock.json": ""}, ["dotnet restore --locked-mode"]),
        ({"App.sln": ""}, ["dotnet restore"]),
        (
            {"mix.exs": "", "mix.lock": ""},
            ["mix local.hex --force --if-missing && mix local.rebar --force --if-missing && mix deps.get"],
        ),
        (
            {"pubspec.yaml": "name: x\n", "pubspec.lock": "", "test/a_test.dart": ""},
            ["dart pub get --enforce-lockfile"],
        ),
    ],
)
def test_the_set_up_of_a_repository_is_found_in_its_files(
    tmp_path: Path, files: dict[str, str], commands: list[str]
) -> None:
    assert detect_setup(tree(tmp_path, files)) == commands


def test_the_demo_needs_no_set_up(tmp_path: Path) -> None:
    create_demo_repository(tmp_path / "demo")
    assert detect_setup(tmp_path / "demo") == []


def test_a_configured_set_up_wins_also_an_empty_one(tmp_path: Path) -> None:
    files = tree(tmp_path, {"package.json": DEPENDS, "package-lock.json": "{}"})
    assert detect_setup(files, ["./bootstrap"]) == ["./bootstrap"]
    assert detect_setup(files, []) == []
    assert Repo(url="x").setup is None
    with pytest.raises(ValueError, match="at most 20"):
        Repo(url="x", setup=["true"] * 21)


@pytest.mark.parametrize(
    ("top", "commands"),
    [
        ({}, ["cd 'my web' && " + NPM]),
        ({"Makefile": "test:\n\tcd 'my web' && npm test\n"}, ["cd 'my web' && " + NPM]),
        ({"Makefile": "test:\n\tgo test ./...\n"}, []),
        ({"go.mod": ""}, []),
    ],
)
def test_projects_below_the_top_are_set_up_where_the_checks_use_them(
    tmp_path: Path, top: dict[str, str], commands: list[str]
) -> None:
    package = {"package.json": '{"scripts": {"test": "x"}, "dependencies": {"x": "1"}}', "package-lock.json": "{}"}
    tree(tmp_path, {**top, **{f"my web/{name}": text for name, text in package.items()}})
    assert detect_setup(tmp_path) == commands
