"""Tests that a change deletes, skips or makes assert less, counted in their text.

Counting is no parsing: a test that is renamed is no test less, and one that moves to another changed file is not lost.
"""

from __future__ import annotations

import posixpath
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

import msgspec

Read = Callable[[str], str]


class Language(msgspec.Struct, frozen=True):
    """How a language writes a test (its name is the last group that took part), a skipped one, and an assertion."""

    files: re.Pattern[str]
    test: re.Pattern[str]
    skip: re.Pattern[str]
    assertion: re.Pattern[str]
    only: re.Pattern[str] | None = None
    """A mark that lets a runner leave out every test without it, or tests of its choice."""
    named: re.Pattern[str] | None = None
    """The names by which the runner finds a file; None where every file of the language is found."""
    inverted: re.Pattern[str] | None = None
    """A mark by which a test passes by failing."""


def _language(
    files: str, test: str, skip: str, assertion: str, only: str = "", named: str = "", inverted: str = ""
) -> Language:
    return Language(
        files=re.compile(files),
        test=re.compile(test, re.MULTILINE),
        skip=re.compile(skip, re.MULTILINE),
        assertion=re.compile(assertion, re.MULTILINE),
        only=re.compile(only, re.MULTILINE) if only else None,
        named=re.compile(named) if named else None,
        inverted=re.compile(inverted) if inverted else None,
    )


_BELOW_TESTS: Final = r"(?:.*/)?(?:tests?|spec|__tests__|androidTest|commonTest)/(?:.*/)?"
_ATTRIBUTES: Final = r"(?:\s*+(?:@\w[^\n]{0,300}+|#?\[[^\n]{0,300}+)){0,10}+\s*+"
"""Annotations between the one that makes a test and its name; possessive, so that no text makes it slow."""
_LEFT_OUT_BY_GO: Final = (
    r"(?:.*/)?(?:testdata/|[_.][^/]*(?:/|$)"
    r"|[^/]+_(?:windows|darwin|freebsd|netbsd|openbsd|plan9|solaris|illumos|aix|android|ios|js|wasip1|dragonfly)"
    r"(?:_[a-z0-9]+)?_test\.go$)"
)
"""Files and folders that ``go test ./...`` passes over, on Linux."""

LANGUAGES: Final = (
    _language(
        rf"{_BELOW_TESTS}[^/]+\.py|(?:.*/)?(?:test[^/]*|[^/]+_test|tests)\.py",
        r"^[ \t]*(?:async\s+)?def\s+(test\w*)",
        r"@(?:\w+\.)*(?:skip|skipif|skipIf|skipUnless|xfail|expectedFailure)\b|\b(?:pytest\.(?:skip|xfail|importorskip)"
        r"|self\.skipTest)\(|^[ \t]*pytestmark\s*=.*(?:skip|xfail)|^[ \t]*__test__\s*=\s*False",
        r"(?:^|[:;])[ \t]*assert\b|\bself\.(?:assert|fail)\w*\(|\bpytest\.(?:raises|warns)\(",
        r"^(?:def|async def)[ \t]+(?:load_tests|pytest_ignore_collect|pytest_collection_modifyitems)\b"
        r"|^collect_ignore(?:_glob)?\b",
        r"(?:.*/)?(?:test[^/]*|[^/]*_test|tests)\.py",
    ),
    _language(
        rf"{_BELOW_TESTS}[^/]+\.[cm]?[jt]sx?|(?:.*/)?[^/]+[._-](?:test|spec|cy|e2e)\.[cm]?[jt]sx?",
        r"""(?<![.\w])(?:it|test|specify|Deno\.test)(?:\.(?:only|skip|each|concurrent|failing|todo)\b[^\n(]*)?\("""
        r"""\s*(["'`][^\n]{0,300}?["'`])\s*,""",
        r"\b(?:it|test|describe|context|suite|specify)\.(?:skip|todo|fixme|failing|skipIf)\b"
        r"|(?<![.\w])(?:xit|xtest|xdescribe|xcontext|xspecify)\(|\bthis\.skip\(\)|\bskip:\s*true|\bignore:\s*true",
        r"(?<![.\w])(?:expect|assert\w*)(?:\.\w+)*\(|(?<!\w)t\.(?:is|deepEqual|equal|true|false|throws\w*|ok)\(",
        r"\b(?:it|test|describe|context|suite|specify)\.only\b|(?<![.\w])(?:fit|fdescribe|ftest)\(|\bonly:\s*true",
    ),
    _language(
        rf"(?!{_LEFT_OUT_BY_GO})(?:.*/)?[^/]+_test\.go",
        r"^func\s+(?:\([^)]*\)\s*)?((?:Test|Fuzz|Example)\w*)\(|\bt\.Run\(\s*(\"[^\"]*\")",
        r"\b[tbf]\.Skip(?:f|Now)?\(|^//(?:go:build|[ \t]*\+build)\s",
        r"\b[tbf]\.(?:Error|Errorf|Fatal|Fatalf|Fail|FailNow)\(|\b(?:assert|require)\.\w+\(",
        r"^func\s+TestMain\(",
    ),
    _language(
        r"(?:.*/)?[^/]+\.rs",
        rf"#\[(?:\w+::)*(?:test|rstest|test_case)\b[^\]\n]*\]{_ATTRIBUTES}(?:pub\s+)?(?:async\s+)?fn\s+(\w+)",
        r"#\[ignore\b|#\[cfg\((?:any\(\)|FALSE|never)",
        r"\b(?:debug_)?assert(?:_eq|_ne|_matches)?!",
        inverted=r"#\[should_panic\b",
    ),
    _language(
        rf"{_BELOW_TESTS}[^/]+\.(?:java|kt|groovy|scala)|(?:.*/)?[^/]+(?:Tests?|IT|Spec|Suite)\.(?:java|kt|groovy|scala)",
        rf"@(?:Test|ParameterizedTest|RepeatedTest|TestFactory)\b(?:\([^)\n]{{0,200}}\))?{_ATTRIBUTES}"
        r"(?:[\w<>\[\],.? ]{1,200}\s)?(\w+|`[^`\n]+`)\s*\("
        r"|^[ \t]*(?:test|it|def)\s*\(?\s*(\"[^\"\n]+\")|^[ \t]*(\"[^\"\n]+\")\s+(?:should|in)\b",
        r"@(?:Disabled|Ignore|DisabledIf\w*|DisabledOn\w*|PendingFeature)\b|\bassume(?:True|False|That)\(|\bignore\(\"",
        r"\b(?:assert\w*|fail|verify|expectThat)\s*\(|\bshould(?:Be|Equal|Throw)\w*\b",
    ),
    _language(
        rf"{_BELOW_TESTS}[^/]+\.(?:cs|fs|vb)|(?:.*/)?[^/]*Tests?(?:/.+)?\.(?:cs|fs|vb)",
        rf"\[(?:Fact|Theory|Test|TestMethod|TestCase|DataTestMethod)\b[^\]\n]*\]{_ATTRIBUTES}"
        r"[\w<>\[\],.? ]{1,200}?\s(\w+)\s*\(",
        r"\bSkip\s*=\s*\"|\[(?:Ignore|Explicit)\b",
        r"\bAssert\.\w+|\.Should\w*\(",
    ),
    _language(
        r"(?:.*/)?(?:[^/]+_(?:spec|test)|test_[^/]+)\.rb",
        r"""^[ \t]*(?:it|specify|example|test|scenario)\s*\(?\s*(["'][^\n]*["'])|^[ \t]*def\s+(test_\w+)""",
        r"^[ \t]*(?:xit|xspecify|xdescribe|xcontext|skip|pending)\b",
        r"\bexpect\s*[({]|\.should\b|\b(?:assert|refute)\w*\b|\bmust_\w+",
        r"^[ \t]*(?:fit|fdescribe|fcontext)\b|\bfocus:\s*true|,\s*:focus\b",
    ),
    _language(
        rf"{_BELOW_TESTS}[^/]+\.php|(?:.*/)?[^/]+Test\.php",
        r"""\bfunction\s+(test\w*)\s*\(|#\[Test\]\s*public\s+function\s+(\w+)"""
        r"""|^[ \t]*(?:it|test)\(\s*(["'][^\n]*?["'])""",
        r"\bmarkTest(?:Skipped|Incomplete)\(|->(?:skip|todo)\(|@(?:group\s+ignore|requires)\b",
        r"(?:\$this->|self::|static::)(?:assert|expect)\w*\(|\bexpect\(",
        r"->only\(",
    ),
    _language(
        r"(?:.*/)?[^/]+_test\.(?:exs|dart)",
        r"""^[ \t]*(?:test|testWidgets|property)\s*\(?\s*(["'][^\n]*?["'])""",
        r"@tag\s+:?skip\b|@moduletag\s+:?skip\b|\bskip:\s*(?!false)",
        r"^[ \t]*(?:assert|refute)\w*\b|\bexpect\(",
        r"\bsolo:\s*true",
    ),
    _language(
        rf"{_BELOW_TESTS}[^/]+\.swift|(?:.*/)?(?:[^/]*Tests/.+|[^/]+Tests?)\.swift",
        r"^[ \t]*(?:\w+[ \t]+){0,6}func\s+(test\w*)\s*\(|@Test\b[^\n]{0,200}?\bfunc\s+(\w+)",
        r"\bXCTSkip\w*|\.disabled\(",
        r"\bXCTAssert\w*\(|\bXCTFail\(|#(?:expect|require)\(",
    ),
    _language(
        rf"{_BELOW_TESTS}[^/]+\.(?:c|cc|cpp|cxx|h|hpp)|(?:.*/)?(?:[^/]+[_.-]?[tT]ests?|test_[^/]+)\.(?:c|cc|cpp|cxx)",
        r"^[ \t]*(?:TEST|TEST_F|TEST_P|TYPED_TEST|TEST_CASE|SCENARIO|BOOST_AUTO_TEST_CASE|START_TEST)\s*\(([^)\n]*)\)"
        r"|^(?:static\s+)?void\s+(test_\w+)\s*\(",
        r"\bDISABLED_|\bGTEST_SKIP\(|\bSKIP\(|\[!?(?:mayfail|shouldfail|\.)\]",
        r"\b(?:EXPECT|ASSERT|CHECK|REQUIRE|BOOST_(?:CHECK|REQUIRE|TEST))\w*\s*\(|\bassert\s*\(|\bck_assert\w*\(",
    ),
)
_RECORDED: Final = re.compile(
    r".+\.(?:snap|ambr|golden|expected)|.+\.(?:approved|golden|expected)\.\w+|(?:.*/)?(?:__snapshots__|testdata)/.+"
    rf"|{_BELOW_TESTS}(?:goldens?|snapshots|expected)/.+"
)
_RUST_TESTS: Final = re.compile(r"\btest\b|^[ \t]*(?:pub(?:\([^)\n]*\))?[ \t]+)?mod[ \t]+\w+;", re.MULTILINE)
"""What speaks of tests in a file of Rust, where any file may have some or name another one that has."""
_ALWAYS: Final = re.compile(
    r"(?:^|[:;])[ \t]*assert[ \t]+(?:True|1|not[ \t]+False|not[ \t]+0|[\"'][^\"'\n]{1,200}[\"'])[ \t]*(?:[,;#].*)?$"
    r"|(?:^|[:;])[ \t]*assert\b[^\n]{0,200}\bor[ \t]+(?:True|1)\b"
    r"|\bassert\w{0,40}!?\([ \t]*(?:true|True|1)[ \t]*[,)]|\bassert[.]ok\([ \t]*true[ \t]*\)"
    r"|\b(?:assert[\w.]{0,40}|expect|ok)!?\([^\n]{0,200}(?:\|\|[ \t]*true\b|\bor[ \t]+True\b)"
    r"|\bexpect\([ \t]*true[ \t]*\)|\bassert_?[eE]q(?:uals?)?!?\([ \t]*(\d+|true)[ \t]*,[ \t]*\1[ \t]*\)",
    re.MULTILINE,
)
"""Assertions that say nothing of the work."""
_NAMED_A_TEST: Final = re.compile(r"(?:test_.+|.+[_.-](?:test|spec)|.+Tests?)\.\w+|.+\.(?:bats|t)")


class _Change(msgspec.Struct, frozen=True):
    """A changed file with tests: what it tests before and after, by name."""

    path: str
    status: str
    language: Language
    before: str
    after: str
    missing: Counter[str]
    new: Counter[str]


def weakened(files: Sequence[tuple[str, str]], base: Read, result: Read) -> dict[str, list[str]]:
    """For changed files (path, status letter) what became of their tests; no word of those that only grew."""
    changes, moved = _changes(files, base, result)
    found = {change.path: phrases for change in changes if (phrases := _phrases(change, moved))}
    for path, phrase in _moved_and_weaker(changes, moved):
        found.setdefault(path, []).append(phrase)
    added = {posixpath.basename(path) for path, status in files if status == "A"}
    counted = {change.path for change in changes if change.missing}
    for path, status in files:
        name = posixpath.basename(path)
        if status == "D" and path not in counted and name not in added and _NAMED_A_TEST.fullmatch(name):
            found.setdefault(path, []).append("test file deleted")
        elif status == "D" and name == "__init__.py" and is_test(path):
            found.setdefault(path, []).append("mark of a package of tests deleted, without which some are not found")
        elif status != "A" and _RECORDED.fullmatch(path):
            found.setdefault(path, []).append(f"recorded expectations {'deleted' if status == 'D' else 'changed'}")
    return found


class Weaker(msgspec.Struct, frozen=True):
    """Files of tests that say less than before. ``apart`` can be put back as they were and run so beside the work, with
    those to which tests have moved; ``inside`` are files of the work itself, which have their tests in them.
    """

    apart: tuple[str, ...] = ()
    inside: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.apart or self.inside)


def weaker(files: Sequence[tuple[str, str]], base: Read, result: Read) -> Weaker:
    """Of changed files (path, status letter) those whose tests are deleted, replaced by others, skipped or made to
    assert less. Recorded expectations are none: they change with the work.
    """
    changes, moved = _changes(files, base, result)
    told = weakened([file for file in files if not _RECORDED.fullmatch(file[0])], base, result)
    found = {change.path for change in changes if change.status != "A" and change.missing - moved} | {*told}
    if not found:
        return Weaker()
    found |= {change.path for change in changes if change.missing & moved or change.new & moved}
    folders = {path for path, status in files if status == "A" and any(each.startswith(f"{path}/") for each in found)}
    # A file of Rust has its tests in itself, but for those of a folder of tests.
    inside = {path for path in found if path.endswith(".rs") and not re.match(_BELOW_TESTS, path)}
    return Weaker(tuple(sorted((found | folders) - inside)), tuple(sorted(inside)))


class TakenAway(msgspec.Struct, frozen=True):
    """How many tests a change deletes or skips, and the names of those that no changed file has any more: deleted ones
    and renamed ones. Names are as they stand in the text, with their quotes.
    """

    count: int = 0
    names: frozenset[str] = frozenset()


def taken_away(files: Sequence[tuple[str, str]], base: Read, result: Read) -> TakenAway:
    """Tests that are deleted or skipped in changed files (path, status letter)."""
    changes, moved = _changes(files, base, result)
    count = sum(max(0, _lost(change, moved)) + max(0, _skipped(change)) for change in changes)
    missing = _sum(change.missing for change in changes) - moved
    return TakenAway(count, frozenset(missing))


def is_touched(files: Sequence[tuple[str, str]], base: Read) -> bool:
    """Whether a file with tests that was there is changed or gone (path, status letter)."""
    old = [path for path, status in files if status != "A" and is_test(path)]
    return any(not path.endswith(".rs") or _RUST_TESTS.search(base(path)) for path in old)


def is_test(path: str) -> bool:
    """Whether the file is one of tests, by its name and place."""
    return any(language.files.fullmatch(path) for language in LANGUAGES)


def _change(path: str, status: str, language: Language, base: Read, result: Read) -> _Change:
    before = "" if status == "A" else base(path)
    after = "" if status == "D" else result(path)
    were, are = _tests(language, before), _tests(language, after)
    return _Change(path, status, language, before, after, were - are, are - were)


def _changes(files: Sequence[tuple[str, str]], base: Read, result: Read) -> tuple[list[_Change], Counter[str]]:
    """The changed files of tests, and the tests that one of them had before and another one has now."""
    changes = [
        _change(path, status, language, base, result)
        for path, status in files
        for language in LANGUAGES
        if language.files.fullmatch(path)
    ]
    moved = _sum(change.missing for change in changes) & _sum(change.new for change in changes)
    # Of a file that the runner knew by its name, into one that it does not: those are not found any more.
    named = _sum(change.missing for change in changes if _is_named(change))
    unfound = named - _sum(change.new for change in changes if _is_named(change))
    return changes, moved - unfound


def _is_named(change: _Change) -> bool:
    named = change.language.named
    return named is None or named.fullmatch(change.path) is not None


def _lost(change: _Change, moved: Counter[str]) -> int:
    return (change.missing - moved).total() - (change.new - moved).total()


def _skipped(change: _Change) -> int:
    return 0 if change.status in "AD" else _more(change.language.skip, change.before, change.after)


def _phrases(change: _Change, moved: Counter[str]) -> list[str]:
    """``moved`` are the tests that one changed file had before and another one has now."""
    language, lost = change.language, _lost(change, moved)
    if change.status == "D":
        return [f"test file deleted with {_counted(lost, 'test')}"] if lost > 0 else []
    phrases = [f"{_counted(lost, 'test')} deleted"] if lost > 0 else []
    if change.status != "A":
        if (skipped := _skipped(change)) > 0:
            phrases.append(f"{_counted(skipped, 'test')} skipped")
        inverted = _more(language.inverted, change.before, change.after) if language.inverted else 0
        if (inverted := inverted - change.new.total()) > 0:
            phrases.append(f"{_counted(inverted, 'test')} made to pass by failing")
        # Of a test that went, its assertions go too.
        fewer = _more(language.assertion, change.after, change.before)
        if fewer > 0 and lost <= 0 and not change.missing & moved and _asserts(change):
            phrases.append(f"{_counted(fewer, 'assertion')} fewer")
    if (always := _more(_ALWAYS, change.before, change.after)) > 0:
        # A new one beside the others takes nothing away.
        always = min(always, always + _more(language.assertion, change.after, change.before))
        if always > 0:
            phrases.append(f"{_counted(always, 'assertion')} added that always {'holds' if always == 1 else 'hold'}")
    if language.only and (only := _more(language.only, change.before, change.after)) > 0:
        phrases.append(f"{_counted(only, 'mark')} added that leaves other tests out")
    return phrases


def _moved_and_weaker(changes: Sequence[_Change], moved: Counter[str]) -> Iterator[tuple[str, str]]:
    """Where tests have moved, and all files together assert less: those that have the tests now."""
    for language in LANGUAGES:
        them = [each for each in changes if each.language is language and (each.missing | each.new) & moved]
        lost = _sum(change.missing for change in them).total() - _sum(change.new for change in them).total()
        fewer = sum(_more(language.assertion, change.after, change.before) for change in them)
        if fewer > 0 and lost <= 0:
            yield from ((each.path, f"{_counted(fewer, 'assertion')} fewer") for each in them if each.new & moved)


def _asserts(change: _Change) -> bool:
    """Whether its assertions are those of tests: it has some, or helps those that have."""
    return bool(change.language.test.search(change.before) or re.match(_BELOW_TESTS, change.path))


def _tests(language: Language, text: str) -> Counter[str]:
    return Counter(found[found.lastindex or 0] for found in language.test.finditer(text))


def _more(pattern: re.Pattern[str], before: str, after: str) -> int:
    """How many more there are after than before."""
    return sum(1 for _ in pattern.finditer(after)) - sum(1 for _ in pattern.finditer(before))


def _sum(counts: Iterable[Counter[str]]) -> Counter[str]:
    total: Counter[str] = Counter()
    for each in counts:
        total += each
    return total


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
