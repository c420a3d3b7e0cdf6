"""One parser per test runner: ``parser(lines) -> Reading``. Each knows its runner's words and ignores all others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from shared.workspace.test_results.reading import Reading
from shared.workspace.test_results.runners.elixir import exunit
from shared.workspace.test_results.runners.go import go
from shared.workspace.test_results.runners.javascript import bun, jest, mocha, vitest
from shared.workspace.test_results.runners.jvm import gradle, surefire
from shared.workspace.test_results.runners.native import ctest, dotnet, gtest
from shared.workspace.test_results.runners.php import phpunit
from shared.workspace.test_results.runners.python import pytest, unittest
from shared.workspace.test_results.runners.ruby import minitest, rspec
from shared.workspace.test_results.runners.rust import cargo, nextest
from shared.workspace.test_results.runners.tap import node, tap

_PARSERS: Final[tuple[tuple[Callable[[Sequence[str]], Reading], tuple[str, ...]], ...]] = (
    (pytest, ("test session starts", "short test summary", "::", " passed", " failed", "no tests ran", "INTERNALERROR>",
              "ImportError while loading conftest", "pytest: error:", "ERROR: file or dir", "ERROR: not found")),
    (unittest, ("\nRan ", "======\nFAIL: ", "======\nERROR: ")),
    (go, ("--- FAIL: ", "--- PASS: ", "FAIL\t", "ok  \t", '"Action":', "=== FAIL: ", "\n# ", "go: ")),
    (jest, ("\nTests: ", "  ● ")),
    (vitest, (" FAIL ", "      Tests  ", "Vitest caught ")),
    (mocha, (" passing", " failing")),
    (tap, ("not ok", "\nok ", "(Wstat: ", "Files=")),
    (node, ("ℹ tests ", "✖ failing tests:")),
    (cargo, ("test result: ", "error: ", "test ")),
    (nextest, ("Summary [", "Nextest run", "FAIL [")),
    (surefire, ("Tests run: ",)),
    (gradle, (" FAILED", " tests completed", " test completed")),
    (phpunit, ("PHPUnit ", "Assertions: ", "PHP Fatal error", "PHP Parse error", "assertions)")),
    (rspec, (" example",)),
    (minitest, (" assertions, ",)),
    (exunit, (" tests, ", " test, ")),
    (bun, ("(fail) ", " pass\n")),
    (ctest, ("The following tests FAILED:", "% tests passed, ")),
    (gtest, ("[  FAILED  ]", "[  PASSED  ]")),
    (dotnet, ("Failed!  ", "Passed!  ", "[FAIL]", "  Failed ", "  X ")),
)  # fmt: skip


def read_all(text: str, lines: Sequence[str]) -> list[Reading]:
    """What every runner whose words are in the text has said. An output may hold several: ``make test`` runs them."""
    spoken = (parser(lines) for parser, words in _PARSERS if any(word in text for word in words))
    return [reading for reading in spoken if not reading.empty]
