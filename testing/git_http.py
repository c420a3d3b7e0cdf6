"""A git server behind HTTP on loopback: git's own ``http-backend``, and who may read and write by user and token."""

from __future__ import annotations

import base64
import contextlib
import http.server
import os
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

EXEC_PATH = Path(subprocess.run(["git", "--exec-path"], check=True, capture_output=True, text=True).stdout.strip())
MISSING = not all((EXEC_PATH / name).exists() for name in ("git-http-backend", "git-remote-http"))
"""Whether git has no server or client for HTTP here; the reason to skip is `testing.programs.NO_GIT_HTTP`."""


@dataclass
class GitHttpServer:
    """Serves the repositories below a folder. Without ``readers`` and ``writers`` everybody may do everything.

    ``readers`` and ``writers`` are tokens, given as the password of any user. ``echo`` has each refusal repeat the
    credentials that came, as a careless server would. ``requests`` are the paths that were asked for.
    """

    url: str
    readers: set[str] = field(default_factory=set)
    writers: set[str] = field(default_factory=set)
    echo: bool = False
    requests: list[str] = field(default_factory=list)
    looked: Callable[[], None] = lambda: None
    """Called at each request: whoever asks is there to be looked at."""
    elsewhere: str = ""
    """The address of another server, to which everybody is sent who is let in."""
    brought: list[str] = field(default_factory=list)
    """What requests had as ``Authorization``."""

    def status(self, authorization: str, *, writes: bool) -> int:
        """200, 401 or 403 for what a request brings."""
        if not (self.readers or self.writers):
            return 200
        token = base64.b64decode(authorization.removeprefix("Basic ")).decode().partition(":")[2]
        if token not in self.readers | self.writers:
            return 401
        return 403 if writes and token not in self.writers else 200


@contextlib.contextmanager
def git_http_server(folder: Path, *, certificate: tuple[Path, Path] | None = None) -> Iterator[GitHttpServer]:
    """Run one on a free port; ``certificate`` (certificate, key) makes it one of HTTPS."""
    served = GitHttpServer(url="")

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path, _, query = self.path.partition("?")
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if self.headers.get("Transfer-Encoding") == "chunked":
                while size := int(self.rfile.readline(), 16):
                    body += self.rfile.read(size)
                    self.rfile.readline()
            served.requests.append(self.path)
            served.looked()
            authorization = self.headers.get("Authorization", "")
            served.brought.append(authorization)
            if (status := served.status(authorization, writes="git-receive-pack" in self.path)) != 200:
                self._refuse(status, authorization)
                return
            if served.elsewhere:
                self.send_response(302)
                self.send_header("Location", f"{served.elsewhere}{self.path}")
                self.end_headers()
                return
            env = {
                "PATH": os.environ["PATH"],
                "GIT_PROJECT_ROOT": str(folder),
                "GIT_HTTP_EXPORT_ALL": "1",
                "REQUEST_METHOD": self.command,
                "PATH_INFO": path,
                "QUERY_STRING": query,
                "CONTENT_TYPE": self.headers.get("Content-Type", ""),
                "CONTENT_LENGTH": str(len(body)),
                "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
                "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
                "REMOTE_ADDR": "127.0.0.1",
                "REMOTE_USER": "somebody",
            }
            answer = subprocess.run(
                ["git", "http-backend"], input=body, env=env, check=True, capture_output=True
            ).stdout
            head, _, rest = answer.partition(b"\r\n\r\n")
            fields = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
            self.send_response(int(fields.pop("Status", "200 OK").split()[0]))
            for name, value in fields.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(rest)))
            self.end_headers()
            self.wfile.write(rest)

        do_POST = do_GET

        def _refuse(self, status: int, authorization: str) -> None:
            self.send_response(status)
            if status == 401:
                self.send_header("WWW-Authenticate", 'Basic realm="git"')
            text = b"You are not let in."
            if served.echo:
                given = base64.b64decode(authorization.removeprefix("Basic ")).decode()
                text = f"You are not let in with {given}, that is {authorization}.".encode()
            self.send_header("Content-Type", "text/plain")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.02), daemon=True)
    thread.start()
    served.url = f"{'https' if certificate else 'http'}://127.0.0.1:{server.server_port}"
    try:
        yield served
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
