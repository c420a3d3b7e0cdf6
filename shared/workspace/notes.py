"""What we remember of a worktree, kept in the mirror's directory where no agent writes."""

from __future__ import annotations

from pathlib import Path

import msgspec

from shared.ops.files import write_atomically
from shared.workspace.submodules import Filled


class State(msgspec.Struct, frozen=True):
    """A worktree that was made to its end: the commit it began as, and the private refs made from it.

    ``files`` is the commit whose files were checked out, empty for the base's own. ``submodules_missing`` are paths,
    ``submodules_filled`` those whose files are there. ``borrowed`` says that no ref of its own keeps the base:
    something else does. ``submodules_lost`` are files that were changed in submodules of a worktree which this one was
    restored from, and which are as they were at the base here.
    """

    base: str
    refs: tuple[str, ...] = ()
    files: str = ""
    submodules_missing: tuple[str, ...] = ()
    borrowed: bool = False
    submodules_filled: tuple[Filled, ...] = ()
    submodules_lost: tuple[str, ...] = ()


class Notes:
    """The notes of one worktree in ``directory``: its state, and our cache of what its files looked like."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.index = directory / "index"

    def read(self) -> State | None:
        """The state, None when the worktree was never made to its end."""
        try:
            return msgspec.json.decode((self.directory / "state").read_bytes(), type=State)
        except (OSError, msgspec.MsgspecError):
            return None

    def write(self, state: State) -> None:
        """Replace the state whole."""
        self.directory.mkdir(parents=True, exist_ok=True)
        write_atomically(self.directory / "state", msgspec.json.encode(state))

    def add_ref(self, ref: str) -> None:
        """Remember a ref; to be called before the ref exists, so that none is forgotten."""
        state = self.read()
        if state is not None and ref not in state.refs:
            self.write(msgspec.structs.replace(state, refs=(*state.refs, ref)))
