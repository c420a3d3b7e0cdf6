"""Who waits for an answer is refused in words; a task from elsewhere is declined, and told so where it came from."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.brain.repositories import repository_check
from shared.contracts import task
from shared.contracts.decider import Rejected
from shared.contracts.subjects import Actor

ONE, SEVERAL = ("acme/web",), ("acme/web", "acme/app")


async def submitted(folder: Path, repos: tuple[str, ...], named: str, source: str = "cli") -> None:
    path = folder / "journeyman.toml"
    path.write_text("".join(f'[repos."{each}"]\npath = "/srv/{each}.git"\n' for each in repos))
    command = task.Submit(title="x", text="x", source=task.Source(kind=source), repo=named)
    await repository_check(path)(Actor("task", "T"), command, "user:ada")


@pytest.mark.parametrize("source", ["cli", "api"])
@pytest.mark.parametrize(
    ("repos", "named", "code", "said"),
    [
        (SEVERAL, "", "repo-unnamed", "name one of acme/app, acme/web (--repo"),
        (SEVERAL, "acme/wbe", "repo-unknown", "acme/wbe is not configured: name one of acme/app, acme/web"),
        (ONE, "acme/wbe", "repo-unknown", "name one of acme/web"),
        ((), "", "repo-unknown", 'add [repos."owner/name"]'),
        ((), "acme/web", "repo-unknown", 'add [repos."acme/web"]'),
        (tuple(f"acme/{n:02}" for n in range(30)), "", "repo-unnamed", "acme/19 and 10 more"),
    ],
)
async def test_it_is_refused_with_what_there_is(
    repos: tuple[str, ...], named: str, code: str, said: str, source: str, tmp_path: Path
) -> None:
    with pytest.raises(Rejected) as refusal:
        await submitted(tmp_path, repos, named, source)
    assert refusal.value.code == code
    assert said in refusal.value.sentence


@pytest.mark.parametrize(("repos", "named"), [(ONE, ""), (SEVERAL, "acme/app"), (SEVERAL, "ACME/App")])
async def test_what_names_one_passes(repos: tuple[str, ...], named: str, tmp_path: Path) -> None:
    await submitted(tmp_path, repos, named)


async def test_a_task_from_elsewhere_is_for_triage(tmp_path: Path) -> None:
    await submitted(tmp_path, SEVERAL, "", "github")


async def test_a_broken_configuration_is_for_triage_which_goes_on_when_it_is_mended(tmp_path: Path) -> None:
    (tmp_path / "journeyman.toml").write_text("[policy\n")
    command = task.Submit(title="x", text="x", source=task.Source(kind="cli"))
    await repository_check(tmp_path / "journeyman.toml")(Actor("task", "T"), command, "user:ada")
