"""Which lines of a pull request can be commented on: those that its diff shows, three lines around each change."""

from __future__ import annotations

import re
import subprocess
from typing import Final

from testing.github_server import Answered, Json, Repo

_HUNK: Final = re.compile(r"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@.*")
Lines = set[tuple[str, str, int]]
"""Path, side and number."""


def has_commit(repo: Repo, pull: Json, commit: str) -> bool:
    """Whether a commit is one of the pull request's; without a repository only its head is known."""
    if repo.git is None:
        return bool(commit == pull["head"]["sha"])
    base, head = pull["base"]["sha"], pull["head"]["sha"]
    return commit in (base, head) or commit in _git(repo, "rev-list", f"{base}..{head}").split()


def lines_shown(repo: Repo, pull: Json, commit: str) -> Lines | None:
    """Every line that can be commented on; None where nothing is known of the diff."""
    if repo.git is None:
        files = pull.get("_files")
        return None if files is None else {one for each in files for one in _shown(each["filename"], each["patch"])}
    diff = _git(repo, "-c", "core.quotePath=false", "diff", "-M", "--no-color", f"{pull['base']['sha']}...{commit}")
    found: Lines = set()
    for part in re.split(r"^diff --git ", diff, flags=re.MULTILINE)[1:]:
        head, _, patch = part.partition("\n@@ ")
        names = re.findall(r"^(?:---|\+\+\+) [ab]/(.+?)\t?$", head, flags=re.MULTILINE)
        if names:
            found |= _shown(names[-1], f"@@ {patch}")
    return found


def check_place(shown: Lines | None, said: Json) -> None:
    """What GitHub says of a comment which it cannot place."""
    if not said.get("path") or not said.get("body"):
        raise Answered(422, "Unprocessable Entity", errors=["Path and body are needed"])
    if said.get("position"):
        return
    side, line = said.get("side", "RIGHT"), said.get("line")
    if side not in ("LEFT", "RIGHT"):
        raise Answered(422, "Unprocessable Entity", errors=[f"{side} is not a member of [LEFT, RIGHT]"])
    if shown is not None and said["path"] not in {path for path, _, _ in shown}:
        raise Answered(422, "Unprocessable Entity", errors=["Path could not be resolved"])
    if not line or (shown is not None and (said["path"], side, line) not in shown):
        raise Answered(422, "Unprocessable Entity", errors=["Line could not be resolved"])


def _shown(path: str, patch: str) -> Lines:
    found: Lines = set()
    left = right = 0
    for line in patch.split("\n"):
        if hunk := _HUNK.fullmatch(line):
            left, right = int(hunk[1]), int(hunk[3])
        elif line[:1] in (" ", "-", "+"):
            if line[0] != "+":
                found.add((path, "LEFT", left))
                left += 1
            if line[0] != "-":
                found.add((path, "RIGHT", right))
                right += 1
    return found


def _git(repo: Repo, *asked: str) -> str:
    done = subprocess.run(["git", f"--git-dir={repo.git}", *asked], check=False, capture_output=True, text=True)
    if done.returncode:
        raise Answered(422, "Unprocessable Entity", errors=[f"No commits: {done.stderr[:200]}"])
    return done.stdout
