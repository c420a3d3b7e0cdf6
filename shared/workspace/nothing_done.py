"""Commands that end with 0 as they had nothing to do: a build tool takes what is there for what it would make.

``make test`` says so where a file has the name of its target. Such a run tells nothing of the work.
"""

from __future__ import annotations

import re
from typing import Final

_SHOWN: Final = 120
"""Characters of a line in a sentence."""
_NOTHING: Final = re.compile(
    r"(?:g?make(?:\[\d+\])?: (?:[`'].+' is up to date|Nothing to be done for [`'].+')\."
    r"|ninja: no work to do\.|scons: [`'].+' is up to date\."
    r"|task: Task .+ is up to date|\S+ is up[ -]to[ -]date\.?"
    r"|> Task :\S*[tT]est\S* (?:UP-TO-DATE|FROM-CACHE|NO-SOURCE|SKIPPED)"
    r"|INFO: Elapsed time.*|(?:INFO: )?0 processes\.)"
)
_CACHED: Final = re.compile(
    r"> Task :\S*[tT]est\S* (?:UP-TO-DATE|FROM-CACHE|NO-SOURCE|SKIPPED)"
    r"|//\S+ +\(cached\) (?:PASSED|NO STATUS).*"
    r"|\S+:\S*test\S*: cache hit.*"
    r"|.*\[(?:existing outputs match the cache, left as is|local cache|remote cache)\]"
    r"|Nx read the output from the cache instead of running the command.*"
)
"""Tests that were not run, as an earlier result of theirs is kept somewhere."""
_AROUND: Final = re.compile(
    r"g?make(?:\[\d+\])?: (?:Entering|Leaving) directory .+|scons: (?:Reading|Building|done).*|> Task :\S+ \S+"
    r"|BUILD SUCCESSFUL in .+|\d+ actionable tasks?: .+|Calculating task graph.*|Reusing configuration cache.*"
    r"|Configuration cache entry .+|> \S+@\S+ .+"
)
"""Lines that a build tool writes around all that it does."""


def nothing_done(output: str) -> str:
    """The line that says that there was nothing to do, where the output says nothing else; else no word."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    told = [line for line in lines if _NOTHING.fullmatch(line)]
    if not told or any(not _NOTHING.fullmatch(line) and not _AROUND.fullmatch(line) for line in lines):
        return ""
    return told[0][:_SHOWN]


def kept_results(output: str) -> tuple[str, ...]:
    """The lines that tell of tests whose earlier result was taken."""
    return tuple(line.strip()[:_SHOWN] for line in output.splitlines() if _CACHED.fullmatch(line.strip()))
