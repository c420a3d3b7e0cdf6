"""A NATS that somebody else runs is reached with creds, nkeys and TLS, and says in a sentence what it does not give."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec
import pytest
from pydantic import SecretStr

from cli.connection import connect
from shared.nats.bus import Bus, NatsMisconfigured
from shared.nats.login import NO_LOGIN, Login
from shared.nats.raw_connection import connect_raw
from shared.nats.requirements import Weight, durability, require, unmet
from shared.nats.stream_use import stream_use
from shared.nats.streams import MAX_CONSUMERS, StreamLimits, check_guards, provision, stream_bytes
from shared.ops.timings import NatsTimings
from testing.nats import server_with
from testing.nats_logins import Authority, Key, operator_mode, user_key
from testing.stream_limits import SMALL

PASSWORD: Final = SecretStr("s3cret-canary")
HASTY_S: Final = 0.3
"""Where a refusal is expected; where none has come by then, `connect` waits on."""


class Server(msgspec.Struct, frozen=True):
    """One with TLS and four accounts: with room, with too little, without JetStream, and one that may not use it."""

    folder: Path
    port: int
    monitor: str
    ca: Path
    nkey: Path

    def login(self, user: str = "", **more: Path | None) -> Login:
        return Login(user=user, password=PASSWORD if user else SecretStr(""), ca=self.ca, **more)

    @property
    def tls(self) -> str:
        return f"tls://127.0.0.1:{self.port}"


def test_the_account_on_the_page_about_external_nats_has_room_for_all_streams() -> None:
    page = (Path(__file__).parents[2] / "docs" / "external-nats.md").read_text()
    streams, consumers = map(int, re.findall(r"max_streams: (\d+), max_consumers: (\d+)", page)[0])
    assert streams >= len(stream_bytes(SMALL)) and consumers >= MAX_CONSUMERS
    assert f"| {len(stream_bytes(SMALL))} streams, up to {MAX_CONSUMERS} consumers each" in page


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("somebody")
    authority = Authority(folder / "authority")
    cert, key = authority.signs("nats")
    user = user_key()
    (folder / "user.nk").write_text(f"{user.seed}\n")
    secret = PASSWORD.get_secret_value()
    accounts = f"""
tls {{ cert_file: "{cert}", key_file: "{key}" }}
accounts {{
  ROOM: {{ jetstream: enabled, users: [
    {{ nkey: {user.public} }},
    {{ user: roomy, password: "{secret}" }},
    {{ user: reader, password: "{secret}", permissions: {{ publish: "_INBOX.>" }} }} ] }}
  SMALL: {{ jetstream: {{ max_file: 1MB, max_streams: 2, max_consumers: 200 }}, users: [
    {{ user: small, password: "{secret}" }} ] }}
  NONE: {{ users: [ {{ user: none, password: "{secret}" }} ] }}
}}
"""
    with server_with(folder / "nats", accounts) as (port, monitor):
        yield Server(folder, port, f"http://127.0.0.1:{monitor}", authority.ca, folder / "user.nk")


async def test_an_nkey_and_tls_are_enough_for_all_streams_and_for_reading_in_bulk(server: Server) -> None:
    bus = await connect(server.tls, name="test", login=server.login(nkey=server.nkey), patience_s=30.0)
    try:
        await require(bus, SMALL)
        await provision(bus, SMALL)
        assert await unmet(bus, SMALL) == []
        there = {each.config.name for each in await bus.js.streams_info()}
        assert there == set(stream_bytes(SMALL)) == {each.name for each in await stream_use(bus)}
        raw = await connect_raw(bus, "test-raw", lambda message: None, lambda: None)
        assert raw.is_connected
        await raw.close()
    finally:
        await bus.close()


async def test_a_credentials_file_is_enough_and_one_that_was_renewed_counts_at_the_next_connection(
    tmp_path: Path,
) -> None:
    creds = tmp_path / "journeyman.creds"
    with server_with(tmp_path / "nats", operator_mode(creds)) as (port, _):
        url, login = f"nats://127.0.0.1:{port}", Login(creds=creds)
        bus = await connect(url, name="test", login=login, patience_s=30.0)
        await provision(bus, SMALL)
        await bus.close()
        mine = creds.read_text()
        operator_mode(creds)
        with pytest.raises(NatsMisconfigured, match="refuses the credentials in") as refused:
            await connect(url, name="test", login=login, patience_s=HASTY_S)
        assert "SU" not in str(refused.value)
        creds.write_text(mine)
        await (await connect(url, name="test", login=login, patience_s=30.0)).close()


@pytest.mark.parametrize("content", ["", "nothing of the kind", "-----BEGIN NATS USER JWT-----\n"])
async def test_a_file_that_holds_no_credentials_is_named_and_not_repeated(tmp_path: Path, content: str) -> None:
    file = tmp_path / "a file"
    file.write_text(content)
    for login in (Login(creds=file), Login(nkey=file), Login(ca=file), Login(cert=file, key=file)):
        with pytest.raises(NatsMisconfigured, match="JOURNEYMAN_NATS_") as wrong:
            await connect("nats://127.0.0.1:1", name="test", login=login)
        assert "nothing of the kind" not in str(wrong.value)


async def test_each_thing_that_is_wrong_has_its_own_sentence(server: Server, tmp_path: Path) -> None:
    other = tmp_path / "other.nk"
    other.write_text(Key(20 << 3).seed)
    stranger = Authority(tmp_path / "stranger")
    wrong: dict[str, tuple[str, Login]] = {
        "refuses the password of roomy": (server.tls, Login(user="roomy", password=SecretStr("wr0ng"), ca=server.ca)),
        "refuses the nkey in": (server.tls, server.login(nkey=other)),
        "refuses a connection without credentials": (server.tls, server.login()),
        "shows a certificate that is not trusted": (server.tls, Login(user="roomy", password=PASSWORD)),
        "certificate that is not trusted": (server.tls, Login(user="roomy", password=PASSWORD, ca=stranger.ca)),
        "JOURNEYMAN_NATS_CA": (f"nats://127.0.0.1:{server.port}", Login(user="roomy", password=PASSWORD)),
    }
    told = await asyncio.gather(
        *(connect(url, name="test", login=login, patience_s=HASTY_S) for url, login in wrong.values()),
        return_exceptions=True,
    )
    for sentence, said in zip(wrong, told, strict=True):
        assert isinstance(said, NatsMisconfigured), (sentence, said)
        assert sentence in str(said)
        assert "wr0ng" not in str(said) and "canary" not in str(said)


async def test_what_an_account_lacks_is_named_before_anything_is_made(server: Server) -> None:
    async def lacks(user: str) -> str:
        login, hasty = server.login(user), NatsTimings(connect_s=30.0, answer_s=0.3)
        bus = await Bus.connect(server.tls, name="test", login=login, timings=hasty)
        try:
            with pytest.raises(NatsMisconfigured) as said:
                await require(bus, StreamLimits())
            return str(said.value)
        finally:
            await bus.close()

    small, none, reader = await asyncio.gather(lacks("small"), lacks("none"), lacks("reader"))
    assert "may keep 1.0 MiB in files, and 19.7 GiB are needed" in small
    assert "may have 2 streams, and 12 are needed" in small
    assert "may have 200 consumers there, and 1000 are asked for" in small
    assert "this account of NATS has no JetStream" in none
    assert "does not let this login use JetStream" in reader


async def test_a_server_without_jetstream_or_tls_says_so_at_once(tmp_path: Path) -> None:
    with server_with(tmp_path / "nats", "max_payload: 64KB", without=("jetstream", "max_payload")) as (port, monitor):
        with pytest.raises(NatsMisconfigured, match="does not insist on TLS"):
            await connect(f"tls://127.0.0.1:{port}", name="test", patience_s=HASTY_S)
        bus = await connect(f"nats://127.0.0.1:{port}", name="test", patience_s=30.0)
        try:
            with pytest.raises(NatsMisconfigured, match="runs without JetStream"):
                await check_guards(bus)
            said = " ".join(map(str, await unmet(bus, SMALL)))
            assert "NATS runs without JetStream" in said
            assert "at most 64.0 KiB: raise max_payload" in said
        finally:
            await bus.close()
        assert [each.weight for each in await durability(f"http://127.0.0.1:{monitor}")] == [Weight.RISK]


async def test_a_client_certificate_is_shown_where_one_is_asked_for(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "authority")
    cert, key = authority.signs("nats")
    mine, my_key = authority.signs("journeyman")
    tls = f'tls {{ cert_file: "{cert}", key_file: "{key}", ca_file: "{authority.ca}", verify: true }}'
    with server_with(tmp_path / "nats", tls) as (port, _):
        url = f"tls://127.0.0.1:{port}"
        with pytest.raises(NatsMisconfigured, match="refuses a connection without a certificate"):
            await connect(url, name="test", login=Login(ca=authority.ca), patience_s=HASTY_S)
        login = Login(ca=authority.ca, cert=mine, key=my_key)
        await (await connect(url, name="test", login=login, patience_s=30.0)).close()


async def test_whether_events_are_on_the_disk_is_seen_by_the_monitoring_or_said_to_be_unseen(
    server: Server, tmp_path: Path
) -> None:
    assert await durability(server.monitor) == []
    (unseen,) = await durability("")
    assert unseen.weight is Weight.UNSEEN and "JOURNEYMAN_NATS_MONITOR" in str(unseen)
    (silent,) = await durability("http://127.0.0.1:1")
    assert silent.weight is Weight.UNSEEN and "does not answer" in str(silent)
    plain = f'jetstream {{ store_dir: "{tmp_path / "store"}" }}\nfeature_flags {{ js_ack_fc_v2: true }}'
    with server_with(tmp_path / "nats", plain, without=("jetstream", "feature_flags")) as (_, monitor):
        late, flag = await durability(f"http://127.0.0.1:{monitor}")
    assert late.weight is Weight.RISK and "sync_interval: always" in str(late)
    assert "js_ack_fc_v2: false" in str(flag)
    assert NO_LOGIN.words == ""
