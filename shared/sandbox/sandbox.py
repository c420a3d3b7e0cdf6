"""The door: how a program that is not ours is started, with the sandbox and without."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, Protocol

import msgspec

from shared.sandbox.confinement import HOME, TEMP, Bind, Confinement, Network
from shared.sandbox.filters import own_filter
from shared.sandbox.machine import Machine

_NAMESPACES: Final = (
    *("--unshare-user", "--uid", "1000", "--gid", "1000", "--disable-userns"),
    *("--unshare-pid", "--unshare-ipc", "--unshare-uts", "--hostname", "localhost", "--unshare-cgroup-try"),
    *("--cap-drop", "ALL", "--new-session", "--die-with-parent"),
)
# dash knows -p, others -u. No core: it would lie in the checkout, with what the program had in memory.
_LIMITED: Final = 'ulimit -c 0; { ulimit -u "$0" || ulimit -p "$0"; } 2>/dev/null; exec "$@"'


_KERNEL: Final = "/proc"
_SETTINGS: Final = ("sys", "sysrq-trigger", "irq", "bus", "fs", "acpi", "scsi", "driver", "dynamic_debug", "mtrr")
_TELLING: Final = ("kcore", "kmsg", "keys", "timer_list", "sched_debug", "latency_stats")


class Command(msgspec.Struct, frozen=True):
    """What is to be started: the program, its whole environment, where, and the descriptors that it inherits."""

    argv: tuple[str, ...]
    environment: dict[str, str]
    cwd: Path
    descriptors: tuple[int, ...] = ()
    status: int | None = None

    def was_begun(self) -> bool:
        """Asked after its end: whether the program itself has run, or the sandbox could not be made for it."""
        if self.status is None:
            return True
        os.lseek(self.status, 0, os.SEEK_SET)
        return b'"exit-code"' in os.read(self.status, 4096)


class Sandbox(Protocol):
    """Makes commands of confinements."""

    @property
    def is_on(self) -> bool:
        """Whether programs are confined: only then a `Bind` has its own place."""
        ...

    def command(self, argv: Sequence[str], confinement: Confinement) -> contextlib.AbstractContextManager[Command]:
        """What starts the program. Its descriptors are open as long as the context is: at least until it is started."""
        ...


class Confined:
    """Programs run in namespaces of their own, made by bwrap.

    bwrap, outside, has the exit code of the program, 128 + n after signal n. Inside, process 1 is bwrap's too and the
    program is process 2; when either of them ends, everything inside does.
    """

    is_on: Final = True

    def __init__(self, bwrap: Path, machine: Machine, *, overlays: bool = False) -> None:
        self._bwrap = bwrap
        self._machine = machine
        self._overlays = overlays
        self._filter = own_filter()

    @contextlib.contextmanager
    def command(self, argv: Sequence[str], confinement: Confinement) -> Iterator[Command]:
        """Raises OSError."""
        with contextlib.ExitStack() as opened:
            options, status = os.memfd_create("sandbox"), os.memfd_create("sandbox-status")
            descriptors = [options, status]
            for descriptor in descriptors:
                opened.callback(os.close, descriptor)
            arguments = [*self._arguments(confinement), "--json-status-fd", str(status)]
            if self._filter is not None:
                descriptors.append(os.open(self._filter, os.O_RDONLY | os.O_CLOEXEC))
                opened.callback(os.close, descriptors[-1])
                arguments += ["--seccomp", str(descriptors[-1])]
            # By a descriptor: what is given on the command line, the program could read.
            with open(options, "wb", closefd=False) as file:
                file.write(b"".join(os.fsencode(each) + b"\0" for each in arguments))
            os.lseek(options, 0, os.SEEK_SET)
            limited = ("/bin/sh", "-c", _LIMITED, str(confinement.processes), *argv)
            yield Command(
                (str(self._bwrap), "--args", str(options), "--", *limited),
                dict(confinement.environment),
                Path("/"),
                tuple(descriptors),
                status,
            )

    def _arguments(self, confinement: Confinement) -> Iterator[str]:
        yield from _NAMESPACES
        binds = (*confinement.binds, *confinement.sockets)
        given = [HOME, *(bind.place for bind in binds)]
        toolchains = self._machine.toolchains(confinement.environment, given)
        if confinement.network is Network.NONE:
            yield "--unshare-net"
        elif (resolver := self._machine.resolver()) is not None:
            toolchains.append(resolver)
        yield from self._machine.base()
        yield from ("--proc", _KERNEL, *_kernel_closed(), "--dev", "/dev", "--dir", "/run")
        for place in (str(TEMP), "/var/tmp"):
            yield from ("--tmpfs", place) if confinement.temp is None else ("--bind", str(confinement.temp), place)
        yield from ("--dir", str(HOME))
        for bind in (*toolchains, *binds):
            yield from self._bound(bind)
        yield from self._machine.closing()
        yield from ("--chdir", str(confinement.cwd))

    def _bound(self, bind: Bind) -> tuple[str, ...]:
        source, place = str(bind.source), str(bind.place)
        if bind.discarded is None or not self._overlays:
            return ("--bind" if bind.writable else "--ro-bind", source, place)
        written, work = bind.discarded / "written", bind.discarded / "work"
        for folder in (written, work):
            folder.mkdir(parents=True, exist_ok=True)
        return ("--overlay-src", source, "--overlay", str(written), str(work), place)


def _kernel_closed() -> Iterator[str]:
    """Settings of the kernel are for reading, and what tells of it is not there.

    A program without rights is still root's own process to them where the service runs as root, and bwrap covers only
    folders that look writable themselves: it could set ``core_pattern``, and so run anything outside.
    """
    kernel = Path(_KERNEL)
    for path in (kernel / name for name in _SETTINGS):
        if path.exists():
            yield from ("--ro-bind", str(path), str(path))
    for path in (kernel / name for name in _TELLING):
        if path.exists():
            yield from ("--ro-bind", "/dev/null", str(path))


class Unconfined:
    """Programs run as the service's own account and see what it sees: `JOURNEYMAN_SANDBOX=off`."""

    is_on: Final = False

    @contextlib.contextmanager
    def command(self, argv: Sequence[str], confinement: Confinement) -> Iterator[Command]:
        """Only the environment and the working directory are taken from the confinement."""
        yield Command(tuple(argv), dict(confinement.environment), confinement.cwd)
