"""What `testing.github_server` answers to, by domain: each handler is registered with its address."""

from testing.github_routes import app, checks, issues, pulls, reactions, repositories

__all__ = ["app", "checks", "issues", "pulls", "reactions", "repositories"]
