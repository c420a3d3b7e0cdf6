"""The one way this project calls git: hermetic, bounded, without a shell.

A repository can make git run programs through its configuration (hooks, monitors, filters, helpers). Our calls meet
repositories that agents and strangers wrote to, so each call

* names its git directory (``GIT_DIR``) instead of discovering one from files an agent can replace;
* takes nothing from the machine's or the user's configuration, and no ``GIT_*`` variable of our own environment;
* overrides on the command line every fixed key that can run a program (``OVERRIDES``, ``ENVIRONMENT``).

Keys with a free name (``filter.<name>.clean``, ``diff.<name>.command``, ``merge.<name>.driver``, ``remote.<name>.vcs``,
``submodule.<name>.update``, ``include.path``) cannot be overridden one by one. That is why the mirror's
configuration is written by us alone and agents get a repository of their own (see ``worktree.py``).
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import msgspec

DEFAULT_TIMEOUT: Final = 300.0
"""Seconds one git call may take."""
MAX_OUTPUT: Final = 64 * 1024 * 1024
"""Bytes one git call may print before it is ended."""
STDERR_TAIL: Final = 2_000
"""Characters of git's own words kept in an error."""

OVERRIDES: Final[Mapping[str, str]] = {
    # Run a program: switched off.
    "core.hooksPath": "/dev/null",  # every hook
    "core.fsmonitor": "false",  # a program asked at each look at the worktree
    "core.alternateRefsCommand": "true",  # asked on fetch; `true` lists nothing
    "core.askPass": "",  # password prompt program
    "credential.helper": "",  # the empty value clears the list
    "gc.recentObjectsHook": "",  # asked when unreachable objects are pruned
    "commit.gpgSign": "false",  # signing runs gpg.program
    "tag.gpgSign": "false",
    "push.gpgSign": "false",
    "maintenance.auto": "false",  # background processes that outlive the call
    "gc.auto": "0",
    "protocol.ext.allow": "never",  # `ext::<command>` addresses
    # Go into a submodule, whose own configuration may run programs: never.
    "submodule.recurse": "false",
    "fetch.recurseSubmodules": "false",
    "push.recurseSubmodules": "no",
    "diff.ignoreSubmodules": "all",
    # Would make results depend on the machine.
    "core.excludesFile": "/dev/null",  # its default is a file in the home directory
    "core.attributesFile": "/dev/null",  # likewise
    "core.autocrlf": "false",
    "core.safecrlf": "false",
    "core.quotePath": "false",
    "advice.addEmbeddedRepo": "false",
    # Repositories mounted into a container belong to another user; git would refuse them.
    "safe.directory": "*",
}

ENVIRONMENT: Final[Mapping[str, str]] = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ALLOW_PROTOCOL": "file:https:http:ssh",  # no remote helpers of any other name
    "GIT_SSH_COMMAND": "ssh -oBatchMode=yes",  # wins over core.sshCommand
    "GIT_PAGER": "cat",  # wins over core.pager
    "GIT_EDITOR": "true",  # wins over core.editor
    "GIT_TEMPLATE_DIR": "",  # new repositories get no template hooks
    "GIT_NO_REPLACE_OBJECTS": "1",  # refs/replace cannot swap one commit for another
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_AUTHOR_NAME": "Journeyman",
    "GIT_AUTHOR_EMAIL": "journeyman@localhost",
    "GIT_COMMITTER_NAME": "Journeyman",
    "GIT_COMMITTER_EMAIL": "journeyman@localhost",
    "LC_ALL": "C",
}

INHERITED: Final = (
    "PATH",
    "HOME",  # ssh keys and known hosts
    "TMPDIR",
    "SSH_AUTH_SOCK",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "HTTPS_PROXY",
    "https_proxy",
    "HTTP_PROXY",
    "http_proxy",
    "NO_PROXY",
    "no_proxy",
)

LOCAL_SERVICE: Final = "git -c safe.directory='*'"
"""How git is started at the other end of a local path: the far process takes no ``-c`` of ours."""

_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_USERINFO = re.compile(r"(?<=://)[^/@\s]+@")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


class GitFailed(Exception):
    """Git could not do it: one sentence for a person, and the end of git's own words in ``detail``."""

    def __init__(self, sentence: str, detail: str = "") -> None:
        super().__init__(sentence)
        self.detail = detail


class Answer(msgspec.Struct, frozen=True):
    """What a finished git process left: exit code, stdout bytes, stderr tail, and whether stdout was cut."""

    code: int
    out: bytes
    err: str
    cut: bool = False

    @property
    def text(self) -> str:
        """Stdout as text; bytes that are not UTF-8 survive a round trip through ``os.fsencode``."""
        return self.out.decode("utf-8", "surrogateescape")


async def git(
    *args: str,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    input: bytes | int | None = None,
    check: bool = True,
    timeout: float = DEFAULT_TIMEOUT,
) -> str:
    """Run one git command and return its stdout; raises ``GitFailed`` unless ``check`` is false.

    ``input`` is what the command reads: bytes, or an open file descriptor read from where it stands.
    """
    answer = await ask(*args, cwd=cwd, env=env, input=input, timeout=timeout)
    if check and answer.code != 0:
        raise failed(args, answer)
    return answer.text


async def ask(
    *args: str,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    input: bytes | int | None = None,
    timeout: float = DEFAULT_TIMEOUT,
    max_output: int = MAX_OUTPUT,
    cut: bool = False,
) -> Answer:
    """Run one git command to its end, whatever the exit code.

    Raises ``GitFailed`` when it takes longer than ``timeout`` seconds or prints more than ``max_output`` bytes;
    with ``cut`` the output is cut there instead.
    """

    def end() -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)

    overrides = [part for key, value in OVERRIDES.items() for part in ("-c", f"{key}={value}")]
    inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
    process = await asyncio.create_subprocess_exec(
        "git",
        *overrides,
        *args,
        cwd=cwd or "/",
        env={**inherited, **ENVIRONMENT, **(env or {})},
        stdin=_stdin(input),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,  # so that its helpers can be ended with it
    )
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        async with asyncio.timeout(timeout):
            (out, whole), err, _ = await asyncio.gather(
                _read(process.stdout, max_output, end),
                _read_tail(process.stderr),
                _feed(process, input),
            )
            await process.wait()
    except TimeoutError:
        raise GitFailed(f"git {_name(args)} took longer than {timeout:g} s and was ended.") from None
    finally:
        if process.returncode is None:
            end()
        code = await process.wait()
    if not whole:
        if not cut:
            raise GitFailed(f"git {_name(args)} printed more than {max_output} bytes and was ended.")
        return Answer(0, out, err, cut=True)
    return Answer(code, out, err)


def failed(args: tuple[str, ...], answer: Answer, sentence: str | None = None) -> GitFailed:
    """The exception for an answer with a bad exit code; credentials in addresses are taken out."""
    detail = clean(answer.err)
    reason = next((line for line in detail.splitlines() if line.startswith(("fatal:", "error:", " ! "))), detail)
    plain = sentence or f"git {_name(args)} failed (exit code {answer.code})"
    return GitFailed(" ".join(f"{plain}: {reason.strip() or 'no reason given'}".split()), detail)


def clean(text: str) -> str:
    """Git's words without passwords in addresses and without control characters, at most ``STDERR_TAIL`` long."""
    return _CONTROL.sub(" ", _USERINFO.sub("", text)).strip()[-STDERR_TAIL:]


def printable(path: str) -> str:
    """A file name or diff as valid Unicode; bytes that are not UTF-8 become ``\\xNN``."""
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def commit_id(text: str) -> str:
    """``text`` if it is a full object id in lower-case hex, else ``ValueError``: what is checked can be no option."""
    if not _COMMIT.fullmatch(text):
        raise ValueError(f"{text!r} is not a full commit id.")
    return text


async def ref_name(text: str, under: str = "refs/") -> str:
    """``text`` if git accepts it as a ref below ``under``, else ``ValueError``."""
    if text.startswith(under) and "\0" not in text:
        with contextlib.suppress(GitFailed, UnicodeEncodeError):
            await git("check-ref-format", text)
            return text
    raise ValueError(f"{text!r} is not a ref name below {under}.")


def _name(args: tuple[str, ...]) -> str:
    """The subcommand, without the global options before it."""
    words = iter(args)
    for word in words:
        if word == "-c":
            next(words, None)
        elif not word.startswith("-"):
            return word
    return ""


def _stdin(input: bytes | int | None) -> int:
    match input:
        case int():
            return input
        case bytes():
            return asyncio.subprocess.PIPE
        case None:
            return asyncio.subprocess.DEVNULL


async def _read(stream: asyncio.StreamReader, limit: int, end: Callable[[], None]) -> tuple[bytes, bool]:
    """Everything and True; or the first ``limit`` bytes and False, after calling ``end``."""
    parts: list[bytes] = []
    size = 0
    while part := await stream.read(65_536):
        parts.append(part)
        size += len(part)
        if size > limit:
            end()
            return b"".join(parts)[:limit], False
    return b"".join(parts), True


async def _read_tail(stream: asyncio.StreamReader) -> str:
    tail = b""
    while part := await stream.read(65_536):
        tail = (tail + part)[-2 * STDERR_TAIL :]
    return tail.decode("utf-8", "replace")


async def _feed(process: asyncio.subprocess.Process, input: bytes | int | None) -> None:
    if process.stdin is None or not isinstance(input, bytes):
        return
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # git left early: its exit code says why
        process.stdin.write(input)
        await process.stdin.drain()
    process.stdin.close()
