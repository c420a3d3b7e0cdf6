"""Reading the YAML that describes a webhook: what is wrong in it is told with its line."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec
import yaml

from cli.failures import Failure
from services.gateway.custom.paths import BadExpression, check
from shared.contracts.webhook import Definition, Paths, Scheme, Verification

MAX_BYTES: Final = 64 * 1024
_AT: Final = re.compile(r"^(?P<what>.*?)(?: - at `\$(?P<at>[^`]*)`)?$", re.DOTALL)

Place = tuple[str | int, ...]


class _File(Definition, frozen=True, kw_only=True):
    """What stands in the file: a definition with its name, and its secret where it stands there."""

    name: str = ""
    secret: str = ""


_FIELDS: Final[dict[Place, frozenset[str]]] = {
    (): frozenset(_File.__struct_fields__),
    ("verification",): frozenset(Verification.__struct_fields__),
    ("paths",): frozenset(Paths.__struct_fields__),
}


def read_webhook_file(file: Path) -> dict[str, Any]:
    """What FILE describes, ready to be sent. Raises `Failure`, with the file, the line and the mend."""
    raw = file.read_bytes()
    if len(raw) > MAX_BYTES:
        raise Failure(f"{file} has more than {MAX_BYTES:,} bytes: a webhook is described in a few lines.")
    with _no_yaml(file):
        text = raw.decode()
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    if not isinstance(node, yaml.MappingNode):
        raise Failure(f"{file} does not describe a webhook: write name, verification and paths (docs/webhooks.md).")
    lines: dict[Place, int] = {}
    _look(file, node, (), lines, set())
    with _no_yaml(file):
        content: dict[str, Any] = yaml.safe_load(text)
    if not isinstance(content.get("verification"), dict):
        raise Failure(f"{_where(file, lines.get(('verification',)))}: verification says how a delivery is verified.")
    try:
        definition = msgspec.convert(content, _File)
    except msgspec.ValidationError as error:
        found = _AT.match(str(error))
        assert found is not None
        place = _place(found["at"] or "")
        there = f" Write one of {', '.join(Scheme)}." if place == ("verification", "scheme") else ""
        raise Failure(f"{_line_of(file, place, lines)}: {_dotted(place)}{found['what']}.{there}") from error
    try:
        check(definition)
    except BadExpression as error:
        raise Failure(f"{_line_of(file, _of_expression(str(error)), lines)}: {error}") from error
    return content


@contextlib.contextmanager
def _no_yaml(file: Path) -> Iterator[None]:
    try:
        yield
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        told = getattr(error, "problem", None) or str(error)
        raise Failure(f"{_where(file, None if mark is None else mark.line + 1)} is no YAML: {told}.") from error


def _look(file: Path, node: yaml.Node, place: Place, lines: dict[Place, int], seen: set[int]) -> None:
    """Note where everything stands. Refuses what YAML would take silently: a key twice, one that is not known, and
    aliases, by which a few lines become millions."""
    line = node.start_mark.line + 1
    lines.setdefault(place, line)
    if id(node) in seen:
        raise Failure(f"{_where(file, line)}: write out what an alias (*) stands for.")
    seen.add(id(node))
    if isinstance(node, yaml.SequenceNode):
        for number, inner in enumerate(node.value):
            _look(file, inner, (*place, number), lines, seen)
    if isinstance(node, yaml.MappingNode):
        for key, inner in node.value:
            at = key.start_mark.line + 1
            known = _FIELDS.get(place)
            if known is not None and key.value not in known:
                there = ", ".join(sorted(known))
                raise Failure(
                    f"{_where(file, at)}: {_dotted(place)}there is no field {key.value!r}; there are: {there}."
                )
            where = (*place, str(key.value))
            if where in lines:
                raise Failure(f"{_where(file, at)}: {key.value!r} stands there a second time; leave one of them.")
            lines[where] = at
            _look(file, inner, where, lines, seen)


def _place(path: str) -> Place:
    """``.filters[2]`` as the keys and numbers that lead there."""
    return tuple(key if key else int(number) for key, number in re.findall(r"\.(\w+)|\[(\d+)\]", path))


def _of_expression(told: str) -> Place:
    """Where the expression stands that a sentence begins with: ``title cannot …``, ``filter 2 is …``."""
    word, _, rest = told.partition(" ")
    if word == "filter":
        return ("filters", int(rest.partition(" ")[0]) - 1)
    return ("paths", word)


def _line_of(file: Path, place: Place, lines: dict[Place, int]) -> str:
    while place and place not in lines:
        place = place[:-1]
    return _where(file, lines.get(place))


def _where(file: Path, line: int | None) -> str:
    return f"{file}, line {line}" if line else str(file)


def _dotted(place: Place) -> str:
    return "".join(f"{each}: " for each in place if isinstance(each, str))
