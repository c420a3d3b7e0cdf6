"""The output of pnpm, turbo and the like, which write the name of a package before each line of its tests."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import msgspec

from shared.workspace.test_results.reading import Reading

_PREFIX: Final = re.compile(r"^(@?[\w.-]+(?:/[\w.-]+){0,8})(?: |:)(?:test|check|build|lint|type)[\w:-]{0,40}: ?")


class Package(msgspec.Struct, frozen=True):
    """Lines of one package, without its name, and where they stand in the output. The name of the rest is empty."""

    name: str
    lines: list[str]
    places: list[int]

    def placed(self, reading: Reading) -> Reading:
        """The reading of these lines as one of the whole output: packages may have tests of the same name."""
        before = f"{self.name}: " if self.name else ""
        return msgspec.structs.replace(
            reading,
            failed=[before + name for name in reading.failed],
            broken=[before + name for name in reading.broken],
            lines=[self.places[index] for index in reading.lines],
        )


def packages(lines: Sequence[str]) -> list[Package]:
    """The lines by the package whose name they begin with: packages that run side by side mix their lines."""
    found = {"": Package("", [], [])}
    for place, line in enumerate(lines):
        match = _PREFIX.match(line)
        name = match[1] if match else ""
        package = found.get(name) or found.setdefault(name, Package(name, [], []))
        package.lines.append(line[match.end() :] if match else line)
        package.places.append(place)
    return list(found.values())
