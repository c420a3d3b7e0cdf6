"""Our client against three GitHubs: ours, npm's `emulate` (stateful), and `@simulacrum/github-api-simulator`, which
answers with the examples of GitHub's OpenAPI. Where another one differs from ours, it stands here with its reason."""

from __future__ import annotations

import asyncio
import json
import shutil
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
import pytest_asyncio

from services.gateway.github.client import GitHub
from services.gateway.github.credentials import AppKey, credentials_of
from services.gateway.github.errors import (
    AlreadyThere,
    Denied,
    GitHubError,
    NotThere,
    Refused,
    Unavailable,
    Unclear,
)
from services.gateway.github.transport import Transport
from testing.github_server import APP_EVENTS, APP_PERMISSIONS, GitHubServer, app_key
from testing.programs import NO_EMULATORS

pytestmark = pytest.mark.campaign

FOLDER: Final = Path(__file__).parent
OWN_NODE: Final = FOLDER.parents[1] / ".tools" / "node" / "bin" / "node"
REPO: Final = "octo/hello"
APP_ID: Final = 4242
HEAD: Final = "journeyman/1"
AGREED: Final = {
    "repository": "ok",
    "open an issue": "ok",
    "read the issue": "ok",
    "an issue that is not there": "NotThere",
    "comment": "ok",
    "comment without a text": "Refused",
    "edit the comment": "ok",
    "find our comment": "ours",
    "react": "eyes",
    "react again": "the same",
    "take the reaction back": "ok",
    "permission of a writer": "write",
    "permission of a stranger": "read",
    "make a branch": "ok",
    "is the base protected": "False",
    "open a pull request": "draft",
    "open it again": "AlreadyThere",
    "find it by its branch": "found",
    "edit it": "ok",
    "label it": "ok",
    "ask for a review": "ok",
    "review it": "COMMENTED",
    "read the reviews": "COMMENTED",
    "read comments on lines": "ok",
    "make a check run": "queued",
    "end the check run": "success",
    "read the check runs": "success",
    "make a status": "ok",
    "read the statuses": "success",
    "the App": "ok",
    "the installation": "ok",
    "deliveries of the App": "ok",
}
"""What ours answers to each step."""
OF_EMULATE: Final = {
    "react": "NotThere",
    "react again": "NotThere",
    "take the reaction back": "NotThere",
    "permission of a writer": "NotThere",
    "permission of a stranger": "NotThere",
    "open it again": "a second one",
    "make a status": "NotThere",
    "read the statuses": "NotThere",
    "deliveries of the App": "NotThere",
}
"""It has no reactions, statuses, collaborators and deliveries of Apps, and opens a second pull request of a branch."""
OF_THE_SIMULATOR: Final = {
    "open an issue": "Unclear",
    "make a branch": "NotThere",
    "an issue that is not there": "ok",
    "comment without a text": "ok",
    "open it again": "ok",
}
"""It keeps nothing, so that everything is there and nothing is there already; it answers 500 to every new issue."""
ERRORS: Final = frozenset(kind.__name__ for kind in (AlreadyThere, Denied, NotThere, Refused, Unavailable, Unclear))


class Steps:
    """One walk through the client; ``told`` is what each step came to."""

    def __init__(self, github: GitHub) -> None:
        self.github = github
        self.told: dict[str, str] = {}
        self.number = self.comment = self.pull = self.run = self.reaction = 1
        self.head = "0" * 40

    async def step(self, name: str, work: Callable[[], Awaitable[str | None]]) -> None:
        """Do one thing, and write down its answer or the kind of its error."""
        try:
            self.told[name] = await work() or "ok"
        except GitHubError as error:
            self.told[name] = type(error).__name__

    async def walk(self) -> dict[str, str]:
        """Everything that the client can do, in an order in which people do it."""
        for name in AGREED:
            await self.step(name, getattr(self, "_" + name.replace(" ", "_").lower()))
        return self.told

    async def _repository(self) -> None:
        assert (await self.github.repository(REPO)).full_name

    async def _open_an_issue(self) -> None:
        self.number = (
            await self.github.change(_Numbered, REPO, "POST", f"/repos/{REPO}/issues", {"title": "It is broken"})
        )["number"]

    async def _read_the_issue(self) -> None:
        assert (await self.github.issue(REPO, self.number)).title

    async def _an_issue_that_is_not_there(self) -> None:
        await self.github.issue(REPO, 999_999)

    async def _comment(self) -> None:
        self.comment = (await self.github.create_comment(REPO, self.number, "On it. <!-- journeyman:1 -->")).id

    async def _comment_without_a_text(self) -> None:
        await self.github.create_comment(REPO, self.number, "")

    async def _edit_the_comment(self) -> None:
        await self.github.edit_comment(REPO, self.comment, "Done. <!-- journeyman:1 -->")

    async def _find_our_comment(self) -> str:
        for found in await self.github.comments(REPO, self.number):
            app = found.performed_via_github_app.id if found.performed_via_github_app else 0
            if found.body == "Done. <!-- journeyman:1 -->" and await self.github.is_own(found.user, app):
                return "ours"
        return "none"

    async def _react(self) -> str:
        made = await self.github.react(REPO, "issue", self.number, "eyes")
        self.reaction = made.id
        return made.content

    async def _react_again(self) -> str:
        again = await self.github.react(REPO, "issue", self.number, "eyes")
        return "the same" if again.id == self.reaction else "another one"

    async def _take_the_reaction_back(self) -> None:
        await self.github.remove_reaction(REPO, "issue", self.number, self.reaction)

    async def _permission_of_a_writer(self) -> str:
        return (await self.github.permission(REPO, "mona")).permission

    async def _permission_of_a_stranger(self) -> str:
        return (await self.github.permission(REPO, "stranger")).permission

    async def _make_a_branch(self) -> None:
        at = f"/repos/{REPO}/git"
        tip = (await self.github.get(_Json, REPO, f"{at}/ref/heads/main"))["object"]["sha"]
        tree = (await self.github.get(_Json, REPO, f"{at}/commits/{tip}"))["tree"]["sha"]
        body = {"message": "It works", "tree": tree, "parents": [tip]}
        self.head = (await self.github.change(_Json, REPO, "POST", f"{at}/commits", body))["sha"]
        await self.github.change(_Json, REPO, "POST", f"{at}/refs", {"ref": f"refs/heads/{HEAD}", "sha": self.head})

    async def _is_the_base_protected(self) -> str:
        return str((await self.github.branch(REPO, "main")).protected)

    async def _open_a_pull_request(self) -> str:
        made = await self.github.create_pull(REPO, head=HEAD, base="main", title="Mend it", body="Fixes #1")
        self.pull = made.number
        return "draft" if made.draft else "ready"

    async def _open_it_again(self) -> str:
        await self.github.create_pull(REPO, head=HEAD, base="main", title="Mend it", body="Fixes #1")
        return "a second one"

    async def _find_it_by_its_branch(self) -> str:
        found = await self.github.pulls_of_branch(REPO, HEAD)
        return "found" if self.pull in [each.number for each in found] else "not found"

    async def _edit_it(self) -> None:
        assert (await self.github.update_pull(REPO, self.pull, title="Mended", body="Fixes #1")).number

    async def _label_it(self) -> None:
        assert await self.github.add_labels(REPO, self.pull, ["bug"])

    async def _ask_for_a_review(self) -> None:
        await self.github.request_reviewers(REPO, self.pull, users=["mona"])

    async def _review_it(self) -> str:
        return (await self.github.create_review(REPO, self.pull, commit=self.head, body="Looks fine.")).state

    async def _read_the_reviews(self) -> str:
        return (await self.github.reviews(REPO, self.pull))[-1].state

    async def _read_comments_on_lines(self) -> None:
        await self.github.review_comments(REPO, self.pull)

    async def _make_a_check_run(self) -> str:
        made = await self.github.create_check_run(REPO, name="journeyman", commit=self.head, status="queued")
        self.run = made.id
        return made.status

    async def _end_the_check_run(self) -> str | None:
        output = {"title": "All pass", "summary": "2 checks"}
        return (
            await self.github.update_check_run(REPO, self.run, status="completed", conclusion="success", output=output)
        ).conclusion

    async def _read_the_check_runs(self) -> str | None:
        return (await self.github.check_runs(REPO, self.head, name="journeyman"))[0].conclusion

    async def _make_a_status(self) -> None:
        await self.github.create_status(REPO, self.head, state="success", context="journeyman", description="fine")

    async def _read_the_statuses(self) -> str:
        return (await self.github.statuses(REPO, self.head))[0].state

    async def _the_app(self) -> None:
        assert (await self.github.app()).slug

    async def _the_installation(self) -> None:
        assert (await self.github.installation(REPO)).id

    async def _deliveries_of_the_app(self) -> None:
        await self.github.hook_deliveries()


_Json = dict[str, Any]
_Numbered = dict[str, Any]


async def walked(url: str) -> dict[str, str]:
    """What the steps come to at one server."""
    # The simulator resets a connection that is used again after certain answers.
    transport = Transport(url, http=httpx.AsyncClient(limits=httpx.Limits(max_keepalive_connections=0)))
    github = GitHub(transport, credentials_of(AppKey(str(APP_ID), app_key()), transport))
    try:
        return await Steps(github).walk()
    finally:
        await github.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def emulators(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[str, str]]:
    """The addresses of emulate and of the simulator."""
    node = shutil.which("node") or (str(OWN_NODE) if OWN_NODE.is_file() else None)
    if node is None or not (FOLDER / "node_modules").is_dir():
        pytest.skip(NO_EMULATORS)
    seed = tmp_path_factory.mktemp("emulators") / "seed.json"
    seed.write_text(
        json.dumps(
            {
                "users": [{"login": each} for each in ("octo", "mona", "stranger")],
                "repos": [{"owner": "octo", "name": "hello", "auto_init": True}],
                "apps": [
                    {
                        "app_id": APP_ID,
                        "slug": "journeyman-test",
                        "name": "Journeyman",
                        "private_key": app_key(),
                        "permissions": APP_PERMISSIONS,
                        "events": APP_EVENTS,
                        "installations": [{"installation_id": 100, "account": "octo", "repository_selection": "all"}],
                    }
                ],
            }
        )
    )
    ports = _free(), _free()
    process = await asyncio.create_subprocess_exec(
        node, "start.mjs", *map(str, ports), str(seed), cwd=FOLDER, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        said = b""
        while b"ready" not in said:
            said = await asyncio.wait_for(process.stdout.readline(), 30)
            assert said, "the emulators did not start"
        yield f"http://127.0.0.1:{ports[0]}", f"http://127.0.0.1:{ports[1]}"
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def _free() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


async def test_ours_answers_as_agreed() -> None:
    server = GitHubServer()
    server.repo(REPO, people={"mona": "write"}).branches["main"] = "b" * 40
    server.user("stranger")
    server.app(id=APP_ID)
    async with server:
        assert await walked(server.url) == AGREED


@pytest.mark.asyncio(loop_scope="module")
async def test_emulate_agrees_with_ours_but_for_what_it_lacks(emulators: tuple[str, str]) -> None:
    assert differing(await walked(emulators[0])) == OF_EMULATE


@pytest.mark.asyncio(loop_scope="module")
async def test_the_simulator_takes_every_call_of_ours(emulators: tuple[str, str]) -> None:
    # What it answers are examples: whether they have the shape that we read is what it tells.
    agreed = {name: _kind(answer) for name, answer in AGREED.items()}
    told = {name: _kind(answer) for name, answer in (await walked(emulators[1])).items()}
    assert {name: kind for name, kind in told.items() if kind != agreed[name]} == OF_THE_SIMULATOR


def _kind(answer: str) -> str:
    return answer if answer in ERRORS else "ok"


def differing(told: dict[str, str]) -> dict[str, str]:
    """What another one answered differently."""
    return {name: answer for name, answer in told.items() if answer != AGREED[name]}
