"""Go: the tests of a module, or of every module of a workspace."""

from __future__ import annotations

import re
from typing import Final

from shared.workspace.detect.folder import Folder

_USE: Final = re.compile(r"^[ \t]*use\s+(?:\(([^)]*)\)|(\S+))", re.MULTILINE)
_MODULE: Final = re.compile(r"(?:\./)?[\w.@-]+(?:/[\w.@-]+)*")


def checks(folder: Folder) -> list[str]:
    """At most one command."""
    modules = _workspace(folder)
    if folder.has("go.mod") and "." not in modules:
        modules.insert(0, ".")
    packages = ["./..." if module == "." else f"./{module}/..." for module in modules]
    return [f"go test {' '.join(packages)}"] if packages else []


def setup(folder: Folder) -> list[str]:
    """The download; none where the repository holds its dependencies, or has none."""
    if folder.has("vendor/modules.txt"):
        return []
    return ["go mod download"] if folder.has("go.sum", "go.work.sum") or _workspace_has_sums(folder) else []


def _workspace(folder: Folder) -> list[str]:
    """Folders of the modules that ``go.work`` names, without ``./``."""
    text = re.sub(r"//.*", "", folder.text("go.work"))
    named = [word.strip('"') for uses in _USE.findall(text) for word in " ".join(uses).split()]
    return [name.removeprefix("./") for name in named if _MODULE.fullmatch(name) and ".." not in name.split("/")]


def _workspace_has_sums(folder: Folder) -> bool:
    return any(folder.has(f"{module}/go.sum") for module in _workspace(folder))
