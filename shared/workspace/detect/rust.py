"""Rust: the tests of a package, or of every package of a workspace."""

from __future__ import annotations

from shared.workspace.detect.folder import Folder, table


def checks(folder: Folder) -> list[str]:
    """At most one command. Members of a workspace that names its default ones are the repository's own word."""
    if not folder.has("Cargo.toml"):
        return []
    manifest = folder.toml("Cargo.toml")
    whole = "workspace" in manifest and "default-members" not in table(manifest, "workspace")
    # Else a red test of one target hides those of all others.
    return ["cargo test --workspace --no-fail-fast" if whole else "cargo test --no-fail-fast"]


def setup(folder: Folder) -> list[str]:
    """The download of what the lock file names; none where that is only the repository's own packages."""
    return ["cargo fetch --locked"] if "\nsource = " in folder.text("Cargo.lock") else []
