"""The output of a command without what differs between two runs of it that do the same.

Noise is what chance decides: when it ran, how long it took, where, under which process id. A number or an id is none
where it is what the check is about: on a line that speaks of what was expected (a hash that two files should have, a
date, a version), and a count beside a word such as ``failed``. There only the time at the beginning of a line and how
long it took at its end are taken out. What differs at each run all the same makes a check that differs from itself, of
which nothing is known.
"""

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


_VALUES: Final = re.compile(
    r"\b(?:expect(?:ed|s)?|actual|got|want(?:ed)?|received|but was|should|mismatch\w*|match(?:es)?|differ\w*|checksum"
    r"|digest|hash(?:es)?|sha-?(?:1|256|512)|md5|version|in use|EADDRINUSE|instead of)\b|\s[!=]==?\s",
    re.IGNORECASE,
)
"""A line with one of these has values that the check is about."""
_COUNTS: Final = re.compile(
    r"\b(?:errors?|fail(?:ed|ures?|ing)?|problems?|issues?|warnings?|violations?)\b[ =:(]{1,3}\d[\d:.,]*"
    r"|(?<![\w.:,])\d[\d:.,]*\s(?=(?:\w+\s)?(?:errors?|fail(?:ed|ures?|ing)?|problems?|issues?|warnings?|violations?)\b)",
    re.IGNORECASE,
)
_CHANCE: Final = tuple(
    (re.compile(pattern), instead)
    for pattern, instead in (
        (
            r"^(\W{0,3})(?:\d{4}[-/]\d\d[-/]\d\d[T ])?\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?: ?Z| ?[+-]\d\d:?\d\d)?(?=\W)",
            r"\1<time>",
        ),
        (rf"(?i)(\b(?:in|after|took) |\()\d+(?:\.\d+)? ?{_UNIT}(?=\)?\W*$)", r"\1<duration>"),
    )
)
"""What is by chance on every line."""
_HIDE: Final = {ord("0") + digit: 0xE000 + digit for digit in range(10)}
"""Digits as characters that no rule knows, and that nobody writes."""
_SHOW: Final = {hidden: plain for plain, hidden in _HIDE.items()}


def normalise(output: str, *checkouts: str | Path) -> str:
    """The output without colours, times, durations, process ids, addresses, ports, random ids, seeds and paths.

    ``checkouts`` are the folders in which the command may have run: paths below them become relative. Two runs of one
    failing command give the same text if they failed in the same way. The order of lines is kept.
    """
    text = without_paths(plain(output), (str(checkout) for checkout in checkouts))
    # Cut lines bound the work of every pattern.
    text = "\n".join(map(_without_values, lines_of(same_everywhere(text))))
    for pattern, instead in _RULES:
        text = pattern.sub(instead, text)
    return "\n".join(line for line in map(str.rstrip, text.translate(_SHOW).split("\n")) if line)


def _without_values(line: str) -> str:
    """The line, where no rule finds the numbers that the check is about."""
    if _VALUES.search(line):
        for pattern, instead in _CHANCE:
            line = pattern.sub(instead, line)
        return line.translate(_HIDE)
    return _COUNTS.sub(lambda count: count[0].translate(_HIDE), line)
