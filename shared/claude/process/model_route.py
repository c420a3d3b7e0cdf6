"""How a confined CLI reaches the address of its model: by a socket, behind which a process outside passes it on.

A model proxy that holds the key takes the place of that process.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from urllib.parse import SplitResult, urlsplit

from shared.ops.environment import NETWORK, inherited

MODEL: Final = "https://api.anthropic.com"
_RELAY: Final = Path(__file__).with_name("relay.py")
_PORTS: Final = {"http": 80, "https": 443}
_WAITING: Final = 64


def relay_words(base_url: str | None, source: Mapping[str, str]) -> list[str]:
    """Python, the program that passes on, where to, and the proxy on the way, or "", that ``source`` names."""
    model = urlsplit(base_url or MODEL)
    given = {name.lower(): value for name, value in inherited(source, NETWORK).items()}
    proxies = {name.removesuffix("_proxy"): value for name, value in given.items() if name.endswith("_proxy")}
    proxy = proxies.get(model.scheme) or proxies.get("all", "")
    if not proxy or _is_near(model.hostname or "", proxies.get("no", "")):
        return [sys.executable, str(_RELAY), _address(model), ""]
    return [sys.executable, str(_RELAY), _address(model), _address(urlsplit(proxy if "//" in proxy else f"//{proxy}"))]


def _is_near(host: str, no_proxy: str) -> bool:
    near = [each.strip().lstrip(".").lower() for each in no_proxy.split(",") if each.strip()]
    return any(each == "*" or host == each or host.endswith(f".{each}") for each in near)


def _address(url: SplitResult) -> str:
    return f"{url.hostname}:{url.port or _PORTS.get(url.scheme, 80)}"


def listening(path: Path) -> socket.socket:
    """A socket at ``path``, which may be longer than the kernel lets a name of a socket be. Raises OSError."""
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            listener.bind(f"/proc/self/fd/{folder}/{path.name}")
            listener.listen(_WAITING)
        except OSError:
            listener.close()
            raise
    finally:
        os.close(folder)
    return listener
