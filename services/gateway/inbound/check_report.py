"""What a failed check says of itself, as one bounded text (pure): all of it is the words of others.

Of a log that is thousands of lines long the agent gets those that name the failure, with what stands around them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import msgspec

from services.gateway.inbound.text import one_line, visible

MAX_REPORT: Final = 4_000
"""Characters of all that one check says."""
MAX_OUTPUT: Final = 1_000
MAX_ANNOTATION: Final = 400
MAX_ANNOTATIONS: Final = 10
MAX_LOG: Final = 2_600
MAX_LINE: Final = 300
BEFORE: Final = 12
"""Lines before the one by which Actions says that a step has failed: there its own words stand."""
AROUND: Final = 2

_ESCAPES: Final = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")
_TIME: Final = re.compile(r"^\ufeff?\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?Z ?")
_ENDED: Final = "##[error]"
_NOISE: Final = re.compile(r"^##\[(?:endgroup|debug)\]")
_NAMES_IT: Final = re.compile(
    r"\b(?:errors?|fail(?:ed|ure|ures|s)?|fatal|panic(?:ked)?|traceback|exception|assert(?:ion)?\w*|segmentation fault|"
    r"undefined|cannot|not found|no such|denied|timed out)\b|^E\s|^\S+(?:Error|Exception)\b",
    re.IGNORECASE,
)
_HARMLESS: Final = re.compile(r"\b0 (?:errors?|fail(?:ed|ures?))\b|\bno errors?\b", re.IGNORECASE)


class Annotation(msgspec.Struct, frozen=True):
    """What a check says about a line; ``level`` is notice, warning or failure."""

    level: str
    message: str
    title: str = ""
    path: str = ""
    line: int = 0


def output_of(title: str, summary: str) -> str:
    """The title and the summary that a check gives itself."""
    parts = [one_line(visible(title)), _cleaned(summary).strip()]
    return _cut("\n".join(part for part in parts if part), MAX_OUTPUT)


def report(output: str, annotations: Sequence[Annotation], log: str, problem: str) -> str:
    """All of it as one text; ``problem`` says what could not be read. ``log`` is a whole log, or its end."""
    said = [_annotated(each) for each in annotations if not _says_nothing(each)]
    more = [f"… and {len(said) - MAX_ANNOTATIONS} more"] if len(said) > MAX_ANNOTATIONS else []
    parts = [
        output,
        "\n".join(["Annotations:", *said[:MAX_ANNOTATIONS], *more]) if said else "",
        f"From its log:\n{lines}" if (lines := lines_of_failure(log)) else "",
        problem,
    ]
    return _cut("\n\n".join(part for part in parts if part), MAX_REPORT)


def lines_of_failure(log: str) -> str:
    """The lines that name the failure, in their order; where lines are left out stands ``…``.

    What stands before the end of a failed step goes before lines that only have such a word in them, and the last ones
    before the first. Where no line names it, the log's end is taken.
    """
    # A line that was written over shows what came last.
    whole = (line.rstrip("\r").rpartition("\r")[2] for line in _ESCAPES.sub("", log).split("\n"))
    lines = [line for line in map(_line, whole) if line and not _NOISE.match(line)]
    ends = [at for at, line in enumerate(lines) if line.startswith(_ENDED)]
    named = [
        at for at, line in enumerate(lines) if not line.startswith(_ENDED) and _NAMES_IT.search(_HARMLESS.sub("", line))
    ]
    wanted = [
        *(at for end in reversed(ends) for at in range(end, max(end - BEFORE, 0) - 1, -1)),
        *(at + offset for at in reversed(named) for offset in sorted(range(-AROUND, AROUND + 1), key=abs)),
        *([] if ends or named else range(len(lines) - 1, max(len(lines) - BEFORE, 0) - 1, -1)),
    ]
    taken: set[int] = set()
    room = MAX_LOG
    for at in wanted:
        if at in taken or not 0 <= at < len(lines):
            continue
        # With room for the dots between two that are apart.
        room -= len(lines[at]) + 3
        if room < 0:
            break
        taken.add(at)
    shown: list[str] = []
    for before, at in zip([None, *sorted(taken)], sorted(taken), strict=False):
        if before is not None and at != before + 1:
            shown.append("…")
        shown.append(lines[at])
    return visible("\n".join(shown))


def _annotated(annotation: Annotation) -> str:
    where = f"{one_line(visible(annotation.path), 200)}:{annotation.line}: " if annotation.path else ""
    title = f"{one_line(visible(annotation.title), 100)}: " if annotation.title else ""
    said = one_line(_cleaned(annotation.message), MAX_ANNOTATION)
    return f"{where}{one_line(annotation.level, 20)}: {title}{said}"


def _says_nothing(annotation: Annotation) -> bool:
    return annotation.level == "notice" or annotation.message.startswith("Process completed with exit code")


def _line(line: str) -> str:
    return _cut(_TIME.sub("", line[: MAX_LINE + 64]).rstrip(), MAX_LINE)


def _cleaned(text: str) -> str:
    return visible(_ESCAPES.sub("", text))


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"
