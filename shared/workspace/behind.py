"""Whether a command that failed may have left steps undone behind the one that failed: nothing is known of those.

The command's text and the files that it runs tell: shell scripts, the Makefile, scripts of a package, tox. In doubt the
answer is yes, and a program that nobody knows is in doubt: a driver in any language may stop at its red step. A test
runner or a linter goes on behind what fails inside it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from shared.workspace.makefiles import leaves_recipes
from shared.workspace.programs import PLAIN, called, is_one_step
from shared.workspace.shell import Step, steps_of

_MAX_DEPTH: Final = 5
_MAX_BYTES: Final = 256 * 1024
_STOPS: Final = re.compile(
    r"\bset [^\n;]*(?:-\w*e\w*|\berrexit)\b|\b(?:ba|da|z|k)?sh (?:-\w+ )*-\w*e\w*\b"
    r"|^#!\S*(?: \S+)? -\w*e|\b(?:exit|return)\b(?![^\n;&|]*\s*\Z)"
)
_HARMLESS: Final = frozenset({"cd", "export", "source", ".", ":", "true"})
_SHELLS: Final = frozenset({"sh", "bash", "dash", "zsh", "ksh"})
_MAKES: Final = frozenset({"make", "gmake"})
_PACKAGES: Final = frozenset({"npm", "pnpm", "yarn", "bun"})
_SEVERAL_PACKAGES: Final = frozenset({"-r", "--recursive", "--filter", "-F", "workspaces", "workspace", "--workspaces"})
_LATER_PHASES: Final = frozenset({"package", "verify", "install", "deploy", "site"})
_INSTALLED: Final = re.compile(r"(?:\./)?(?:.*/)?(?:node_modules|vendor|\.?venv|\.tox)/.+")
_BINSTUB: Final = re.compile(r"(?:\./)?bin/[\w-]+")
"""Starts what Bundler or Composer have installed."""
_DJANGO: Final = re.compile(r"(?:^|[ /])manage\.py test\b")
_TEST_FILE: Final = re.compile(r"(?:tests?|test[_.-].+|.+[_.-](?:test|tests|spec))\.\w+", re.IGNORECASE)
_STARTS_OTHERS: Final = re.compile(
    r"subprocess|\bos\.(?:system|popen|spawn|exec|posix_spawn)|child_process|\bsystem\b|\bspawn\b|\bexec\w*\b|\bpopen\b"
    r"|\bpytest\.main|`|%x",
    re.IGNORECASE,
)
"""What a script calls to run other programs."""


class _Ran(msgspec.Struct, frozen=True):
    """``place`` is the folder of ``checkout`` in which a step runs."""

    exit_code: int
    output: str
    checkout: Path
    place: Path

    def inside(self, folder: str) -> _Ran:
        """The same in a folder below, or wherever ``cd`` leads."""
        return msgspec.structs.replace(self, place=self.place / folder)

    def text(self, name: str) -> str | None:
        """The text of a regular file of the checkout, or None."""
        try:
            path = (self.place / name).resolve()
            if not name or not path.is_relative_to(self.checkout.resolve()) or not path.is_file():
                return None
            return path.read_bytes()[:_MAX_BYTES].decode(errors="replace")
        except (OSError, ValueError):
            return None


class _Package(msgspec.Struct):
    scripts: dict[str, str] = {}


def may_hide_more(command: str, exit_code: int, output: str, checkout: Path) -> bool:
    """Of a command of ``/bin/sh`` in which something failed, whatever its exit code; ``checkout`` is where it ran.

    Only files are read, as the command has left them. A make that ends with 0 has left nothing undone.
    """
    return _hides(command, _Ran(exit_code, output, checkout, checkout), 0)


def _hides(text: str, ran: _Ran, depth: int) -> bool:
    text = text.replace("\\\n", " ").strip()
    if depth > _MAX_DEPTH or _STOPS.search(text) or (steps := steps_of(text)) is None:
        return True
    for step in steps:
        if step.program == "cd" and len(step.words) == 2:
            ran = ran.inside(step.words[1])
        elif _step_hides(step, ran, depth):
            return True
    return False


def _step_hides(step: Step, ran: _Ran, depth: int) -> bool:
    if not step.words:
        return False
    if step.after == "&&" and step.program not in _HARMLESS:
        return True
    if {"if", "elif", "while", "until"} & {*step.keywords} and step.program not in {"[", "[[", "test"}:
        return True
    words = called(step.words)
    return bool(words) and _program_hides(words, ran, depth)


def _program_hides(words: list[str], ran: _Ran, depth: int) -> bool:
    program, arguments = words[0].rpartition("/")[2], words[1:]
    if program in _MAKES:
        folder = _value_of(arguments, "-C", "--directory")
        goals = [each for each in arguments if not each.startswith("-") and "=" not in each and each != folder]
        there = ran.inside(folder)
        return ran.exit_code != 0 and leaves_recipes(
            goals, ran.output, ran.place, lambda recipe: _hides(recipe, there, depth + 1)
        )
    if words[0] == "submake":
        return False  # it tells by its own words
    if program in _PACKAGES and not is_one_step(words):
        return _package_hides(arguments, ran, depth)
    if program in {"gradle", "gradlew"}:
        return "--continue" not in arguments
    if program in {"mvn", "mvnw"}:
        return not _LATER_PHASES.isdisjoint(arguments)
    if program == "tox":
        return _tox_hides(ran, depth)
    if program == "pre-commit":
        return re.search(r"^fail_fast: *true", ran.text(".pre-commit-config.yaml") or "", re.M) is not None
    if program in _SHELLS:
        return _shell_hides(arguments, ran, depth)
    if _DJANGO.search(" ".join(words[:3])):
        return False
    if "/" in words[0] and not _INSTALLED.fullmatch(words[0]) and ran.text(words[0]):
        return _script_hides(words[0], ran, depth) and not (_BINSTUB.fullmatch(words[0]) and is_one_step(words))
    return not is_one_step(words) and not _is_test_file(arguments, ran)


def _shell_hides(arguments: list[str], ran: _Ran, depth: int) -> bool:
    if "-c" in arguments[:-1]:
        return _hides(arguments[arguments.index("-c") + 1], ran, depth + 1)
    return _script_hides(next((each for each in arguments if not each.startswith("-")), ""), ran, depth)


def _script_hides(name: str, ran: _Ran, depth: int) -> bool:
    text = ran.text(name)
    if text is None:
        return True
    first = text.partition("\n")[0]
    is_shell = not first.startswith("#!") or re.search(r"\b(?:ba|da|z|k)?sh\b", first) is not None
    return _hides(text, ran, depth + 1) if is_shell else not _is_test_file([name], ran)


def _is_test_file(arguments: list[str], ran: _Ran) -> bool:
    """Whether an interpreter is given a file of tests that starts nothing else."""
    name = next((each for each in arguments if not each.startswith("-")), "")
    if not _TEST_FILE.fullmatch(name.rpartition("/")[2]):
        return False
    text = ran.text(name)
    return text is not None and not _STARTS_OTHERS.search(text)


def _package_hides(arguments: list[str], ran: _Ran, depth: int) -> bool:
    """Scripts of a package: what runs before and after one is a step too."""
    if folder := _value_of(arguments, "--prefix", "--cwd", "-C", "--dir"):
        arguments, ran = [each for each in arguments if each != folder], ran.inside(folder)
    if not _SEVERAL_PACKAGES.isdisjoint(each.partition("=")[0] for each in arguments):
        return True
    name = next((each for each in arguments if not each.startswith("-") and each not in {"run", "run-script"}), "")
    name = {"t": "test"}.get(name, name)
    try:
        scripts = msgspec.json.decode(ran.text("package.json") or "", type=_Package).scripts
    except msgspec.MsgspecError:
        return True
    if f"pre{name}" in scripts or f"post{name}" in scripts:
        return True
    if name in scripts:
        return _hides(scripts[name], ran, depth + 1)
    rest = arguments[arguments.index(name) :] if name else []
    return not rest or rest[0] in PLAIN or not is_one_step(rest)  # `yarn jest`


def _value_of(arguments: Sequence[str], *options: str) -> str:
    """The value of an option, which is the next word or stands behind ``=``; nothing where there is none."""
    for at, each in enumerate(arguments):
        name, _, value = each.partition("=")
        if name in options:
            return value or "".join(arguments[at + 1 : at + 2])
    return ""


def _tox_hides(ran: _Ran, depth: int) -> bool:
    """Tox ends an environment at the first of its commands that fails."""
    text = ran.text("tox.ini")
    if text is None or re.search(r"^commands_(?:pre|post)", text, re.M):
        return True
    lists = re.findall(r"^commands *=(.*(?:\n[ \t]+.*)*)", text.replace("\\\n", " "), re.M)
    for each in lists:
        lines = [line.strip(" \t-") for line in each.split("\n") if line.strip(" \t#")]
        if len(lines) > 1 or any(_hides(_without_braces(line), ran, depth + 1) for line in lines):
            return True
    return not lists


def _without_braces(line: str) -> str:
    """A command of tox without its substitutions."""
    return re.sub(r"\{[^{}]*\}", "", re.sub(r"\{env_?python\}", "python", line))
