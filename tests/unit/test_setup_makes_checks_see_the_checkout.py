"""Set-up and checks run for real, without a download: what is tested is the checkout, never what the machine has."""

from __future__ import annotations

import json
import os
import shutil
import sys
import uuid
from pathlib import Path

import pytest

from shared.sandbox.confinement import Network
from shared.workspace.check_sandbox import CHECKOUT, Access, CheckSandbox
from shared.workspace.checks import CheckResult, run_checks
from shared.workspace.detect import detect_checks, detect_setup
from testing.confined import sandbox
from tests.unit.test_checks_detect import tree

# A build backend in the repository itself: pip needs no other.
BACKEND = """\
import pathlib, zipfile

def build_editable(directory, config_settings=None, metadata_directory=None):
    name = "thing-1.0-py3-none-any.whl"
    here = pathlib.Path(__file__).parent
    with zipfile.ZipFile(pathlib.Path(directory) / name, "w") as wheel:
        wheel.writestr("thing.pth", str(here / "lib"))
        wheel.writestr("thing-1.0.dist-info/METADATA", "Metadata-Version: 2.1\\nName: thing\\nVersion: 1.0\\n")
        wheel.writestr("thing-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr("thing-1.0.dist-info/RECORD", "")
    return name
"""
PYPROJECT = """\
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
[project]
name = "thing"
version = "1.0"
[project.optional-dependencies]
test = []
"""
TEST = """\
import os, sys, unittest
import {module}

class T(unittest.TestCase):
    def test_it(self):
        here = os.getcwd() + os.sep
        self.assertTrue({module}.__file__.startswith(here), {module}.__file__)
        self.assertTrue({venv} or sys.prefix.startswith(here), sys.prefix)
"""


async def _verify(
    checkout: Path, tmp_path: Path, *checks: str, extra: dict[str, str] | None = None
) -> list[CheckResult]:
    source = {**os.environ, **(extra or {})}
    opened = CheckSandbox.opened(
        sandbox(), checkout, tmp_path / "home", caches=tmp_path / "caches", extra=extra or (), source=source
    )
    async with opened as inside:
        mark = f"test-{uuid.uuid4().hex}"
        commands = [*detect_setup(checkout), *(checks or detect_checks(checkout))]
        return await run_checks(commands, inside, 240, mark, access=Access(Network.HOST, keeps_downloads=True))


async def test_a_python_checkout_is_installed_editable_into_a_virtual_environment_of_its_own(tmp_path: Path) -> None:
    files = {"pyproject.toml": PYPROJECT, "backend.py": BACKEND, "lib/thing/__init__.py": ""}
    checkout = tree(tmp_path / "checkout", {**files, "tests/test_a.py": TEST.format(module="thing", venv=False)})
    results = await _verify(checkout, tmp_path)
    assert [result.exit_code for result in results] == [0, 0, 0], results
    assert [result.command for result in results][-1] == "python3 -m unittest discover -s tests"


async def test_npm_installs_what_the_lock_file_says(tmp_path: Path) -> None:
    if shutil.which("npm") is None:
        pytest.skip("npm is not on this machine")
    package = {
        "name": "app",
        "version": "1.0.0",
        "scripts": {"test": "node -e \"if (require('part') !== 7) process.exit(1)\""},
        "dependencies": {"part": "file:parts/part"},
    }
    places = {
        "": {key: package[key] for key in ("name", "version", "dependencies")},
        "node_modules/part": {"resolved": "parts/part", "link": True},
        "parts/part": {"version": "1.0.0"},
    }
    lock = {"name": "app", "version": "1.0.0", "lockfileVersion": 3, "requires": True, "packages": places}
    checkout = tree(
        tmp_path / "checkout",
        {
            "package.json": json.dumps(package),
            "package-lock.json": json.dumps(lock),
            "parts/part/package.json": '{"name": "part", "version": "1.0.0", "main": "index.js"}',
            "parts/part/index.js": "module.exports = 7\n",
        },
    )
    results = await _verify(checkout, tmp_path)
    assert [(result.command, result.exit_code) for result in results] == [
        ("npm ci --no-audit --no-fund", 0),
        ("npm test", 0),
    ], results
    assert (tmp_path / "caches" / "npm").is_dir()


@pytest.mark.parametrize("place", ["src/", ""])
@pytest.mark.parametrize("command", ["", "cd tests && python3 -m unittest test_a"])
async def test_python_tests_see_the_checkout_where_the_machine_has_a_package_of_that_name(
    tmp_path: Path, place: str, command: str
) -> None:
    machine = tree(tmp_path / "machine", {"click/__init__.py": "raise RuntimeError('the machine has this one')"})
    test = TEST.format(module="click", venv=True).replace("os.getcwd()", repr(str(CHECKOUT)))
    files = {f"{place}click/__init__.py": "", "setup.py": "", "tests/test_a.py": test}
    checkout = tree(tmp_path / "checkout", files)
    commands = [command] if command else []
    (result,) = await _verify(checkout, tmp_path, *commands, extra={"PYTHONPATH": str(machine)})
    assert result.exit_code == 0, result


async def test_pytest_sees_the_checkout_of_a_src_layout(tmp_path: Path) -> None:
    files = {
        "src/click/__init__.py": "def own(): ...",
        "pyproject.toml": "[tool.pytest.ini_options]\naddopts = '-p no:cacheprovider'\n",
        "tests/test_a.py": "import click\n\ndef test_it():\n    assert click.own() is None\n",
    }
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"  # this Python has pytest, and a click of its own
    (result,) = await _verify(tree(tmp_path / "checkout", files), tmp_path, extra={"PATH": path})
    assert (result.command, result.exit_code) == ("PYTHONPATH=src python3 -m pytest", 0), result
