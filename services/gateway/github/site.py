"""Where people, and git, find what the API tells."""

from __future__ import annotations

from urllib.parse import urlsplit


def site_of(api_url: str) -> str:
    """Where people see what the API tells: ``https://github.com``, or the host of an Enterprise Server."""
    parts = urlsplit(api_url)
    if parts.hostname == "api.github.com":
        return "https://github.com"
    if parts.hostname and parts.hostname.startswith("api.") and parts.hostname.endswith(".ghe.com"):
        return f"https://{parts.hostname.removeprefix('api.')}"
    return f"{parts.scheme}://{parts.netloc}"
