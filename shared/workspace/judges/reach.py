"""What checks run of the repository: scripts, targets of a Makefile or justfile, scripts of ``package.json``.

Read from the words of the commands, and from those of what they name: enough to say which file judges the work, and no
shell. What a program calls by itself is not seen.
"""

from __future__ import annotations

import fnmatch
import json
import posixpath
import re
from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec

from shared.workspace.detect.runners import JUSTFILES, MAKEFILES, TASKFILES

MAX_COMMANDS: Final = 200
"""Command lines that are followed."""

_WORD: Final = re.compile(r"[^\s;&|()<>\"'`$=]+")
_ENTER: Final = re.compile(r"^[ \t]*cd\s+['\"]?([^\s'\"&;]+)['\"]?\s*&&")
_ELSEWHERE: Final = re.compile(r"\b(?:g?make|MAKE\S?)\b[^;&|\n]*?\s(?:-C|--directory)[ =]?['\"]?([^\s'\"]+)")
_OF_ANOTHER_PACKAGE: Final = re.compile(r"\s(?:--prefix|--cwd|--dir|-C)[ =]['\"]?([^\s'\"]+)")
_INTERPRETED: Final = re.compile(r"\b(?:sh|bash|zsh|python3?|node|ruby|perl|php)\s+([\w.-]+)")
_MODULES: Final = re.compile(r"\bpython3?(?:\.\d+)?\s+(?:-[A-Za-ln-z]\s+)*-m\s+([\w.]+)")
_ASSIGNMENT: Final = re.compile(r"^(?:(?:export|override)\s+)?[\w.-]+\s*(?::{0,3}|[?+!])=")
_HEADER: Final = re.compile(r"^@?([^\s#:][^:\n]*?)[ \t]*::?(?!=)[ \t]*(.*)$")
_SCRIPT_RUNNERS: Final = re.compile(r"\b(?:npm|pnpm|yarn|bun|run-s|run-p|npm-run-all2?)\b([^;&|\n]*)")
_OF_RUNNER: Final = {
    "make": MAKEFILES,
    "gmake": MAKEFILES,
    "MAKE": MAKEFILES,
    "just": JUSTFILES,
    "task": TASKFILES,
}


class Reach(msgspec.Struct, frozen=True):
    """``scripts``: files that a command names. ``targets``: of files with targets or scripts, the text that matters."""

    scripts: frozenset[str]
    targets: dict[str, str]


def reach_of(commands: Sequence[str], read: Callable[[str], str]) -> Reach:
    """What these commands reach in the files that ``read`` reads."""
    scripts: set[str] = set()
    targets: dict[str, str] = {}
    todo = [("", command) for command in commands]
    seen: set[tuple[str, str]] = set()
    while todo and len(seen) < MAX_COMMANDS:
        place, line = todo.pop(0)
        if (place, line) in seen:
            continue
        seen.add((place, line))
        if entered := _ENTER.match(line):
            place = _joined(place, entered[1])
            line = line[entered.end() :]
        words = _WORD.findall(line)
        scripts |= {_joined(place, word) for word in words if "/" in word or "." in word}
        scripts |= {_joined(place, word) for word in _INTERPRETED.findall(line)}
        for module in _MODULES.findall(line):
            file = _joined(place, module.replace(".", "/"))
            scripts |= {f"{file}.py", f"{file}/__main__.py"}
        for runner, names in _OF_RUNNER.items():
            if runner in words:
                elsewhere = _ELSEWHERE.search(line) if names is MAKEFILES else None
                there = _joined(place, elsewhere[1]) if elsewhere else place
                path, text = _first(there, names, read)
                reached = text if names is TASKFILES else _blocks(text, words)
                targets[path] = targets.get(path, "") + reached
                todo += [(there, recipe.strip().lstrip("@-+")) for recipe in reached.splitlines()]
        for called in _SCRIPT_RUNNERS.finditer(line):
            elsewhere = _OF_ANOTHER_PACKAGE.search(called[1])
            there = _joined(place, elsewhere[1]) if elsewhere else place
            path = _joined(there, "package.json")
            chosen = _package_scripts(read(path), _WORD.findall(called[1]))
            targets[path] = targets.get(path, "") + "\n".join(f"{name}: {text}" for name, text in chosen.items())
            todo += [(there, text) for text in chosen.values()]
    return Reach(frozenset(scripts), targets)


def _joined(place: str, path: str) -> str:
    return posixpath.normpath(posixpath.join(place, path))


def _first(place: str, names: Sequence[str], read: Callable[[str], str]) -> tuple[str, str]:
    paths = [_joined(place, name) for name in names]
    return next(((path, text) for path in paths if (text := read(path))), (paths[-1], ""))


def _blocks(text: str, words: Sequence[str]) -> str:
    """The text of the targets that the words name, of those they need, and of all that stands outside of targets."""
    needs: dict[str, list[str]] = {}
    texts: dict[str, str] = {}
    outside: list[str] = []
    current: list[str] = []
    first = ""
    for line in text.splitlines():
        if line[:1] in ("\t", " "):
            for name in current:
                texts[name] += line + "\n"
            continue
        header = None if _ASSIGNMENT.match(line) or line.startswith(".PHONY") else _HEADER.match(line)
        if header:
            # A recipe of just has its parameters there; a target too many is followed then, and none too few.
            current = header[1].split()
            first = first or current[0]
            for name in current:
                needs.setdefault(name, []).extend(header[2].partition("#")[0].replace(";", " ").split())
                texts[name] = texts.get(name, "") + line + "\n"
        elif line.strip() and not line.startswith((".PHONY", "#")):
            current = []
            outside.append(line)
    todo = [word for word in words if word in texts] or [first]
    reached: dict[str, str] = {}
    while todo:
        name = todo.pop()
        if name in texts and name not in reached:
            reached[name] = texts[name]
            todo += needs[name]
    return "\n".join(outside) + "\n" + "".join(reached[name] for name in sorted(reached))


def _package_scripts(text: str, words: Sequence[str]) -> dict[str, str]:
    """Scripts that the words call, with those that npm runs before and after each."""
    try:
        found: Any = json.loads(text or "null")
    except (ValueError, RecursionError):
        return {}
    match found:
        case {"scripts": {**scripts}}:
            # npm-run-all takes patterns.
            words = [
                name
                for word in words
                for name in ([word] if "*" not in word else fnmatch.filter(map(str, scripts), word))
            ]
            called = [each for word in words for each in (f"pre{word}", word, f"post{word}")]
            return {name: script for name in called if isinstance(script := scripts.get(name), str)}
        case _:
            return {}
