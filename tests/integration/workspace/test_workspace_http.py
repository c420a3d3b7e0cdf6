"""The same promises against a repository behind HTTP, served by git's own `http-backend`."""

from __future__ import annotations

import http.server
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.workspace.mirror import Mirror
from shared.workspace.publish import BranchTaken, publish_branch
from shared.workspace.worktree import Worktree
from testing.programs import NO_GIT_HTTP
from tests.integration.workspace.workspace_support import ADA, NOON, sh_git

EXEC_PATH = Path(subprocess.run(["git", "--exec-path"], check=True, capture_output=True, text=True).stdout.strip())
pytestmark = pytest.mark.skipif(
    not (EXEC_PATH / "git-http-backend").exists() or not (EXEC_PATH / "git-remote-http").exists(),
    reason=NO_GIT_HTTP,
)


@pytest.fixture
def served(tmp_path: Path, bare: Path) -> Iterator[str]:
    """The address of the bare repository on a free loopback port, open for fetch and push."""
    sh_git(bare, "config", "http.receivepack", "true")

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path, _, query = self.path.partition("?")
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if self.headers.get("Transfer-Encoding") == "chunked":
                while size := int(self.rfile.readline(), 16):
                    body += self.rfile.read(size)
                    self.rfile.readline()
            env = {
                "PATH": os.environ["PATH"],
                "GIT_PROJECT_ROOT": str(tmp_path),
                "GIT_HTTP_EXPORT_ALL": "1",
                "REQUEST_METHOD": self.command,
                "PATH_INFO": path,
                "QUERY_STRING": query,
                "CONTENT_TYPE": self.headers.get("Content-Type", ""),
                "CONTENT_LENGTH": str(len(body)),
                "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
                "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
                "REMOTE_ADDR": "127.0.0.1",
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

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/bare.git"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Loopback is never asked of a proxy of this machine."""
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "127.0.0.1")


@pytest.mark.parametrize("by_id", [True, False], ids=["server gives commits by id", "server gives branches only"])
async def test_a_result_reaches_a_repository_behind_http(served: str, bare: Path, tmp_path: Path, by_id: bool) -> None:
    sh_git(bare, "config", "uploadpack.allowAnySHA1InWant", str(by_id).lower())
    sh_git(bare, "config", "protocol.version", "0")
    mirror = Mirror(tmp_path / "mirrors", served)
    await mirror.fetch()
    base = await mirror.resolve("v1")
    worktree = await Worktree.create(mirror, tmp_path / "w", base)
    (worktree.path / "app.py").write_text("fixed\n")
    commit = await worktree.commit("fix", ADA, at=NOON)
    assert commit is not None
    await worktree.bundle(commit.id, out=tmp_path / "b")
    shutil.rmtree(mirror.path)  # the publisher has nothing but the bundle
    for _ in range(2):
        await publish_branch(served, tmp_path / "b", commit.id, "journeyman/x", None)
    assert sh_git(bare, "show", "journeyman/x:app.py") == "fixed"
    with pytest.raises(BranchTaken):
        await publish_branch(served, tmp_path / "b", commit.id, "side", "1" * 40)
