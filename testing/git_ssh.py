"""A git server behind ssh on loopback: the real ``sshd``, with deploy keys that may read, or write as well."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from testing.nats import free_port
from testing.programs import NO_SSHD

SSHD: Final = shutil.which("sshd", path="/usr/sbin:/sbin:" + os.environ.get("PATH", ""))
READY_S: Final = 10.0

_FORCED: Final = """#!/bin/sh
# What a forge does for a deploy key: git commands only, and writing for those keys that may.
case "$SSH_ORIGINAL_COMMAND" in
git-upload-pack\\ *) exec git -c safe.directory='*' shell -c "$SSH_ORIGINAL_COMMAND" ;;
git-receive-pack\\ *)
  if [ "$1" = write ]; then exec git -c safe.directory='*' shell -c "$SSH_ORIGINAL_COMMAND"; fi
  echo "ERROR: The key you are authenticating with has been marked as read only." >&2; exit 1 ;;
esac
echo "no" >&2; exit 1
"""


@dataclass(frozen=True)
class GitSshServer:
    """``address`` (``ssh://user@host:port``) and where the private keys and the host's public key are."""

    address: str
    reader: Path
    writer: Path
    stranger: Path
    known_hosts: Path


@contextlib.contextmanager
def git_ssh_server(folder: Path) -> Iterator[GitSshServer]:
    """Run one on a free port, with its keys in ``folder``, which only its owner may write."""
    assert SSHD is not None, NO_SSHD
    folder.mkdir(parents=True, mode=0o700)
    for name in ("host", "reader", "writer", "stranger"):
        make = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(folder / name)]
        subprocess.run(make, check=True)
    forced = folder / "forced"
    forced.write_text(_FORCED)
    forced.chmod(0o755)
    allowed = (
        f'restrict,command="{forced} {right}" {(folder / f"{name}.pub").read_text()}'
        for name, right in (("reader", "read"), ("writer", "write"))
    )
    (folder / "authorized").write_text("".join(allowed))
    port = free_port()
    (folder / "known").write_text(f"[127.0.0.1]:{port} {(folder / 'host.pub').read_text()}")
    options = {
        "Port": str(port),
        "ListenAddress": "127.0.0.1",
        "HostKey": str(folder / "host"),
        "AuthorizedKeysFile": str(folder / "authorized"),
        "StrictModes": "no",
        "PasswordAuthentication": "no",
        "KbdInteractiveAuthentication": "no",
        "UsePAM": "no",
        "PermitRootLogin": "prohibit-password",
        "PidFile": "none",
    }
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # where it separates its privileges
    arguments = [part for name, value in options.items() for part in ("-o", f"{name}={value}")]
    with (folder / "sshd.log").open("wb") as log:
        process = subprocess.Popen([SSHD, "-D", "-e", "-f", "/dev/null", *arguments], stderr=log)
    try:
        _until_it_listens(folder / "sshd.log", process)
        user = pwd.getpwuid(os.geteuid()).pw_name
        yield GitSshServer(
            address=f"ssh://{user}@127.0.0.1:{port}",
            reader=folder / "reader",
            writer=folder / "writer",
            stranger=folder / "stranger",
            known_hosts=folder / "known",
        )
    finally:
        process.terminate()
        process.wait()


def _until_it_listens(log: Path, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + READY_S
    while "Server listening" not in log.read_text():
        assert process.poll() is None and time.monotonic() < deadline, log.read_text()
        time.sleep(0.01)
