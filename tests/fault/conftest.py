"""The shared system of this folder's tests."""

from tests.support.stage import agents, model, secret_values, system, visitor

__all__ = ["agents", "model", "secret_values", "system", "visitor"]
