"""Addresses as they may be shown: on a console, in a file, in a log, in an error."""

from __future__ import annotations

import ipaddress
import re
from typing import Final
from urllib.parse import urlsplit

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_NEXT_SERVER: Final = re.compile(r",(?=\s*[a-z]+://)", re.IGNORECASE)

NATS_ADDRESS: Final = "write nats://host:4222, or nats://user:password@host:4222 with none of / ? # , in the password"
"""The mend of a wrong address. nats-py decodes no %2F, so that writing it in the password helps nothing."""


def is_loopback(host: str) -> bool:
    """Whether what listens on a host is reached from this machine only."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def networks_of(text: str) -> tuple[Network, ...]:
    """The networks that a list with commas names, an address being one of its own; raises ValueError."""
    return tuple(ipaddress.ip_network(each.strip()) for each in text.split(",") if each.strip())


def nats_problem(server: str) -> str:
    """What is wrong with the address of one NATS server, empty when nothing is; it repeats nothing of the address.

    What stands at the place of the port may be a part of the password.
    """
    server = server.strip()
    if not server.startswith(("nats://", "tls://")):
        return "has neither nats:// nor tls:// before the host"
    try:
        parts = urlsplit(server)
        _ = parts.port
    except ValueError:
        return "has no port from 0 to 65535 behind the host"
    if not parts.hostname:
        return "has no host"
    if "@" in parts.path + parts.query + parts.fragment:
        return "ends before its @"
    return ""


def all_on_this_machine(servers: str) -> bool:
    """Whether all of these NATS servers are on this machine, so that its disk is theirs."""
    hosts = {urlsplit(server.strip()).hostname for server in servers.split(",")}
    return hosts <= {"127.0.0.1", "localhost", "::1"}


def without_credentials(servers: str) -> str:
    """NATS addresses, several with commas, without what stands before their hosts: user, password or token."""
    shown = []
    for server in _NEXT_SERVER.split(servers):
        scheme, separator, place = server.partition("://") if "://" in server else ("", "", server)
        shown.append(f"{scheme}{separator}{place.rpartition('@')[2]}")
    return ",".join(shown)
