"""`journeyman github …`: make the GitHub App, and try what it may and may not do."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click
from click.exceptions import Exit

from cli.console import json_option, print_json, say

if TYPE_CHECKING:
    from cli.doctor.finding import Finding
    from services.gateway.github.answers import Manifested
    from shared.ops.settings import Settings


@click.group("github", cls=click.RichGroup)
def command() -> None:
    """The account by which results and answers reach GitHub."""


@command.command("setup", cls=click.RichCommand)
@click.option("--name", default="journeyman", show_default=True, help="The App's name; GitHub wants one that is free.")
@click.option("--organization", default="", help="The organization that owns the App.  [default: you]")
@click.option(
    "--url", "public_url", default="", help="Where GitHub reaches the gateway.  [default: JOURNEYMAN_PUBLIC_URL]"
)
@click.option("--browser/--no-browser", default=True, help="Open the page in a browser.")
@click.option("--within", default=900, show_default=True, type=click.IntRange(1), help="Seconds to wait for you.")
@click.option("--force", is_flag=True, help="Replace the key of an App that was made before.")
def setup(name: str, organization: str, public_url: str, browser: bool, within: int, force: bool) -> None:
    """Make a GitHub App in the browser, keep its key in the data directory, and say which settings to set.

    The page is on this machine. GitHub shows the permissions and asks you; the key comes once, to this command alone.
    """
    from services.gateway.github.errors import GitHubError

    settings = _settings()
    key, secret = _files(settings)
    if key.exists() and not force:
        raise click.ClickException(
            f"{key} is there already: use that App (`journeyman github check`), or make another one with --force."
        )
    url = public_url or settings.public_url
    try:
        made = asyncio.run(_register(settings, name, organization, url.rstrip("/"), browser, within))
    except GitHubError as error:
        raise click.ClickException(str(error)) from error
    except TimeoutError:
        raise click.ClickException(f"No App was made within {within} seconds: run the command again.") from None
    _keep(settings, key, secret, made)
    _say_what_is_left(settings, key, secret, made, has_webhook=bool(url))


@command.command("check", cls=click.RichCommand)
@click.option("--try-merge", is_flag=True, help="Also open a pull request without changes in each repository, and try.")
@json_option
def check(try_merge: bool, as_json: bool) -> None:
    """Try credentials, permissions and webhook, and say the mend for everything that is wrong.

    With --try-merge it opens one pull request without a change in each configured repository, tries to merge it, and
    closes it: that must be refused, because people merge. Exit code 1 if something will not work.
    """
    from cli.commands.doctor import show

    found = asyncio.run(_check(try_merge))
    if as_json:
        print_json(found)
    else:
        show(found)
    raise Exit(1 if any(each.state == "bad" for each in found) else 0)


async def _check(try_merge: bool) -> list[Finding]:
    from cli.doctor.finding import from_error
    from cli.github.findings import look_at_github, try_merging
    from services.gateway.github.errors import GitHubError
    from shared.ops.config import BadConfig, load_config

    settings = _settings()
    try:
        config = load_config(settings.config_path)
        found = await look_at_github(settings, config)
        return found + (await try_merging(settings, config) if try_merge else [])
    except (BadConfig, GitHubError) as error:
        return [from_error("GitHub", error)]


async def _register(
    settings: Settings, name: str, organization: str, public_url: str, browser: bool, within: int
) -> Manifested:
    from cli.github.registration import Registration
    from services.gateway.github.transport import Transport

    transport = Transport(settings.github_api_url)
    asked = {"name": name, "public_url": public_url, "organization": organization}
    try:
        async with asyncio.timeout(within), Registration(transport, settings.github_api_url, **asked) as registration:
            say(f"Open {registration.url}")
            if browser:
                import webbrowser

                await asyncio.to_thread(webbrowser.open, registration.url)
            return await registration.made()
    finally:
        await transport.close()


def _keep(settings: Settings, key: Path, secret: Path, made: Manifested) -> None:
    from shared.ops.private import private_directory, private_file

    private_directory(settings.data_dir)
    private_file(key, made.pem)
    if made.webhook_secret:
        private_file(secret, made.webhook_secret + "\n")


def _say_what_is_left(settings: Settings, key: Path, secret: Path, made: Manifested, *, has_webhook: bool) -> None:
    from cli.github.manifest import WEBHOOK_PATH
    from services.gateway.github.site import site_of

    site = site_of(settings.github_api_url)
    say(f"The App {made.slug} is made. Its key is in {key}, which you alone can read.")
    say("")
    say("1. Set these where the gateway is started, or in .env:")
    say("")
    say(f"   JOURNEYMAN_GITHUB_APP_ID={made.id}")
    say(f"   JOURNEYMAN_GITHUB_APP_PRIVATE_KEY_FILE={key}")
    if made.webhook_secret:
        say(f"   JOURNEYMAN_GITHUB_WEBHOOK_SECRET_FILE={secret}")
    say("")
    say(f"2. Install it on the repositories of journeyman.toml: {site}/apps/{made.slug}/installations/new")
    if not has_webhook:
        say(
            f"   Give it a webhook on its page: the gateway's address as GitHub reaches it, with {WEBHOOK_PATH} behind."
        )
    say("3. Start the gateway anew, then try everything: `journeyman github check --try-merge`.")


def _files(settings: Settings) -> tuple[Path, Path]:
    return settings.data_dir / "github-app.pem", settings.data_dir / "github-webhook-secret"


def _settings() -> Settings:
    from shared.ops.settings import BadSettings, load_settings

    try:
        return load_settings()
    except BadSettings as error:
        raise click.ClickException(str(error)) from error
