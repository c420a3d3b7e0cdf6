"""`make demo GITHUB=1`: the demonstration as a team on GitHub sees it, with a GitHub of ours on this machine.

Everything but GitHub is real: the services, the CLI with the scripted model, git. It prints what stands on the issue
and in the pull request as the story goes on, and ends with 0 when the pull request was merged and its task is done.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import secrets
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

from rich.console import Console
from rich.panel import Panel

from cli.markdown import markdown
from shared.claude.demo.repo import DEMO_ISSUE_BODY, DEMO_ISSUE_TITLE, create_demo_repository
from shared.ops.visible import visible
from testing.eventually import eventually
from testing.github_server import GitHubServer

REPO: Final = "octo/ledger"
OURS: Final = "journeyman-bot"
WITHIN_S: Final = 120.0
ROOT: Final = Path(__file__).resolve().parents[1]

T = TypeVar("T")


class NotTold(Exception):
    """The story stopped; the text says where."""


async def tell(console: Console, *, once: bool) -> None:
    """Play the story; raises `NotTold`. Without ``once`` the system stays until Ctrl-C."""
    with tempfile.TemporaryDirectory(prefix="journeyman-github-") as folder:
        place = Path(folder)
        create_demo_repository(place / "ledger")
        (place / "data").mkdir(mode=0o700)
        (place / "data" / "journeyman.toml").write_text(
            f'[repos."{REPO}"]\npath = {json.dumps(str(place / "ledger"))}\nbase = "main"\n'
        )
        github = GitHubServer()
        repo = github.repo(REPO, people={"ada": "write", "eve": "read", OURS: "write"})
        repo.git = place / "ledger" / ".git"
        async with github:
            secret = secrets.token_hex(16)
            process = await _started(place, github, secret)
            try:
                url = await _ready(process)
                github.webhook(f"{url}/webhooks/github", secret, repo=REPO)
                await _story(console, github, url)
                if not once:
                    console.print(f"The dashboard: {url}   Ctrl-C ends it.")
                    await process.wait()
            finally:
                if process.returncode is None:
                    process.terminate()
                await process.wait()


async def _started(place: Path, github: GitHubServer, secret: str) -> asyncio.subprocess.Process:
    settings = {
        "JOURNEYMAN_DEMO_MODEL": "1",
        "JOURNEYMAN_HTTP_PORT": "0",
        "JOURNEYMAN_HEALTH_PORT": "0",
        "JOURNEYMAN_GITHUB_API_URL": github.url,
        "JOURNEYMAN_GITHUB_TOKEN": github.user(OURS),
        "JOURNEYMAN_GITHUB_WEBHOOK_SECRET": secret,
    }
    with (place / "up.log").open("wb") as log:
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", "from cli.main import main; main()", "up", "--data", str(place / "data")),
            cwd=ROOT,
            env={**os.environ, **settings},
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
            start_new_session=True,
        )


async def _ready(process: asyncio.subprocess.Process) -> str:
    """The gateway's address, which stands in the line that says that everything runs."""
    assert process.stdout is not None
    async with asyncio.timeout(WITHIN_S):
        line = await process.stdout.readline()
    try:
        return str(json.loads(line)["http"])
    except (ValueError, KeyError) as error:
        raise NotTold("`journeyman up` did not come up: see its messages with `journeyman up --demo`.") from error


async def _story(console: Console, github: GitHubServer, url: str) -> None:
    repo, ada = github.repos[REPO], github.person("ada")
    number = ada.opens_issue(REPO, DEMO_ISSUE_TITLE, f"@agent plan\n\n{DEMO_ISSUE_BODY}")
    console.print(f"[bold]ada[/] opens issue #{number}: {DEMO_ISSUE_TITLE}   ({url})")
    await _until("the mark on the issue", lambda: bool(repo.reactions.get(("issue", number))))
    console.print("[bold]Journeyman[/] marks it with 👀")
    approve = await _until("the plan", lambda: _approval(github, number))
    _show(console, f"Comment on #{number}", _comment(github, number))
    github.person("eve").comments(REPO, number, approve)
    console.print(f"[bold]eve[/], who cannot write to the repository, comments: {approve}")
    ada.comments(REPO, number, approve)
    console.print(f"[bold]ada[/] comments: {approve}")
    pull = await _until("the pull request", lambda: next(iter(repo.pulls.values()), None))
    _show(console, f"Draft pull request #{pull['number']}: {pull['title']}", pull["body"])
    await _until("its link in the comment", lambda: f"/pull/{pull['number']}" in _comment(github, number))
    ada.merges(REPO, pull["number"])
    console.print(f"[bold]ada[/] merges pull request #{pull['number']}")
    await _until("the end in the comment", lambda: "**Merged**" in _comment(github, number))
    _show(console, f"The same comment on #{number}", _comment(github, number))


async def _until(what: str, found: Callable[[], T | None]) -> T:
    """What was found, once it is there; raises `NotTold`."""
    try:
        return await eventually(found, within=WITHIN_S)
    except AssertionError as error:
        raise NotTold(f"{what} did not come within {WITHIN_S:g} s.") from error


def _comment(github: GitHubServer, number: int) -> str:
    """What the task's comment on the issue says now, or nothing."""
    told = (each for each in github.repos[REPO].comments.values() if ":comment -->" in each["body"])
    return next((str(each["body"]) for each in told if each["issue_url"].endswith(f"/{number}")), "")


def _approval(github: GitHubServer, number: int) -> str:
    found = re.search(r"@agent approve v\d+ [0-9a-f]{8,}", _comment(github, number))
    return found[0] if found else ""


def _show(console: Console, title: str, text: str) -> None:
    # Panels and receipts that a page would fold.
    short = re.sub(r"```json.*?```", "…", re.sub(r"<!--.*?-->|</?(?:details|summary|sub|code)>", "", text), flags=re.S)
    console.print(Panel(markdown(visible(short.strip())), title=title, title_align="left"))


def main() -> None:
    """Entry point of `make demo GITHUB=1`."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--once", action="store_true", help="end when the story is told")
    console = Console()
    try:
        asyncio.run(tell(console, once=parser.parse_args().once))
    except NotTold as error:
        console.print(f"[red]✗[/] {error}")
        sys.exit(1)
    except KeyboardInterrupt:
        return


if __name__ == "__main__":
    main()
