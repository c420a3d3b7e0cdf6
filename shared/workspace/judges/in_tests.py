"""What runs in the process of the tests beside them, and may change what they see: files that the configuration of a
test runner loads, and tests that put something else into a module while they are imported.
"""

from __future__ import annotations

import ast
import posixpath
import re
from collections.abc import Callable, Iterator
from typing import Final

from shared.workspace.judges.weakened import is_test

_CONFIGURATIONS: Final = (
    *("pyproject.toml", "pytest.ini", ".pytest.ini", "pytest.toml", "setup.cfg", "tox.ini", "conftest.py"),
    *("tests/conftest.py", "test/conftest.py", "package.json", "jest.config.js", "jest.config.ts", "jest.config.mjs"),
    *("jest.config.cjs", "jest.config.json", "vitest.config.ts", "vitest.config.js", "vitest.config.mts"),
    *("vite.config.ts", "vite.config.js", ".mocharc.yml", ".mocharc.yaml", ".mocharc.json", ".mocharc.js"),
    *(".mocharc.cjs", "bunfig.toml", "karma.conf.js", ".rspec", "phpunit.xml", "phpunit.xml.dist", "Pest.php"),
)
"""Where runners are told what to load."""
_CODE: Final = re.compile(r".+\.(?:py|[cm]?[jt]sx?|rb|php)")
_IS_TEST: Final = re.compile(r"test_.*|.*_test|conftest|__\w+__")
_INCLUDED: Final = re.compile(r"^[ \t]*[-s]?include[ \t]+(.+)$", re.MULTILINE)
_SCRIPT: Final = re.compile(
    r"\.(?:sh|bash|zsh)$|(?:^|/)(?:scripts?|tools?|bin|hack|dev|ci|build)/|(?:^|[/_.-])(?:check|test|lint|verify|ci|run|drive"
    r"|validate|gradlew|mvnw)\w*(?:\.\w+)?$",
    re.IGNORECASE,
)
_CHANGES: Final = frozenset({"setattr", "delattr", "exec", "eval", "__import__", "reload", "patch", "start", "update"})
"""Names of functions that may put something else into a module."""

Read = Callable[[str], str]


def is_loaded(path: str, base: Read, result: Read) -> bool:
    """Whether the configuration of a test runner names the file, before or after the change."""
    if not _CODE.fullmatch(path):
        return False
    stem = path.rpartition(".")[0]
    names = {path, stem, stem.replace("/", "."), posixpath.basename(stem)}
    named = re.compile(rf"(?<![\w-])(?:{'|'.join(map(re.escape, sorted(names)))})(?:\.\w+)?(?![\w-])")
    return any(named.search(_told_to_load(name, read(name))) for name in _CONFIGURATIONS for read in (base, result))


def _told_to_load(name: str, text: str) -> str:
    """The lines that may name code, without those of what else stands in the file."""
    lines = text.splitlines()
    if name.endswith("conftest.py"):
        lines = [line for line in lines if "pytest_plugins" in line or re.match(r"\s*[\"']", line)]
    elif name in ("pyproject.toml", "setup.cfg", "package.json"):
        lines = [line for line in lines if _LOADS.search(line)]
    return "\n".join(lines)


_LOADS: Final = re.compile(
    r"addopts|plugins|pythonpath|-p[ =\"',]|setup|require|preload|environment|runner|reporter|transform"
    r"|resolver|bootstrap|^\s*[\"']\S+\.(?:[cm]?[jt]sx?|py)[\"'],?\s*$",
    re.IGNORECASE,
)


def is_script(path: str) -> bool:
    """Whether a file that a command names is one by which the work is judged, and not the work itself."""
    return _SCRIPT.search(path) is not None


def is_included(path: str, makefiles: str) -> bool:
    """Whether Makefiles with these texts include the file."""
    return any(
        posixpath.basename(path) == posixpath.basename(word) or _matches(path, word)
        for line in _INCLUDED.findall(makefiles)
        for word in line.split()
    )


def _matches(path: str, pattern: str) -> bool:
    name = posixpath.basename(pattern)
    return "*" in name and re.fullmatch(re.escape(name).replace(r"\*", ".*"), posixpath.basename(path)) is not None


def hides_a_module(path: str, base: Read) -> bool:
    """Whether a new file beside tests in Python has the name of a module of the repository: the tests find it first."""
    folder, _, name = path.rpartition("/")
    stem = name.removesuffix(".py")
    if not folder or not name.endswith(".py") or not is_test(path) or _IS_TEST.fullmatch(stem):
        return False
    places = (f"{stem}.py", f"src/{stem}.py", f"{stem}/__init__.py", f"src/{stem}/__init__.py")
    return any(base(place) for place in places if place != path)


def changes_modules(path: str, text: str) -> bool:
    """Whether a file of tests in Python puts something into other modules while it is imported."""
    if not path.endswith(".py") or not is_test(path):
        return False
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return any(_changes(node) for node in _at_import(tree.body))


def _at_import(body: list[ast.stmt]) -> Iterator[ast.AST]:
    """What is executed when the module is imported: functions are only made."""
    todo: list[ast.AST] = list(body)
    while todo:
        node = todo.pop()
        yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            todo += ast.iter_child_nodes(node)


def _changes(node: ast.AST) -> bool:
    match node:
        case ast.Attribute(ctx=ast.Store() | ast.Del()):
            return True
        case ast.Subscript(ctx=ast.Store() | ast.Del(), value=ast.Attribute()):
            return True  # sys.modules["calc"] = …
        case ast.Call(func=ast.Name(id=name)) | ast.Call(func=ast.Attribute(attr=name)):
            return name in _CHANGES or name.startswith("patch")
        case _:
            return False
