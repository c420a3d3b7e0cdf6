"""Caches of package clients that set-up and checks share between checkouts, below one directory.

Code that an agent or a repository wrote can write to them: a directory belongs to one repository, so that its work
reaches no other one's. They hold downloads and what Go has built from them; installed packages are in each checkout.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from shared.ops.disk_use import bytes_on_disk
from shared.ops.own_home import remove_tree

FOLDER: Final = "caches"
"""Where a data directory has them, in a folder for each repository."""
_VARIABLES: Final = {
    "PIP_CACHE_DIR": "pip",
    "UV_CACHE_DIR": "uv",
    "POETRY_CACHE_DIR": "poetry",
    "PDM_CACHE_DIR": "pdm",
    "PIPENV_CACHE_DIR": "pipenv",
    "npm_config_cache": "npm",
    "YARN_CACHE_FOLDER": "yarn",
    "YARN_GLOBAL_FOLDER": "yarn-berry",
    "BUN_INSTALL_CACHE_DIR": "bun",
    "DENO_DIR": "deno",
    "GOMODCACHE": "go-mod",
    "GOCACHE": "go-build",
    "COURSIER_CACHE": "coursier",
    "COMPOSER_CACHE_DIR": "composer",
    "BUNDLE_USER_CACHE": "bundler",
    "NUGET_PACKAGES": "nuget",
    "HEX_HOME": "hex",
    "MIX_HOME": "mix",
    "PUB_CACHE": "pub",
}
_SAID_BY_OTHERS: Final = {"GOMODCACHE": ("GOPATH",)}
"""Variables that move a cache too, when an operator gives them."""
_LINKS: Final = {
    ".cargo/registry": "cargo/registry",
    ".cargo/git": "cargo/git",
    ".local/share/pnpm/store": "pnpm",
    ".m2/repository": "maven",
    ".m2/wrapper": "maven-wrapper",
    ".gradle/caches": "gradle/caches",
    ".gradle/wrapper": "gradle/wrapper",
}
"""Caches that have no variable which moves them and nothing else."""
_GOING: Final = ".going-"


def cache_variables(cache_dir: Path, env: Mapping[str, str]) -> dict[str, str]:
    """Variables that keep downloads in ``cache_dir``. ``env`` is what a command gets already: what it says stays."""
    given = {name.lower() for name in env}
    found = {
        name: str(cache_dir / place)
        for name, place in _VARIABLES.items()
        if given.isdisjoint(each.lower() for each in (name, *_SAID_BY_OTHERS.get(name, ())))
    }
    if "BUNDLE_USER_CACHE" in found and "BUNDLE_GLOBAL_GEM_CACHE" not in env:
        found["BUNDLE_GLOBAL_GEM_CACHE"] = "true"
    return found


def link_caches(cache_dir: Path, home: Path, seen_at: Path) -> None:
    """Put the caches that no variable moves into a furnished home, as links; what is there already stays.

    ``seen_at`` is where programs find ``cache_dir``.
    """
    cache_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    for place, cache in _LINKS.items():
        link = home / place
        (cache_dir / cache).mkdir(parents=True, exist_ok=True)
        link.parent.mkdir(parents=True, exist_ok=True)
        if not link.exists() and not link.is_symlink():
            link.symlink_to(seen_at / cache)


def trim(cache_dir: Path, limit_bytes: int) -> list[str]:
    """Empty whole caches, the largest first, until the rest has at most ``limit_bytes`` on the disk; gives their names.

    For a moment in which no set-up and no check uses them, such as a service's start: it looks at every file, and a
    command whose cache goes under it fails. Also ends what an interrupted call has begun.
    """
    sizes: dict[Path, int] = {}
    for cache in sorted(cache_dir.iterdir()) if cache_dir.is_dir() else []:
        if cache.name.startswith(_GOING):
            remove_tree(cache)
        elif cache.is_dir() and not cache.is_symlink():
            sizes[cache] = bytes_on_disk(cache)
    emptied = []
    total = sum(sizes.values())
    for cache, size in sorted(sizes.items(), key=lambda each: -each[1]):
        if total <= limit_bytes:
            break
        going = cache.with_name(f"{_GOING}{cache.name}")
        cache.rename(going)  # at once: half a cache is worse than none
        remove_tree(going)
        emptied.append(cache.name)
        total -= size
    return emptied
