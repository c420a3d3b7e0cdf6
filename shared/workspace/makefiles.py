"""Whether make has left recipes, or lines of a recipe, undone behind the line that failed.

GNU make tells the file and the line of each that failed. It runs with ``-k`` and goes on with all targets that do not
need the failed one. In doubt the answer is yes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import msgspec

_FAILED: Final = re.compile(r"^g?make(\[\d+\])?: \*\*\* \[(?:([^\s:\]]+):(\d+): )?([^\]]+)\] Error \d+$")
_ENTERED: Final = re.compile(r"^g?make(\[\d+\])?: Entering directory [`'](.+)'$")
_RULE: Final = re.compile(r"^([^\s#:=][^:=#]*?)\s*::?(?!=)([^=;#]*)(;.*)?$")
_SET: Final = re.compile(r"^(?:export\s+|override\s+)?(\w+)\s*[:?+]{0,2}=\s*(.*)$")
_USED: Final = re.compile(r"\$[({](\w+)[)}]")
_INCLUDES: Final = re.compile(r"^[-s]?include\s(?!\s*\S*\.env\s*$)")
_MAX_LINES: Final = 20_000


class _Rule(msgspec.Struct, frozen=True):
    """``needs`` are prerequisites."""

    needs: frozenset[str]
    has_recipe: bool


def leaves_recipes(goals: Sequence[str], output: str, checkout: Path, stops: Callable[[str], bool]) -> bool:
    """Of a make that failed with this output. ``stops`` tells of a line of a recipe whether the shell may have left a
    part of it undone.
    """
    places = {"": checkout}
    failed: dict[Path, set[str]] = {}
    for line in output.splitlines():
        if entered := _ENTERED.match(line):
            places[entered[1] or ""] = Path(entered[2])
        elif found := _FAILED.match(line):
            level, file, number, target = found.groups()
            path = places.get(level or "", checkout) / (file or "")
            failed.setdefault(path, set()).add(target)
            lines = _lines(path, checkout)
            if lines is None or _leaves_lines(lines, int(number) - 1, stops):
                return True
            # The goals of a make below are not known: there every target counts.
            if _leaves_targets(lines, () if level else goals, failed[path]):
                return True
    return not failed


def _leaves_lines(lines: Sequence[str], at: int, stops: Callable[[str], bool]) -> bool:
    """Whether something follows in the recipe whose line at the index ``at`` failed."""
    if at >= len(lines) or not lines[at].startswith("\t") or ".ONESHELL:" in lines:
        return True
    end = _end(lines, at)
    behind = _next(lines, end)
    if behind.startswith("\t") or re.match(r"\s*(?:else|endif|ifn?eq|ifn?def|endef)\b", behind):
        return True
    recipe = "\n".join(lines[at : end + 1]).replace("\\\n", " ").strip().lstrip("@+-")
    text = _expanded(recipe, _variables(lines))
    if re.search(r"\$[({](?!MAKE[)}])", text):
        return True  # a variable that is not understood, such as one of several lines
    # What a make below has left undone, its own words tell.
    return stops(re.sub(r"\$[({]MAKE[)}]|(?<![\w-])g?make(?![\w-])", "submake", text).replace("$$", "$"))


def _leaves_targets(lines: Sequence[str], goals: Sequence[str], failed: set[str]) -> bool:
    """Whether a target with a recipe, that is needed for the goals, needs one that failed."""
    if any(map(_INCLUDES.match, lines)):
        return True
    rules = _rules(lines)
    wanted, todo = set[str](), [*(goals or rules)]
    while todo:
        if (name := todo.pop()) not in wanted:
            wanted.add(name)
            todo += rules[name].needs if name in rules else ()
    reached = set(failed)
    while more := {name for name in wanted - reached if name in rules and rules[name].needs & reached}:
        if any(rules[name].has_recipe for name in more):
            return True
        reached |= more
    return False


def _rules(lines: Sequence[str]) -> dict[str, _Rule]:
    variables = _variables(lines)
    rules: dict[str, _Rule] = {}
    for index, line in enumerate(lines):
        if line.startswith(("\t", ".PHONY")) or not (match := _RULE.match(line)):
            continue
        end = _end(lines, index)
        text = " ".join([match[2], *lines[index + 1 : end + 1]]).replace("\\", " ")
        needs = frozenset(_expanded(text, variables).replace("|", " ").split())
        has_recipe = bool(match[3]) or _next(lines, end).startswith("\t")
        for name in _expanded(match[1], variables).split():
            old = rules.get(name, _Rule(frozenset(), has_recipe=False))
            rules[name] = _Rule(old.needs | needs, old.has_recipe or has_recipe)
    return rules


def _end(lines: Sequence[str], index: int) -> int:
    """The index of the last line that a backslash at the end of this one, and of those, adds to it."""
    while lines[index].endswith("\\") and index + 1 < len(lines):
        index += 1
    return index


def _next(lines: Sequence[str], index: int) -> str:
    """The next line that says something, or nothing."""
    return next((line for line in lines[index + 1 :] if line.strip() and not line.lstrip().startswith("#")), "")


def _variables(lines: Sequence[str]) -> dict[str, str]:
    return {match[1]: match[2] for line in lines if (match := _SET.match(line))}


def _expanded(text: str, variables: dict[str, str]) -> str:
    for _ in range(5):
        text = _USED.sub(lambda used: variables.get(used[1], used[0]), text)[:100_000]
    return text


def _lines(file: Path, checkout: Path) -> list[str] | None:
    """The lines of a file of the checkout; None for every other."""
    try:
        path = file.resolve()
        if not path.is_relative_to(checkout.resolve()) or not path.is_file():
            return None
        return path.read_text(errors="replace").splitlines()[:_MAX_LINES]
    except (OSError, ValueError):
        return None
