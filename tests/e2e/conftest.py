"""The shared system of this folder's tests."""

from testing.browser import browser_window, chromium, watched
from testing.system_fixtures import agents, model, secret_values, system, visitor

__all__ = ["agents", "browser_window", "chromium", "model", "secret_values", "system", "visitor", "watched"]
