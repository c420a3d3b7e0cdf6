"""The shared system of this folder's tests."""

from testing.browser import browser_window, chromium, watched
from testing.system_fixtures import agents, api_client, model, secret_values, system

__all__ = ["agents", "api_client", "browser_window", "chromium", "model", "secret_values", "system", "watched"]
