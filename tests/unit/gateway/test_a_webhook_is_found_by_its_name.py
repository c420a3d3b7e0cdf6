from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from services.gateway.custom.registry import MAX_FILE_BYTES, Webhooks
from services.gateway.custom.sealed_secrets import SecretLost
from services.gateway.custom.sender_keys import SenderKeys
from services.gateway.problems import Problem
from shared.contracts.subjects import Actor
from shared.contracts.webhook import Created, Definition, Disabled, Scheme, SecretRotated, Verification
from shared.event_store.envelope import MessageMetadata, utc_now
from shared.event_store.in_memory import MemoryJournal
from shared.event_store.journal import Head, Journal, LogUnavailable, head_of


async def made(tmp_path: Path, secret_file: str = "") -> MemoryJournal:
    journal = MemoryJournal()
    how = Verification(scheme=Scheme.BEARER, secret_file=secret_file or str(tmp_path / "secret"))
    await journal.append(
        Actor("webhook", "builds"), Created(definition=Definition(verification=how)), expected=Head(), metadata=by("c1")
    )
    return journal


def by(id: str) -> MessageMetadata:
    return MessageMetadata(id=id, source="t", time=utc_now(), principal="user:ada", causation_id=id)


def unheard(journal: object) -> Webhooks:
    """The webhooks of a gateway that has not followed the log yet."""
    return Webhooks(cast("Journal", journal), cast("Any", None), SenderKeys())


async def test_a_webhook_that_this_gateway_has_not_heard_of_yet_is_looked_up_in_the_log(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("of the operator\n")
    journal = await made(tmp_path)
    door = await unheard(journal).door("builds", {})
    assert door is not None and door.secrets == (b"of the operator",)
    for name in ("nobody", "Builds", "a" * 500, "../x", "*", ">"):
        assert await unheard(journal).door(name, {}) is None
    (first,) = await journal.load(Actor("webhook", "builds"))
    await journal.append(Actor("webhook", "builds"), Disabled(), expected=head_of(first), metadata=by("c2"))
    with pytest.raises(Problem) as refused:
        await unheard(journal).door("builds", {})
    assert refused.value.code == "webhook-disabled"


class Sealed:
    """Secrets by their fingerprints; those of an archive are lost."""

    async def find(self, webhook: str, fingerprint: str) -> str:
        if fingerprint == "lost":
            raise SecretLost("It is not there.")
        return f"{webhook} {fingerprint}"


async def test_a_new_secret_counts_where_that_of_before_was_lost_in_a_restore() -> None:
    how = Verification(scheme=Scheme.BEARER)
    journal, hook = MemoryJournal(), Actor("webhook", "builds")
    created = Created(definition=Definition(verification=how), fingerprint="lost")
    first = await journal.append(hook, created, expected=Head(), metadata=by("c1"))
    webhooks = Webhooks(cast("Journal", journal), cast("Any", Sealed()), SenderKeys())
    with pytest.raises(Problem) as refused:
        await webhooks.door("builds", {})
    assert (refused.value.status, refused.value.code) == (401, "webhook-not-configured")
    rotated = SecretRotated(fingerprint="new", overlap_until=utc_now() + timedelta(days=1))
    second = await journal.append(hook, rotated, expected=head_of(first), metadata=by("c2"))
    door = await webhooks.door("builds", {})
    assert door is not None and door.secrets == (b"builds new",)
    rotated = SecretRotated(fingerprint="newer", overlap_until=utc_now() + timedelta(days=1))
    third = await journal.append(hook, rotated, expected=head_of(second), metadata=by("c3"))
    door = await webhooks.door("builds", {})
    assert door is not None and door.secrets == (b"builds newer", b"builds new")
    rotated = SecretRotated(fingerprint="newest", overlap_until=utc_now() - timedelta(seconds=1))
    await journal.append(hook, rotated, expected=head_of(third), metadata=by("c4"))
    door = await webhooks.door("builds", {})
    assert door is not None and door.secrets == (b"builds newest",)


async def test_while_the_log_is_away_a_sender_is_told_to_come_again() -> None:
    class Away:
        async def load(self, actor: Actor) -> None:
            raise LogUnavailable("NATS does not answer.")

    with pytest.raises(Problem) as refused:
        await unheard(Away()).door("builds", {})
    assert (refused.value.status, refused.value.code) == (503, "nats-away")


async def test_a_secret_is_read_from_a_short_file_and_from_nothing_else(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "long").write_bytes(b"x" * (MAX_FILE_BYTES + 1))
    (tmp_path / "empty").write_text("\n")
    for file, problem in (
        ("/dev/zero", "cannot be read"),
        (str(tmp_path / "pipe"), "cannot be read"),
        (str(tmp_path), "cannot be read"),
        (str(tmp_path / "missing"), "cannot be read"),
        (str(tmp_path / "long"), "too long"),
        (str(tmp_path / "empty"), "empty"),
    ):
        with pytest.raises(Problem) as refused:
            await unheard(await made(tmp_path, file)).door("builds", {})
        assert (refused.value.status, refused.value.code) == (401, "webhook-not-configured")
        assert problem in refused.value.detail and file not in refused.value.detail
