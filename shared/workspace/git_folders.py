"""What git reads and writes in a checkout, for a sandbox that has to give it."""

from __future__ import annotations

from pathlib import Path

import msgspec

from shared.sandbox.confinement import Bind, seen


class GitFolders(msgspec.Struct, frozen=True):
    """The repository of one checkout, and the objects that it borrows."""

    git_dir: Path
    objects: Path

    def binds(self, *, writable: bool) -> list[Bind]:
        """Both at their own places, for a checkout's files name the one, and that one the other."""
        if not self.git_dir.is_dir():
            return []
        return [Bind(self.git_dir, self.git_dir, writable=writable), seen(self.objects)]
