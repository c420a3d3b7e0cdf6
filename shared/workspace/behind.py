"""Whether a command that failed may have left steps undone behind the one that failed: nothing is known of those.

The command's text and the files that it runs tell: shell scripts, the Makefile, scripts of a package, tox. In doubt the
answer is yes. What a program does inside itself is its own: a test runner goes on behind a test that fails.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import msgspec

from shared.workspace.makefiles import leaves_recipes

_MAX_DEPTH: Final = 5
_MAX_BYTES: Final = 256 * 1024
_STOPS: Final = re.compile(
    r"\bset [^\n;]*(?:-\w*e\w*|\berrexit)\b|\b(?:ba|da|z|k)?sh (?:-\w+ )*-\w*e\w*\b"
    r"|^#!\S*(?: \S+)? -\w*e|\b(?:exit|return)\b(?![^\n;&|]*\s*\Z)"
)
_HARMLESS: Final = re.compile(r"^[\s({]*(?:cd|export|source|\.|:|true)(?:\s|$)")
_BEFORE: Final = re.compile(
    r"^[\s({@+!-]*(?:(?:\w+=\S*|env|time|exec|npx|(?:uv|poetry|pipenv|pdm) run|bundle exec)\s+)*"
)
_SHELLS: Final = frozenset({"sh", "bash", "dash", "zsh", "ksh"})
_MAKES: Final = frozenset({"make", "gmake"})
_PACKAGES: Final = frozenset({"npm", "pnpm", "yarn", "bun"})
_TASKS: Final = frozenset(
    {"nox", "just", "task", "invoke", "inv", "rake", "poe", "hatch", "doit", "ant", "composer", "run-s", "npm-run-all"}
)
"""Programs that run steps which are not read here, each up to the first that fails."""
_LATER_PHASES: Final = frozenset({"package", "verify", "install", "deploy", "site"})


class _Ran(msgspec.Struct, frozen=True):
    exit_code: int
    output: str
    checkout: Path


class _Package(msgspec.Struct):
    scripts: dict[str, str] = {}


def may_hide_more(command: str, exit_code: int, output: str, checkout: Path) -> bool:
    """Of a command of ``/bin/sh`` in which something failed, whatever its exit code; ``checkout`` is where it ran.

    Only files are read, as the command has left them. A make that ends with 0 has left nothing undone.
    """
    return _hides(command, _Ran(exit_code, output, checkout), 0)


def _hides(text: str, ran: _Ran, depth: int) -> bool:
    text = text.replace("\\\n", " ").strip()
    if depth > _MAX_DEPTH or _STOPS.search(text):
        return True
    for part in re.split(r"\|\||[;\n]", text):
        chain = part.split("&&")
        if not all(_HARMLESS.match(each) for each in chain[:-1]):
            return True
        for single in re.split(r"[|&]", chain[-1]):
            words = _BEFORE.sub("", single).split()
            if words and _program_hides(words, ran, depth):
                return True
    return False


def _program_hides(words: list[str], ran: _Ran, depth: int) -> bool:
    program, arguments = words[0].rpartition("/")[2], words[1:]
    if program in _MAKES:
        return ran.exit_code != 0 and leaves_recipes(
            [each for each in arguments if not each.startswith("-") and "=" not in each],
            ran.output,
            ran.checkout,
            lambda recipe: _hides(recipe, ran, depth + 1),
        )
    if program in _PACKAGES:
        return _package_hides(arguments, ran, depth)
    if program in _TASKS:
        return True
    if program in {"gradle", "gradlew"}:
        return "--continue" not in arguments
    if program in {"mvn", "mvnw"}:
        return not _LATER_PHASES.isdisjoint(arguments)
    if program == "tox":
        return _tox_hides(ran.checkout)
    if program in _SHELLS:
        script = next((each for each in arguments if not each.startswith("-")), "")
        return _script_hides(script, ran, depth)
    return "/" in words[0] and _script_hides(words[0], ran, depth)


def _script_hides(name: str, ran: _Ran, depth: int) -> bool:
    text = _text(ran.checkout, name)
    if text is None:
        return False
    first = text.partition("\n")[0]
    is_shell = not first.startswith("#!") or re.search(r"\b(?:ba|da|z|k)?sh\b", first) is not None
    return is_shell and _hides(text, ran, depth + 1)


def _package_hides(arguments: list[str], ran: _Ran, depth: int) -> bool:
    """Scripts of a package: what runs before and after one is a step too."""
    name = next((each for each in arguments if not each.startswith("-") and each not in {"run", "run-script"}), "")
    name = {"t": "test"}.get(name, name)
    try:
        scripts = msgspec.json.decode(_text(ran.checkout, "package.json") or "{}", type=_Package).scripts
    except msgspec.MsgspecError:
        return True
    if f"pre{name}" in scripts or f"post{name}" in scripts:
        return True
    return name in scripts and _hides(scripts[name], ran, depth + 1)


def _tox_hides(checkout: Path) -> bool:
    """Tox ends an environment at the first of its commands that fails."""
    text = _text(checkout, "tox.ini")
    if text is None:
        return True
    lists = re.findall(r"^commands(?:_pre|_post)? *=(.*(?:\n[ \t]+.*)*)", text.replace("\\\n", " "), re.M)
    return any(len([line for line in each.split("\n") if line.strip(" \t#")]) > 1 for each in lists) or (
        re.search(r"^commands_(?:pre|post)", text, re.M) is not None
    )


def _text(checkout: Path, name: str) -> str | None:
    """The text of a regular file of the checkout, or None."""
    try:
        path = (checkout / name).resolve()
        if not name or not path.is_relative_to(checkout.resolve()) or not path.is_file():
            return None
        return path.read_bytes()[:_MAX_BYTES].decode(errors="replace")
    except (OSError, ValueError):
        return None
