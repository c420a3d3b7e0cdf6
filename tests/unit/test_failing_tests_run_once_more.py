"""A test that fails once neither hides nor costs a day: `scripts/run-tests` over made-up suites."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Final

import pytest

pytestmark = pytest.mark.timeout(120)
ROOT: Final = Path(__file__).resolve().parents[2]
FIRST_TIME: Final = """
import os
from pathlib import Path
import pytest

def first_time(name):
    seen = Path(__file__).with_name(f"seen-{name}")
    if seen.exists():
        return False
    seen.touch()
    return True
"""
GOOD: Final = "def test_good(): pass\n"
BROKEN: Final = "def test_broken(): assert False\n"
ONLY_NEEDED: Final = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_PLUGINS": "xdist.plugin,pytest_timeout"}
"""To load every plugin of this repository costs each of the many runs a second."""
CRASH: Final = "def test_crash():\n    if first_time('crash'): os._exit(3)\n"
SKIP: Final = "def test_skipped(): pytest.skip('no browser')\n"


def flaky(*names: str, mark: str = "") -> str:
    """Tests that fail the first time that they run."""
    return "".join(f"{mark}def test_{name}(): assert not first_time({name!r})\n" for name in names)


class Suite:
    """A made-up suite in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.kept = folder / "flaky.txt"
        (folder / "pytest.ini").write_text("[pytest]\n")

    def write(self, *tests: str, file: str = "test_made_up.py") -> None:
        """Put these tests into one file."""
        (self._folder / file).write_text(FIRST_TIME + "".join(tests))

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run them all."""
        env = {name: value for name, value in os.environ.items() if not name.startswith(("JOURNEYMAN_TEST", "PYTEST_"))}
        return subprocess.run(
            [str(ROOT / "scripts" / "run-tests"), *arguments],
            cwd=self._folder,
            env=env | ONLY_NEEDED | {"JOURNEYMAN_TEST_FLAKY": str(self.kept)} | environment,
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture
def suite(tmp_path: Path) -> Suite:
    return Suite(tmp_path)


def flaky_in(done: subprocess.CompletedProcess[str]) -> list[str]:
    """The tests that were called flaky."""
    return [line.removeprefix("FLAKY ") for line in done.stdout.splitlines() if line.startswith("FLAKY ")]


def test_a_suite_that_passes_is_run_once_and_ends_as_pytest_ends_it(suite: Suite) -> None:
    suite.write(GOOD)
    done = suite.run()
    assert (done.returncode, flaky_in(done)) == (0, [])
    assert done.stdout.count("test session starts") == 1
    assert "1 passed" in done.stdout.splitlines()[-1]


def test_a_test_that_passes_the_second_time_is_named_and_does_not_fail_the_run(suite: Suite) -> None:
    suite.write(GOOD, flaky("once"))
    done = suite.run("-ra")
    assert (done.returncode, flaky_in(done)) == (0, ["test_made_up.py::test_once"])
    assert "1 failed, 1 passed" in done.stdout, "pytest's own summary of the first run stays"
    assert suite.kept.read_text() == "FLAKY test_made_up.py::test_once\n"


def test_three_flaky_tests_fail_the_run(suite: Suite) -> None:
    suite.write(flaky("one", "two", "three"))
    done = suite.run()
    assert (done.returncode, len(flaky_in(done))) == (1, 3)
    assert done.stdout.splitlines()[-1] == "3 tests are flaky, and at most 2 may be: mend them"


def test_flaky_tests_of_runs_that_keep_them_in_the_same_file_count_together(suite: Suite) -> None:
    suite.write(flaky("one", "two"))
    assert suite.run().returncode == 0
    suite.write(flaky("three"))
    assert suite.run().returncode == 1


def test_a_test_that_fails_again_fails_the_run_and_is_not_called_flaky(suite: Suite) -> None:
    suite.write(BROKEN, flaky("once"))
    done = suite.run()
    assert (done.returncode, flaky_in(done)) == (1, ["test_made_up.py::test_once"])


def test_a_test_of_a_group_is_found_again(suite: Suite) -> None:
    suite.write(GOOD, flaky("grouped", mark="@pytest.mark.xdist_group('with a name')\n"))
    done = suite.run("-n", "1", "--dist", "loadgroup")
    assert (done.returncode, flaky_in(done)) == (0, ["test_made_up.py::test_grouped"])
    assert "test_grouped@with a name" in done.stdout


def test_a_test_that_ends_its_worker_runs_once_more(suite: Suite) -> None:
    suite.write(GOOD, CRASH)
    done = suite.run("-n", "2")
    assert (done.returncode, flaky_in(done)) == (0, ["test_made_up.py::test_crash"])
    assert "crashed while running" in done.stdout


@pytest.mark.parametrize("workers", [(), ("-n", "2")])
def test_an_error_in_collecting_is_never_flaky(suite: Suite, workers: tuple[str, ...]) -> None:
    suite.write(flaky("once"))
    suite.write("import nowhere\n", file="test_unreadable.py")
    done = suite.run(*workers)
    assert (done.returncode != 0, flaky_in(done)) == (True, [])
    assert done.stdout.count("test session starts") == 1


def test_a_test_that_hangs_twice_fails_the_run(suite: Suite) -> None:
    suite.write("import time\ndef test_hangs(): time.sleep(600)\n")
    done = suite.run("--timeout", "1")
    assert (done.returncode, flaky_in(done)) == (1, [])


def test_a_skip_where_none_is_allowed_fails_the_run_although_another_test_was_only_flaky(suite: Suite) -> None:
    suite.write(SKIP, flaky("once"))
    (suite.kept.parent / "conftest.py").write_text("from tests.conftest import pytest_sessionfinish\n")
    done = suite.run(JOURNEYMAN_TEST_NO_SKIPS="1", PYTHONPATH=str(ROOT))
    assert (done.returncode, flaky_in(done)) == (20, [])
    assert "1 tests were skipped, and JOURNEYMAN_TEST_NO_SKIPS allows none" in done.stdout


def test_when_many_fail_nothing_runs_again(suite: Suite) -> None:
    suite.write(flaky(*(f"number_{number}" for number in range(11))))
    done = suite.run()
    assert (done.returncode, flaky_in(done)) == (1, [])


def test_what_make_starts_can_be_given_the_second_chance() -> None:
    made = subprocess.run(
        ["make", "--dry-run", "unit", "test-compose"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "HOME": os.environ["HOME"], "PYTEST": "scripts/run-tests"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert made.stdout.count("scripts/run-tests") == 3
    assert ".venv/bin/pytest" not in made.stdout
