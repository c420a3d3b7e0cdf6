"""What is not published without a person: too much of it, protected paths, secrets, foreign branches (pure)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from typing import Final

import msgspec

from shared.ops.config import DEFAULT_PROTECTED, Repo
from shared.ops.known_secrets import secrets_in
from shared.workspace.result_inspection import Inspection

MAX_NAMED: Final = 5


class CannotPublish(Exception):
    """The publication fails for good. ``code`` is stable; the text says what to do."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """What holds for one repository. ``protected`` are patterns; 0 is no limit."""

    branch_prefix: str = ""
    protected: tuple[str, ...] = ()
    max_files: int = 0
    max_bytes: int = 0
    secrets: bool = False


def rules_of(repo: Repo, *, on_github: bool) -> Rules:
    """The rules of a repository. Where nothing is published on GitHub, only what its section says itself holds."""
    if not on_github:
        return Rules(protected=repo.protected_paths or ())
    return Rules(
        branch_prefix=repo.branch_prefix,
        protected=DEFAULT_PROTECTED if repo.protected_paths is None else repo.protected_paths,
        max_files=repo.max_changed_files,
        max_bytes=repo.max_changed_bytes,
        secrets=True,
    )


def refuse(result: Inspection, branch: str, rules: Rules) -> None:
    """Raises `CannotPublish` with the first thing that a person has to see to."""
    if rules.branch_prefix and not branch.startswith(f"{rules.branch_prefix}/"):
        raise CannotPublish(
            "branch-foreign",
            f"The branch {branch} does not begin with {rules.branch_prefix}/, so it may be somebody else's. Set "
            "branch_prefix of the repository in journeyman.toml as it was when the work began, or retry afresh.",
        )
    if touched := protected(result, rules.protected):
        raise CannotPublish(
            "paths-protected",
            f"The result changes what a person has to change: {_named(touched)}. Make that change by hand and have the "
            "work done without it, or leave the path out of protected_paths of the repository in journeyman.toml and "
            "retry.",
        )
    if rules.max_files and len(result.paths) > rules.max_files:
        raise CannotPublish(
            "too-many-files",
            f"The result changes {len(result.paths):,} files, and {rules.max_files:,} are allowed. Ask for less at a "
            "time, or raise max_changed_files of the repository in journeyman.toml and retry.",
        )
    if rules.max_bytes and result.size > rules.max_bytes:
        largest = sorted(result.paths, key=lambda each: -each.size)
        raise CannotPublish(
            "too-many-bytes",
            f"The changed files have {result.size:,} bytes, and {rules.max_bytes:,} are allowed; the largest are "
            f"{_named([each.path for each in largest])}. Ask for the work without them, or raise max_changed_bytes of "
            "the repository in journeyman.toml and retry.",
        )
    if rules.secrets and (found := list(_secrets(result))):
        raise CannotPublish(
            "secret-found",
            f"The result would publish what looks like a secret: {_named(found)}. Take it out of circulation where it "
            "is real, and have the work done again without it.",
        )


def protected(result: Inspection, patterns: Sequence[str]) -> list[str]:
    """The paths of a result that a pattern protects."""
    return [each.path for each in result.paths if any(_matches(each.path, pattern) for pattern in patterns)]


def _matches(path: str, pattern: str) -> bool:
    """As in a ``.gitignore``: a name at any depth, or a path from the root; what is below a directory is it, too."""
    pattern = pattern.rstrip("/")
    anchored = pattern.lstrip("/")
    if "/" in pattern:
        wanted = anchored.replace("**/", "*").replace("**", "*")
        return fnmatchcase(path, wanted) or fnmatchcase(path, f"{wanted}/*")
    return any(fnmatchcase(part, pattern) for part in path.split("/"))


def _secrets(result: Inspection) -> Iterable[str]:
    for secret in secrets_in(result.message):
        yield f"a {secret.what} in the commit's message"
    counts: Counter[tuple[str, str]] = Counter()
    by_path: dict[str, list[str]] = {}
    for path, line in result.added:
        by_path.setdefault(path, []).append(line)
    for path, lines in by_path.items():
        # Together: a private key has many lines.
        counts.update((path, secret.what) for secret in secrets_in("\n".join(lines)))
    for path, what in counts:
        yield f"a {what} in {path}"


def _named(names: Sequence[str]) -> str:
    more = f" and {len(names) - MAX_NAMED} more" if len(names) > MAX_NAMED else ""
    return ", ".join(names[:MAX_NAMED]) + more
