"""How the command itself gets in at a remote repository: as the gateway does, where the same settings are read here."""

from __future__ import annotations

from services.gateway.github.client import github_of
from services.gateway.github.errors import NotConfigured
from services.gateway.github.git_credentials import GitHubGitCredentials
from shared.ops.config import Config
from shared.ops.settings import BadSettings, load_settings
from shared.workspace.credentials import ConfiguredCredentials
from shared.workspace.remote_access import GitCredentials


def git_credentials(config: Config) -> GitCredentials:
    """Those of journeyman.toml, and of the GitHub App or token where one is set here."""
    configured = ConfiguredCredentials(lambda: config)
    try:
        settings = load_settings()
        github = github_of(settings)
    except (BadSettings, NotConfigured):  # the doctor says so in its own words
        return configured
    return configured if github is None else GitHubGitCredentials(github, settings.github_api_url, configured)
