"""Whatever an agent leaves and whatever checks do to their checkouts, the result is the agent's, and nothing stays.

Checks run in clean checkouts of the committed result. They may delete, clean, stash, commit and damage there what they
like, and a stop may come at any moment: the result's tree, the agent's worktree, other checkouts and the mirror's refs
are what they were, and no process, checkout or folder of the checks is left.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from services.executor.verification.verify import Verification
from shared.claude.process.reaper import marked
from shared.claude.work_dirs import LocalWork
from shared.contracts.evidence import Evidence
from shared.contracts.subjects import Actor
from shared.ops.config import Repo
from shared.workspace.commits import JOURNEYMAN
from shared.workspace.mirror import Mirror
from shared.workspace.worktree import Worktree
from testing.campaign_size import CampaignSize
from testing.confined import sandbox
from tests.integration.verification.trials import Kept
from tests.integration.workspace.workspace_support import NOON, sh_git

NAMES: Final = [
    *("a.txt", "b.sh", "d/e.c", "d/f.txt", "g h.txt", "-rf", ":(top)x", 'q"uote', "tab\tname", "line\nname"),
    *("ünï.txt", os.fsdecode(b"\xff\xfe.bin"), "deep/er/and/deeper", ".hidden"),
]
CACHES: Final = ["__pycache__/m.pyc", "node_modules/p/index.js", ".coverage", "d/.pytest_cache/x"]
"""Held back of a result where nobody has committed them."""
ATTRIBUTES: Final = [None, "* text=auto\n", "*.txt text eol=crlf\n", "*.txt text eol=lf\n", "* -text\n"]
CHECKS: Final = [
    "true",
    "exit 3",
    "rm -rf ./* .[!.]*",
    'rm -rf "$PWD"',
    'mv "$PWD" "$TMPDIR/gone"; exit 1',
    'rm -rf "$PWD"; ln -s "$HOME" "$PWD"',
    'rm -rf "$PWD"; ln -s ../other "$PWD"',
    'rm -rf "$HOME" "$TMPDIR"',
    "git clean -fdxq",
    "echo x >new; git stash -uq",
    "git reset -q --hard HEAD~1",
    "echo x >new; git add -A; git commit -qm mine; git branch -f main; git tag mine",
    "git update-ref -d refs/remotes/origin/main; git gc -q --prune=now; exit 1",
    "find . -type f -exec sh -c 'for file; do echo x >>\"$file\"; done' _ {} +",
    "chmod -R 000 .",
    "chmod -R 777 .; exit 4",
    "rm -rf .git; git init -q; git add -A; git commit -qm other",
    "echo 'gitdir: /nowhere' >.git; git status",
    'echo damage >"$(git rev-parse --git-dir)/index"; echo damage >"$(git rev-parse --git-dir)/HEAD"',
    'rm -rf "$(git rev-parse --git-common-dir)"',
    "git config core.hooksPath hooks; git config core.fsmonitor ./b.sh; git config filter.x.clean false",
    "git worktree remove --force . ; exit 5",
    "ln -sfn / root; ln -sfn loop loop; mkfifo pipe",
    "setsid sleep 600 & sleep 600 & exit 1",
    "sleep 0.3",
]

UNSHRUNK: Final = (Phase.explicit, Phase.reuse, Phase.generate)
"""A second for each example: to look for a smaller one that fails would take longer than to read this one."""


class Entry(NamedTuple):
    """A file or a link: its mode, and its bytes or where it points to."""

    mode: str
    content: bytes


files = st.builds(
    Entry,
    st.sampled_from(["100644", "100755"]),
    st.lists(st.sampled_from([b"one\n", b"two\r\n", b"three", b"\r", b"\0", b"\xff"]), max_size=4).map(b"".join),
)
links = st.builds(Entry, st.just("120000"), st.sampled_from([b"a.txt", b"nowhere", b"/etc/passwd", b"d", b"."]))
trees = st.dictionaries(st.sampled_from(NAMES), files | links, min_size=1, max_size=6)
changes = st.dictionaries(st.sampled_from([*NAMES, *CACHES]), files | links | st.none(), min_size=1, max_size=6)
stops = st.none() | st.floats(0, 0.8)


class Example(NamedTuple):
    """A repository, what the agent did to it, what is run on the result, and when all of it is stopped, if at all."""

    base: dict[str, Entry]
    attributes: str | None
    change: dict[str, Entry | None]
    checks: list[str]
    setup: list[str]
    stop_after_s: float | None


async def judged_anyhow(example: Example, folder: Path) -> None:
    """Have a result made and judged, and compare everything with what it was."""
    base, attributes, change, checks, setup, stop_after_s = example
    target = folder / "target"
    target.mkdir()
    sh_git(target, "init", "--quiet", "--initial-branch=main")
    put(target, base | ({} if attributes is None else {".gitattributes": Entry("100644", attributes.encode())}))
    sh_git(target, "add", "--all")
    sh_git(target, "commit", "--quiet", "--allow-empty", "--message=base")
    mirror = Mirror(folder / "mirrors", str(target))
    await mirror.fetch()
    first = await mirror.resolve(None)

    agents = await Worktree.create(mirror, folder / "agent", first)
    before = dict(entries(agents.path))
    put(agents.path, change)
    left = dict(entries(agents.path))
    commit = await agents.commit("done", JOURNEYMAN, at=NOON)
    tree = commit.tree if commit else sh_git(target, "rev-parse", f"{first}^{{tree}}")
    assert_is_the_agents(taken_out(mirror, tree, folder / "out"), left, before)
    if commit is None:
        return
    other = await Worktree.checkout(mirror, folder / "other", commit.id)

    def everything_else() -> list[object]:
        places = (agents.path, agents.git_dir, other.path, other.git_dir, target)
        return [*(dict(entries(place, all_of_it=True)) for place in places), sh_git(mirror.path, "for-each-ref")]

    was = everything_else()
    work = LocalWork(Actor("run", "task"), 1)
    mark = f"property-{folder.name}"
    judging = asyncio.create_task(
        Verification(folder, 60, Kept(folder), sandbox(folder)).judge(
            work,
            mark,
            "octo/app",
            Repo(path=target, checks=checks, setup=setup),
            mirror,
            base=first,
            commit=commit.id,
        )
    )
    await asyncio.wait({judging}, timeout=stop_after_s)
    judging.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        assert (await judging).evidence in Evidence
    assert everything_else() == was
    assert await agents.commit("done", JOURNEYMAN, at=NOON) == commit
    sealed = await agents.commit_tree(commit.tree, commit.parent, "with evidence", JOURNEYMAN, at=NOON)
    assert_is_the_agents(taken_out(mirror, sealed.id, folder / "out"), left, before)
    assert marked(mark) == []
    assert [*(folder / "worktrees").glob("*"), *(folder / "runs").glob("*/*")] == []
    assert list((folder / "tmp").iterdir()) == []


def put(directory: Path, wanted: dict[str, Entry] | dict[str, Entry | None]) -> None:
    """Write these files and links as a person would; None removes what is there."""
    for name, entry in wanted.items():
        place = directory / name
        for above in reversed(place.relative_to(directory).parents):
            if (directory / above).is_symlink() or (directory / above).is_file():
                (directory / above).unlink()
        if place.is_dir() and not place.is_symlink():
            shutil.rmtree(place)
        place.unlink(missing_ok=True)
        if entry is None:
            continue
        place.parent.mkdir(parents=True, exist_ok=True)
        if entry.mode == "120000":
            place.symlink_to(os.fsdecode(entry.content))
        else:
            place.write_bytes(entry.content)
            place.chmod(int(entry.mode[-3:], 8))


def entries(directory: Path, *, all_of_it: bool = False) -> Iterator[tuple[str, Entry]]:
    """Every file and link below a directory; without ``all_of_it`` only what git could know of it."""
    for folder, _, _ in os.walk(directory):
        for place in Path(folder).iterdir():
            name, found = str(place.relative_to(directory)), place.lstat()
            if name == ".git" and not all_of_it:
                continue
            if stat.S_ISLNK(found.st_mode):
                yield name, Entry("120000", os.fsencode(place.readlink()))
            elif stat.S_ISREG(found.st_mode):
                yield name, Entry("100755" if found.st_mode & stat.S_IXUSR else "100644", place.read_bytes())


def taken_out(mirror: Mirror, tree: str, place: Path) -> dict[str, Entry]:
    """What git's own checkout makes of a commit or tree."""
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    work = f"--work-tree={place}"
    sh_git(place.parent, f"--git-dir={mirror.path}", work, "read-tree", f"--index-output={place}.index", tree)
    environment = {"PATH": os.environ["PATH"], "GIT_INDEX_FILE": f"{place}.index"}
    names = ("env", *(f"{key}={value}" for key, value in environment.items()))
    done = os.spawnvp(
        os.P_WAIT,
        names[0],
        [*names, "git", f"--git-dir={mirror.path}", work, "-C", str(place), "checkout-index", "-aq"],
    )
    assert done == 0
    return dict(entries(place))


def assert_is_the_agents(published: dict[str, Entry], left: dict[str, Entry], before: dict[str, Entry]) -> None:
    """The same names and modes; the bytes too, but for the line ends that `.gitattributes` decides about."""
    expected = {name: entry for name, entry in left.items() if name in before or name not in CACHES}
    assert {name: entry.mode for name, entry in published.items()} == {n: e.mode for n, e in expected.items()}
    for name, entry in expected.items():
        if before.get(name, Entry("", b"")).content == entry.content:
            assert published[name].content == entry.content, name
        else:
            assert plain(published[name].content) == plain(entry.content), name


def plain(content: bytes) -> bytes:
    return content.replace(b"\r\n", b"\n")


def check(example: Example) -> None:
    with tempfile.TemporaryDirectory(prefix="journeyman-test-") as folder, pytest.MonkeyPatch.context() as patch:
        (Path(folder) / "tmp").mkdir()
        patch.setattr(tempfile, "tempdir", str(Path(folder) / "tmp"))
        asyncio.run(judged_anyhow(example, Path(folder)))


examples = st.builds(
    Example,
    base=trees,
    attributes=st.sampled_from(ATTRIBUTES),
    change=changes,
    checks=st.lists(st.sampled_from(CHECKS), min_size=1, max_size=3),
    setup=st.lists(st.sampled_from(CHECKS), max_size=1),
    stop_after_s=stops,
)


@settings(max_examples=6, deadline=None, phases=UNSHRUNK)
@given(examples)
def test_a_result_is_the_agents_whatever_checks_do(example: Example) -> None:
    check(example)


@pytest.mark.campaign
@pytest.mark.timeout(1800)
def test_a_result_is_the_agents_whatever_checks_do_very_often(campaign_size: CampaignSize) -> None:
    often = settings(max_examples=campaign_size.pick(small=25, full=300), deadline=None, phases=UNSHRUNK)
    often(given(examples)(check))()
