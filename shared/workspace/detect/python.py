"""Python: pytest, tox, nox, Django's and unittest's tests; set-up by uv, Poetry, PDM, Pipenv or pip.

Tests see the checkout: ``-m`` puts the working directory first, ``PYTHONPATH`` the ``src`` of a src layout, and set-up
installs into a ``.venv`` of the checkout, editable, so that no package of the machine is tested in place of the work.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from typing import Any, Final

from shared.workspace.detect import runners
from shared.workspace.detect.folder import Folder, strings, table

MAX_REQUIREMENTS: Final = 100
"""Requirements of dependency groups that are given to pip by name."""

_TEST_FILE: Final = r"test\w*\.py|\w+_test\.py"
_WRITTEN_FOR_PYTEST: Final = re.compile(
    r"^[ \t]*(?:import|from)\s+pytest\b|^(?:async[ \t]+)?def[ \t]+test_\w*[ \t]*\(", re.MULTILINE
)
"""unittest runs no function that stands by itself."""
_TEST_NAMES: Final = ("test", "tests", "testing", "dev")
"""What projects call the extra or group that their tests need."""
_REQUIREMENTS: Final = (
    *("requirements.txt", "requirements-dev.txt", "requirements_dev.txt", "requirements-test.txt"),
    *("requirements_test.txt", "requirements-tests.txt", "dev-requirements.txt", "test-requirements.txt"),
    *("requirements/base.txt", "requirements/dev.txt", "requirements/test.txt", "requirements/tests.txt"),
)
_MANIFESTS: Final = ("pyproject.toml", "setup.py", "setup.cfg", *_REQUIREMENTS)
_A_REQUIREMENT: Final = re.compile(r"^[ \t]*(?!--?(?:i|f|index-url|extra-index-url|find-links)\b)[^#\s]", re.MULTILINE)
_SETUP_PY_NEEDS: Final = re.compile(r"\b(?:install_requires|ext_modules|cffi_modules|rust_extensions)\b")
_EXTRAS: Final = "optional-dependencies"
_PIP: Final = ".venv/bin/python -m pip install --quiet --disable-pip-version-check"


def checks(folder: Folder) -> list[str]:
    """At most one command."""
    path = "PYTHONPATH=src " if folder.below("src") else ""
    if _configures_pytest(folder):
        return [f"{path}python3 -m pytest"]
    if folder.has("tox.ini") or "tox" in _tools(folder):
        return ["tox"]
    if folder.has("noxfile.py"):
        session = re.search(r"^def (tests?)\(", folder.text("noxfile.py"), re.MULTILINE)
        # nox takes CI=1 as the wish to have every interpreter.
        return ["nox --no-error-on-missing-interpreters" + (f" --session {session[1]}" if session else "")]
    if "django" in folder.text("manage.py"):
        return ["python3 manage.py test"]
    command = _unittest(folder)
    return [path + command] if command else []


def setup(folder: Folder) -> list[str]:
    """Commands that make ``.venv`` in the folder; none where only the standard library is needed."""
    extras = [name for name in _TEST_NAMES if name in table(folder.toml("pyproject.toml"), "project", _EXTRAS)]
    pytest = ["pytest"] if "pytest" in "".join(checks(folder)) + runners.written(folder) else []
    if folder.has("uv.lock"):
        groups = [name for name in _TEST_NAMES if name in table(folder.toml("pyproject.toml"), "dependency-groups")]
        chosen = [*(f" --extra {name}" for name in extras), *(f" --group {name}" for name in groups)]
        locked = 'name = "pytest"' in folder.text("uv.lock")
        return [f"uv sync --frozen{''.join(chosen)}", *(["uv pip install pytest"] if pytest and not locked else [])]
    if folder.has("poetry.lock"):
        chosen = [f" --extras {name}" for name in extras]
        return [f"POETRY_VIRTUALENVS_IN_PROJECT=true poetry install --no-interaction{''.join(chosen)}"]
    if folder.has("pdm.lock"):
        return ["PDM_VENV_IN_PROJECT=true pdm install --frozen-lockfile"]
    if folder.has("Pipfile.lock"):
        return ["PIPENV_VENV_IN_PROJECT=1 pipenv sync --dev"]
    return _pip(folder, extras, pytest)


def source_roots(folder: Folder) -> list[str]:
    """Where the project's own modules are: ``src`` of a src layout, ``.`` of a flat one."""
    source = folder.below("src")
    if source and (source.files(r"\w+\.py") or any(inner.has("__init__.py") for inner in source.folders())):
        return ["src"]
    flat = folder.has(*_MANIFESTS) and any(inner.has("__init__.py") for inner in folder.folders())
    return ["."] if flat else []


def _pip(folder: Folder, extras: Sequence[str], pytest: Sequence[str]) -> list[str]:
    files = [name for name in _REQUIREMENTS if _A_REQUIREMENT.search(folder.text(name))]
    groups = [
        requirement
        for name in _TEST_NAMES
        for requirement in _group(table(folder.toml("pyproject.toml"), "dependency-groups"), name)
    ]
    installable = _installable(folder)
    if not (files or groups or extras or (installable and _has_dependencies(folder))):
        return []
    steps = ["python3 -m venv .venv && echo '*' > .venv/.gitignore"]
    if files:
        # By itself: a file with hashes lets pip take nothing without one.
        steps.append(f"{_PIP} {' '.join(f'-r {name}' for name in files)}")
    rest = [shlex.quote(each) for each in (*[*dict.fromkeys(groups)][:MAX_REQUIREMENTS], *pytest)]
    if installable:
        rest.insert(0, "-e " + (shlex.quote(f".[{','.join(extras)}]") if extras else "."))
    if rest:
        steps.append(f"{_PIP} {' '.join(rest)}")
    return steps


def _installable(folder: Folder) -> bool:
    project = folder.toml("pyproject.toml")
    return folder.has("setup.py") or any(name in project for name in ("project", "build-system"))


def _has_dependencies(folder: Folder) -> bool:
    pyproject = folder.toml("pyproject.toml")
    project = table(pyproject, "project")
    poetry = table(pyproject, "tool", "poetry", "dependencies").keys() - {"python"}
    return bool(
        project.get("dependencies")
        or "dependencies" in strings(project.get("dynamic"))
        or poetry
        or table(pyproject, "tool", "maturin")
        or re.search(r"^install_requires\s*=", folder.text("setup.cfg"), re.MULTILINE)
        or _SETUP_PY_NEEDS.search(folder.text("setup.py"))
    )


def _group(groups: dict[str, Any], name: str, above: frozenset[str] = frozenset()) -> list[str]:
    """Requirements of a dependency group, with those of the groups that it includes (PEP 735)."""
    found: list[str] = []
    members = groups.get(name)
    for member in members if isinstance(members, list) and name not in above else []:
        match member:
            case str():
                found.append(member)
            case {"include-group": str(inner)}:
                found += _group(groups, inner, above | {name})
    return found


def _configures_pytest(folder: Folder) -> bool:
    return bool(
        folder.has("pytest.ini", ".pytest.ini", "conftest.py", "tests/conftest.py", "test/conftest.py")
        or "pytest" in _tools(folder)
        or "[tool:pytest]" in folder.text("setup.cfg")
        or re.search(r"^\[pytest\]", folder.text("tox.ini"), re.MULTILINE)
        or any(_WRITTEN_FOR_PYTEST.search(place.text(name)) for place, name in _tests(folder))
    )


def _tools(folder: Folder) -> dict[str, Any]:
    return table(folder.toml("pyproject.toml"), "tool")


def _tests(folder: Folder) -> list[tuple[Folder, str]]:
    """Test modules: at the top, below ``tests`` or ``test``, and within the packages of a project."""
    found = [(folder, name) for name in folder.files(_TEST_FILE)]
    for place in (folder.below("tests"), folder.below("test")):
        found += place.search(_TEST_FILE, 3) if place else []
    if not found and folder.has(*_MANIFESTS):
        found += folder.search(_TEST_FILE, 4)
    return found


def _unittest(folder: Folder) -> str | None:
    tests = _tests(folder)
    if not tests:
        return None
    nearest = next((place for place, _ in tests if place.path.parent == folder.path), None)
    start = nearest or folder
    if nearest is None and all(place.path != folder.path for place, _ in tests):
        # unittest finds what is deeper in packages only.
        start = next(place for place in (folder.below("tests"), folder.below("test"), folder) if place)
        if not all(_in_packages(place, start) for place, _ in tests):
            return "python3 -m pytest"
    pattern = "" if any(name.startswith("test") for _, name in tests) else " -p '*_test.py'"
    if start.path == folder.path:
        return f"python3 -m unittest discover{pattern}"
    package = " -t ." if start.has("__init__.py") else ""
    return f"python3 -m unittest discover -s {start.name}{package}{pattern}"


def _in_packages(place: Folder, start: Folder) -> bool:
    while place.path != start.path:
        if not place.has("__init__.py"):
            return False
        place = Folder(place.path.parent)
    return True
