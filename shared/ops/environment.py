"""The environment variables that a child process may inherit, by purpose. What is not named here is not inherited.

An agent, the repository's checks, NATS and the services of `up` all take from these lists: whatever a process can read,
the code that it runs can send away.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

BASICS: Final = frozenset({"PATH", "LANG", "LANGUAGE", "LC_ALL", "LC_CTYPE", "LC_MESSAGES", "TZ"})
ACCOUNT: Final = frozenset(
    {
        *("HOME", "USER", "LOGNAME", "TMPDIR", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR"),
        *("SSH_AUTH_SOCK", "CARGO_HOME", "PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX"),
    }
)
"""What names the account's own places: for our services, whose git uses the account's keys, never for an agent."""
NETWORK: Final = frozenset(
    {
        *("SSL_CERT_FILE", "SSL_CERT_DIR", "NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"),
        *("GIT_SSL_CAINFO", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"),
        *("http_proxy", "https_proxy", "all_proxy", "no_proxy"),
    }
)
PACKAGE_CLIENTS: Final = frozenset(
    {
        *("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "PIP_NO_INDEX", "PIP_CERT", "PIP_TRUSTED_HOST"),
        *("PIP_DEFAULT_TIMEOUT", "PIP_DISABLE_PIP_VERSION_CHECK"),
        *("UV_INDEX_URL", "UV_EXTRA_INDEX_URL", "UV_DEFAULT_INDEX", "UV_INDEX", "UV_FIND_LINKS", "UV_NO_INDEX"),
        *("UV_SYSTEM_CERTS", "UV_OFFLINE", "UV_PYTHON", "UV_PYTHON_DOWNLOADS"),
        *("NPM_CONFIG_REGISTRY", "npm_config_registry", "NPM_CONFIG_CAFILE", "npm_config_cafile"),
        *("GOPROXY", "GOPRIVATE", "GONOPROXY", "GONOSUMDB", "GOSUMDB", "GOINSECURE", "GOFLAGS", "GOTOOLCHAIN"),
        *("CARGO_NET_OFFLINE", "CARGO_HTTP_CAINFO", "RUSTUP_TOOLCHAIN", "RUSTUP_AUTO_INSTALL", "PYENV_VERSION"),
    }
)
"""Where package clients find packages, and what they trust."""
TOOL_DIRECTORIES: Final = frozenset({"JAVA_HOME", "GOROOT", "GOPATH", "GOMODCACHE", "GOCACHE", "MAVEN_HOME", "M2_HOME"})
"""Directories of toolchains; `shared.ops.own_home` says when they are passed on."""

_USERINFO: Final = re.compile(r"(?<=://)[^/\s?#]*@")


def inherited(source: Mapping[str, str], names: Iterable[str]) -> dict[str, str]:
    """The named variables that ``source`` has, without user names and passwords in addresses.

    A proxy whose address holds a password is left out: it answers nobody without one.
    """
    return {
        name: without_userinfo(source[name])
        for name in names
        if name in source and not (name.lower().endswith("_proxy") and "@" in source[name])
    }


def without_userinfo(text: str) -> str:
    """The text with every ``scheme://user:password@host`` in it as ``scheme://host``."""
    return _USERINFO.sub("", text)
