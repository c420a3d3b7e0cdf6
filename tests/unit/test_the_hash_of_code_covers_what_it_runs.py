from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from shared.ops.code_hash import code_hash
from testing.service_group import ROOT

PACKAGE = {
    "__init__.py": "GREETING = 'hello'\n",
    "fold.py": (
        "from made_up import direct, GREETING\n"
        "from .relative import helped\n"
        "import msgspec\n\n"
        "def evolve(state, event):\n"
        "    from made_up.lazy import late\n"
        "    return late(direct.one(state))\n"
    ),
    "direct.py": "import made_up.inner.deep\n\ndef one(state):\n    return made_up.inner.deep.two(state)\n",
    "relative.py": "from typing import TYPE_CHECKING\n\ndef helped():\n    return 1\n",
    "lazy.py": "def late(state):\n    return state + 1\n",
    "inner/__init__.py": "from made_up import unrelated\n",
    "inner/deep.py": "from . import sibling\nfrom .. import fold\n\ndef two(state):\n    return sibling.three(state)\n",
    "inner/sibling.py": "def three(state):\n    return state\n",
    "unrelated.py": "def other():\n    return 1\n",
}
"""A package whose fold takes something from every file but `unrelated.py` and the ``__init__`` of `inner`."""

EVERYONE = {"task", "run", "views"}


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "made_up"
    for name, source in PACKAGE.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    return folder


def hash_now() -> str:
    return code_hash(["made_up.fold"])


@pytest.mark.parametrize(
    "changed", ["fold.py", "__init__.py", "direct.py", "relative.py", "lazy.py", "inner/deep.py", "inner/sibling.py"]
)
def test_a_change_in_anything_that_the_code_imports_is_another_hash(package: Path, changed: str) -> None:
    before = hash_now()
    with (package / changed).open("a") as file:
        file.write("\nCHANGED = 1\n")
    assert hash_now() != before


@pytest.mark.parametrize("changed", ["unrelated.py", "inner/__init__.py"])
def test_a_change_in_what_the_code_takes_nothing_from_is_the_same_hash(package: Path, changed: str) -> None:
    before = hash_now()
    with (package / changed).open("a") as file:
        file.write("\nCHANGED = 1\n")
    assert hash_now() == before


def test_a_comment_is_the_same_hash(package: Path) -> None:
    before = hash_now()
    with (package / "lazy.py").open("a") as file:
        file.write("\n# said better\n")
    assert hash_now() == before


def test_a_file_that_is_named_counts(package: Path, tmp_path: Path) -> None:
    schema = tmp_path / "schema.sql"
    schema.write_text("CREATE TABLE a (b int)")
    before = code_hash(["made_up.fold"], files=[schema])
    schema.write_text("CREATE TABLE a (b bigint)")
    assert len({before, code_hash(["made_up.fold"], files=[schema]), hash_now()}) == 3


def test_another_version_of_an_imported_library_is_another_hash(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = hash_now()
    monkeypatch.setattr("shared.ops.code_hash.version", lambda name: f"99 of {name}")
    assert hash_now() != before


def test_code_without_a_source_is_named(package: Path) -> None:
    with pytest.raises(ModuleNotFoundError, match=r"made_up\.nowhere"):
        code_hash(["made_up.nowhere"])


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tree")
    for part in ("services", "shared"):
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__", "static"))
    return folder


@pytest.fixture(scope="module")
def before(tree: Path) -> dict[str, str]:
    return hashes(tree)


def hashes(tree: Path) -> dict[str, str]:
    """What a process of the product in that folder says of the task's fold, the run's fold and the read models."""
    code = (
        "from services.brain.actors import task; from services.executor.actors import run;"
        "from services.projector.schema import projection_hash; from shared.event_store.snapshots import fold_of;"
        "print(fold_of(task.DECIDER), fold_of(run.DECIDER), projection_hash())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tree,
        env={**os.environ, "PYTHONPATH": str(tree)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return dict(zip(("task", "run", "views"), done.stdout.split(), strict=True))


@pytest.mark.parametrize(
    ("file", "old", "new", "touched"),
    [
        ("services/brain/actors/stages.py", "return _STAGE_AT.get(task.status)", "return None", {"task"}),
        ("shared/contracts/usage.py", "return sum(each.cost_microusd", "return -sum(each.cost_microusd", EVERYONE),
        ("shared/contracts/versions.py", "upcasters[version - 1 :]", "upcasters[version:]", EVERYONE),
        ("shared/event_store/envelope.py", "envelope.data, envelope.dataversion", "envelope.data, 1", {"task", "run"}),
        ("shared/contracts/ids.py", "def derived_task_id(", "def derived_task_id(*others, ", {"views"}),
        ("services/projector/schema.sql", "CREATE TABLE", "CREATE  TABLE", {"views"}),
        ("services/executor/actors/reports.py", "def decide_report(", "def decide_report(*others, ", {"run"}),
        ("shared/nats/consumer.py", "RETRY_S: Final = 0.25", "RETRY_S: Final = 0.5", set()),
        ("services/projector/queries/costs.py", "from __future__", "import os\nfrom __future__", set()),
    ],
)  # fmt: skip
def test_the_folds_and_the_read_models_depend_on_what_they_call_and_on_nothing_else(
    tree: Path, before: dict[str, str], file: str, old: str, new: str, touched: set[str]
) -> None:
    path = tree / file
    source = path.read_text()
    assert old in source
    path.write_text(source.replace(old, new))
    try:
        after = hashes(tree)
    finally:
        path.write_text(source)
    assert {name for name in before if before[name] != after[name]} == touched
