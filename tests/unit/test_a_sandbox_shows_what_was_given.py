from __future__ import annotations

import os
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.sandbox.confinement import HOME, Bind, Confinement, Network, seen, written
from shared.sandbox.filters import file_of
from shared.sandbox.filters.compile import ARCHITECTURES, compiled
from shared.sandbox.machine import Machine
from shared.sandbox.sandbox import Unconfined
from shared.sandbox.self_test import confinement_problem
from testing.confined import NOBODY, run_confined, sandbox

PATH = "/usr/local/bin:/usr/bin:/bin"


def confined(*binds: Bind, **more: object) -> Confinement:
    environment = {"PATH": PATH, "HOME": str(HOME)}
    return Confinement(**{"cwd": Path("/"), "environment": environment, "binds": binds, **more})  # type: ignore[arg-type]


@pytest.fixture(params=["own account", "nobody"])
def account(request: pytest.FixtureRequest) -> int | None:
    if request.param == "own account":
        return None
    if os.geteuid() != 0:
        pytest.skip("only root can become another account")
    return NOBODY


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that every account can come to; pytest's own are root's alone."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        Path(folder).chmod(0o777)
        yield Path(folder)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_program_is_nobody_in_particular_and_has_no_rights(account: int | None) -> None:
    asked = r"id -un; id -u; sed -n 's/^\(CapEff\|CapBnd\|NoNewPrivs\|Seccomp\):\s*//p' /proc/self/status"
    done = run_confined(asked, confined(), account=account)
    assert done.stdout.split() == ["journeyman", "1000", "0" * 16, "0" * 16, "1", "2"], done.stderr


def test_only_what_was_given_is_seen_and_written(place: Path, account: int | None) -> None:
    (open_, shut, kept) = (place / name for name in ("open", "shut", "kept"))
    for folder in (open_, shut, kept):
        folder.mkdir()
        folder.chmod(0o777)
        (folder / "file").write_text("theirs")
    script = f"cat /given/file {shut}/file {kept}/file; ls {place}; echo ours >/given/new; echo x >{kept}/new"
    given = confined(Bind(open_, Path("/given"), writable=True), seen(kept))
    box = sandbox(place / "nothing")
    done = run_confined(script, given, box=box, account=account)
    assert done.stdout == "theirstheirskept\n", done.stderr
    assert f"{kept}/new" in done.stderr and f"{shut}/file" in done.stderr
    assert names(open_) == ["file", "new"] and names(kept) == ["file"]


def test_the_system_is_for_reading_without_what_others_may_not_read() -> None:
    done = run_confined(
        "for place in / /usr /etc /run /home; do touch $place/here && echo $place; done; cat /etc/shadow"
    )
    assert done.stdout == "" and "/etc/shadow" in done.stderr


def test_no_process_of_others_is_there_and_none_outlives_the_program(place: Path, account: int | None) -> None:
    script = "ls -d /proc/[0-9]* | wc -l; env -i setsid sh -c 'sleep 0.2; touch late' & sleep 0.05; touch early"
    done = run_confined(script, confined(written(place), cwd=place), account=account)
    assert int(done.stdout) < 8
    time.sleep(0.4)  # what would be there, would be there by now
    assert names(place) == ["early"], done.stderr


def test_without_a_network_there_is_an_own_loopback_and_what_was_bound(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket(socket.AF_UNIX) as model:
        port = server.getsockname()[1]
        model.bind(str(tmp_path / "model"))
        model.listen()
        threading.Thread(target=lambda: model.accept()[0].sendall(b"answer"), daemon=True).start()
        script = f"""
import socket
own = socket.create_server(("127.0.0.1", {port}))
own.settimeout(2); socket.create_connection(own.getsockname()); own.accept(); print("own loopback"); own.close()
try: socket.create_connection(("127.0.0.1", {port}), 2); print("reached")
except OSError: print("refused")
bound = socket.socket(socket.AF_UNIX); bound.connect("/model"); print(bound.recv(6).decode())
"""
        python = ("/usr/bin/env", "python3", "-c")
        environment = {**os.environ, "HOME": str(HOME)}
        sockets = (Bind(tmp_path / "model", Path("/model")),)
        alone = confined(environment=environment, sockets=sockets)
        done = run_confined(script, alone, argv=python)
        assert done.stdout.splitlines() == ["own loopback", "refused", "answer"], done.stderr
        reached = f"import socket; socket.create_connection(('127.0.0.1', {port}), 2); print('reached')"
        shared = confined(environment=environment, network=Network.HOST)
        assert run_confined(reached, shared, argv=python).stdout == "reached\n"


def test_processes_are_counted_for_each_program_by_itself(account: int | None) -> None:
    script = "for n in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do sleep 1 & done; echo all"
    assert run_confined(script, confined(processes=100), account=account).stdout == "all\n"
    few = run_confined(script, confined(processes=10), account=account)
    if (account or os.geteuid()) == 0:
        assert few.stdout == "all\n", "the kernel counts none of root's"
        return
    assert few.stdout == "" and "fork" in few.stderr


def test_programs_on_path_are_there_though_they_lie_in_a_home(tmp_path: Path) -> None:
    home = tmp_path / "ada"
    for place in (".venv/bin/tool", ".venv/lib/part", ".local/bin/tool", ".local/share/secret", ".ssh/id_ed25519"):
        (home / place).parent.mkdir(parents=True, exist_ok=True)
        (home / place).touch()
    (home / ".venv" / "pyvenv.cfg").write_text("home = /usr/bin\n")
    environment = {"PATH": f"{home}/.venv/bin:{home}/.local/bin:/usr/bin", "OTHER": f"{home}:/", "LATER": "/nowhere"}
    chains = Machine((), home).toolchains(environment, ())
    assert [bind.place for bind in chains] == [home / ".venv", home / ".local" / "bin"]
    assert not any(bind.writable for bind in chains)
    assert Machine([home / ".venv"], home).toolchains(environment, ()) == [seen(home / ".local" / "bin")]


def test_what_is_hidden_is_covered_where_it_lies_in_a_system_directory() -> None:
    hidden = next(path for path in sorted(Path("/usr/share").iterdir()) if path.is_dir() and any(path.iterdir()))
    done = run_confined(f"ls {hidden} | wc -l; touch {hidden}/here || ls /usr/share | wc -l", box=sandbox(hidden))
    inside, beside = map(int, done.stdout.split())
    assert inside == 0 and beside > 1


def test_the_self_test_passes_here_and_says_what_does_not_hold_without_it(tmp_path: Path) -> None:
    assert confinement_problem(sandbox(tmp_path), tmp_path) is None
    said = confinement_problem(Unconfined(), tmp_path)
    assert said is not None and "it can read our files" in said and "it has our network" in said
    assert "JOURNEYMAN_SANDBOX=off" in said
    assert not list(tmp_path.iterdir()), "the canary is gone"


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_the_filters_that_are_shipped_are_those_of_their_source(architecture: str) -> None:
    assert file_of(architecture).read_bytes() == compiled(architecture), "run python -m shared.sandbox.filters.compile"


def test_calls_that_only_an_attacker_needs_are_refused_and_others_are_not() -> None:
    script = """
import ctypes, os, subprocess, threading
libc = ctypes.CDLL(None, use_errno=True)
def call(number, *args):
    libc.syscall(number, *args); return ctypes.get_errno()
numbers = {"x86_64": (250, 321, 425, 272, 165), "aarch64": (219, 280, 425, 97, 40)}[os.uname().machine]
keyctl, bpf, io_uring, unshare, mount = numbers
print(call(keyctl, 0, -3, 0), call(bpf, 0, 0, 0), call(io_uring, 1, 0))
print(call(unshare, 0x10000000), call(mount, 0, 0, 0, 0, 0))
thread = threading.Thread(target=print, args=("thread",)); thread.start(); thread.join()
print(subprocess.run(["echo", "child"], capture_output=True, text=True).stdout.strip())
"""
    environment = {**os.environ, "HOME": str(HOME)}
    done = run_confined(script, confined(environment=environment), argv=("/usr/bin/env", "python3", "-c"))
    assert done.stdout.splitlines() == ["1 1 38", "1 1", "thread", "child"], done.stderr
