"""Passes what a confined CLI says on its socket to the address of the model, and what that answers.

Run by itself, on nothing but the standard library: ``python -I -S relay.py PID HOST:PORT [PROXY:PORT]``. The
listening socket is descriptor 0. It ends with the process of that id that started it, which is the run's wrapper: an
agent that outlives its service still reaches its model. It reads nothing of what passes; TLS is the CLI's own.
"""

from __future__ import annotations

import contextlib
import os
import socket
import sys
import threading
from typing import Final

MOST: Final = 64
"""Connections at a time."""
LOOK_S: Final = 1.0
CONNECT_S: Final = 30.0
_PIECE: Final = 256 * 1024


def main(parent: int, model: tuple[str, int], proxy: tuple[str, int] | None) -> None:
    """Serve until the parent is gone; it may be gone already."""
    slots = threading.BoundedSemaphore(MOST)
    with socket.socket(fileno=0) as listener:
        listener.settimeout(LOOK_S)
        while os.getppid() == parent:
            with contextlib.suppress(TimeoutError):
                client, _ = listener.accept()
                client.settimeout(None)
                threading.Thread(target=serve, args=(client, model, proxy, slots), daemon=True).start()


def serve(
    client: socket.socket, model: tuple[str, int], proxy: tuple[str, int] | None, slots: threading.BoundedSemaphore
) -> None:
    """One connection. What cannot be reached is a closed connection for the CLI, which tries again."""
    with slots, client, contextlib.suppress(OSError), _connected(model, proxy) as server:
        back = threading.Thread(target=_pass, args=(server, client), daemon=True)
        back.start()
        _pass(client, server)
        back.join()


def _connected(model: tuple[str, int], proxy: tuple[str, int] | None) -> socket.socket:
    server = socket.create_connection(proxy or model, CONNECT_S)
    server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if proxy is not None:
        to = f"{model[0]}:{model[1]}"
        server.sendall(f"CONNECT {to} HTTP/1.1\r\nHost: {to}\r\n\r\n".encode())
        answer = b""
        while not answer.endswith(b"\r\n\r\n") and len(answer) < 8192:
            answer += server.recv(1) or b"\r\n\r\n"
        if answer.split(b" ", 2)[1:2] != [b"200"]:
            raise OSError("The proxy refuses.")
    server.settimeout(None)
    return server


def _pass(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while piece := source.recv(_PIECE):
            target.sendall(piece)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    return host.strip("[]"), int(port)


if __name__ == "__main__":
    parent, model, proxy = sys.argv[1:]
    main(int(parent), _address(model), _address(proxy) if proxy else None)
