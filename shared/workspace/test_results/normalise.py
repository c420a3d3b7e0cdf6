"""The output of a command without what differs between two runs of it that do the same."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from shared.workspace.test_results.text import lines_of, plain, same_everywhere, without_paths

_UNIT: Final = r"(?:ns|us|µs|μs|ms|s|secs?|seconds?|m|mins?|minutes?)"
_RULES: Final = tuple(
    (re.compile(pattern, re.MULTILINE), instead)
    for pattern, instead in (
        (r"\d{4}[-/]\d\d[-/]\d\d(?:[T ]\d\d:\d\d(?::\d\d)?(?:[.,]\d{1,9})?(?: ?Z| ?[+-]\d\d:?\d\d)?)?", "<time>"),
        (r"\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),? [\w ]{4,8} \d\d:\d\d:\d\d(?: [A-Z]{3,4})?(?: \d{4})?", "<time>"),
        (r"(?<![\w:.])\d{1,3}:\d\d(?::\d\d)?(?:[.,]\d{1,9})?(?: [AP]M)?\b(?!:)", "<time>"),
        (r"\b\d+m ?\d+(?:\.\d+)?s\b", "<duration>"),
        # A whole number in front of an "s" may be the number of a case: what stands around it tells.
        (rf"(?<![\w.])\d+\.\d+ ?{_UNIT}\b", "<duration>"),
        (rf"(?i)(\b(?:in|after|took|for|within) |[(\[:=~,>@] ?|\t| {{2}})\d+ ?{_UNIT}\b", r"\1<duration>"),
        (rf"(?<![\w.])\d+{_UNIT}$", "<duration>"),
        (rf"(?<![\w.])\d+ ?{_UNIT}(?=[)\]])", "<duration>"),
        (
            r"(?i)(?<!<)\b(duration|duration_ms|elapsed)(\W{1,4})\d+(?:\.\d+)?\b",
            r"\1\2<duration>",
        ),
        (r"(?i)(?<!<)\b(time|wall|user|sys|real)(\W{1,4})\d+\.\d+\b", r"\1\2<duration>"),
        (r"(?i)(?<!<)\b(time|wall)( ?[=:] ?)\d+\b", r"\1\2<duration>"),
        (r"(?<![\w.])\d+(?:\.\d+)? ?[kKMG]?i?B/s", "<speed>"),
        (r"(?<![\w.])\d+(?:\.\d+)? (runs|assertions|tests|checks)/s", r"<speed> \1/s"),
        (r"(?i)(?<!<)\b(pid|process id|ppid|tid)(\W{1,3})\d+", r"\1\2<pid>"),
        (r"^==\d+==", "==<pid>=="),
        (r"^(thread '[^']*') \(\d+\)", r"\1 (<pid>)"),
        (r"\((node|ruby|php|python\d?):\d+\)", r"(\1:<pid>)"),
        (r"\bgoroutine \d+", "goroutine <id>"),
        (r"(?i)\b(127\.0\.0\.1|localhost|0\.0\.0\.0|\[::1?\])([: ]{1,2})\d{2,5}\b", r"\1\2<port>"),
        (r"(?i)(?<!<)\b(port)(\W{1,3})\d{2,5}\b", r"\1\2<port>"),
        (r"(?i)(?<!<)\b([a-z_-]{0,40}seed)( value| is)?([ =:]{1,3})[\w-]+", r"\1\2\3<seed>"),
        (r"\b(?=[0-9]{0,64}[a-f])(?=[a-f]{0,64}[0-9])[0-9a-f]{7,64}\b", "<id>"),
        (r"^\[gw\d+\] (?:\[ *\d+%\] )?", ""),
        (r" \[ *\d+%\]", ""),
        (r"([=_~*-])\1{3,}", r"\1\1\1\1"),
        (r"(?<=\S)[ \t]{2,}", "  "),
    )
)


def normalise(output: str, *checkouts: str | Path) -> str:
    """The output without colours, times, durations, process ids, addresses, ports, random ids, seeds and paths.

    ``checkouts`` are the folders in which the command may have run: paths below them become relative. Two runs of one
    failing command give the same text if they failed in the same way. The order of lines is kept.
    """
    text = without_paths(plain(output), (str(checkout) for checkout in checkouts))
    text = "\n".join(lines_of(same_everywhere(text)))  # cut lines bound the work of every pattern
    for pattern, instead in _RULES:
        text = pattern.sub(instead, text)
    return "\n".join(line for line in map(str.rstrip, text.split("\n")) if line)
