"""The shared system of this folder's tests."""

from tests.support.browser import browser_window, watched
from tests.support.stage import agents, model, secret_values, system, visitor

__all__ = ["agents", "browser_window", "model", "secret_values", "system", "visitor", "watched"]
