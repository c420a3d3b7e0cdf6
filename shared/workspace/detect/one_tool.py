"""Languages with one tool for everything: a manifest that says it is there, its test command, its set-up."""

from __future__ import annotations

from typing import Final

import msgspec

from shared.workspace.detect.folder import Folder


class Tool(msgspec.Struct, frozen=True):
    """A tool. ``tests`` is the folder that must be there, ``locked`` the files that call for the set-up."""

    manifest: str
    check: str
    setup: str = ""
    locked: tuple[str, ...] = ()
    tests: str = ""


_HEX: Final = "mix local.hex --force --if-missing && mix local.rebar --force --if-missing && mix deps.get"
_TOOLS: Final = (
    Tool("mix.exs", "mix test", _HEX, ("mix.lock",)),
    Tool("Package.swift", "swift test", "swift package resolve", ("Package.resolved",)),
    Tool("build.zig", "zig build test"),
    Tool("stack.yaml", "stack test", "stack build --only-dependencies --test", ("stack.yaml.lock",)),
    Tool("cabal.project", "cabal test all"),
    Tool("dune-project", "dune test", tests="test"),
    Tool("project.clj", "lein test"),
    Tool("rebar.config", "rebar3 eunit", "rebar3 get-deps", ("rebar.lock",)),
    Tool("shard.yml", "crystal spec", "shards install --frozen", ("shard.lock",), tests="spec"),
    Tool("gleam.toml", "gleam test", "gleam deps download", ("manifest.toml",)),
    Tool("Project.toml", "julia --project=. -e 'using Pkg; Pkg.test()'", tests="test"),
    Tool("Makefile.PL", "prove -lr t", tests="t"),
    Tool("cpanfile", "prove -lr t", tests="t"),
)


def checks(folder: Folder) -> list[str]:
    """One command for each tool that is used here."""
    return list(dict.fromkeys(tool.check for tool in _used(folder)))


def setup(folder: Folder) -> list[str]:
    """One command for each tool whose lock file is here."""
    return [tool.setup for tool in _used(folder) if tool.locked and folder.has(*tool.locked)]


def _used(folder: Folder) -> list[Tool]:
    return [*_dart(folder), *(t for t in _TOOLS if folder.has(t.manifest) and (not t.tests or folder.below(t.tests)))]


def _dart(folder: Folder) -> list[Tool]:
    """Dart's manifest is the same with Flutter; its test runner is a package, and needs set-up also without a lock."""
    pubspec = folder.text("pubspec.yaml")
    if not pubspec or not folder.below("test"):
        return []
    program = "flutter" if "sdk: flutter" in pubspec else "dart"
    enforced = " --enforce-lockfile" if folder.has("pubspec.lock") else ""
    return [Tool("pubspec.yaml", f"{program} test", f"{program} pub get{enforced}", ("pubspec.yaml",))]
