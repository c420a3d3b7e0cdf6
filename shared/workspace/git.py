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
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import msgspec

from shared.ops.uninterrupted import uninterrupted
from shared.ops.visible import visible
from shared.workspace.child import Child
from shared.workspace.pipes import Head, Tail, listen
from shared.workspace.remote_access import ANONYMOUS, RemoteAccess

DEFAULT_TIMEOUT: Final = 300.0
"""Seconds one git call may take."""
MAX_OUTPUT: Final = 64 * 1024 * 1024
"""Bytes one git call may print before it is ended."""
END_GRACE: Final = 2.0
"""Seconds to wait for the rest of the output once git itself is gone, and for a git that was asked to go."""
STDERR_TAIL: Final = 2_000
"""Characters of git's own words kept in an error."""
REMOTE_WORDS: Final = 1_000
"""Characters of what the server at the other end says, in the sentence of an error."""

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
    "HOME",  # the account's ssh keys, known hosts and .netrc, where no credentials of ours are given
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

_OVERRIDING: Final = tuple(part for key, value in OVERRIDES.items() for part in ("-c", f"{key}={value}"))

LOCAL_SERVICE: Final = "git -c safe.directory='*'"
"""How git is started at the other end of a local path: the far process takes no ``-c`` of ours."""

_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_PLAIN_REF = re.compile(r"refs(?:/[A-Za-z0-9][A-Za-z0-9_-]*)+")
"""Refs that git accepts for sure, so that it need not be asked. Source: git-check-ref-format(1)."""
_SSH_FAILED = "Could not read from remote repository"
_SSH_ADVICE = ("Please make sure you have", "and the repository exists")
"""What git adds to whatever ssh has said, on two lines."""
_USERINFO = re.compile(r"(?<=://)[^/@\s]+@")
_REMOTE = re.compile(r"^remote:[ \t]*(.*)$", re.MULTILINE)


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
    output: int | None = None,
    check: bool = True,
    timeout: float = DEFAULT_TIMEOUT,
    access: RemoteAccess = ANONYMOUS,
) -> str:
    """Run one git command and return its stdout; raises ``GitFailed`` unless ``check`` is false.

    ``input`` is what the command reads: bytes, or an open file descriptor read from where it stands. ``output`` is an
    open file that takes the stdout instead. ``access`` is for the remote repository that the command speaks with.
    """
    answer = await ask(*args, cwd=cwd, env=env, input=input, output=output, timeout=timeout, access=access)
    if check and answer.code != 0:
        raise failed(args, answer)
    return answer.text


async def ask(
    *args: str,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    input: bytes | int | None = None,
    output: int | None = None,
    timeout: float = DEFAULT_TIMEOUT,
    max_output: int = MAX_OUTPUT,
    cut: bool = False,
    access: RemoteAccess = ANONYMOUS,
) -> Answer:
    """Run one git command to its end, whatever the exit code.

    Raises ``GitFailed`` when it takes longer than ``timeout`` seconds or prints more than ``max_output`` bytes;
    with ``cut`` the output is cut there instead. No secret of ``access`` is in the answer's ``err``.
    """
    inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
    child: Child | None = None

    def end() -> None:
        if child is not None and child.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)

    out, err = Head(max_output, end), Tail(2 * STDERR_TAIL)
    with listen(out.take) as stdout, listen(err.take) as stderr:
        with _reading(input) as stdin, access.given() as (options, descriptors):
            child = Child.begin(
                "git",
                *_OVERRIDING,
                *options,
                *args,
                cwd=cwd or "/",
                env={**inherited, **ENVIRONMENT, **access.env, **(env or {})},
                stdin=stdin,
                stdout=stdout.writable if output is None else output,
                stderr=stderr.writable,
                more=descriptors,
            )
        stdout.given()
        stderr.given()
        try:
            async with asyncio.timeout(timeout):
                code = await child.wait()
        except TimeoutError:
            raise GitFailed(f"git {_name(args)} took longer than {timeout:g} s and was ended.") from None
        finally:
            if child.returncode is None:
                await uninterrupted(_end(child))
        for pipe in (stdout, stderr):  # what is still on its way; a helper that stays behind does not hold us up
            await pipe.ended(within=END_GRACE)
    if out.cut and not cut:
        raise GitFailed(f"git {_name(args)} printed more than {max_output} bytes and was ended.")
    said = err.data.decode("utf-8", "replace")
    if len(err.data) >= 2 * STDERR_TAIL:  # what was cut away may have been the beginning of a secret
        said = said[access.longest_secret :]
    return Answer(0 if out.cut else code, out.data, access.scrub(said), cut=out.cut)


async def _end(child: Child) -> None:
    """Have a git that still runs take its lock files along, which SIGKILL would leave in the mirror for ever."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        if child.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, number)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(END_GRACE):
                    await child.wait()
    await child.wait()


def failed(args: tuple[str, ...], answer: Answer, sentence: str | None = None) -> GitFailed:
    """The exception for an answer with a bad exit code; credentials in addresses are taken out.

    The sentence ends with what the server at the other end says: there, and nowhere else, a rule is named that refused
    a push (a hook's words, GitHub's GH006 and GH013).
    """
    detail = clean(answer.err)
    ours = [line for line in detail.splitlines() if not line.startswith("remote:")]
    # Above that line of git, ssh and the server have said why.
    why = [line for line in ours if line.startswith(("fatal:", "error:", " ! ")) and _SSH_FAILED not in line]
    told = [line for line in ours if line.strip() and not line.startswith(_SSH_ADVICE)]
    reason = why[0] if why else " ".join([line for line in told if _SSH_FAILED not in line] or told)
    plain = sentence or f"git {_name(args)} failed (exit code {answer.code})"
    whole = " ".join(f"{plain}: {reason.strip() or 'no reason given'}".split())
    words = remote_words(answer.err)
    return GitFailed(f"{whole}. The server says: {words}" if words else whole, detail)


def remote_words(text: str) -> str:
    """What the server says in git's ``remote:`` lines, as one line of at most ``REMOTE_WORDS`` characters."""
    lines = (" ".join(line.split()) for line in _REMOTE.findall(_legible(text)))
    words = " / ".join(line for line in lines if line)
    return words if len(words) <= REMOTE_WORDS else f"{words[: REMOTE_WORDS - 1]}…"


def clean(text: str) -> str:
    """The last ``STDERR_TAIL`` of git's words, without passwords in addresses and with marks for what is invisible."""
    return _legible(text)[-STDERR_TAIL:]


def _legible(text: str) -> str:
    # Git ends a line of progress with a carriage return, and pads each line of a server with spaces.
    lines = (line.rstrip() for line in _USERINFO.sub("", text).replace("\r", "\n").split("\n"))
    return visible("\n".join(lines)).strip()


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
    if text.startswith(under) and _PLAIN_REF.fullmatch(text):
        return text
    if text.startswith(under) and "\0" not in text:
        with contextlib.suppress(GitFailed, UnicodeEncodeError):
            await git("check-ref-format", text)
            return text
    raise ValueError(f"{text!r} is not a ref name below {under}.")


def make_bare(directory: Path) -> None:
    """An empty bare repository as `git init` makes one, without a process. Source: gitrepository-layout(5)."""
    for below in ("objects/info", "objects/pack", "refs/heads", "refs/tags"):
        (directory / below).mkdir(parents=True)
    (directory / "HEAD").write_text("ref: refs/heads/main\n")
    (directory / "config").write_text("[core]\n\trepositoryformatversion = 0\n\tbare = true\n")


def _name(args: tuple[str, ...]) -> str:
    """The subcommand, without the global options before it."""
    words = iter(args)
    for word in words:
        if word == "-c":
            next(words, None)
        elif not word.startswith("-"):
            return word
    return ""


@contextlib.contextmanager
def _reading(input: bytes | int | None) -> Iterator[int]:
    """What a process reads, as a file descriptor; bytes through memory, which never blocks us."""
    match input:
        case int():
            yield input
        case bytes():
            with os.fdopen(os.memfd_create("git-input"), "wb") as file:
                file.write(input)
                file.seek(0)
                yield file.fileno()
        case None:
            yield subprocess.DEVNULL
