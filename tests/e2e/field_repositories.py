"""Repositories that fooled us in the field, one for each fault."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

Files = Mapping[str, str]

_README: Final = {"README.md": "hi\n"}
_NO_SURPRISE: Final = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1"}
_EXCUSED: Final = {
    "app.py": "def f(): return 1\n",
    "test_app.py": (
        "import unittest\n\nimport app\n\n\nclass T(unittest.TestCase):\n"
        "    def test_red(self): self.assertEqual(app.f(), 2)\n"
        "    def test_ok(self): self.assertEqual(app.f(), 1)\n"
    ),
}
_HOOK: Final = '#!/bin/sh\necho "branch names must match ^feature/" >&2\nexit 1\n'


class FieldRepositories:
    """Repositories in ``folder``, and what ``journeyman.toml`` says of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._told: list[str] = []
        self._lost()
        self._written()
        self.add("excused", _EXCUSED)
        self.add("strict", _README, evidence="verified")
        self.add("hang", _README, checks=["trap '' TERM; echo waiting; sleep 3001"])
        self.add("hang-in-set-up", _README, setup=["sleep 3002"], checks=["true"])
        self._crlf()
        self._hook()
        self._shallow()
        git(self.add("prefix", _README, checks=["true"]), "branch", "journeyman")
        self.add(
            "mixed", {**_EXCUSED, ".gitattributes": "*.bin filter=lfs diff=lfs merge=lfs -text\n"}, checks=["true"]
        )
        self._submodule()

    @property
    def toml(self) -> str:
        """The part of ``journeyman.toml``."""
        return "\n".join(self._told)

    @property
    def hook(self) -> Path:
        """The rule of the one repository that is a server's."""
        return self.folder / "hook" / "hooks" / "pre-receive"

    def path(self, name: str) -> Path:
        """Where a repository is."""
        return self.folder / name

    def add(self, name: str, files: Files, **settings: str | Sequence[str]) -> Path:
        """A repository of one commit."""
        path = self.folder / name
        path.mkdir(parents=True)
        git(path, "init", "--quiet", "--initial-branch=main")
        self.commit(path, files)
        self.tell(name, **settings)
        return path

    def commit(self, path: Path, files: Files) -> None:
        """One more commit."""
        for file, text in files.items():
            (path / file).write_bytes(text.encode())
        git(path, "add", "--all")
        git(path, "commit", "--quiet", "--message=more")

    def tell(self, name: str, **settings: str | Sequence[str]) -> None:
        """Configure a repository."""
        lines = {"path": str(self.folder / name), "base": "main", **settings}
        self._told.append(f'[repos."field/{name}"]')
        self._told += [f"{key} = {json.dumps(value)}" for key, value in lines.items()]

    def _lost(self) -> None:
        destroys = "git stash -q -u; git clean -fdxq; git commit -q --amend --allow-empty -m other; rm -rf .git *"
        self.add("lost", {**_README, "Makefile": f"test:\n\t{destroys}; true\n"})

    def _written(self) -> None:
        wants_clean = 'test -z "$$(git status --porcelain)" && git diff --exit-code HEAD'
        writes = 'echo 2 > counter.txt; echo "<x/>" > junit.xml; mkdir -p coverage; touch coverage/index.html'
        self.add("written", {**_README, "counter.txt": "1\n", "Makefile": f"test:\n\t{wants_clean}\n\t{writes}\n"})

    def _crlf(self) -> None:
        path = self.add("crlf", {**_README, "a.txt": "one\r\ntwo\r\n", "b.bat": "x\r\ny\r\n"}, checks=["true"])
        self.commit(path, {".gitattributes": ""})
        (path / ".gitattributes").write_text("*.txt text eol=lf\n*.bat text eol=crlf\n")
        git(path, "add", ".gitattributes")
        git(path, "commit", "--quiet", "--message=attributes")

    def _hook(self) -> None:
        self.add("persons", _README, checks=["true"])
        git(self.folder, "clone", "--quiet", "--bare", "persons", "hook")
        self.hook.parent.mkdir(exist_ok=True)
        self.hook.write_text(_HOOK)
        self.hook.chmod(0o755)
        self.tell("hook", checks=["true"])

    def _shallow(self) -> None:
        deep = self.folder / "deep"
        deep.mkdir()
        git(deep, "init", "--quiet", "--initial-branch=main")
        for text in ("1\n", "2\n", "3\n"):
            self.commit(deep, {"README.md": text})
        git(self.folder, "clone", "--quiet", "--depth=1", f"file://{deep}", "shallow")
        self.tell("shallow", checks=["echo one; test ! -e NOTE.md"], evidence="any")

    def _submodule(self) -> None:
        lib = self.add("lib", _README, checks=["true"])
        path = self.add("sub", _README, checks=["test -f vendor/lib/README.md"])
        git(path, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(lib), "vendor/lib")
        git(path, "commit", "--quiet", "--message=submodule")


def git(folder: Path, *arguments: str) -> str:
    """Run git as a person would, without this machine's settings."""
    person = ("-c", "user.name=Dev", "-c", "user.email=dev@example.com")
    done = subprocess.run(
        ["git", *person, *arguments],
        cwd=folder,
        env={**os.environ, **_NO_SURPRISE},
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()
