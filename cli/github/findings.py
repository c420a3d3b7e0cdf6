"""What the credentials of GitHub let us do, as far as GitHub tells: for `journeyman doctor` and `journeyman github`."""

from __future__ import annotations

import asyncio
import os
import stat
from pathlib import Path
from typing import Final

from cli.doctor.finding import Finding, bad, from_error, good, note
from cli.github.manifest import EVENTS, WEBHOOK_PATH
from services.gateway.github.answers import Delivery, HookConfig
from services.gateway.github.client import GitHub, github_of
from services.gateway.github.credentials import EFFECTS, AppCredentials
from services.gateway.github.errors import Denied, GitHubError, NotConfigured, NotThere
from services.gateway.github.merge_trial import Outcome, try_to_merge
from services.gateway.github.site import site_of
from shared.ops.config import Config
from shared.ops.settings import Settings

PATIENCE_S: Final = 20.0
_LEVELS: Final = {"": 0, "read": 1, "write": 2, "admin": 3}
_OPTIONAL: Final = frozenset({"actions", "checks", "members"})
"""Without actions logs of failed jobs are not read, without checks a commit status takes the place of a check run, and
without members no team can be asked about."""
_LOOPBACK: Final = ("http://127.", "http://localhost", "https://localhost", "http://[::1]")


async def look_at_github(settings: Settings, config: Config) -> list[Finding]:
    """Credentials, webhook, and each configured repository that is on GitHub."""
    try:
        github = github_of(settings)
    except NotConfigured as error:
        return [from_error("GitHub", error)]
    if github is None:
        return [
            note(
                "GitHub",
                "no credentials: results stay branches, and nobody on GitHub is answered",
                "Run `journeyman github setup`, or set JOURNEYMAN_GITHUB_TOKEN.",
            )
        ]
    try:
        async with asyncio.timeout(PATIENCE_S):
            return [*_key(settings), *await _asked(github, settings, config)]
    except GitHubError as error:
        return [bad("GitHub", str(error), "See whether this machine reaches GitHub, and whether the credentials hold.")]
    except TimeoutError:
        return [bad("GitHub", f"{settings.github_api_url} does not answer", "See whether this machine reaches it.")]
    finally:
        await github.close()


async def try_merging(settings: Settings, config: Config) -> list[Finding]:
    """For each repository, whether our pull requests can be merged by ourselves. It writes: a person asks for it."""
    github = github_of(settings)
    if github is None:
        return []
    try:
        return [await _tried(github, config, name, repo) for name, repo in _on_github(config)]
    finally:
        await github.close()


def _key(settings: Settings) -> list[Finding]:
    path: Path | None = settings.github_app_private_key_file
    if path is None:
        return []
    found = path.stat()
    # A secret of a container belongs to somebody else, and its mode is the engine's.
    if found.st_uid != os.geteuid() or not stat.S_IMODE(found.st_mode) & 0o077:
        return []
    return [bad("GitHub", f"others on this machine can read the App's key {path}", f"Run `chmod 600 {path}`.")]


async def _asked(github: GitHub, settings: Settings, config: Config) -> list[Finding]:
    found = []
    if isinstance(github.credentials, AppCredentials):
        found += [await _app(github, settings), await _app_webhook(github, settings)]
    else:
        own = await github.identity()
        found.append(
            note(
                "GitHub",
                f"a token of {own.login}: answers and pull requests are by that account, and nothing has check runs",
                "An App has an account of its own and fewer rights: `journeyman github setup`.",
            )
        )
    repos = _on_github(config)
    if repos:
        found += [await _program(github, repos[0][1], login) for login in config.policy.bots if isinstance(login, str)]
    return found + list(await asyncio.gather(*(_repository(github, config, *each) for each in repos)))


async def _program(github: GitHub, repo: str, login: str) -> Finding:
    """A program that may open work is better known by its number: a login is free again when its account goes."""
    try:
        account = await github.user(repo, login)
    except NotThere:
        return bad("GitHub bots", f"GitHub knows no account {login}", "Take it out of bots in journeyman.toml.")
    return note(
        "GitHub bots",
        f"{login} is known by its login alone, which another account may have one day",
        f"Write its number {account.id} under bots in journeyman.toml instead.",
    )


def _on_github(config: Config) -> list[tuple[str, str]]:
    """Names in the file, and on GitHub."""
    return [(name, there) for name in config.repos if (there := config.on_github(name))]


async def _app(github: GitHub, settings: Settings) -> Finding:
    app = await github.app()
    page = f"{site_of(settings.github_api_url)}/apps/{app.slug}"
    missing = [
        f"{name}: {level}"
        for name, level in EFFECTS.items()
        if name not in _OPTIONAL and _LEVELS.get(app.permissions.get(name, ""), 0) < _LEVELS[level]
    ]
    if missing:
        return bad("GitHub App", f"{app.slug} lacks {', '.join(missing)}", f"Give it these permissions at {page}.")
    if _LEVELS.get(app.permissions.get("actions", ""), 0) < _LEVELS["read"]:
        lost = f"{app.slug} lacks actions: read, so agents are not told what the logs of failed jobs say"
        return note("GitHub App", lost, f"Give it this permission at {page}.")
    unheard = [event for event in EVENTS if event not in app.events]
    if unheard:
        return note("GitHub App", f"{app.slug} does not send {', '.join(unheard)}", f"Subscribe it to them at {page}.")
    return good("GitHub App", f"{app.slug} has what it needs")


async def _app_webhook(github: GitHub, settings: Settings) -> Finding:
    what, page = "GitHub webhook", "Set it on the App's page."
    try:
        hook = await github.app_webhook()
    except NotThere:
        hook = HookConfig()
    if not hook.url:
        return bad(what, "the App has none: nothing reaches us", f"{page} Its address ends with {WEBHOOK_PATH}.")
    expected = f"{settings.public_url.rstrip('/')}{WEBHOOK_PATH}" if settings.public_url else ""
    if not hook.url.endswith(WEBHOOK_PATH) or (expected and hook.url != expected):
        return bad(
            what, f"the App sends to {hook.url}", f"It has to be {expected or f'…{WEBHOOK_PATH}'}: {page.lower()}"
        )
    if hook.url.startswith(_LOOPBACK) and site_of(settings.github_api_url).startswith("https://"):
        return bad(what, f"GitHub cannot reach {hook.url}", "Give it an address that is reached from outside.")
    if str(hook.insecure_ssl) in ("1", "1.0"):
        return bad(what, "GitHub does not check our certificate", "Switch the check of certificates on, on its page.")
    if not settings.webhook_secret("github").get_secret_value():
        return bad(what, "its secret is not set here", "Set JOURNEYMAN_GITHUB_WEBHOOK_SECRET to the App's.")
    return _arrived(what, hook.url, await github.hook_deliveries(pages=1))


def _arrived(what: str, url: str, deliveries: list[Delivery]) -> Finding:
    if not deliveries:
        return note(what, f"nothing was sent to {url} yet", "Write a comment, then look again.")
    newest = deliveries[0]
    if newest.accepted:
        return good(what, f"{url} took the newest delivery")
    mend = (
        "Give both sides the same secret." if newest.status_code == 401 else "Let GitHub reach it, and the gateway run."
    )
    return bad(what, f"{url} did not take the newest delivery ({newest.status})", mend)


async def _repository(github: GitHub, config: Config, name: str, there: str) -> Finding:
    what = f"GitHub {there}"
    try:
        seen = await github.repository(there)
        app = isinstance(github.credentials, AppCredentials)
        may = (await github.installation(there)).permissions if app else {}
    except (NotThere, Denied) as error:
        return bad(what, str(error), "Install the App there, or give the token access to it.")
    configured = config.repos[name]
    if configured.id and configured.id != seen.id:
        return bad(what, f"has the number {seen.id}, not {configured.id}", f"Correct id of {name} in journeyman.toml.")
    if seen.archived:
        return bad(what, "is archived: nothing can be written", "Take it out of journeyman.toml, or unarchive it.")
    short = [each for each in ("contents", "issues", "pull_requests") if app and may.get(each) != "write"]
    if short:
        return bad(
            what, f"the installation may not write {', '.join(short)}", "Accept the App's new permissions there."
        )
    if not app and not seen.permissions.get("push"):
        return bad(what, "the token may not push", "Give it write access to contents, issues and pull requests.")
    base = configured.base or seen.default_branch
    try:
        protected = (await github.branch(there, base)).protected
    except NotThere:
        return bad(what, f"has no branch {base}", f"Correct base of {name} in journeyman.toml.")
    if not protected:
        return note(
            what,
            f"{base} is not protected: who may push may also merge, and so could we",
            "Require a pull request with an approving review, then try it: `journeyman github check --try-merge`.",
        )
    return good(what, f"can be written; {base} is protected")


async def _tried(github: GitHub, config: Config, name: str, there: str) -> Finding:
    what, configured = f"merging in {there}", config.repos[name]
    try:
        base = configured.base or (await github.repository(there)).default_branch
        trial = await try_to_merge(github, there, base, configured.branch_prefix)
    except GitHubError as error:
        return bad(what, f"could not be tried: {error}", "Mend what it says, then try again.")
    match trial.outcome:
        case Outcome.REFUSED:
            return good(what, f"was tried and refused: we cannot merge into {base}")
        case Outcome.MERGED:
            return bad(
                what,
                f"was tried and done: we can merge into {base} (one empty commit is there now)",
                f"Protect {base}: require an approving review, and let no App bypass it.",
            )
        case Outcome.UNCLEAR:
            return note(what, f"could not be told: {trial.said}", "Try again in a moment.")
