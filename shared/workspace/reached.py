"""The shell texts that a command runs of its repository: recipes of a Makefile, scripts of a package, shell scripts.

As far as they can be told without running anything, see `shared.workspace.judges.reach`.
"""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path
from typing import Final

from shared.workspace.detect.runners import MAKEFILES
from shared.workspace.judges.reach import reach_of
from shared.workspace.programs import called, counts_tests
from shared.workspace.shell import steps_of

_MAX_BYTES: Final = 256 * 1024
_INTERPRETS: Final = re.compile(r"\b(?:python[\d.]*|node|deno|bun|ruby|perl|php|go run|cargo run)\b")
_SCRIPT: Final = re.compile(r".+\.(?:sh|bash)|[^.]+")


def shell_texts(command: str, checkout: Path) -> list[str]:
    """The command itself, and the texts that it reaches in the files of ``checkout``, each once.

    ``$$`` of a recipe is ``$``; where its Makefile has a shell with ``pipefail``, the text begins by setting it.
    """
    read = partial(text_of, checkout)
    reach = reach_of([command], read)
    found = [command]
    for path, text in reach.targets.items():
        if path.rpartition("/")[2] == "package.json":
            found += [script.partition(": ")[2] for script in text.splitlines()]
        elif path.rpartition("/")[2] in MAKEFILES:
            found += _recipes(text)
    scripts = (read(path) for path in sorted(reach.scripts) if _SCRIPT.fullmatch(path.rpartition("/")[2]))
    return list(dict.fromkeys([*found, *filter(_is_shell, scripts)]))


def runs_counting_tests(command: str, checkout: Path) -> bool:
    """Whether the command runs a test runner that tells how many tests it ran, or should."""
    return any(
        counts_tests(words)
        for text in shell_texts(command, checkout)
        for step in steps_of(text) or ()
        if (words := called(step.words))
    )


def is_silent(command: str, output: str, checkout: Path) -> bool:
    """Whether a command that runs a script of an interpreter has written nothing but its own text, as make does."""
    texts = shell_texts(command, checkout)
    if not any(_INTERPRETS.search(text) for text in texts):
        return False
    own = {line.strip() for text in texts for line in text.splitlines()}
    return all(line.strip() in own or line.startswith(("> ", "make")) for line in output.splitlines() if line.strip())


def text_of(checkout: Path, name: str) -> str:
    """The text of a regular file of the checkout, or nothing."""
    try:
        path = (checkout / name).resolve()
        if not path.is_relative_to(checkout.resolve()) or not path.is_file():
            return ""
        return path.read_bytes()[:_MAX_BYTES].decode(errors="replace")
    except (OSError, ValueError):
        return ""


def _recipes(text: str) -> list[str]:
    """The lines of recipes. What make ignores by ``-``, its own words tell."""
    strict = "set -o pipefail; " if re.search(r"^\.?SHELL(?:FLAGS)?\b.*pipefail", text, re.M) else ""
    lines = re.sub(r"\\\n\s*", " ", text).splitlines()
    return [strict + line.lstrip("\t @+-").replace("$$", "$") for line in lines if line.startswith("\t")]


def _is_shell(text: str) -> bool:
    first = text.partition("\n")[0]
    return re.search(r"\b(?:ba|da|z|k)?sh\b", first) is not None if first.startswith("#!") else bool(text)
