from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from shared.workspace.checks import detect_checks


def tree(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


UNITTEST = "import unittest\n\n\nclass T(unittest.TestCase):\n    def test_it(self):\n        self.assertTrue(True)\n"


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
        ({"go.mod": "module x\n", "Cargo.toml": ""}, ["go test ./...", "cargo test"]),
        ({"pom.xml": "<project/>"}, ["mvn -B test"]),
        ({"gradlew": "", "build.gradle": ""}, ["sh ./gradlew test"]),
        ({"build.gradle.kts": ""}, ["gradle test"]),
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
