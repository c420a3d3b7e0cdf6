"""Files that name commands for a whole repository: Makefile, justfile, Taskfile."""

from __future__ import annotations

import re
from typing import Final

from shared.workspace.detect.folder import Folder

MAKEFILES: Final = ("GNUmakefile", "makefile", "Makefile")
JUSTFILES: Final = ("justfile", "Justfile", ".justfile")
TASKFILES: Final = (
    *("Taskfile.yml", "taskfile.yml", "Taskfile.yaml", "taskfile.yaml"),
    *("Taskfile.dist.yml", "taskfile.dist.yml", "Taskfile.dist.yaml", "taskfile.dist.yaml"),
)

_MAKE: Final = r"^(?:[\w./-]+[ \t]+)*{target}(?:[ \t]+[\w./-]+)*[ \t]*::?(?!=)"
_MAKE_TEST: Final = re.compile(_MAKE.format(target="test"), re.MULTILINE)
_MAKE_CHECK: Final = re.compile(_MAKE.format(target="check"), re.MULTILINE)
_JUST_TEST: Final = re.compile(r"^@?test((?:[ \t]+[^:\n]+)?)[ \t]*:(?!=)", re.MULTILINE)
_JUST_NEEDS: Final = re.compile(r"""(?:^|\s)\+?\$?[\w-]+(?=\s|$)""")
_JUST_VALUE: Final = re.compile(r"""\$?[\w-]+\s*=\s*(?:"[^"]*"|'[^']*'|\S+)|\*\$?[\w-]+""")


def own_check(folder: Folder) -> str | None:
    """The command for a ``test`` target: the repository's own word."""
    if any(_MAKE_TEST.search(folder.text(name)) for name in MAKEFILES):
        return "make test"
    if any(_just_tests(recipe[1]) for recipe in _JUST_TEST.finditer(folder.text(*JUSTFILES))):
        return "just test"
    if "test" in _tasks(folder.text(*TASKFILES)):
        return "task test"
    return None


def gnu_check(folder: Folder) -> str | None:
    """The command for a ``check`` target, GNU's word for a project's own tests."""
    return "make check" if any(_MAKE_CHECK.search(folder.text(name)) for name in MAKEFILES) else None


def written(folder: Folder) -> str:
    """What these files say, all in one."""
    return "\n".join((*map(folder.text, MAKEFILES), folder.text(*JUSTFILES), folder.text(*TASKFILES)))


def _just_tests(parameters: str) -> bool:
    """Whether a recipe with these parameters can be called without any."""
    return not _JUST_NEEDS.search(_JUST_VALUE.sub("", parameters))


def _tasks(text: str) -> set[str]:
    """Names of the tasks of a Taskfile. YAML enough: keys with the indentation of the first one below ``tasks``."""
    _, _, after = f"\n{text}".partition("\ntasks:")
    names: set[str] = set()
    indent = ""
    for line in after.splitlines()[1:]:
        key = re.match(r"""([ \t]+)["']?([\w:.*-]+?)["']?[ \t]*:(?:\s|$)""", line)
        if line[:1] not in ("", " ", "\t", "#"):
            break
        if key and key[1] == (indent := indent or key[1]):
            names.add(key[2])
    return names
