"""Asked once when a service starts: can a program be confined here, and is it?

A program inside is asked for what no confined program may have: a file or a process of ours, our network, a right.
"""

from __future__ import annotations

import os
import secrets
import shlex
import subprocess
import tempfile
from pathlib import Path
from typing import Final

from shared.ops.own_home import remove_tree
from shared.ops.visible import visible
from shared.sandbox.confinement import HOME, Bind, Confinement
from shared.sandbox.filters import own_filter
from shared.sandbox.machine import Machine
from shared.sandbox.sandbox import Confined, Sandbox

_PATIENCE_S: Final = 20.0
_WORDS: Final = 400
_NAMESPACES: Final = ("pid", "net", "ipc", "uts", "mnt", "user")
# Only what every machine has: a shell, and three programs of its smallest packages.
_QUESTIONS: Final = """
id -u
for name in pid net ipc uts mnt user; do readlink /proc/self/ns/$name; done
while read -r name value; do
  case $name in CapEff:|CapBnd:|NoNewPrivs:|Seccomp:) echo "$value";; esac
done </proc/self/status
cat "$OUTSIDE" 2>/dev/null && echo
for pid in /proc/[0-9]*; do echo "${pid##*/}"; done | wc -l
[ ! -w /usr ] || echo written
echo done
"""
_MOST_PROCESSES: Final = 8

MENDS: Final = (
    (
        ("creating new namespace", "no permissions to create", "clone3", "unshare failed"),
        "This machine lets no program without rights make namespaces. On Ubuntu: `sysctl -w "
        "kernel.apparmor_restrict_unprivileged_userns=0`; on others `sysctl -w kernel.unprivileged_userns_clone=1` or "
        "`user.max_user_namespaces=15000`; in a container: its seccomp profile must allow it (docs/operations.md).",
    ),
    (
        ("uid map", "uid_map", "gid map", "loopback", "setgroups", "rtm_new"),
        "Something restricts namespaces of programs without rights, on Ubuntu AppArmor: `sysctl -w "
        "kernel.apparmor_restrict_unprivileged_userns=0`, or a profile for bwrap.",
    ),
    (
        ("proc on", "/proc", "max_user_namespaces"),
        "/proc cannot be mounted anew, as in a container that hides parts of it: start that with "
        "`--security-opt systempaths=unconfined` (docs/operations.md).",
    ),
)
"""What bwrap says where it cannot, and the mend."""
OTHERWISE: Final = "Programs can only be run without a sandbox here: JOURNEYMAN_SANDBOX=off does, on your word."


def confinement_problem(sandbox: Sandbox, data_dir: Path) -> str | None:
    """Why programs cannot be confined here, with the mend; None when they are. Blocks for some 20 ms."""
    canary = data_dir / f"canary-{secrets.token_hex(4)}"
    secret = secrets.token_hex(16)
    try:
        canary.write_text(secret)
        said, complaint = _asked(sandbox, canary)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"The sandbox cannot be started: {error}. {OTHERWISE}"
    finally:
        canary.unlink(missing_ok=True)
    lines = said.splitlines()
    if not lines or lines[-1] != "done":
        return f"The sandbox cannot be started: {complaint or 'bwrap says nothing'}. {_mend(complaint)}"
    if found := _open(lines[:-1], secret):
        return f"The sandbox does not hold: {', '.join(found)}. {OTHERWISE}"
    return None


def can_overlay(bwrap: Path, machine: Machine, data_dir: Path) -> bool:
    """Whether a folder below ``data_dir`` can be written to and stay as it is (`Bind.discarded`).

    Neither an older bwrap nor every file system can: not the one of a container's image.
    """
    with tempfile.TemporaryDirectory(dir=data_dir) as scratch:
        below = Path(scratch) / "below"
        below.mkdir()
        (below / "file").touch()
        binds = (Bind(below, Path("/above"), discarded=Path(scratch) / "discarded"),)
        confinement = Confinement(cwd=Path("/"), environment={"PATH": os.defpath}, binds=binds)
        sandbox = Confined(bwrap, machine, overlays=True)
        try:
            done = _run(sandbox, "echo x >/above/file && cat /above/file", confinement)
            return done.stdout == b"x\n" and not (below / "file").stat().st_size
        except (OSError, subprocess.TimeoutExpired):
            return False
        finally:
            remove_tree(Path(scratch) / "discarded")


def _run(sandbox: Sandbox, script: str, confinement: Confinement) -> subprocess.CompletedProcess[bytes]:
    with sandbox.command(("/bin/sh", "-c", script), confinement) as command:
        return subprocess.run(
            command.argv,
            env=command.environment,
            cwd=command.cwd,
            pass_fds=command.descriptors,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_PATIENCE_S,
        )


def _asked(sandbox: Sandbox, canary: Path) -> tuple[str, str]:
    environment = {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(HOME)}
    # Not by the environment: a place that is named there may be a toolchain, which is shown.
    script = f"OUTSIDE={shlex.quote(str(canary))}\n{_QUESTIONS}"
    done = _run(sandbox, script, Confinement(cwd=Path("/"), environment=environment))
    complaint = " ".join(visible(done.stderr.decode("utf-8", "replace")).split())[-_WORDS:]
    return done.stdout.decode("utf-8", "replace"), complaint


def _open(lines: list[str], secret: str) -> list[str]:
    """What the program has got, of what it must not have."""
    if len(lines) < 12:
        return ["it could not say what it sees"]
    own = [str(Path(f"/proc/self/ns/{name}").readlink()) for name in _NAMESPACES]
    user, *links = lines[:7]
    effective, bound, no_new, filtered = lines[7:11]
    processes = next((line for line in reversed(lines) if line.isdigit()), "0")
    found = {
        "it is root": user == "0",
        "it has our process table": links[0] == own[0] or int(processes) > _MOST_PROCESSES,
        "it has our network": links[1] == own[1],
        "it has namespaces of ours": any(a == b for a, b in zip(links[2:], own[2:], strict=True)),
        "it has rights": int(effective, 16) != 0 or int(bound, 16) != 0,
        "it can gain rights": no_new != "1",
        "no system call is refused": own_filter() is not None and filtered != "2",
        "it can read our files": secret in lines,
        "it can write to the system": "written" in lines,
    }
    return [word for word, is_so in found.items() if is_so]


def _mend(complaint: str) -> str:
    said = complaint.lower()
    mend = next((mend for words, mend in MENDS if any(word in said for word in words)), "")
    return f"{mend} {OTHERWISE}".strip()
