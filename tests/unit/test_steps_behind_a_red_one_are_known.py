"""Behind a red step others may not have run, unless the command is one that goes on by itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared.workspace.behind import may_hide_more

DRIVERS = {
    "drive.py": "import subprocess\nsubprocess.check_call(['pytest'])\nsubprocess.check_call(['lint'])\n",
    "drive.js": "const { execSync } = require('child_process');\nexecSync('jest');\nexecSync('eslint .');\n",
    "drive.rb": "system('rspec') or exit 1\nsystem('rubocop') or exit 1\n",
    "drive.pl": "system('prove') == 0 or exit 1;\n",
    "run": "#!/usr/bin/env python3\nimport subprocess\nsubprocess.check_call(['pytest'])\n",
    "manage.py": "#!/usr/bin/env python\nimport django\n",
    "bin/rails": "#!/usr/bin/env ruby\nload 'rails'\n",
    "drive.sh": "python3 drive.py\n",
    "ci": "#!/bin/sh\npytest\nruff check .\n",
    "test_all.py": "import os\nos.system('pytest') and exit(1)\n",
    "test_app.py": "import unittest\nunittest.main()\n",
    "a.test.js": "require('node:test')('red', () => { throw 1; });\n",
    "package.json": (
        '{"scripts": {"test": "jest", "all": "npm-run-all lint test", "drive": "node drive.js", '
        '"turbo": "turbo run test"}}\n'
    ),
    "web/package.json": '{"scripts": {"test": "jest", "all": "eslint . && jest"}}\n',
    "tox.ini": "[testenv]\ncommands = python drive.py\n",
    ".pre-commit-config.yaml": "repos: []\n",
}


@pytest.mark.parametrize(
    "command",
    [
        "python3 drive.py",
        "uv run python drive.py",
        "python3 -c 'import drive'",
        "python3 -m drive",
        "node drive.js",
        "ruby drive.rb",
        "perl drive.pl",
        "./run",
        "sh drive.sh",
        "npm run all",
        "npm run drive",
        "npx npm-run-all lint test",
        "npx run-s lint test",
        "npm run turbo",
        "pnpm -r test",
        "yarn workspaces run test",
        "nox",
        "just test",
        "task test",
        "invoke test",
        "rake",
        "cargo xtask ci",
        "mix check",
        "bazel test //...",
        "cmake --build build",
        "ninja test",
        "php artisan test",
        "tox",
        "no-such-program",
        "find . -name '*.t' -exec ./run {} \\;",
        "python3 test_all.py",
        "cat <<END\nit's\nEND",
        "bash -c 'pytest && lint'",
        "cd web && npm run all",
        "npm --prefix web run all",
        "yarn --cwd=web all",
        "cd nowhere && npm test",
        "npm run nothing",
    ],
)
def test_a_driver_may_have_stopped_at_its_red_step(command: str, tmp_path: Path) -> None:
    assert hides(command, tmp_path)


@pytest.mark.parametrize(
    "command",
    [
        "pytest",
        "python3 -W error -m pytest tests -q",
        "PYTHONPATH=src timeout 60 uv run --group test python -m pytest",
        "coverage run -m unittest",
        "poetry run .venv/bin/pytest",
        "npx --yes jest",
        "npm test",
        "yarn jest",
        "node --test",
        "node_modules/.bin/jest",
        "./vendor/bin/phpunit",
        "go test ./...",
        "cargo nextest run",
        "mix test",
        "mypy src; ruff check .; pytest",
        "git ls-files '*.py' | xargs ruff check",
        "bash -c 'cd . && pytest'",
        "./ci",
        "python3 test_app.py",
        "pre-commit run --all-files",
        "python manage.py test app",
        "./manage.py test",
        "bin/rails test",
        "cat log; exit 1",
    ],
)
def test_a_runner_goes_on_by_itself(command: str, tmp_path: Path) -> None:
    assert not hides(command, tmp_path)


def hides(command: str, folder: Path) -> bool:
    for name, text in DRIVERS.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    return may_hide_more(command, 1, "red\n", folder)
