"""JavaScript and TypeScript: the ``test`` script by npm, pnpm, yarn or bun, also in workspaces; Deno's own tests."""

from __future__ import annotations

import fnmatch
import re
from enum import StrEnum
from typing import Any, Final

from shared.workspace.detect.folder import Folder, strings, table

MAX_MEMBERS: Final = 200
"""Packages of a workspace that are looked at."""

_NPM_PLACEHOLDER: Final = "no test specified"
_DEPENDENCIES: Final = ("dependencies", "devDependencies", "optionalDependencies", "peerDependencies")
_TEST_FILE: Final = r"[\w.-]*[._](?:test|spec)\.[cm]?[jt]sx?"
_YAML_ITEM: Final = re.compile(r"""^[ \t]*-[ \t]*["']?([^"'#\n]+?)["']?[ \t]*(?:#.*)?$""", re.MULTILINE)


class Manager(StrEnum):
    """What installs the packages and runs the scripts."""

    NPM = "npm"
    PNPM = "pnpm"
    YARN = "yarn"
    YARN_BERRY = "yarn-berry"
    BUN = "bun"


_TEST: Final = {
    Manager.NPM: "npm test",
    Manager.PNPM: "pnpm test",
    Manager.YARN: "yarn test",
    Manager.YARN_BERRY: "yarn test",
    Manager.BUN: "bun run test",
}
_TEST_OF_MEMBERS: Final = {
    Manager.NPM: "npm test --workspaces --if-present",
    Manager.PNPM: "pnpm --recursive test",
    Manager.YARN_BERRY: "yarn workspaces foreach --all run test",
    Manager.BUN: "bun run --filter '*' test",
}
"""Classic yarn is missing: it fails at the first package without the script, so its packages are tested one by one."""
_LOCKED: Final = {
    Manager.NPM: "npm ci --no-audit --no-fund",
    Manager.PNPM: "pnpm install --frozen-lockfile",
    Manager.YARN: "yarn install --frozen-lockfile --non-interactive",
    Manager.YARN_BERRY: "yarn install --immutable",
    Manager.BUN: "bun install --frozen-lockfile",
}
_UNLOCKED: Final = {
    Manager.NPM: "npm install --no-package-lock --no-audit --no-fund",
    Manager.PNPM: "pnpm install --no-frozen-lockfile",
    Manager.YARN: "yarn install --no-lockfile --non-interactive",
    Manager.YARN_BERRY: "yarn install --no-immutable",
    Manager.BUN: "bun install --no-save",
}


def checks(folder: Folder) -> list[str]:
    """At most one command of a package manager, and one of Deno."""
    package = folder.json("package.json")
    manager = manager_of(folder)
    found: list[str] = []
    if _has_test(package):
        found.append(_TEST[manager])
    elif manager in _TEST_OF_MEMBERS and any(_has_test(each.json("package.json")) for each in _members(folder)):
        found.append(_TEST_OF_MEMBERS[manager])
    elif manager is Manager.BUN and _has_test_files(folder):
        found.append("bun test")
    if folder.has("deno.json", "deno.jsonc"):
        if "test" in table(folder.json("deno.json", "deno.jsonc"), "tasks"):
            found.append("deno task test")
        elif not folder.has("package.json") and _has_test_files(folder):
            found.append("deno test --allow-all")
    return found


def setup(folder: Folder) -> list[str]:
    """The installation, as the lock file has it where there is one; none for a package without dependencies."""
    package = folder.json("package.json")
    found: list[str] = []
    if any(package.get(kind) for kind in _DEPENDENCIES) or (package and _patterns(folder)):
        manager = manager_of(folder)
        command = (_LOCKED if _is_locked(folder) else _UNLOCKED)[manager]
        # A cache that is in the repository is the one that its other files name, whatever the environment says.
        own_cache = manager is Manager.YARN_BERRY and Folder(folder.path / ".yarn").below("cache")
        found.append(f"YARN_CACHE_FOLDER=.yarn/cache {command}" if own_cache else command)
    if folder.has("deno.lock"):
        found.append("deno install --frozen")
    return found


def manager_of(folder: Folder) -> Manager:
    """The manager that ``packageManager`` names, else the one whose lock file is there."""
    named = str(folder.json("package.json").get("packageManager", ""))
    berry = folder.has(".yarnrc.yml") or "\n__metadata:" in folder.text("yarn.lock")
    match re.match(r"(npm|pnpm|yarn|bun)@(\d+)", named):
        case re.Match() as found if found[1] == "yarn":
            return Manager.YARN if found[2] == "1" else Manager.YARN_BERRY
        case re.Match() as found:
            return Manager(found[1])
    if folder.has("pnpm-lock.yaml", "pnpm-workspace.yaml"):
        return Manager.PNPM
    if folder.has("yarn.lock"):
        return Manager.YARN_BERRY if berry else Manager.YARN
    return Manager.BUN if folder.has("bun.lock", "bun.lockb") else Manager.NPM


def _is_locked(folder: Folder) -> bool:
    match manager_of(folder):
        case Manager.NPM:
            return folder.has("package-lock.json", "npm-shrinkwrap.json")
        case Manager.PNPM:
            return folder.has("pnpm-lock.yaml")
        case Manager.BUN:
            return folder.has("bun.lock", "bun.lockb")
        case Manager.YARN | Manager.YARN_BERRY:
            return folder.has("yarn.lock")


def _has_test(package: dict[str, Any]) -> bool:
    script = table(package, "scripts").get("test")
    return isinstance(script, str) and bool(script.strip()) and _NPM_PLACEHOLDER not in script


def _has_test_files(folder: Folder) -> bool:
    return any(True for _ in folder.search(_TEST_FILE, 3))


def _patterns(folder: Folder) -> list[str]:
    """Where the packages of a workspace are, as paths with ``*``."""
    match folder.json("package.json").get("workspaces"):
        case list() as patterns:
            found = strings(patterns)
        case {"packages": patterns}:
            found = strings(patterns)
        case _:
            _, _, listed = f"\n{folder.text('pnpm-workspace.yaml')}".partition("\npackages:")
            found = _YAML_ITEM.findall(re.split(r"\n(?=[^\s#-])", listed)[0])
    return [pattern for pattern in found if not pattern.startswith("!")]


def _members(folder: Folder) -> list[Folder]:
    found: list[Folder] = []
    for pattern in _patterns(folder):
        level = [folder]
        for part in pattern.strip("./").split("/"):
            if part == "**":  # a level or two below is where packages are
                level += [inner for each in level for inner in each.folders()]
            else:
                level = [inner for each in level for inner in each.folders() if fnmatch.fnmatch(inner.name, part)]
            level = level[:MAX_MEMBERS]
        found += level
    return found[:MAX_MEMBERS]
