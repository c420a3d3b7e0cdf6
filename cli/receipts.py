"""A receipt of a result, from a file or a pull request's page, held against the log or an archive of it."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from cli.failures import Failure
from shared.backup.archive import Archive, ArchiveRefused, Part
from shared.event_store.envelope import BadEnvelope, RecordedEvent, decode_event
from shared.event_store.receipt import BadReceipt, Receipt, read_receipt

MAX_BYTES: Final = 1 << 20
TIMEOUT_S: Final = 20.0
_PULL: Final = re.compile(r"https://(?P<host>[^/]+)/(?P<repo>[^/]+/[^/]+)/pull/(?P<number>\d+)(?:[/?#].*)?")


def receipt_at(source: str) -> Receipt:
    """The receipt in a file (``-`` is standard input), or at the address of a pull request or a text.

    Raises `Failure`.
    """
    text = _fetched(source) if "://" in source else _read(source)
    try:
        return read_receipt(text)
    except BadReceipt as error:
        raise Failure(
            f"{source}: {error} Give the text of the pull request, such as what `gh pr view 12 --json body --jq .body` "
            "prints."
        ) from error


def archived_events(directory: Path, task: str) -> Iterator[RecordedEvent]:
    """The events of a task and of what belongs to it in an archive, each checked; raises `Failure`."""
    if not (directory / "manifest.json").is_file():
        raise Failure(f"{directory} is no archive: name the directory that `journeyman archive` writes to.")
    try:
        archive = Archive(directory)
        archive.check()
        for each in archive.all(Part.EVENTS):
            if each.subject.split(".")[2:3] == [task]:
                yield decode_event(each.subject, each.body, each.position)
    except (ArchiveRefused, BadEnvelope) as error:
        raise Failure(str(error)) from error


def _read(source: str) -> str:
    try:
        if source == "-":
            return sys.stdin.read(MAX_BYTES)
        with Path(source).open(encoding="utf-8") as file:
            return file.read(MAX_BYTES)
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "no text"
        raise Failure(f"{source} cannot be read ({reason}): name a file with the text of the pull request.") from error


def _fetched(address: str) -> str:
    import httpx

    found = _PULL.fullmatch(address)
    if found is not None:
        from services.gateway.github.site import api_of

        address = f"{api_of(found['host'])}/repos/{found['repo']}/pulls/{found['number']}"
    if not address.startswith(("https://", "http://")):
        raise Failure(f"{address} is no address that can be read: give a file, or one that begins with https://.")
    try:
        with httpx.stream("GET", address, timeout=TIMEOUT_S, follow_redirects=True) as answer:
            answer.raise_for_status()
            content = b""
            for chunk in answer.iter_bytes():
                content += chunk
                if len(content) > MAX_BYTES:
                    raise Failure(f"{address} has more than {MAX_BYTES:,} bytes: save the text into a file.")
        return _body_of(content) if found is not None else content.decode("utf-8", "replace")
    except httpx.HTTPError as error:
        raise Failure(
            f"{address} cannot be read ({error}): save the text of the pull request into a file, and give that."
        ) from error


def _body_of(content: bytes) -> str:
    import msgspec

    class Pull(msgspec.Struct):
        body: str | None = None

    try:
        return msgspec.json.decode(content, type=Pull).body or ""
    except msgspec.MsgspecError as error:
        raise Failure(f"The pull request's page cannot be read ({error}): save its text into a file.") from error
