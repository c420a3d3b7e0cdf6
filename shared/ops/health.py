"""`/health/live`, `/health/ready` and `/metrics` of a service without a web server of its own.

They are answered from a thread, so that a blocked event loop shows as not live instead of as no answer.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

import msgspec
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

STALE_S: Final = 5.0


class Health:
    """What a service says of itself. ``problems`` is asked at each request; an empty dict means ready."""

    def __init__(self, service: str, problems: Callable[[], dict[str, str]]) -> None:
        self.service = service
        self._problems = problems
        self._beat = time.monotonic()

    async def beat(self) -> None:
        """Run beside the service: says that the event loop turns."""
        while True:
            self._beat = time.monotonic()
            await asyncio.sleep(0.5)

    def live(self) -> tuple[int, dict[str, Any]]:
        """Status code and body of `/health/live`."""
        stale = time.monotonic() - self._beat
        if stale > STALE_S:
            return 503, {"service": self.service, "status": "stuck", "seconds": round(stale, 1)}
        return 200, {"service": self.service, "status": "live"}

    def ready(self) -> tuple[int, dict[str, Any]]:
        """Status code and body of `/health/ready`."""
        problems = self._problems()
        if problems:
            return 503, {"service": self.service, "status": "not ready", "problems": problems}
        return 200, {"service": self.service, "status": "ready"}


class BusyPort(Exception):
    """Somebody else listens there; the text names the setting."""


class HealthServer:
    """The server in its thread; ``port`` is the real one when 0 was asked for."""

    def __init__(self, health: Health, host: str, port: int) -> None:
        handler = type("Handler", (_Handler,), {"health": health})
        try:
            self._server = ThreadingHTTPServer((host, port), handler)
        except OSError as error:
            raise BusyPort(
                f"Port {port} on {host} is taken ({error.strerror}): set JOURNEYMAN_HEALTH_PORT to a free one, or to 0."
            ) from error
        self._server.daemon_threads = True
        self.port = int(self._server.server_address[1])
        threading.Thread(target=self._server.serve_forever, name="health", daemon=True).start()

    def close(self) -> None:
        """Stop answering."""
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    health: Health

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        match self.path.partition("?")[0]:
            case "/health/live":
                self._json(*self.health.live())
            case "/health/ready":
                self._json(*self.health.ready())
            case "/metrics":
                self._send(200, CONTENT_TYPE_LATEST, generate_latest())
            case _:
                self._json(404, {"status": "not found"})

    def log_message(self, format: str, *args: Any) -> None:
        """Health checks are not worth a line each."""

    def _json(self, status: int, body: dict[str, Any]) -> None:
        self._send(status, "application/json", msgspec.json.encode(body))

    def _send(self, status: int, content_type: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
