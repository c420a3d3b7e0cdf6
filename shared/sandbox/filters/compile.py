"""Writes the filters: ``python -m shared.sandbox.filters.compile``. Needs the development packages.

Namespaces and missing rights refuse most of this already; the filter takes away the kernel code behind it. Not refused
are ptrace, which a program in a process namespace of its own can use on its own processes only (sanitizers and
debuggers do), and what no right is needed for that programs use.
"""

from __future__ import annotations

import errno
from typing import Final

from seccompy import Action, bpf
from seccompy.syscalls import AARCH64_SYSCALLS, AUDIT_ARCH_AARCH64, AUDIT_ARCH_X86_64, X86_64_SYSCALLS

from shared.sandbox.filters import file_of

ARCHITECTURES: Final = {
    "x86_64": (AUDIT_ARCH_X86_64, X86_64_SYSCALLS),
    "aarch64": (AUDIT_ARCH_AARCH64, AARCH64_SYSCALLS),
}
FORBIDDEN: Final = (
    *("add_key", "request_key", "keyctl"),
    *("mount", "umount2", "pivot_root", "move_mount", "open_tree", "open_tree_attr", "mount_setattr"),
    *("fsopen", "fsconfig", "fsmount", "fspick", "setns", "open_by_handle_at"),
    *("bpf", "userfaultfd", "perf_event_open", "fanotify_init", "kcmp", "lookup_dcookie"),
    *("init_module", "finit_module", "delete_module", "kexec_load", "kexec_file_load"),
    *("swapon", "swapoff", "reboot", "acct", "quotactl", "quotactl_fd", "syslog", "vhangup"),
)
"""Answered with EPERM."""
UNKNOWN: Final = ("io_uring_setup", "io_uring_enter", "io_uring_register", "clone3")
"""Answered with ENOSYS: programs then use what there was before. The flags of clone3 lie where no filter can look."""
_NEW_NAMESPACES: Final = 0x7E020080
"""CLONE_NEWTIME, NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID and NEWNET (sched.h)."""
_EXIT_SIGNAL: Final = 0xFF
"""The bits of clone's flags that are a signal's number; CLONE_NEWTIME is among them, and of unshare only."""
_TYPING_FOR_OTHERS: Final = (0x5412, 0x541C)
"""ioctl TIOCSTI and TIOCLINUX: what is put into a terminal's input is read by whoever reads it next."""
_X32: Final = 0x40000000
"""Calls of the x32 ABI have this bit; they are the same calls by another number."""

_NUMBER, _ARCHITECTURE, _FIRST, _SECOND = 0, 4, 16, 24


def compiled(architecture: str) -> bytes:
    """The program, as the kernel takes it."""
    audited, numbers = ARCHITECTURES[architecture]
    program: list[bpf.Insn] = [
        bpf.Load(_ARCHITECTURE),
        bpf.Jump(bpf.BPF_JEQ, audited, None, "unknown"),
        bpf.Load(_NUMBER),
        bpf.Jump(bpf.BPF_JGEQ, _X32, "unknown", None),
        *(bpf.Jump(bpf.BPF_JEQ, numbers[name], "forbidden", None) for name in FORBIDDEN),
        *(bpf.Jump(bpf.BPF_JEQ, numbers[name], "unknown", None) for name in UNKNOWN),
        bpf.Jump(bpf.BPF_JEQ, numbers["clone"], "clone", None),
        bpf.Jump(bpf.BPF_JEQ, numbers["unshare"], "unshare", None),
        bpf.Jump(bpf.BPF_JEQ, numbers["ioctl"], "ioctl", None),
        bpf.Ret(Action.ALLOW),
    ]
    labels: dict[str, int] = {}

    def part(name: str, *instructions: bpf.Insn) -> None:
        labels[name] = len(program)
        program.extend(instructions)

    new_in_clone = _NEW_NAMESPACES & ~_EXIT_SIGNAL
    part("clone", bpf.Load(_FIRST), bpf.Jump(bpf.BPF_JSET, new_in_clone, "forbidden", "allowed"))
    part("unshare", bpf.Load(_FIRST), bpf.Jump(bpf.BPF_JSET, _NEW_NAMESPACES, "forbidden", "allowed"))
    typing = [bpf.Jump(bpf.BPF_JEQ, command, "forbidden", None) for command in _TYPING_FOR_OTHERS]
    part("ioctl", bpf.Load(_SECOND), *typing)
    part("allowed", bpf.Ret(Action.ALLOW))
    part("forbidden", bpf.Ret(Action.ERRNO | errno.EPERM))
    part("unknown", bpf.Ret(Action.ERRNO | errno.ENOSYS))
    return bpf.assemble(program, labels)


def main() -> None:
    """Write the filter of each architecture."""
    for architecture in ARCHITECTURES:
        file_of(architecture).write_bytes(compiled(architecture))


if __name__ == "__main__":
    main()
