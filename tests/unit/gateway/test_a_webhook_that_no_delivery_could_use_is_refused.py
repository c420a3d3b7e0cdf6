"""Who saves a webhook is told what is wrong with it, because its senders could do nothing about that."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import pytest

from services.gateway.custom.commands import WebhookCommands
from services.gateway.custom.registry import Webhooks
from services.gateway.custom.sender_keys import SenderKeys
from shared.contracts.decider import Rejected
from shared.contracts.webhook import Definition, Scheme, Verification
from shared.ops.config import Config, Repo

CONFIG = Config(repos={"octo/app": Repo(url="https://git.test/app.git")})


async def resolved(host: str, port: int) -> Sequence[str]:
    if host == "away.test":
        raise OSError("no name server answers")
    return ["169.254.169.254"] if host == "inside.test" else ["203.0.114.9"]


async def refused(tmp_path: Path, definition: Definition) -> str:
    """Why it is not saved; empty where it gets as far as being sealed."""
    (tmp_path / "agents" / "backend").mkdir(parents=True)
    webhooks = Webhooks(cast(Any, None), cast(Any, None), SenderKeys(resolve=resolved))
    commands = WebhookCommands(
        cast(Any, None),
        webhooks,
        cast(Any, None),
        loopback_only=True,
        agents=tmp_path / "agents",
        config=lambda: CONFIG,
    )
    try:
        await commands.create("deploys", definition, secret="", principal="user:ada")
    except Rejected as error:
        return error.sentence
    except AttributeError:  # nothing is there that it could be written to
        return ""
    raise AssertionError


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("https://inside.test/keys", "JOURNEYMAN_JWKS_HOSTS"),
        ("http://keys.test/keys", "over https://"),
        ("https://away.test/keys", ""),
        ("https://keys.test/keys", ""),
    ],
)
async def test_keys_at_an_address_that_is_never_asked(tmp_path: Path, url: str, said: str) -> None:
    told = await refused(tmp_path, Definition(verification=Verification(scheme=Scheme.JWT, jwks_url=url)))
    assert said in told and bool(told) is bool(said)


@pytest.mark.parametrize(
    ("content", "is_refused"), [(None, True), (b"", True), (b"x" * 5000, True), (b"s3cret", False)]
)
async def test_a_file_without_a_secret(tmp_path: Path, content: bytes | None, is_refused: bool) -> None:
    file = tmp_path / "secret"
    if content is not None:
        file.write_bytes(content)
    how = Verification(scheme=Scheme.BEARER, secret_file=str(file))
    assert bool(await refused(tmp_path, Definition(verification=how))) is is_refused


async def test_what_can_go_on_for_ever_is_no_file_with_a_secret(tmp_path: Path) -> None:
    how = Verification(scheme=Scheme.BEARER, secret_file="/dev/zero")
    assert "can read no secret in /dev/zero" in await refused(tmp_path, Definition(verification=how))


async def test_a_repository_or_an_agent_that_is_not_there_and_what_there_is(tmp_path: Path) -> None:
    how = Verification(scheme=Scheme.NONE)
    assert "name one of octo/app" in await refused(tmp_path, Definition(verification=how, repo="nope/none"))
    assert "name one of backend" in await refused(tmp_path / "2", Definition(verification=how, agent="nobody"))
    assert await refused(tmp_path / "3", Definition(verification=how, repo="Octo/App", agent="backend")) == ""
