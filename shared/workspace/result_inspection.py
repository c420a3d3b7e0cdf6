"""What a result brings along: its files, what they say newly, its message, and whether it still fits its base.

All of it is read from a repository that holds the result and its base, and nothing of it runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from shared.workspace.git import ask, commit_id, failed, git, printable

MAX_DIFF_BYTES: Final = 32 << 20
"""Of added lines that are looked at; a larger result is refused for its size anyway."""


class ChangedPath(msgspec.Struct, frozen=True, kw_only=True):
    """A path that a result adds, changes or removes; ``size`` is in bytes, of what is there afterwards."""

    path: str
    size: int = 0


class Inspection(msgspec.Struct, frozen=True, kw_only=True):
    """``added`` are the lines that are new, each with the path it is in; ``message`` is the commit's."""

    paths: tuple[ChangedPath, ...]
    added: tuple[tuple[str, str], ...] = ()
    message: str = ""

    @property
    def size(self) -> int:
        """Bytes of all changed files as they are now."""
        return sum(each.size for each in self.paths)


class Signature(msgspec.Struct, frozen=True):
    """Who a commit is by, as git writes it: a name and an address, without the characters that git has in between."""

    name: str
    email: str


async def inspect(repository: Path, base: str, commit: str) -> Inspection:
    """What ``commit`` brings on top of ``base``. Raises ``GitFailed``."""
    where = f"--git-dir={repository}"
    pair = (commit_id(base), commit_id(commit))
    raw = await git(where, "diff-tree", "-r", "-z", "--no-renames", "--raw", "--no-abbrev", *pair)
    blobs: dict[str, str] = {}
    fields = raw.split("\0")
    for meta, path in zip(fields[0::2], fields[1::2], strict=False):
        mode, blob = meta.split(" ")[1], meta.split(" ")[3]
        blobs[path] = "" if set(blob) == {"0"} or mode == "160000" else blob
    sizes = await _sizes(repository, blobs)
    message = (await git(where, "cat-file", "commit", commit)).partition("\n\n")[2]
    paths = tuple(ChangedPath(path=printable(path), size=sizes.get(blob, 0)) for path, blob in blobs.items())
    return Inspection(paths=paths, added=await _added(repository, *pair), message=printable(message))


async def conflicts(repository: Path, base: str, theirs: str, ours: str) -> tuple[str, ...]:
    """The paths that both have changed since ``base`` and that git cannot merge. Raises ``GitFailed``.

    Only trees are compared, so it does not matter how much of the history is there.
    """
    where = f"--git-dir={repository}"

    async def alone(commit: str, *parents: str) -> str:
        named = [part for parent in parents for part in ("-p", parent)]
        return (await git(where, "commit-tree", f"{commit_id(commit)}^{{tree}}", *named, "-m", "x")).strip()

    root = await alone(base)
    sides = (await alone(theirs, root), await alone(ours, root))
    merged = await ask(where, "merge-tree", "--write-tree", "--name-only", "--no-messages", "-z", *sides)
    if merged.code == 0:
        return ()
    if merged.code != 1:
        raise failed(("merge-tree",), merged)
    return tuple(dict.fromkeys(printable(path) for path in merged.text.split("\0")[1:] if path))


async def signed_by(
    repository: Path, commit: str, author: Signature, message: str, *, signing_key: Path | None = None
) -> str:
    """The id of a commit with the same tree, parents and time, by ``author``, with another message.

    ``signing_key`` is the file of a private SSH key that signs it: one of Ed25519, whose signatures of one thing are
    all the same. The id is the same each time, so that the commit is found again. Raises ``GitFailed``.
    """
    where = f"--git-dir={repository}"
    head, _, _ = (await git(where, "cat-file", "commit", commit_id(commit))).partition("\n\n")
    if signing_key is not None:
        # A copy: ssh reads no key that others may read, and a container's secrets are often such files.
        own = repository / "signing-key"
        own.touch(mode=0o600)
        try:
            own.write_bytes(signing_key.read_bytes())
            return await _signed(where, head, author, message, own)
        finally:
            own.unlink()
    lines = [line for line in head.split("\n") if line.startswith(("tree ", "parent ", "author ", "committer "))]
    rewritten = [_by(line, author) if line.startswith(("author ", "committer ")) else line for line in lines]
    body = "\n".join([*rewritten, "", message.replace("\0", "").strip(), ""])
    made = await git(where, "hash-object", "-t", "commit", "-w", "--stdin", input=body.encode("utf-8", "replace"))
    return made.strip()


async def _signed(where: str, head: str, author: Signature, message: str, key: Path) -> str:
    fields = [line.partition(" ") for line in head.split("\n")]
    tree = next(value for name, _, value in fields if name == "tree")
    parents = [part for name, _, value in fields if name == "parent" for part in ("-p", value)]
    when = next(value.rpartition("> ")[2] for name, _, value in fields if name == "author")
    name, email = (part.translate(_NOT_IN_A_NAME).strip() for part in (author.name, author.email))
    who = {
        f"GIT_{role}_{what}": value
        for role in ("AUTHOR", "COMMITTER")
        for what, value in (("NAME", name), ("EMAIL", email), ("DATE", when))
    }
    config = ("-c", "gpg.format=ssh", "-c", f"user.signingKey={key}", "-c", "gpg.ssh.program=ssh-keygen")
    text = (message.replace("\0", "").strip() + "\n").encode("utf-8", "replace")
    return (await git(where, *config, "commit-tree", "-S", tree, *parents, input=text, env=who)).strip()


async def tree_by(repository: Path, commit: str, author: Signature) -> str:
    """The tree of a commit by that author, empty for somebody else's. Raises ``GitFailed``."""
    asked = ("show", "--no-patch", "--format=%T %ae", commit_id(commit))
    tree, _, email = (await git(f"--git-dir={repository}", *asked)).strip().partition(" ")
    return tree if email == author.email.translate(_NOT_IN_A_NAME).strip() else ""


def _by(line: str, author: Signature) -> str:
    """``author Old <old@x> 1700000000 +0000`` with another name and address."""
    role, _, rest = line.partition(" ")
    when = rest.rpartition("> ")[2]
    name, email = (part.translate(_NOT_IN_A_NAME).strip() for part in (author.name, author.email))
    return f"{role} {name} <{email}> {when}"


_NOT_IN_A_NAME: Final = {ord(each): None for each in "<>\n\r\0"}


async def _sizes(repository: Path, blobs: Mapping[str, str]) -> dict[str, int]:
    wanted = sorted({blob for blob in blobs.values() if blob})
    if not wanted:
        return {}
    asked = "".join(f"{blob}\n" for blob in wanted).encode()
    listed = await git(f"--git-dir={repository}", "cat-file", "--batch-check=%(objectname) %(objectsize)", input=asked)
    rows = (line.split(" ") for line in listed.splitlines())
    return {row[0]: int(row[1]) for row in rows if len(row) == 2 and row[1].isdecimal()}


async def _added(repository: Path, base: str, commit: str) -> tuple[tuple[str, str], ...]:
    """The lines that the result adds, in files of text."""
    answer = await ask(
        f"--git-dir={repository}",
        *("diff-tree", "-r", "-p", "-U0", "--no-renames", "--no-ext-diff", "--no-textconv", "--no-color"),
        *(base, commit),
        max_output=MAX_DIFF_BYTES,
        cut=True,
    )
    if answer.code != 0:
        raise failed(("diff-tree",), answer)
    found: list[tuple[str, str]] = []
    path, in_hunk = "", False
    for line in printable(answer.text).split("\n"):
        if line.startswith("diff --git "):
            in_hunk = False
        elif line.startswith("@@ "):
            in_hunk = True
        elif in_hunk and line.startswith("+"):
            found.append((path, line[1:]))
        elif not in_hunk and line.startswith("+++ "):
            path = line[4:].removeprefix("b/")
    return tuple(found)
