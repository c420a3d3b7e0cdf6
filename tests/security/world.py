"""What lies around a sandbox in these tests: everything that the review has read, written and spoken to."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.security.attacks import probe

ROOT = Path(__file__).parents[2]


class World:
    """Secrets, targets and a process of others in ``folder``; ``given`` is a folder for whoever is inside."""

    def __init__(self, folder: Path, port: int, abstract: str, pid: int, canary: str) -> None:
        self.folder = folder
        self.given = folder / "given"
        self.canary = canary
        data = folder / "data"
        secret = [
            *(data / ".env", data / "webhook-secret", data / "claude" / "projects" / "other" / "x.jsonl"),
            *(data / "nats" / "store", data / "runs" / "run-B-1-1" / "run.json", data / "views.duckdb"),
            *(folder / "account" / ".ssh" / "id", folder / "account" / ".netrc"),
        ]
        plants = [
            *(folder / "target" / "hooks" / "post-receive", data / "mirrors" / "m.git" / "config"),
            *(
                data / "mirrors" / "m.git" / "info" / "attributes",
                data / "mirrors" / "m.git" / "objects" / "info" / "x",
            ),
            *(folder / "journeyman.toml", folder / "agents" / "executor" / "CLAUDE.md", folder / "account" / ".bashrc"),
        ]
        for path in (*secret, *plants):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"{canary}\n")
        pipe = data / "runs" / "run-B-1-1" / "stdin.fifo"
        os.mkfifo(pipe)
        self.given.mkdir()
        self.given.chmod(0o777)
        (self.given / "probe.py").write_text(probe())
        told = {
            "canary": canary[::-1],  # the file itself is within reach
            "pid": pid,
            "port": port,
            "abstract": abstract,
            "secrets": [*map(str, secret)],
            "pipes": [str(pipe), str(pipe.with_name("exit"))],
            "plants": [*map(str, plants)],
            "product": [str(ROOT / "shared" / "sandbox" / "sandbox.py")],
            "links": [str(secret[0]), "/etc/shadow"],
        }
        (self.given / "world.json").write_text(json.dumps(told))
        self._was = self._state()

    def _state(self) -> dict[str, bytes]:
        files = (path for path in self.folder.rglob("*") if path.is_file() and not path.is_relative_to(self.given))
        return {str(path): path.read_bytes() for path in files}

    def is_as_it_was(self) -> bool:
        """Whether nothing but the given folder has changed."""
        return self._state() == self._was


@contextlib.contextmanager
def world(folder: Path) -> Iterator[World]:
    """The world of one test, with a server and a process that hold a secret."""
    canary, abstract = secrets.token_hex(16), secrets.token_hex(8)
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket(socket.AF_UNIX) as other:
        other.bind(f"\0{abstract}")
        other.listen()
        process = subprocess.Popen(["/bin/sleep", "600"], env={"JOURNEYMAN_GITHUB_TOKEN": canary})
        try:
            yield World(folder, server.getsockname()[1], abstract, process.pid, canary)
        finally:
            process.kill()
            process.wait()
