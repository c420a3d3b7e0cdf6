"""Carries the Model Context Protocol between the CLI, which started this program, and the socket of a service.

Run as ``python -I relay.py FOLDER NAME``, maybe inside a sandbox: the standard library is all that it needs. When the
service ends, the next one finds what was asked and not answered yet asked once more: our tools can bear that.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import sys
import threading
import time

RECONNECT_S = 120.0
PAUSE_S = 0.1
GREETINGS = ("initialize", "notifications/initialized")


class Relay:
    """The lines of one CLI, and one connection after the other to the service."""

    def __init__(self, folder: str, name: str) -> None:
        self._folder = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        self._name = name
        self._lock = threading.Lock()
        self._connection: socket.socket | None = None
        self._greetings: list[bytes] = []
        self._unanswered: dict[str, bytes] = {}
        self._to_swallow: set[str] = set()

    def listen(self) -> None:
        """Take what the CLI says; when that ends, everything does."""
        for line in sys.stdin.buffer:
            message = json.loads(line)
            with self._lock:
                if message.get("method") in GREETINGS:
                    self._greetings.append(line)
                elif "id" in message and "method" in message:
                    self._unanswered[json.dumps(message["id"])] = line
                self._send(line)
        os._exit(0)

    def run(self) -> None:
        """Give the CLI the answers, from one connection after the other."""
        while True:
            connection = self._connect()
            with self._lock:
                again = self._connection is not None
                self._connection = connection
                if again:
                    # The CLI has its answer to the greeting already.
                    asked = [json.loads(line) for line in self._greetings]
                    self._to_swallow = {json.dumps(message["id"]) for message in asked if "id" in message}
                for line in (*self._greetings, *self._unanswered.values()):
                    self._send(line)
            with contextlib.suppress(OSError):
                for line in connection.makefile("rb"):
                    self._give(line)

    def _give(self, line: bytes) -> None:
        message = json.loads(line)
        id = json.dumps(message.get("id"))
        with self._lock:
            if "method" not in message and id in self._to_swallow:
                self._to_swallow.discard(id)
                return
            self._unanswered.pop(id, None)
        sys.stdout.buffer.write(line)
        sys.stdout.buffer.flush()

    def _connect(self) -> socket.socket:
        deadline = time.monotonic() + RECONNECT_S
        while True:
            connection = socket.socket(socket.AF_UNIX)
            try:
                # A path below the folder may be longer than the address of a socket can be.
                connection.connect(f"/proc/self/fd/{self._folder}/{self._name}")
                return connection
            except OSError as error:
                connection.close()
                if time.monotonic() > deadline:
                    sys.exit(f"The service does not answer: {error}.")
                time.sleep(PAUSE_S)

    def _send(self, line: bytes) -> None:
        if self._connection is not None:
            with contextlib.suppress(OSError):  # then the connection is over, and `run` makes the next one
                self._connection.sendall(line)


if __name__ == "__main__":
    relay = Relay(sys.argv[1], sys.argv[2])
    threading.Thread(target=relay.listen, daemon=True).start()
    relay.run()
