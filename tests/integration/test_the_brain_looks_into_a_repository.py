from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from services.brain.conversation.tools import Looks
from shared.claude.tools.server import ToolRefused
from shared.ops.config import Repo
from shared.ops.settings import load_settings
from shared.workspace.gateway_git import GatewayGit
from shared.workspace.remote import commit_at
from tests.integration.workspace.workspace_support import sh_git

NOBODY = cast(Any, None)
"""A repository on this machine is read without the gateway."""


class Local(GatewayGit):
    """Without a gateway that says whether it could write there."""

    async def start_of_work(self, name: str, repo: Repo) -> str:
        return await commit_at(repo.target, repo.base or None)


class Brain:
    """The tools of a brain that has one repository, called by their names."""

    def __init__(self, folder: Path) -> None:
        target, config = folder / "target", folder / "journeyman.toml"
        (target / "src").mkdir(parents=True)
        (target / "src" / "app.py").write_text("one\ntwo\nthree\n")
        (target / "logo.png").write_bytes(b"\0png")
        sh_git(target, "init", "--quiet", "--initial-branch=main")
        sh_git(target, "add", ".")
        sh_git(target, "commit", "--quiet", "--message=first")
        config.write_text(f'[repos."octo/app"]\npath = "{target}"\n')
        settings = load_settings({}, data_dir=folder / "data", config=config, _env_file=None)
        looks = Looks(settings, NOBODY, NOBODY, Local(NOBODY))
        self._tools = {tool.name: tool for tool in looks.tools()}

    async def call(self, name: str, **given: Any) -> str:
        tool = self._tools[name]
        return await tool.call(tool.arguments(**given), "")


@pytest.fixture
def brain(tmp_path: Path) -> Brain:
    return Brain(tmp_path)


async def test_files_are_listed_and_read_as_they_are_where_work_starts(brain: Brain) -> None:
    assert "src/app.py" in await brain.call("list_files", repo="octo/app")
    assert "app.py" in await brain.call("list_files", repo="octo/app", folder="src", commit="main")
    read = await brain.call("read_file", repo="octo/app", path="src/app.py", first_line=2, lines=1)
    assert "2\ttwo" in read and "one" not in read and "three" not in read


@pytest.mark.parametrize(
    ("name", "given", "why"),
    [
        ("read_file", {"path": "src/none.py"}, "There is no such file or folder at that commit: src/none.py"),
        ("read_file", {"path": "src"}, "There is no such file or folder at that commit: src"),
        ("list_files", {"folder": "none"}, "There is no such file or folder at that commit: none"),
        ("read_file", {"path": "../journeyman.toml"}, "A path with '..' leads nowhere here."),
        ("read_file", {"path": "logo.png"}, "logo.png is no text."),
        ("read_file", {"path": "src/app.py", "commit": "nowhere"}, "nowhere"),
        ("list_files", {"repo": "octo/other"}, "There is no repository 'octo/other'"),
    ],
)
async def test_what_is_not_there_is_refused_in_words(brain: Brain, name: str, given: dict[str, Any], why: str) -> None:
    with pytest.raises(ToolRefused) as refused:
        await brain.call(name, **{"repo": "octo/app", **given})
    assert why in str(refused.value)
