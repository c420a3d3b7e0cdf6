"""What `testing.github_server` answers to, by domain: each handler is registered with its address."""

from testing.github_routes import actions, app, checks, issues, pulls, reactions, repositories

__all__ = ["actions", "app", "checks", "issues", "pulls", "reactions", "repositories"]
