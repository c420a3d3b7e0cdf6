"""What the executor says about its work is true: the repositories that fooled us in the field, by the whole system."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from testing.api_client import ApiClient, issue, names_of
from testing.eventually import eventually
from testing.system import System
from tests.e2e.field_repositories import FieldRepositories, git

pytestmark = pytest.mark.xdist_group("system")

LEAVES = (
    "python3 -m unittest 2>/dev/null; printf 'x\\0y' > new.bin; printf x > \"$(printf '\\033[31mred\\033[2Jx.txt')\""
)
Opened = tuple[dict[str, Any], str]
ISSUE = "written"
"""The repository whose task comes as an issue of GitHub, and gets a comment."""
WISHES = {
    "lost": "demo executor: write NOTE.md hello",
    "excused": "demo executor: write app.py def f(): return 3",
    "strict": "demo executor: write NOTE.md hello",
    "hang": "demo executor: write NOTE.md hello",
    "hang-in-set-up": "demo executor: write NOTE.md hello",
    "crlf": "demo executor: write NOTE.md hello",
    "prefix": "demo executor: write NOTE.md hello",
    "hook": "demo executor: write NOTE.md hello",
    "shallow": "demo executor: write NOTE.md hello",
    "mixed": f"demo executor: use Bash {json.dumps({'command': LEAVES})}\ndemo executor: write NOTE.md hello",
    "sub": "demo executor: write README.md hi",
}
"""What is asked for in each repository, by its name: all at once, when the first test begins."""


@pytest.fixture(scope="module")
def repositories(system: System, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FieldRepositories]:
    """Configured for as long as this module's tests run."""
    made = FieldRepositories(tmp_path_factory.mktemp("field"))
    config = system.data / "journeyman.toml"
    before = config.read_text()
    config.write_text(f"{before}\n{made.toml}\n")
    yield made
    config.write_text(before)


@pytest.fixture(scope="module")
def begun() -> dict[str, str]:
    """The ids of the tasks, by repository."""
    return {}


@pytest.fixture(scope="module")
def opened() -> Opened:
    """An issue of GitHub, by its payload, and its task's id."""
    body = "@agent implement this.\n\ndemo executor: write NOTE.md hello"
    return issue("Take a note", body, number=8, repo=f"field/{ISSUE}")


class Field:
    """The tasks of this module, as a test looks at them."""

    def __init__(
        self, api_client: ApiClient, repositories: FieldRepositories, opened: Opened, begun: dict[str, str]
    ) -> None:
        self.api = api_client
        self.opened = opened
        self.repositories = repositories
        self._begun = begun

    async def task(self, name: str) -> str:
        """The id of a repository's task; begins all of them."""
        if not self._begun:
            payload, self._begun[ISSUE] = self.opened
            await self.api.deliver(payload)
            for each, wish in WISHES.items():
                self._begun[each] = await self.api.submit(
                    f"Take a note\n\n{wish}", repo=f"field/{each}", directive="implement"
                )
        return self._begun[name]

    async def ended(self, name: str, how: str = "task.completed", *, after: int = 0) -> dict[str, Any]:
        """A repository's task once it has ended this way, as the dashboard shows it."""
        id = await self.task(name)
        event = await self.api.until(id, how, after=after)
        return await self.api.task(id, seq=event.position)

    def changed(self, name: str, task: dict[str, Any], since: str = "main") -> list[str]:
        """The paths in which the published branch differs from ``since``."""
        where, branch = self.repositories.path(name), task["branch"]
        assert git(where, "rev-parse", branch) == task["commit"]
        assert git(where, "rev-parse", f"{branch}^{{tree}}") == task["run"]["tree"]
        return git(where, "diff", "--name-only", since, branch).splitlines()


@pytest.fixture
def field(api_client: ApiClient, repositories: FieldRepositories, opened: Opened, begun: dict[str, str]) -> Field:
    return Field(api_client, repositories, opened, begun)


@pytest.mark.parametrize(("name", "command"), [("hang", "sleep 3001"), ("hang-in-set-up", "sleep 3002")])
async def test_a_stop_is_heard_while_set_up_or_checks_hang(field: Field, name: str, command: str) -> None:
    id = await field.task(name)

    def hangs() -> bool:
        return any(command in line for line in field.api.system.processes())

    await eventually(hangs, every=0.1)
    began = time.monotonic()
    await field.api.say(id, "stop")
    await field.api.until(id, "task.cancelled", within=5)
    assert time.monotonic() - began < 5
    assert not hangs()


async def test_what_a_check_destroys_is_published_all_the_same(field: Field) -> None:
    task = await field.ended("lost")
    assert (task["evidence"], task["outcome"]) == ("verified", "changed")
    assert [file["path"] for file in task["run"]["files"]] == ["NOTE.md"]
    assert field.changed("lost", task) == ["NOTE.md"]


async def test_what_a_check_writes_is_not_published_and_a_clean_tree_is_found(field: Field) -> None:
    task = await field.ended("written")
    assert task["evidence"] == "verified"
    assert field.changed("written", task) == ["NOTE.md"]


async def test_a_further_wish_adds_a_commit_to_the_branch_that_is_there(field: Field) -> None:
    first = await field.ended("written")
    done = await field.api.until(first["id"], "task.completed")
    payload, _ = field.opened
    wish = "@agent implement also another one.\n\ndemo executor: write MORE.md more"
    comment = {
        "id": 21,
        "body": wish,
        "user": payload["sender"],
        "author_association": "OWNER",
        "html_url": "https://github.example/c",
    }
    await field.api.deliver({**payload, "action": "created", "comment": comment}, event="issue_comment")
    told = await field.api.until(first["id"], "task.followed-up", after=done.position)
    second = await field.ended("written", after=told.position)
    assert (second["branch"], second["evidence"]) == (first["branch"], "verified")
    assert git(field.repositories.path("written"), "rev-parse", f"{second['commit']}^") == first["commit"]
    assert field.changed("written", second) == ["MORE.md", "NOTE.md"]


async def test_a_red_test_does_not_excuse_what_the_work_breaks_and_a_person_may_publish_it(field: Field) -> None:
    failed = await field.ended("excused", "task.failed")
    assert (failed["error_code"], failed["evidence"], failed["branch"]) == ("checks-failed", "failing", "")
    (check,) = failed["run"]["checks"]
    assert (check["verdict"], check["new_failures"]) == ("failed", ["test_app.T.test_ok"])
    assert any("test_ok" in line for line in check["failing_lines"])
    assert failed["has_result"]

    told = await field.api.say(failed["id"], "publish")
    task = await field.ended("excused", after=told["seq"])
    assert (task["evidence"], task["cost_microusd"]) == ("failing", failed["cost_microusd"])
    assert "app.py" in field.changed("excused", task)


async def test_a_repository_that_demands_proof_takes_nothing_without_and_its_result_is_gone_on_from(
    field: Field,
) -> None:
    failed = await field.ended("strict", "task.failed")
    assert (failed["error_code"], failed["evidence"], failed["run"]["checks"]) == ("not-verified", "unverified", [])
    told = await field.api.say(failed["id"], "retry", from_result=True)
    again = await field.ended("strict", "task.failed", after=told["seq"])
    assert (again["round"], again["has_result"]) == (2, True)
    assert [file["path"] for file in again["run"]["files"]] == ["NOTE.md"]


async def test_files_that_nobody_touched_are_not_rewritten(field: Field) -> None:
    task = await field.ended("crlf")
    assert [file["path"] for file in task["run"]["files"]] == ["NOTE.md"]
    assert field.changed("crlf", task) == ["NOTE.md"]


async def test_a_refused_publication_says_why_and_is_tried_again_for_nothing(field: Field) -> None:
    failed = await field.ended("hook", "task.failed")
    assert "branch names must match ^feature/" in failed["error_message"]
    field.repositories.hook.unlink()
    told = await field.api.say(failed["id"], "retry")
    task = await field.ended("hook", after=told["seq"])
    assert task["cost_microusd"] == failed["cost_microusd"] > 0
    assert task["commit"] == failed["run"]["commit"]
    assert field.changed("hook", task) == ["NOTE.md"]


async def test_a_branch_in_the_way_is_named_before_anything_is_paid(field: Field) -> None:
    failed = await field.ended("prefix", "task.failed")
    assert "a branch journeyman is there" in failed["error_message"]
    assert "branch_prefix" in failed["error_message"]
    assert failed["cost_microusd"] == 0
    assert "run.started" not in names_of(await field.api.story(failed["id"]))


async def test_a_shallow_clone_is_published_to_and_where_anything_goes_failing_work_too(field: Field) -> None:
    task = await field.ended("shallow")
    assert (task["status"], task["evidence"]) == ("completed", "failing")
    assert [check["verdict"] for check in task["run"]["checks"]] == ["failed"]
    assert "NOTE.md" in field.changed("shallow", task)
    assert "failing" in git(field.repositories.path("shallow"), "log", "-1", "--format=%B", task["branch"])


async def test_what_an_agent_leaves_is_held_back_or_named_and_reaches_no_terminal(field: Field) -> None:
    task = await field.ended("mixed")
    assert {note["kind"] for note in task["run"]["notes"]} == {"held-back", "lfs"}
    changed = field.changed("mixed", task)
    assert len(changed) == 3
    assert not any("__pycache__" in path for path in changed)
    shown = field.api.system.command("task", "show", task["id"])
    assert shown.returncode == 0, shown.stderr
    assert "NOTE.md" in shown.stdout
    assert "\x1b" not in shown.stdout


async def test_nothing_to_change_is_said_so_and_publishes_nothing(field: Field) -> None:
    task = await field.ended("sub")
    assert (task["status"], task["outcome"], task["branch"]) == ("completed", "nothing-to-change", "")
    branches = git(field.repositories.path("sub"), "branch", "--list", "journeyman/*")
    assert branches == ""
