"""The hash of the code that a result depends on, so that what other code made is recognised and made anew."""

from __future__ import annotations

import ast
import hashlib
import sys
from collections.abc import Iterable, Iterator
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from importlib.util import find_spec
from pathlib import Path
from typing import Final

OURS: Final = frozenset({"cli", "services", "shared"})
"""The top-level packages whose modules are read; of all other packages only the version counts."""


def code_hash(modules: Iterable[str], *, files: Iterable[Path] = ()) -> str:
    """The SHA-256 in hex of everything that ``modules`` can run: they, and every module of ours that they import.

    A module counts as what Python makes of it: neither comments nor layout change the hash. Imports are followed
    wherever they stand, also inside a function or under ``TYPE_CHECKING``. A package's ``__init__`` counts only where
    a name is taken from it, because otherwise one new contract would change the hash of everything. The versions of
    Python and of other imported packages count, and the bytes of ``files``. Modules of the standard library count as
    Python's version does.

    An import by a computed name (`importlib.import_module`) cannot be followed. Raises ModuleNotFoundError when one of
    ``modules`` has no source.
    """
    wanted = [name for name in modules if _top(name) not in sys.stdlib_module_names]
    ours = OURS | {_top(name) for name in wanted}
    lines = {f"python {sys.version_info.major}.{sys.version_info.minor}"}
    lines |= {f"{path.name} {hashlib.sha256(path.read_bytes()).hexdigest()}" for path in files}
    seen: set[str] = set()
    others: set[str] = set()
    while wanted:
        name = wanted.pop()
        if name in seen:
            continue
        seen.add(name)
        source = _source(name)
        state = source.stat()
        digest, imports = _read(name, source, state.st_mtime_ns, state.st_size)
        lines.add(f"{name} {digest}")
        wanted += [imported for imported in imports if _top(imported) in ours]
        others |= {_top(imported) for imported in imports} - ours - sys.stdlib_module_names
    lines |= {f"{package} {_version(package)}" for package in others}
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()


@lru_cache(maxsize=1024)
def _read(name: str, source: Path, mtime_ns: int, size: int) -> tuple[str, tuple[str, ...]]:
    """The hash of a module, and the full names that it imports. Read once for all hashes, until its file is another."""
    tree = ast.parse(source.read_bytes())
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest(), tuple(_imports(name, tree))


def _top(module: str) -> str:
    return module.partition(".")[0]


def _imports(name: str, tree: ast.Module) -> Iterator[str]:
    """The full names of the modules that a module imports, in any of its scopes."""
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                yield from (alias.name for alias in names)
            case ast.ImportFrom(module=module, names=names, level=level):
                base = _absolute(name, module or "", level)
                yield from {_submodule(base, alias.name) or base for alias in names}


def _absolute(name: str, module: str, level: int) -> str:
    """What ``from <level dots><module> import`` means in the module ``name``."""
    if level == 0:
        return module
    above = name.split(".")
    package = above[: len(above) - level + (1 if _source(name).name == "__init__.py" else 0)]
    return ".".join([*package, module] if module else package)


def _submodule(package: str, name: str) -> str | None:
    full = f"{package}.{name}"
    return full if _find(full) else None


def _source(module: str) -> Path:
    found = _find(module)
    if found is None:
        raise ModuleNotFoundError(f"There is no source of the module {module}.", name=module)
    return found


def _find(module: str) -> Path | None:
    """The file of a module. Found by its path: `find_spec` of a submodule would run the packages above it."""
    top, *below = module.split(".")
    spec = find_spec(top) if top not in sys.stdlib_module_names else None
    if spec is None:
        return None
    if not spec.submodule_search_locations:
        return Path(spec.origin) if spec.origin and not below else None
    for folder in map(Path, spec.submodule_search_locations):
        at = folder.joinpath(*below)
        for path in (at / "__init__.py", at.with_suffix(".py") if below else None):
            if path is not None and path.is_file():
                return path
    return None


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return " ".join(f"{each} {version(each)}" for each in sorted(packages_distributions().get(package, [])))
