"""C and C++: the tests that CMake or Meson know, built in a folder of the checkout that is not there yet."""

from __future__ import annotations

import re
from typing import Final

from shared.workspace.detect.folder import Folder

_CMAKE_TESTS: Final = re.compile(
    r"^[ \t]*(?:enable_testing\s*\(|include\s*\(\s*CTest\s*\))", re.MULTILINE | re.IGNORECASE
)
_MESON_TESTS: Final = re.compile(r"^[ \t]*(?:test|subdir)\s*\(", re.MULTILINE)


def checks(folder: Folder) -> list[str]:
    """At most one command for each."""
    build = "build" if not folder.below("build") and not folder.has("build") else "build-for-checks"
    found = []
    if _CMAKE_TESTS.search(folder.text("CMakeLists.txt")):
        # Without tests CTest would say that all is well; without a number a build takes every core there is.
        found.append(
            f"cmake -S . -B {build} && cmake --build {build} --parallel 2"
            f" && ctest --test-dir {build} --output-on-failure --no-tests=error"
        )
    if _MESON_TESTS.search(folder.text("meson.build")):
        found.append(f"meson setup {build} && meson test -C {build} --print-errorlogs")
    return found


def setup(folder: Folder) -> list[str]:
    """Nothing: neither has a lock file."""
    return []
