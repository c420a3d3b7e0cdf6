"""The CLI's own record of a session as one blob, so that another machine can resume it."""

from __future__ import annotations

import gzip
import io
import re
import tarfile
from pathlib import Path, PurePosixPath

from shared.ops.files import write_atomically

MAX_UNPACKED_BYTES = 256 * 1024 * 1024
MAX_FILES = 1000
_SESSION_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


class SessionUnusable(Exception):
    """A packed session that cannot be restored; the message says why in one line."""


def session_file(config_dir: Path, session_id: str) -> Path | None:
    """The session's transcript, or None when this machine has none: then start with the id instead of resuming."""
    _check(session_id)
    return next(iter(sorted(config_dir.glob(f"projects/*/{session_id}.jsonl"))), None)


def session_folder(config_dir: Path, cwd: Path) -> Path:
    """Where the CLI keeps the sessions of a working directory."""
    return config_dir / "projects" / re.sub(r"[^A-Za-z0-9]", "-", str(cwd))


def pack_session(config_dir: Path, session_id: str) -> bytes:
    """The transcript and what lies beside it (subagents, tool results), gzipped; the same bytes for the same files.

    May be taken while the CLI writes: a line that is not finished yet is left out. Raises FileNotFoundError when there
    is no such session here, `SessionUnusable` when it is over the limits.
    """
    transcript = session_file(config_dir, session_id)
    if transcript is None:
        raise FileNotFoundError(f"No session {session_id} in {config_dir}.")
    folder = transcript.parent
    files = [transcript, *sorted(path for path in (folder / session_id).rglob("*") if path.is_file())]
    contents = [(path.relative_to(folder).as_posix(), _whole_lines(path)) for path in files if not path.is_symlink()]
    _check_size(len(contents), sum(len(data) for _, data in contents))
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", mtime=0) as zipped, tarfile.open(fileobj=zipped, mode="w") as archive:
        for name, data in contents:
            member = tarfile.TarInfo(name)
            member.size = len(data)
            member.mode = 0o600
            archive.addfile(member, io.BytesIO(data))
    return packed.getvalue()


def restore_session(config_dir: Path, cwd: Path, data: bytes) -> str:
    """Puts a packed session where ``--resume`` finds it; returns its id. ``cwd`` is where the CLI will run.

    Replaces an older copy. Raises `SessionUnusable` for a damaged or hostile archive, before anything is written.
    """
    members = _read(data)
    session_id = members[0][0].removesuffix(".jsonl")
    folder = session_folder(config_dir, cwd)
    for name, content in members:
        file = folder / name
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_atomically(file, content, mode=0o600)
    return session_id


def _read(data: bytes) -> list[tuple[str, bytes]]:
    members: list[tuple[str, bytes]] = []
    total = 0
    try:
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:gz") as archive:
            for member in archive:
                total += member.size
                _check_size(len(members) + 1, total)
                content = archive.extractfile(member) if member.isreg() else None
                if content is None:
                    raise SessionUnusable(f"The packed session holds {member.name!r}, which is no plain file.")
                members.append((member.name, content.read()))
    except (tarfile.TarError, EOFError, OSError) as error:
        raise SessionUnusable(f"The packed session is damaged: {error}.") from None
    if not members or not _SESSION_ID.fullmatch(members[0][0].removesuffix(".jsonl")):
        raise SessionUnusable("The packed session does not begin with a transcript.")
    session_id = members[0][0].removesuffix(".jsonl")
    for name, _ in members[1:]:
        parts = PurePosixPath(name).parts
        if parts[0] != session_id or len(parts) < 2 or ".." in parts:
            raise SessionUnusable(f"The packed session holds {name!r}, which does not belong to it.")
    return members


def _whole_lines(path: Path) -> bytes:
    data = path.read_bytes()
    return data[: data.rfind(b"\n") + 1] if path.suffix == ".jsonl" else data


def _check(session_id: str) -> None:
    if not _SESSION_ID.fullmatch(session_id):
        raise ValueError(f"A session id is a UUID in lower case, not {session_id!r}.")


def _check_size(files: int, size: int) -> None:
    if files > MAX_FILES or size > MAX_UNPACKED_BYTES:
        raise SessionUnusable(f"The session has over {MAX_FILES} files or {MAX_UNPACKED_BYTES} bytes.")
