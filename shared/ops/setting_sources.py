"""Where settings come from: the environment, and `.env` in the working directory and beside the data directory."""

from __future__ import annotations

import difflib
import io
import logging
import re
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Final

from dotenv import dotenv_values
from dotenv.parser import Binding, parse_stream

from shared.ops.proc import MARK

logging.getLogger("dotenv").setLevel(logging.ERROR)  # what it warns of is an error to us, see `broken_lines`

PREFIX: Final = "JOURNEYMAN_"
FILE: Final = "_FILE"
"""What the name of a variable ends with that names a file with the value."""

_OTHERS: Final = frozenset(
    {MARK, *(f"{PREFIX}{name}" for name in ("REPOS", "IMAGE", "ENGINE_DIR", "FIXTURES", "TEST_NATS"))}
)
"""Ours, and no settings of a service: of compose.yaml, of the scripts, and the mark of an agent's processes."""
_TESTS: Final = f"{PREFIX}TEST_"
_OF_KUBERNETES: Final = re.compile(r".*_(?:SERVICE_HOST|SERVICE_PORT(?:_\w+)?|PORT_\d+_(?:TCP|UDP)(?:_\w+)?)")
"""Variables that Kubernetes makes in every container for each Service, which may be named after us."""


def env_files(data_dir: Path) -> tuple[Path, ...]:
    """The `.env` files that there are, the one that goes before the other last: that of the system itself."""
    places = dict.fromkeys((Path.cwd() / ".env", data_dir.parent / ".env"))
    return tuple(each for each in places if each.is_file())


def values_in(file: Path) -> dict[str, str]:
    """The variables of one `.env` file that have a value; none where there is no file."""
    return {name: value for name, value in dotenv_values(file).items() if value} if file.is_file() else {}


def broken_lines(file: Path) -> list[str]:
    """A sentence for each line of a `.env` file that sets nothing and is no comment, without what may be a secret."""
    try:
        text = file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return [f"{file}: no text in UTF-8. Write it anew, one NAME=value a line."]
    return [
        f"{file}, line {each.original.line}{_beginning(each)}: no setting. Write NAME=value, in quotes where it has "
        "blanks, or begin the line with #."
        for each in parse_stream(io.StringIO(text))
        if each.error or (each.key and each.value is None and not _is_passed_on(each.key))
    ]


def _beginning(line: Binding) -> str:
    """The name that a line begins with; nothing of what stands behind it."""
    found = re.match(r"\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)(?=[\s=:]|$)", line.original.string)
    return f" ({found.group(1)} …)" if found and _is_ours(found.group(1)) else ""


def _is_passed_on(name: str) -> bool:
    """Whether a name without a value is a variable of another program, as some of them write it."""
    return name.isidentifier() and not _is_ours(name)


def _is_ours(name: str) -> bool:
    return name.startswith((PREFIX, "ANTHROPIC_"))


def unknown(variables: Mapping[str, str], settings: Collection[str]) -> list[str]:
    """A line for each variable that begins like a setting of ours and is none; ``settings`` are those there are."""
    known = {f"{PREFIX}{name.upper()}" for name in settings}
    known |= {f"{name}{FILE}" for name in known}
    return [_line(name, known) for name, value in variables.items() if not _is_known(name, value, known)]


def _is_known(name: str, value: str, known: Collection[str]) -> bool:
    if not name.startswith(PREFIX) or name in known or name in _OTHERS or name.startswith(_TESTS):
        return True
    return bool(_OF_KUBERNETES.fullmatch(name)) or value.startswith(("tcp://", "udp://"))


def _line(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.8)
    mend = f"did you mean {near[0]}?" if near else "take it away; .env.example lists the settings that there are."
    return f"{name} is no setting: {mend}"
