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


def noreply_host(api_url: str) -> str:
    """The host of the addresses by which commits are an account's: ``users.noreply.github.com``, or the server's own.

    Source: https://github.com/desktop/desktop (app/src/lib/email.ts, which gives accounts such addresses).
    """
    return f"users.noreply.{urlsplit(site_of(api_url)).hostname}"


def api_of(host: str) -> str:
    """Where the API of a site is: that of github.com, of a company at ``NAME.ghe.com``, or of an Enterprise Server."""
    if host == "github.com" or host.endswith(".ghe.com"):
        return f"https://api.{host}"
    return f"https://{host}/api/v3"
