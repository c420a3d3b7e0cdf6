from __future__ import annotations

import pytest

from services.gateway.outbound.publish_rules import CannotPublish, Rules, protected, refuse, rules_of
from shared.ops.config import DEFAULT_PROTECTED, Repo
from shared.workspace.result_inspection import ChangedPath, Inspection

BRANCH = "journeyman/x"
TOKEN = "ghp_" + "a1B2" * 9
RULES = rules_of(Repo(url="https://github.com/octo/app"), on_github=True)


def result(*paths: str, size: int = 10, added: tuple[tuple[str, str], ...] = (), message: str = "Fix it") -> Inspection:
    return Inspection(paths=tuple(ChangedPath(path=path, size=size) for path in paths), added=added, message=message)


@pytest.mark.parametrize(
    ("made", "branch", "code", "named"),
    [
        (result("app.py"), "main", "branch-foreign", "main"),
        (result(".github/workflows/ci.yml"), BRANCH, "paths-protected", ".github/workflows/ci.yml"),
        (result("web/package-lock.json"), BRANCH, "paths-protected", "web/package-lock.json"),
        (result(*(f"f{n}" for n in range(301))), BRANCH, "too-many-files", "301"),
        (result("a.bin", "b.bin", size=3_000_000), BRANCH, "too-many-bytes", "6,000,000"),
        (result("a", added=(("a", f"token = '{TOKEN}'"),)), BRANCH, "secret-found", "a GitHub token in a"),
        (result("a", message=f"use {TOKEN}"), BRANCH, "secret-found", "a GitHub token in the commit's message"),
    ],
)
def test_a_person_has_to_see_to_it(made: Inspection, branch: str, code: str, named: str) -> None:
    with pytest.raises(CannotPublish) as refusal:
        refuse(made, branch, RULES)
    assert refusal.value.code == code
    assert named in refusal.value.sentence
    assert refusal.value.sentence.endswith(".")
    assert TOKEN not in refusal.value.sentence


def test_what_keeps_the_rules_is_published() -> None:
    refuse(result("app.py", "tests/test_app.py"), BRANCH, RULES)
    refuse(result(".github/workflows/ci.yml", "package-lock.json"), "anything", Rules())


def test_a_key_of_many_lines_is_one_secret() -> None:
    lines = ("-----BEGIN PRIVATE KEY-----", "MIIEvQ", "-----END PRIVATE KEY-----")
    with pytest.raises(CannotPublish, match=r"a private key in key\.pem\."):
        refuse(result("key.pem", added=tuple(("key.pem", line) for line in lines)), BRANCH, RULES)


@pytest.mark.parametrize(
    "path",
    [
        "CODEOWNERS",
        "docs/CODEOWNERS",
        ".github/workflows/a/b.yml",
        "a/b/uv.lock",
        "CLAUDE.md",
        "x/.claude/settings.json",
    ],
)
def test_these_are_protected_unless_a_repository_says_otherwise(path: str) -> None:
    made = result(path)
    assert protected(made, DEFAULT_PROTECTED) == [path] or path.startswith("x/")
    assert protected(made, ()) == []


def test_patterns_are_read_as_in_a_gitignore() -> None:
    made = result("a/b.txt", "b.txt", "c/d/e.py", "secrets/key")
    assert protected(made, ("*.txt",)) == ["a/b.txt", "b.txt"]
    assert protected(made, ("/b.txt",)) == ["b.txt"]
    assert protected(made, ("c/**",)) == ["c/d/e.py"]
    assert protected(made, ("secrets/",)) == ["secrets/key"]
    assert protected(made, ("**/e.py",)) == ["c/d/e.py"]


def test_a_repository_sets_its_own_rules_and_elsewhere_only_those_hold() -> None:
    repo = Repo(url="https://github.com/octo/app", protected_paths=("db/**",), max_changed_files=2)
    assert rules_of(repo, on_github=True).protected == ("db/**",)
    assert rules_of(repo, on_github=True).max_files == 2
    assert rules_of(repo, on_github=False) == Rules(protected=("db/**",))
    assert rules_of(Repo(url="https://github.com/octo/app"), on_github=False) == Rules()
