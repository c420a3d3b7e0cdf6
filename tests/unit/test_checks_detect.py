from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from shared.workspace.detect import detect_checks, detect_setup


def tree(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


UNITTEST = "import unittest\n\n\nclass T(unittest.TestCase):\n    def test_it(self):\n        self.assertTrue(True)\n"

DISCOVER = "python3 -m unittest discover -s tests -t ."
NOX = "nox --no-error-on-missing-interpreters"
CMAKE = (
    "cmake -S . -B BUILD && cmake --build BUILD --parallel 2"
    " && ctest --test-dir BUILD --output-on-failure --no-tests=error"
)
BERRY = "yarn workspaces foreach --all run test"
MEMBER = {"packages/a/package.json": '{"scripts": {"test": "x"}}'}
OWN = 'PATH="$PWD/.venv/bin:$PATH" '


@pytest.mark.parametrize(
    ("files", "commands"),
    [
        ({}, []),
        ({"README.md": "hello"}, []),
        ({"Makefile": "build:\n\techo\n\ntest: build\n\techo\n", "go.mod": "module x\n"}, ["make test"]),
        ({"GNUmakefile": ".PHONY: test\nlint test:\n\techo\n"}, ["make test"]),
        ({"Makefile": "test := 1\ntests:\n\techo\n\nrun:\n\ttest -f x\n"}, []),
        ({"Makefile": ".PHONY: test\nbuild: test\n"}, []),
        ({"package.json": '{"scripts": {"test": "vitest run"}}'}, ["npm test"]),
        ({"package.json": '{"scripts": {"test": "x"}}', "pnpm-lock.yaml": ""}, ["pnpm test"]),
        ({"package.json": '{"scripts": {"test": "x"}}', "yarn.lock": ""}, ["yarn test"]),
        ({"package.json": '{"scripts": {"test": "echo \\"Error: no test specified\\" && exit 1"}}'}, []),
        ({"package.json": "not json"}, []),
        ({"package.json": '{"scripts": []}'}, []),
        ({"package.json": "[" * 100_000}, []),
        ({"pyproject.toml": "[tool.pytest.ini_options]\n"}, ["python3 -m pytest"]),
        ({"pyproject.toml": "[project]\nname = 'x'\n"}, []),
        ({"pyproject.toml": "= broken"}, []),
        ({"setup.cfg": "[tool:pytest]\n"}, ["python3 -m pytest"]),
        ({"tests/test_a.py": "import pytest\n"}, ["python3 -m pytest"]),
        ({"tests/conftest.py": "", "tests/test_a.py": UNITTEST}, ["python3 -m pytest"]),
        ({"tox.ini": "[tox]\n"}, ["tox"]),
        ({"tests/test_a.py": UNITTEST}, ["python3 -m unittest discover -s tests"]),
        ({"tests/__init__.py": "", "tests/test_a.py": UNITTEST}, ["python3 -m unittest discover -s tests -t ."]),
        ({"test_a.py": UNITTEST}, ["python3 -m unittest discover"]),
        ({"a_test.py": UNITTEST}, ["python3 -m unittest discover -p '*_test.py'"]),
        ({"src/x.py": "", "tests/test_a.py": UNITTEST}, ["PYTHONPATH=src python3 -m unittest discover -s tests"]),
        ({"go.mod": "module x\n", "Cargo.toml": ""}, ["go test ./...", "cargo test --no-fail-fast"]),
        ({"pom.xml": "<project/>"}, ["mvn -B --fail-at-end test"]),
        ({"gradlew": "", "build.gradle": ""}, ["sh ./gradlew test --continue"]),
        ({"build.gradle.kts": ""}, ["gradle test --continue"]),
        ({"settings.gradle": ""}, ["gradle test --continue"]),
        ({"pyproject.toml": "[tool.pytest]\n", "src/a.py": ""}, ["PYTHONPATH=src python3 -m pytest"]),
        ({"tests/unit/test_a.py": UNITTEST}, ["python3 -m pytest"]),
        ({"tests/__init__.py": "", "tests/unit/__init__.py": "", "tests/unit/test_a.py": UNITTEST}, [DISCOVER]),
        ({"setup.py": "", "pkg/tests/test_a.py": "import pytest\n"}, ["python3 -m pytest"]),
        ({"noxfile.py": "import nox\n\ndef tests(session): ...\n"}, [f"{NOX} --session tests"]),
        ({"noxfile.py": "import nox\n"}, [NOX]),
        ({"manage.py": "import django\n"}, ["python3 manage.py test"]),
        ({"justfile": "build:\n\ttrue\n\n@test *args='-x': build\n\ttrue\n", "go.mod": ""}, ["just test"]),
        ({"justfile": "test name:\n\ttrue\n"}, []),
        ({"Justfile": "test := 'x'\ntests:\n\ttrue\n"}, []),
        ({"Taskfile.yml": "version: '3'\ntasks:\n  build:\n    cmds: [x]\n  test:\n    cmds: [x]\n"}, ["task test"]),
        ({"Taskfile.yml": "tasks:\n  build:\n    test: x\nvars:\n  test: x\n"}, []),
        ({"Makefile": "check:\n\ttrue\n"}, ["make check"]),
        ({"Makefile": "check:\n\ttrue\n", "go.mod": ""}, ["go test ./..."]),
        ({"Rakefile": "Rake::TestTask.new\n", "Gemfile": ""}, ["bundle exec rake test"]),
        ({"Rakefile": "RSpec::Core::RakeTask.new(:spec)\n"}, ["rake spec"]),
        ({"Rakefile": "task default: :lint\n"}, ["rake"]),
        ({"Gemfile": "", "spec/a/b_spec.rb": ""}, ["bundle exec rspec"]),
        ({"composer.json": '{"scripts": {"test": "phpunit"}}'}, ["composer test"]),
        ({"composer.json": "{}", "phpunit.xml.dist": ""}, ["vendor/bin/phpunit"]),
        ({"composer.json": '{"require-dev": {"pestphp/pest": "^3"}}'}, ["vendor/bin/pest"]),
        ({"CMakeLists.txt": "project(x)\nEnable_Testing()\n"}, [CMAKE.replace("BUILD", "build")]),
        ({"CMakeLists.txt": "include(CTest)\n", "build/x": ""}, [CMAKE.replace("BUILD", "build-for-checks")]),
        ({"CMakeLists.txt": "project(x)\n"}, []),
        ({"meson.build": "test('x', y)\n"}, ["meson setup build && meson test -C build --print-errorlogs"]),
        ({"App.sln": "", "App.csproj": ""}, ["dotnet test App.sln"]),
        ({"App.Tests.csproj": "<PackageReference Include='xunit' />"}, ["dotnet test"]),
        ({"App.csproj": "<Project/>"}, []),
        ({"deno.jsonc": '{ // tasks\n "tasks": {"test": "deno test -A",},}'}, ["deno task test"]),
        ({"deno.json": "{}", "src/a_test.ts": ""}, ["deno test --allow-all"]),
        ({"package.json": "{}", "bun.lock": "", "a.test.ts": ""}, ["bun test"]),
        ({"build.sbt": ""}, ["sbt test"]),
        ({"mix.exs": ""}, ["mix test"]),
        ({"Package.swift": ""}, ["swift test"]),
        ({"pubspec.yaml": "name: x\n", "test/a_test.dart": ""}, ["dart test"]),
        ({"pubspec.yaml": "dependencies:\n  flutter:\n    sdk: flutter\n", "test/a_test.dart": ""}, ["flutter test"]),
        ({"Cargo.toml": "[workspace]\nmembers = ['a']\n"}, ["cargo test --workspace --no-fail-fast"]),
        ({"go.work": "go 1.22\n\nuse (\n\t./a // one\n\t./b\n)\n"}, ["go test ./a/... ./b/..."]),
        ({"go.work": "use ../outside\n", "go.mod": ""}, ["go test ./..."]),
        ({"package.json": '{"workspaces": ["packages/*"]}', **MEMBER}, ["npm test --workspaces --if-present"]),
        (
            {"package.json": '{"workspaces": ["other/*", "../*"]}', **MEMBER, "packages/b/x": ""},
            ["cd packages/a && npm test"],
        ),
        (
            {"package.json": "{}", "pnpm-workspace.yaml": "packages:\n  - 'packages/*'\n", **MEMBER},
            ["pnpm --recursive test"],
        ),
        ({"package.json": '{"workspaces": ["packages/**"]}', "yarn.lock": "\n__metadata:\n", **MEMBER}, [BERRY]),
        ({"package.json": '{"workspaces": ["packages/*"]}', "yarn.lock": "", **MEMBER}, ["cd packages/a && npm test"]),
        ({"package.json": '{"packageManager": "pnpm@9.1.0", "scripts": {"test": "x"}}'}, ["pnpm test"]),
        (
            {"api/go.mod": "", "web app/mix.exs": "", "docs/go.mod": ""},
            ["cd api && go test ./...", "cd 'web app' && mix test"],
        ),
        ({"src/Lib.Tests/Lib.Tests.csproj": "NUnit"}, ["cd src/Lib.Tests && dotnet test"]),
        ({"py/tests/test_a.py": "import pytest", "py/requirements.txt": "x"}, [f"cd py && {OWN}python3 -m pytest"]),
        ({f"p{n:02}/go.mod": "" for n in range(30)}, [f"cd p{n:02} && go test ./..." for n in range(10)]),
    ],
)
def test_the_checks_of_a_repository_are_found_in_its_files(
    tmp_path: Path, files: dict[str, str], commands: list[str]
) -> None:
    assert detect_checks(tree(tmp_path, files)) == commands


def test_configured_checks_win(tmp_path: Path) -> None:
    assert detect_checks(tree(tmp_path, {"go.mod": ""}), ["./check", "./lint"]) == ["./check", "./lint"]


def test_a_missing_directory_has_no_checks(tmp_path: Path) -> None:
    assert detect_checks(tmp_path / "nowhere") == []


@pytest.mark.timeout(120)
def test_pipes_and_links_in_place_of_project_files_are_not_read(tmp_path: Path) -> None:
    for name in ("Makefile", "package.json", "pyproject.toml", "tox.ini", "test_x.py"):
        os.mkfifo(tmp_path / name)
    (tmp_path / "go.mod").symlink_to("/etc/passwd")
    assert detect_checks(tmp_path) == []


@pytest.mark.parametrize(
    "files",
    [
        {"app.py": "", "tests/test_a.py": "import app\n" + UNITTEST},
        {"app.py": "", "tests/__init__.py": "", "tests/test_a.py": "import app\n" + UNITTEST},
        {"app.py": "", "test_a.py": "import app\n" + UNITTEST},
        {"src/app.py": "", "test/a_test.py": "import app\n" + UNITTEST},
        {
            "app.py": "",
            **dict.fromkeys(("tests/__init__.py", "tests/a/__init__.py"), ""),
            "tests/a/test_a.py": UNITTEST,
        },
    ],
)
def test_a_detected_unittest_command_really_runs_the_tests(tmp_path: Path, files: dict[str, str]) -> None:
    (command,) = detect_checks(tree(tmp_path, files))
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        ["/bin/sh", "-c", command], cwd=tmp_path, env={"PATH": path}, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert b"Ran 1 test" in done.stderr


@pytest.mark.timeout(60)
@pytest.mark.parametrize("part", ["\n", "/*", "use (", "a ", "test", '"', "- ", "['"])
def test_no_text_makes_detection_slow(tmp_path: Path, part: str) -> None:
    names = ("Makefile", "justfile", "Taskfile.yml", "package.json", "deno.json", "go.work", "test_a.py", "setup.py")
    more = ("Rakefile", "Gemfile", "pnpm-workspace.yaml", "CMakeLists.txt", "requirements.txt", "pyproject.toml")
    files = tree(tmp_path, dict.fromkeys((*names, *more), part * (100_000 // len(part))))
    began = time.process_time()
    detect_checks(files)
    detect_setup(files)
    assert time.process_time() - began < 10
