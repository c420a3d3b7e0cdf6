"""The shared system of this folder's tests."""

from tests.support.browser import browser_window, chromium, watched
from tests.support.stage import agents, model, secret_values, system, visitor

__all__ = ["agents", "browser_window", "chromium", "model", "secret_values", "system", "visitor", "watched"]
